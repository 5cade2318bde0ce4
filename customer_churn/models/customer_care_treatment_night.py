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
        care._mark_treated_anyway(company, date)
        care._mark_cases(company, date)
        care.env["customer.churn.case"]._work_again(company, date)
        care._stop_moot(company, date)
        care._end_done(company)
        care._escalate(company, date)

    # ------------------------------------------------------------------ customers that became others
    @api.model
    def _move_with_customers(self, company):
        """Care of contacts that belong to another customer now is that customer's, unless the same occasion is; of
        several contacts the first one's."""
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """UPDATE customer_care_treatment t SET partner_id = moved.customer_id
                 FROM (SELECT DISTINCT ON (m.plan_id, m.occasion, c.commercial_partner_id)
                              m.id, m.plan_id, m.occasion, c.commercial_partner_id AS customer_id
                         FROM customer_care_treatment m JOIN res_partner c ON c.id = m.partner_id
                        WHERE m.company_id = %s AND c.commercial_partner_id <> c.id
                        ORDER BY m.plan_id, m.occasion, c.commercial_partner_id, m.date, m.id) moved
                WHERE moved.id = t.id
                  AND NOT EXISTS (SELECT FROM customer_care_treatment o
                                   WHERE o.plan_id = moved.plan_id AND o.partner_id = moved.customer_id
                                     AND o.occasion = moved.occasion)""", company.id))
        self.invalidate_model(["partner_id"])

    @api.model
    def _merge_customers(self, sources, customer):
        """Before contacts are merged: of two that met a plan on the same occasion, the first one counts."""
        treatments = self.search([("partner_id", "in", (sources | customer).ids)], order="date, id")
        for same in treatments.grouped(lambda treatment: (treatment.plan_id, treatment.occasion)).values():
            first, others = same[0], same[1:]
            treated = others.filtered(lambda treatment: not treatment.is_control)[:1]
            if first.is_control and treated and not first.treated_anyway_date:
                first.treated_anyway_date = treated.date
            others.activity_ids.unlink()
            others.unlink()
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
                             WHEN p.stop_on_opt_out AND EXISTS (
                                  SELECT FROM mail_blacklist b WHERE b.active AND b.email = c.email_normalized)
                             THEN 'opted_out'
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
            # sudo: none needed at night; Odoo keeps its queue from everybody else
            self.env["mail.mail"].sudo().search([
                ("mail_message_id", "in", treatments.mail_message_id.ids), ("state", "=", "outgoing")]).cancel()

    @api.model
    def _end_done(self, company):
        """Nothing is planned any more: done, unless somebody took away all that was planned."""
        under_way = self.search([("company_id", "=", company.id), ("state", "=", "open")])
        over = (under_way - under_way.filtered("activity_ids")).with_context(active_test=False)
        done = over.filtered(lambda treatment: treatment.activity_ids or treatment.mail_message_id)
        done.state = "done"
        (over - done).write({"state": "stopped", "stop_reason": "removed"})

    # ------------------------------------------------------------------ escalation
    @api.model
    def _escalate(self, company, date):
        """Activities that are later than the plan allows go to whom it names, or to the team leader, once."""
        self.env.flush_all()
        Case = self.env["customer.churn.case"]
        leaders = Case._leaders_sql(SQL("a.user_id"), SQL("t.partner_id"))
        fallback = company.churn_case_fallback_user_id.id or None
        rows = self.env.execute_query(SQL(
            """SELECT a.id, %(to)s AS to_id
                 FROM mail_activity a JOIN customer_care_treatment t ON t.id = a.care_treatment_id
                 JOIN customer_care_plan p ON p.id = t.plan_id
                WHERE t.company_id = %(company)s AND a.active AND a.care_escalated_from_id IS NULL
                  AND p.escalate_after_days > 0 AND a.date_deadline + p.escalate_after_days < %(date)s""",
            to=SQL("COALESCE(%s)", SQL(", ").join(
                SQL("CASE WHEN %(user)s = ANY(%(at_work)s) THEN %(user)s END", user=user,
                    at_work=Case._get_at_work(company))
                for user in (SQL("p.escalate_user_id"), *leaders, SQL("%s::int", fallback)))),
            company=company.id, date=date))
        for user, ids in _grouped(rows).items():
            if user:
                self.env["mail.activity"].browse(ids)._hand_over(self.env["res.users"].browse(user))


def _grouped(rows):
    """{value: ids} of rows (id, value)"""
    groups = {}
    for record, value in rows:
        groups.setdefault(value, []).append(record)
    return groups
