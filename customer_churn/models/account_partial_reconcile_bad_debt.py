from odoo import api, models
from odoo.exceptions import UserError

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import BOOKED

OURS = {"bad_debt_quiet", "bad_debt_undo"}


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        """A counterpart belongs to its item; a payment of the rest leaves a partly written-off invoice settled."""
        items = self.env["account.move.line"].browse(
            [vals[name] for vals in vals_list for name in ("debit_move_id", "credit_move_id")])
        if not OURS & self.env.context.keys() and (entries := items.move_id.filtered("bad_debt_writeoff_id")):
            (items & entries.line_ids)._check_no_counterpart()
        partials = super().create(vals_list)
        items.move_id.filtered(lambda move: move.write_off_state == "partial")._refresh_written_off()
        return partials

    def unlink(self):
        """A write-off whose matching is taken away by hand says so, and calls its approver."""
        if self.env.context.get("bad_debt_undo") or not self:
            return super().unlink()
        self._check_no_recovery()
        items = self.debit_move_id | self.credit_move_id
        lines = items._get_bad_debt_lines()
        lines._check_not_undone()
        moves = items.move_id.filtered(lambda move: move.write_off_state in ("partial", "full"))
        result = super().unlink()
        lines.writeoff_id._set_unmatched()
        moves.exists()._refresh_written_off()  # a payment that is taken back leaves it written off in part only
        return result

    def _check_no_recovery(self):
        """The debt that a recovery has booked again stays with the payment that it was booked for."""
        pairs = {(partial.debit_move_id.move_id, partial.credit_move_id.move_id) for partial in self}
        # sudo: whoever undoes a matching need not see recoveries
        recoveries = self.env["customer.bad.debt.recovery"].sudo().search([
            ("move_id", "in", self.debit_move_id.move_id.ids), ("state", "=", "posted")])
        recoveries.filtered(lambda recovery: (recovery.move_id, recovery.payment_id.move_id) in pairs) \
            .payment_id._check_no_recovery()


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _get_bad_debt_lines(self):
        """The items of write-offs that these journal items are the counterparts of."""
        # sudo: whoever matches, or undoes a matching, need not see write-offs
        return self.env["customer.bad.debt.writeoff.line"].sudo().search([
            ("booked_line_id", "in", self.ids), ("state", "in", (*BOOKED, "reversed"))])

    def _check_no_counterpart(self):
        if lines := self._get_bad_debt_lines():
            raise UserError(self.env._(
                "%(entries)s belongs to the write-off %(names)s, and is no money of the customer. Match it again there "
                "or undo the write-off.", entries=", ".join(lines.booked_line_id.move_id.mapped("name")),
                names=", ".join(lines.writeoff_id.mapped("name"))))


class CustomerBadDebtWriteoffLine(models.Model):
    _inherit = "customer.bad.debt.writeoff.line"

    def _check_not_undone(self):
        if undone := self.filtered(lambda line: line.state == "reversed"):
            raise UserError(self.env._(
                "%(names)s: undone, but for what was recovered. What is matched with it stays so. Correct the invoice "
                "by a credit note.", names=", ".join(undone.writeoff_id.mapped("name"))))


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
        quiet = self.env["account.move.line"].with_context(no_cash_basis=True, add_caba_vals=True, bad_debt_quiet=True)
        pairs = [line.move_line_id | line.booked_line_id for line in self._get_unmatched()]
        quiet._reconcile_plan([quiet.browse(pair.ids) for pair in pairs])
