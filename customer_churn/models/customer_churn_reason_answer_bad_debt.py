"""Reasons with and without bad debt: whether the customer's debt was written off."""

from odoo import api, fields, models
from odoo.tools import SQL

from .customer_bad_debt_writeoff_line import BOOKED


class CustomerChurnReasonAnswer(models.Model):
    _inherit = "customer.churn.reason.answer"

    has_bad_debt = fields.Boolean(
        string="With Bad Debt", compute="_compute_has_bad_debt", search="_search_has_bad_debt",
        help="A debt of the customer was written off, and that stands.")

    @api.depends("partner_id", "company_id")
    def _compute_has_bad_debt(self):
        found = set(self.search([("id", "in", self.ids), ("has_bad_debt", "=", True)])._ids)
        for answer in self:
            answer.has_bad_debt = answer.id in found

    def _search_has_bad_debt(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        # that a debt was written off is told, to whoever sees the reason; how much, the books tell
        written_off = SQL(
            """(SELECT a.id FROM customer_churn_reason_answer a WHERE EXISTS (
                       SELECT FROM customer_bad_debt_writeoff w
                        WHERE w.company_id = a.company_id AND w.partner_id = a.partner_id AND w.kind = 'bad_debt'
                          AND w.state = ANY(%s)))""", list(BOOKED))
        return [("id", "in" if (True in value) == (operator == "in") else "not in", written_off)]
