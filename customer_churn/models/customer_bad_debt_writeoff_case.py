from odoo import fields, models


class CustomerBadDebtWriteoff(models.Model):
    """A customer whose debt is given up is not won back: the open case says so, and opens again with an undo."""

    _inherit = "customer.bad.debt.writeoff"

    case_id = fields.Many2one(
        "customer.churn.case", readonly=True, copy=False, index="btree_not_null", ondelete="set null")

    def _close_cases(self):
        # sudo: the books decide this outcome, whoever works the case
        cases = self.env["customer.churn.case"].sudo()
        for writeoff in self.filtered(lambda writeoff: writeoff.kind == "bad_debt"):
            case = cases.search([("state", "=", "open"), ("company_id", "=", writeoff.company_id.id),
                                 ("partner_id", "=", writeoff.partner_id.id)], limit=1)
            if not case:
                continue
            reason = writeoff.reason_id
            if reason and (case.competitor_id or not reason.requires_competitor):
                case.reason_id = reason
            case._close("written_off", date=writeoff.date)
            writeoff._set(case_id=case.id)

    def _reopen_cases(self):
        # sudo: see above
        cases = self.env["customer.churn.case"].sudo()
        for writeoff in self.filtered("case_id"):
            other = cases.search_count([("state", "=", "open"), ("company_id", "=", writeoff.company_id.id),
                                        ("partner_id", "=", writeoff.partner_id.id)])
            # sudo: as above
            case = writeoff.case_id.sudo()
            if case.outcome == "written_off" and not other:
                case.write({"state": "open", "outcome": False, "closed_date": False})
