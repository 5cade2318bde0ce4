"""What a night does with care that is under way: it follows its customer, stops, ends, goes to somebody else, and is
measured. Set-based: no step depends on the number of customers, but for those of whom something changed."""

from odoo import api, models
from odoo.tools import SQL

LATE_DAYS = 30  # purchases that are booked so much later are still counted


class CustomerCareTreatment(models.Model):
    _inherit = "customer.care.treatment"

    @api.model
    def _look_after(self, company, date):
        care = self.with_context(tracking_disable=True)
        care._move_with_customers(company)
        care._measure(company, date)
        care._mark_treated_anyway(company)
        care._stop_moot(company, date)
        care._end_done(company)
        care._escalate(company, date)

    # ------------------------------------------------------------------ customers that became others
    @api.model
    def _move_with_customers(self, company):
        """Care of contacts that belong to another customer now is that customer's, unless the same occasion is."""
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """UPDATE customer_care_treatment t SET partner_id = c.commercial_partner_id FROM res_partner c
                WHERE c.id = t.partner_id AND t.company_id = %s AND c.commercial_partner_id <> c.id
                  AND NOT EXISTS (SELECT FROM customer_care_treatment o
                                   WHERE o.plan_id = t.plan_id AND o.partner_id = c.commercial_partner_id
                                     AND o.occasion = t.occasion)""", company.id))
        self.invalidate_model(["partner_id"])

    @api.model
    def _merge_customers(self, sources, customer):
        """Before contacts are merged: of two that met a plan on the same occasion, the first one counts."""
        treatments = self.search([("partner_id", "in", (sources | customer).ids)], order="date, id")
        for same in treatments.grouped(lambda treatment: (treatment.plan_id, treatment.occasion)).values():
            same[1:].activity_ids.unlink()
            same[1:].unlink()
        self.env.flush_all()

    # ------------------------------------------------------------------ what the ledger says
    @api.model
    def _measure(self, company, date):
        """What was bought within the days that the plan measures, of treated and left alone by one rule."""
        self.env.flush_all()
        waiting = SQL(
            """SELECT t.id, t.partner_id, t.date, t.date + p.measure_days AS until
                 FROM customer_care_treatment t JOIN customer_care_plan p ON p.id = t.plan_id
                WHERE t.company_id = %s AND t.date + p.measure_days + %s >= %s""", company.id, LATE_DAYS, date)
        customers = [row[1] for row in self.env.execute_query(waiting) if row[1]]
        if not customers:
            return
        purchases = self.env["customer.churn.purchase"].with_context(customer_churn_customers=customers)
        self.env.cr.execute(SQL(
            """WITH waiting AS MATERIALIZED (%(waiting)s),
                    known AS MATERIALIZED (%(known)s)
               UPDATE customer_care_treatment t SET bought_date = found.date, bought_revenue = found.revenue
                 FROM (SELECT w.id, min(d.date) FILTER (WHERE d.amount > 0) AS date,
                              CASE WHEN bool_or(d.amount > 0) THEN sum(d.amount)::numeric END AS revenue
                         FROM waiting w
                         LEFT JOIN known d
                                ON d.partner_id = w.partner_id AND d.date >= w.date AND d.date <= w.until
                        GROUP BY w.id) found
                WHERE found.id = t.id AND (t.bought_date, t.bought_revenue)
                                          IS DISTINCT FROM (found.date, found.revenue)""",
            waiting=waiting, known=purchases._known(date, company)))
        self.invalidate_model(["bought_date", "bought_revenue"])

    @api.model
    def _mark_treated_anyway(self, company):
        """Of those left alone: for whom somebody planned or did something, or whom somebody wrote to."""
        self.env.cr.execute(SQL(
            """UPDATE customer_care_treatment t SET treated_anyway_date = found.date
                 FROM (SELECT c.id, min(deed.date)::date AS date
                         FROM customer_care_treatment c,
                              LATERAL (VALUES ('res.partner', c.partner_id), ('customer.churn.case', c.case_id))
                                   AS place (model, id),
                              LATERAL (
                                  SELECT a.create_date AS date FROM mail_activity a
                                   WHERE a.res_model = place.model AND a.res_id = place.id
                                     AND a.create_date > c.create_date AND a.care_treatment_id IS NULL
                                   UNION ALL
                                  SELECT m.date FROM mail_message m
                                    LEFT JOIN mail_message_subtype s ON s.id = m.subtype_id
                                    JOIN res_users u ON u.partner_id = m.author_id AND NOT u.share
                                   WHERE m.model = place.model AND m.res_id = place.id AND m.date > c.create_date
                                     AND m.message_type IN ('comment', 'email_outgoing') AND s.internal IS NOT TRUE
                                     AND NOT EXISTS (SELECT FROM customer_care_treatment o
                                                      WHERE o.mail_message_id = m.id)) deed
                        WHERE c.company_id = %s AND c.is_control AND c.treated_anyway_date IS NULL
                        GROUP BY c.id) found
                WHERE found.id = t.id""", company.id))
        self.invalidate_model(["treated_anyway_date"])

    # ------------------------------------------------------------------ stopping and ending
    @api.model
    def _stop_moot(self, company, date):
        """Stop what is under way for who bought again, or as the plan says; what is still planned is taken away."""
        self.env.flush_all()
        held = self.env["customer.churn.run"]._get_held_partners(company).ids
        rows = self.env.execute_query(SQL(
            """SELECT id, reason FROM (
                      SELECT t.id, CASE
                             WHEN NOT p.active THEN 'plan'
                             WHEN NOT COALESCE(c.active, FALSE) THEN 'customer'
                             WHEN p.stop_on_purchase AND t.bought_date IS NOT NULL THEN 'bought'
                             WHEN p.stop_on_case_closed AND k.state = 'closed' THEN 'case_closed'
                             WHEN p.stop_on_dispute AND t.partner_id = ANY(%s) THEN 'dispute' END AS reason
                        FROM customer_care_treatment t JOIN customer_care_plan p ON p.id = t.plan_id
                        LEFT JOIN res_partner c ON c.id = t.partner_id
                        LEFT JOIN customer_churn_case k ON k.id = t.case_id
                       WHERE t.company_id = %s AND t.state = 'open') t
                WHERE reason IS NOT NULL""", held, company.id))
        for reason, ids in _grouped(rows).items():
            treatments = self.browse(ids)
            treatments.activity_ids.unlink()
            treatments.write({"state": "stopped", "stop_reason": reason})

    @api.model
    def _end_done(self, company):
        """Nothing is planned any more: done."""
        under_way = self.search([("company_id", "=", company.id), ("state", "=", "open")])
        (under_way - under_way.filtered("activity_ids")).state = "done"

    # ------------------------------------------------------------------ escalation
    @api.model
    def _escalate(self, company, date):
        """Activities that are later than the plan allows go to whom it names, or to the team leader, once."""
        self.env.flush_all()
        Case = self.env["customer.churn.case"]
        leaders = Case._leaders_sql(SQL("a.user_id"), SQL("t.partner_id"))
        rows = self.env.execute_query(SQL(
            """SELECT a.id, %(to)s AS to_id
                 FROM mail_activity a JOIN customer_care_treatment t ON t.id = a.care_treatment_id
                 JOIN customer_care_plan p ON p.id = t.plan_id
                WHERE t.company_id = %(company)s AND a.active AND a.care_escalated_from_id IS NULL
                  AND p.escalate_after_days > 0 AND a.date_deadline + p.escalate_after_days < %(date)s""",
            to=SQL("COALESCE(%s)", SQL(", ").join(
                [SQL("p.escalate_user_id"), *leaders, SQL("%s::int", company.churn_case_fallback_user_id.id or None)])),
            company=company.id, date=date))
        at_work = set(Case._get_at_work(company))
        for user, ids in _grouped(rows).items():
            if user in at_work:
                self.env["mail.activity"].browse(ids)._hand_over(self.env["res.users"].browse(user))


def _grouped(rows):
    """{value: ids} of rows (id, value)"""
    groups = {}
    for record, value in rows:
        groups.setdefault(value, []).append(record)
    return groups
