"""Those left alone: what somebody did for them all the same is counted, and their cases say that they are."""

from odoo import api, models
from odoo.tools import SQL


class CustomerCareTreatment(models.Model):
    _inherit = "customer.care.treatment"

    @api.model
    def _mark_treated_anyway(self, company, date):
        """Of those left alone: for whom somebody planned or did something, or whom somebody wrote to, be it by way of
        a contact or of a case, within the days that the plan measures."""
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """UPDATE customer_care_treatment t SET treated_anyway_date = found.date
                 FROM (SELECT c.id, min(deed.date)::date AS date
                         FROM customer_care_treatment c JOIN customer_care_plan p ON p.id = c.plan_id,
                              LATERAL (%(places)s) place,
                              LATERAL (%(deeds)s) deed
                        WHERE c.company_id = %(company)s AND c.is_control AND c.treated_anyway_date IS NULL
                          AND c.date + p.measure_days >= %(date)s::date - 1
                          AND deed.date > c.create_date
                          AND deed.date <= c.create_date + make_interval(days => p.measure_days)
                        GROUP BY c.id) found
                WHERE found.id = t.id""",
            places=self._places_sql(), deeds=self._deeds_sql(), company=company.id, date=date))
        self.invalidate_model(["treated_anyway_date"])

    @api.model
    def _places_sql(self):
        """Where people do something for the customer of the treatment `c`."""
        return SQL(
            """SELECT 'res.partner' AS model, id FROM res_partner WHERE commercial_partner_id = c.partner_id
                UNION ALL
               SELECT 'customer.churn.case', id FROM customer_churn_case
                WHERE partner_id = c.partner_id AND company_id = c.company_id""")

    @api.model
    def _deeds_sql(self):
        """What people planned or did at a `place`, be it planned before; what other care plans do is theirs. A done
        activity has no hour: it was done by the end of its day."""
        return SQL(
            """SELECT a.create_date AS date FROM mail_activity a
                WHERE a.res_model = place.model AND a.res_id = place.id AND a.care_treatment_id IS NULL
                UNION ALL
               SELECT a.date_done + time '23:59:59' FROM mail_activity a
                WHERE a.res_model = place.model AND a.res_id = place.id AND a.care_treatment_id IS NULL
                UNION ALL
               SELECT m.date FROM mail_message m
                 LEFT JOIN mail_message_subtype s ON s.id = m.subtype_id
                 JOIN res_users u ON u.partner_id = m.author_id AND NOT u.share
                WHERE m.model = place.model AND m.res_id = place.id
                  AND m.message_type IN ('comment', 'email_outgoing') AND s.internal IS NOT TRUE
                  AND NOT EXISTS (SELECT FROM customer_care_treatment o WHERE o.mail_message_id = m.id)""")

    @api.model
    def _mark_cases(self, company, date):
        """A case that was opened after the draw is said, once, to be of a customer who is left alone."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT t.id, k.id, t.date + p.measure_days FROM customer_care_treatment t
                 JOIN customer_care_plan p ON p.id = t.plan_id
                 JOIN customer_churn_case k ON k.company_id = t.company_id AND k.partner_id = t.partner_id
                WHERE t.company_id = %s AND t.is_control AND k.state = 'open' AND k.id IS DISTINCT FROM t.case_id
                  AND t.date + p.measure_days >= %s""", company.id, date))
        for treatment, case, until in rows:
            self.browse(treatment).case_id = case
            self.env["customer.churn.case"].browse(case)._leave_alone(until)
