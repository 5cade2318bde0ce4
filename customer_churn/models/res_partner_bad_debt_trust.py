from odoo import fields, models

from .customer_bad_debt_writeoff_line import BOOKED


class CustomerBadDebtWriteoff(models.Model):
    """Who did not pay is no good debtor any more, unless the write-off was a mistake."""

    _inherit = "customer.bad.debt.writeoff"

    trust_before = fields.Selection(
        lambda self: self.env["res.partner"]._fields["trust"]._description_selection(self.env),
        readonly=True, copy=False, help="The customer's degree of trust before this write-off lowered it.")

    def _after_posting(self):
        result = super()._after_posting()
        self._mark_customers()
        return result

    def action_undo(self, date=None):
        result = super().action_undo(date)
        self._unmark_customers()
        return result

    def _mark_customers(self):
        for writeoff in self.filtered(lambda writeoff: writeoff.kind == "bad_debt"):
            # sudo: the books lower the trust, whoever may edit contacts
            partner = writeoff.partner_id.with_company(writeoff.company_id).sudo()
            marks = writeoff.company_id._get_bad_debt_settings().bad_debt_mark_customer
            if marks and partner.trust != "bad":
                writeoff._set(trust_before=partner.trust or "normal")
                partner.trust = "bad"

    def _unmark_customers(self):
        """As it was before, once no other write-off of this customer stands."""
        for writeoff in self.filtered("trust_before"):
            # sudo: see above
            partner = writeoff.partner_id.with_company(writeoff.company_id).sudo()
            other = self.search([
                ("partner_id", "=", partner.id), ("company_id", "=", writeoff.company_id.id),
                ("kind", "=", "bad_debt"), ("state", "in", BOOKED)], limit=1)
            if other:
                other._set(trust_before=writeoff.trust_before)
            elif partner.trust == "bad":
                partner.trust = writeoff.trust_before
            writeoff._set(trust_before=False)
