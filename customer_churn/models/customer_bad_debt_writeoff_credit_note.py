from odoo import fields, models
from odoo.exceptions import UserError

from .res_company_bad_debt import METHOD

QUIET = {"tracking_disable": True, "mail_create_nosubscribe": True}


class CustomerBadDebtWriteoff(models.Model):
    """Where the law wants a document to the customer: the debt of one invoice is given up by a credit note."""

    _inherit = "customer.bad.debt.writeoff"

    method = fields.Selection(
        METHOD, required=True, readonly=True, default="entry",
        help="By a credit note of the invoice, its tax comes back as the tax of any credit note does.")

    def _is_credit_note(self):
        return self.method == "credit_note"

    def _hits_revenue(self):
        """The credit note takes back what the invoice earned, where it is not to be a loss."""
        return self._is_credit_note() and not self.company_id._get_bad_debt_settings().bad_debt_credit_note_expense

    def _get_method(self, line, kind, method=None):
        """Of an item; what is no invoice cannot be credited, and goes by an entry."""
        wanted = method or line.company_id._get_bad_debt_settings().bad_debt_method
        may = kind == "bad_debt" and line.move_id.is_sale_document(include_receipts=True)
        return wanted if may else "entry"

    def _check_one_invoice(self, items):
        if self._is_credit_note() and len(items.move_id) != 1:
            raise UserError(self.env._(
                "%(name)s: a credit note is for one invoice. Prepare a write-off for each.", name=self.display_name))

    def _check_not_credited(self):
        if credited := self.filtered(lambda writeoff: writeoff._is_credit_note()):
            raise UserError(self.env._(
                "%(names)s: given up by a credit note, so the customer owes nothing that could come back. Undo the "
                "write-off, and match the payment with the invoice.",
                names=", ".join(credited.mapped("display_name"))))

    # ------------------------------------------------------------------ the document
    def _is_next_credit_note(self):
        """A later entry, the mirror of an undo, is no document to the customer."""
        return self._is_credit_note() and not self.move_id

    def _get_credit_note_values(self):
        if not self._is_next_credit_note():
            return {}
        invoice, settings = self.line_ids.move_id, self.company_id._get_bad_debt_settings()
        return {
            "move_type": "out_refund", "partner_id": invoice.partner_id.id, "currency_id": invoice.currency_id.id,
            "journal_id": (settings.bad_debt_credit_note_journal_id or invoice.journal_id).id,
            "invoice_date": self.date, "invoice_date_due": self.date, "invoice_payment_term_id": False,
            "invoice_currency_rate": invoice.invoice_currency_rate, "fiscal_position_id": invoice.fiscal_position_id.id,
            "invoice_user_id": invoice.invoice_user_id.id, "invoice_origin": invoice.name}

    def _get_credit_note_line(self, group, values):
        if not self._is_next_credit_note():
            return {}
        if group["kind"] == "transition":
            return {"display_type": "tax"}  # a line of an invoice on no receivable account
        if values["display_type"] != "product":
            return {}
        price = group["tax_ids"].filtered("price_include").compute_all(
            values["amount_currency"], group["currency_id"], handle_price_include=False)["total_included"]
        return {"quantity": 1.0, "price_unit": price}

    def _create_moves(self, vals_list):
        """The host would compute the tax of a document anew, and lose a tax that is less than a cent."""
        lines = [vals.pop("line_ids") if vals["move_type"] == "out_refund" else [] for vals in vals_list]
        moves = self.env["account.move"].with_context(**QUIET).create(vals_list)
        for move, commands in zip(moves, lines, strict=True):
            if commands:
                move.with_context(skip_invoice_sync=True).write({"line_ids": commands})
        return moves

    def _link_credit_notes(self, moves):
        """Before they are posted, the host would match them by itself."""
        for writeoff, move in zip(self, moves, strict=True):
            if writeoff._is_credit_note():
                move.reversed_entry_id = writeoff.line_ids.move_id
