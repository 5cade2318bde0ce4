from odoo import fields, models


class CustomerBadDebtWriteoff(models.Model):
    """A customer whose debt is given up is not won back: the open case says so, and opens again with an undo."""

    _inherit = "customer.bad.debt.writeoff"

    case_id = fields.Many2one(
        "customer.churn.case", readonly=True, copy=False, index="btree_not_null", ondelete="set null")

    def _get_open_cases(self):
        """{(company, customer): case}: of each there is one at most."""
        # sudo: the books decide this outcome, whoever works the case
        cases = self.env["customer.churn.case"].sudo().search([
            ("state", "=", "open"), ("company_id", "in", self.company_id.ids),
            ("partner_id", "in", self.partner_id.ids)])
        return {(case.company_id.id, case.partner_id.id): case for case in cases}

    def _close_cases(self):
        bad_debts = self.filtered(lambda writeoff: writeoff.kind == "bad_debt")
        cases = bad_debts._get_open_cases()
        for writeoff in bad_debts:
            case = cases.pop((writeoff.company_id.id, writeoff.partner_id.id), None)
            if not case:
                continue
            reason = writeoff.reason_id
            if reason and (case.competitor_id or not reason.requires_competitor):
                case.reason_id = reason
            case._close("written_off", date=writeoff.date)
            writeoff._set(case_id=case.id)

    def _reopen_cases(self):
        closed = self.filtered("case_id")
        cases = closed._get_open_cases()
        for writeoff in closed:
            # sudo: as above
            case = writeoff.case_id.sudo()
            if case.outcome == "written_off" and cases.setdefault(
                    (writeoff.company_id.id, writeoff.partner_id.id), case) == case:
                case.write({"state": "open", "outcome": False, "closed_date": False})
