from odoo import models
from odoo.exceptions import UserError

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import BOOKED


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """A write-off whose matching is taken away by hand says so, and calls its approver."""
        if self.env.context.get("bad_debt_undo") or not self:
            return super().unlink()
        # sudo: whoever undoes a matching need not see write-offs
        lines = self.env["customer.bad.debt.writeoff.line"].sudo().search([
            ("booked_line_id", "in", (self.debit_move_id | self.credit_move_id).ids), ("state", "in", BOOKED)])
        moves = (self.debit_move_id | self.credit_move_id).move_id.filtered(
            lambda move: move.write_off_state in ("partial", "full"))
        result = super().unlink()
        lines.writeoff_id._set_unmatched()
        moves.exists()._refresh_written_off()  # a payment that is taken back leaves it written off in part only
        return result


class CustomerBadDebtWriteoff(models.Model):
    _inherit = "customer.bad.debt.writeoff"

    def _set_unmatched(self):
        for writeoff in self.filtered(lambda writeoff: writeoff.state != "unmatched"):
            writeoff._set(state="unmatched")
            writeoff.activity_schedule(
                "mail.mail_activity_data_todo", user_id=(writeoff.approved_by_id or writeoff.move_id.create_uid).id,
                summary=self.env._("The write-off is not matched with its invoices any more"),
                note=self.env._("Match it again, or undo the write-off."))
        self.line_ids.move_id._refresh_written_off()

    def action_rematch(self):
        """Match the counterparts with their items again, as posting did."""
        self._check_group(APPROVER)
        self.check_access("write")
        self._lock()
        self._check_state("unmatched")
        for writeoff in self:
            for line in writeoff._get_unmatched():
                if reason := writeoff._get_rematch_fault(line):
                    raise UserError(self.env._(
                        "%(item)s: %(reason)s", item=line.move_line_id._get_bad_debt_name(), reason=reason))
            writeoff._rematch()
            writeoff._set(state="posted")
            writeoff._refresh_recovered()
            # sudo: the task was given by the system
            writeoff.sudo().activity_ids.unlink()

    def _get_unmatched(self):
        return self.line_ids.filtered(lambda line: line.booked_line_id and not line.booked_line_id.reconciled)

    def _get_rematch_fault(self, line):
        item, booked = line.move_line_id, line.booked_line_id
        if item.parent_state != "posted":
            return self.env._("it is not posted any more. Undo the write-off.")
        if item.currency_id.compare_amounts(
                abs(item.amount_residual_currency), abs(booked.amount_residual_currency)) < 0:
            return self.env._("less is open than was written off. Undo the write-off.")
        return False

    def _rematch(self):
        quiet = self.env["account.move.line"].with_context(no_cash_basis=True, bad_debt_quiet=True)
        pairs = [line.move_line_id | line.booked_line_id for line in self._get_unmatched()]
        quiet._reconcile_plan([quiet.browse(pair.ids) for pair in pairs])
