from odoo import models
from odoo.exceptions import UserError

from .customer_bad_debt_writeoff_line import BOOKED


class AccountMove(models.Model):
    """What users do with a write-off's entries, or its invoices, outside the document."""

    _inherit = "account.move"

    # ------------------------------------------------------------------ written off is not paid
    def _invoice_paid_hook(self):
        """Other apps take it that the money came in."""
        if not self.env.context.get("bad_debt_quiet"):
            return super()._invoice_paid_hook()

    # ------------------------------------------------------------------ refused with the remedy
    def button_draft(self):
        self.origin_payment_id._check_no_recovery()
        self._check_no_write_off()
        return super().button_draft()

    def button_cancel(self):
        self.origin_payment_id._check_no_recovery()
        self._check_no_write_off()
        return super().button_cancel()

    def unlink(self):
        self._check_no_write_off()  # before the host finds another reason
        return super().unlink()

    def _check_no_write_off(self):
        entries = self.filtered("bad_debt_writeoff_id")
        if entries:
            # sudo: the name of the document tells the remedy, whoever may see it
            names = entries.sudo().bad_debt_writeoff_id.mapped("name")
            raise UserError(self.env._(
                "%(entries)s belongs to the write-off %(names)s. Undo the write-off, or the recovery, instead.",
                entries=", ".join(entries.mapped("display_name")), names=", ".join(names)))
        if invoices := self._get_written_off():
            raise UserError(self.env._(
                "%(invoices)s: written off. Undo the write-off first.",
                invoices=", ".join(invoices.mapped("display_name"))))
        if recovered := self.filtered("amount_written_off"):
            raise UserError(self.env._(
                "%(invoices)s: written off, and undone but for what was recovered. Correct it by a credit note.",
                invoices=", ".join(recovered.mapped("display_name"))))

    def _get_written_off(self):
        """The invoices here that a booked write-off stands on."""
        if not self.ids:
            return self
        # sudo: a write-off counts, whoever may see it
        lines = self.env["customer.bad.debt.writeoff.line"].sudo().search([
            ("move_id", "in", self.ids), ("state", "in", BOOKED)])
        written_off = set(lines.move_id.ids)
        return self.filtered(lambda move: move.id in written_off)

    # ------------------------------------------------------------------ *Reverse Entry* means undo
    def _reverse_moves(self, default_values_list=None, cancel=False):
        entries = self.filtered("bad_debt_writeoff_id")
        if not entries:
            self._check_creditable(cancel)
            return super()._reverse_moves(default_values_list, cancel)
        values_list = default_values_list or [{} for _move in self]
        mirrors = self.browse()
        for move, values in zip(self, values_list, strict=True):
            if move in entries:
                mirrors += move._undo_write_off(values.get("date"))
            else:
                mirrors += super(AccountMove, move)._reverse_moves([values], cancel)
        return mirrors

    def _undo_write_off(self, date):
        writeoff = self.bad_debt_writeoff_id
        if recovery := writeoff.recovery_ids.filtered(lambda recovery: recovery.move_id == self):
            recovery.action_undo(date)
            return recovery.reversal_move_id
        if writeoff.move_id != self:
            raise UserError(self.env._(
                "%(entry)s belongs to the write-off %(name)s. Undo the write-off instead.",
                entry=self.display_name, name=writeoff.name))
        writeoff.action_undo(date)
        return writeoff.reversal_move_id

    def _check_creditable(self, cancel):
        """A credit note would credit what the customer does not owe any more."""
        sales = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        gone = sales._get_written_off().filtered(lambda move: cancel or move._get_creditable() <= 0)
        if gone:
            raise UserError(self.env._(
                "%(invoices)s: written off, a credit note would leave the customer a credit. Undo the write-off first.",
                invoices=", ".join(gone.mapped("display_name"))))
