"""Cases that are left alone on purpose, to see what our work is worth: drawn by a care plan until the last day that it
measures, or chosen by a manager until one says otherwise."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .customer_churn_run import MANAGER


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    is_control = fields.Boolean(
        string="Control Group", tracking=True,
        help="Left alone on purpose: what becomes of it shows what our work is worth.")
    control_until = fields.Date(
        string="Left Alone Until", readonly=True,
        help="The last day that the care plan measures. Empty: a manager chose the case by hand.")

    def write(self, vals):
        by_hand = "is_control" in vals and not self.env.su
        if by_hand and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._(
                "Only managers decide which cases are left alone to measure. Ask one of them."))
        result = super().write(vals)
        if by_hand:
            # sudo: no field of users; the right to what it belongs to was checked above
            self.sudo().control_until = False
        return result

    def _leave_alone(self, until):
        """Drawn by a care plan that measures until a day; who was chosen by hand stays so."""
        self.filtered(lambda case: not case.is_control or (case.control_until and case.control_until < until)).write(
            {"is_control": True, "control_until": until})

    @api.model
    def _work_again(self, company, date):
        """What is measured is over: there is no reason left to leave these customers alone."""
        cases = self.search([("company_id", "=", company.id), ("state", "=", "open"), ("control_until", "<", date)])
        cases.write({"is_control": False, "control_until": False})
        cases._say(lambda case: case.env._(
            "Left alone no longer: the days that the care plan measures are over. Work on the case again."))
