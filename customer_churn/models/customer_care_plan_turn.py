"""Whose turn it is: a customer meets one plan a night, the first in the order of the list, and no second plan with
activities while those of another wait. What a person just said of a customer is followed up all the same."""

from odoo import models
from odoo.tools import SQL


class CustomerCarePlan(models.Model):
    _inherit = "customer.care.plan"

    def _choose_tonight(self, date):
        """As the night will: not whom the plans before this one take."""
        taken = []
        for plan in self._get_others().filtered(
                lambda plan: not plan.error and (plan.sequence, plan.id) < (self.sequence, self.id)):
            taken += [row["partner_id"] for row in plan._choose(date, taken)]
        return self._choose(date, taken)

    def _get_others(self):
        return self.search([("company_id", "=", self.company_id.id), ("id", "!=", self.id), ("active", "=", True)])

    def _busy_sql(self, customer, date):
        """Whether it is the turn of another plan: it met the customer on this night or, if both plan activities, its
        last step is not due yet, or an activity is undone and what the plan brings is still measured. Treated and left
        alone alike wait for the last step, so that what is measured of the other plan stays a comparison."""
        others = self._get_others()
        waits = bool(self.activity_plan_id) and self.trigger != "reason_recorded"
        return SQL(
            """EXISTS (SELECT FROM customer_care_treatment o
                         JOIN unnest(%(plans)s::int[], %(days)s::int[], %(measured)s::int[])
                              other (plan_id, days, measured) USING (plan_id)
                        WHERE o.partner_id = %(customer)s AND o.date <= %(date)s
                          AND (o.date + other.days >= %(date)s
                               OR %(waits)s AND o.date + other.measured >= %(date)s AND EXISTS (
                               SELECT FROM mail_activity a WHERE a.care_treatment_id = o.id AND a.active)))""",
            plans=others.ids, days=[plan._get_duration(date) if waits else 0 for plan in others],
            measured=others.mapped("measure_days"), customer=customer, date=date, waits=waits)

    def _get_duration(self, date):
        """Days from a night to the last activity that is planned then."""
        steps = self.activity_plan_id.template_ids
        return (max([date, *(step._get_date_deadline(date) for step in steps)]) - date).days
