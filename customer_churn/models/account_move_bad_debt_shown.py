from odoo import api, models

from .customer_bad_debt_writeoff_line import BOOKED

INTERNAL = {"amount_written_off", "write_off_state", "bad_debt_writeoff_id"}
UNPAID = tuple(state for state in BOOKED if state != "recovered")


class AccountMove(models.Model):
    """What an invoice says of a write-off, and a new invoice of earlier ones."""

    _inherit = "account.move"

    def _has_field_access(self, field, operation):
        """Customers read their own invoices on the portal: not this."""
        return super()._has_field_access(field, operation) and (
            field.name not in INTERNAL or self.env.su or self.env.user._is_internal())

    def action_open_writeoffs(self):
        """The documents that this invoice stands on, or that this entry belongs to."""
        lines = self.env["customer.bad.debt.writeoff.line"].search([("move_id", "in", self.ids)])
        return (lines.writeoff_id | self.bad_debt_writeoff_id)._get_open_action()

    @api.depends("write_off_state")
    def _compute_payments_widget_reconciled_info(self):
        """What it was settled with stands below the total: what was given up is not called paid."""
        result = super()._compute_payments_widget_reconciled_info()
        # sudo: the host looks at every entry here as well; only that one is of a write-off is told
        for move in self.sudo().filtered(lambda move: move.write_off_state not in (False, "none")):
            if widget := move.invoice_payments_widget:
                for line in widget["content"]:
                    line["write_off"] = bool(move.browse(line["move_id"]).bad_debt_writeoff_id)
                move.invoice_payments_widget = widget
        return result

    def _tells_customer(self):
        return self.company_id._get_bad_debt_settings().bad_debt_tell_customer

    def _get_portal_status(self):
        """`paid` is what the host says; for a debt given up that would be a receipt."""
        # sudo: customers do not read the state; whether they are told is the company's choice
        move = self.sudo()
        if move.write_off_state != "full":
            return "host"
        return "written_off" if move._tells_customer() else "silent"

    def _get_invoice_portal_extra_values(self, custom_amount=None):
        """What was given up in part is no part of what the customer is said to have paid."""
        values = super()._get_invoice_portal_extra_values(custom_amount=custom_amount)
        # sudo: as above
        move = self.sudo()
        if not move.amount_written_off or "amount_paid" not in values:  # nothing is due of a document without terms
            return values
        written_off = move._get_written_off_for_good()
        return values | {
            "amount_paid": values["amount_paid"] - written_off,
            "amount_written_off": move._tells_customer() and written_off}

    def _get_written_off_for_good(self):
        """What was given up, less the share of it that came in after all."""
        lines = self.env["customer.bad.debt.writeoff.line"].search([
            ("move_id", "=", self.id), ("state", "in", BOOKED)])
        total = sum(lines.mapped("amount"))
        lost = sum(line.amount * (1 - line.writeoff_id.recovered_share / 100) for line in lines)
        return self.currency_id.round(self.amount_written_off * lost / total) if total else self.amount_written_off

    # ------------------------------------------------------------------ no fresh credit unawares
    @api.depends("company_id", "partner_id", "tax_totals", "currency_id")
    def _compute_partner_credit_warning(self):
        result = super()._compute_partner_credit_warning()
        for move in self.filtered(lambda move: move.state == "draft" and move.move_type == "out_invoice"):
            if not move.company_id.account_use_credit_limit:  # with a limit the host asks the method below
                move.partner_credit_warning = move._get_defaulter_warning(move)
        return result

    def _build_credit_warning_message(
            self, record, current_amount=0.0, exclude_current=False, exclude_amount=0.0):
        warning = super()._build_credit_warning_message(record, current_amount, exclude_current, exclude_amount)
        return "\n".join(filter(None, [self._get_defaulter_warning(record), warning]))

    def _get_defaulter_warning(self, record):
        partner, company = record.partner_id.commercial_partner_id, record.company_id
        if not partner or not company._get_bad_debt_settings().bad_debt_warn:
            return ""
        # sudo: who writes invoices is warned of what was lost with this customer, and sees no more than that
        [[count, total, recovered, undone]] = self.env["customer.bad.debt.writeoff"].sudo()._read_group([
            ("partner_id", "=", partner.id), ("company_id", "=", company.id), ("kind", "=", "bad_debt"),
            ("state", "in", UNPAID)],
            aggregates=["__count", "amount_total:sum", "amount_recovered:sum", "amount_undone:sum"])
        if not count:
            return ""
        lost = company.currency_id.format(total - (recovered or 0.0) - (undone or 0.0))
        return self.env._(
            "%(customer)s did not pay: %(amount)s were written off. Ask for payment in advance.",
            customer=partner.display_name, amount=lost)
