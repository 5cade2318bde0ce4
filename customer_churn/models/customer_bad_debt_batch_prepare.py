from odoo import models
from odoo.exceptions import UserError
from odoo.tools import split_every

from .customer_bad_debt_writeoff import APPROVER

CUSTOMERS = 50  # prepared in one go


class CustomerBadDebtBatch(models.Model):
    """Preparation: a draft a customer, and a list of what was left out and why."""

    _inherit = "customer.bad.debt.batch"

    def action_prepare(self):
        """Look for the debts anew. What was asked for meanwhile stays as it is."""
        self._check_rights()
        for batch in self:
            batch._lock()
            batch._check_state("draft", "prepared")
            batch.company_id._check_bad_debt_settings("bad_debt")
            batch.writeoff_ids.filtered(lambda writeoff: writeoff.state == "draft").unlink()
            batch.skipped_ids.sudo().unlink()  # sudo: the list is kept by the methods only
            batch.with_company(batch.company_id)._prepare()
            batch._set(state="prepared" if batch.writeoff_ids else "draft")

    def _prepare(self):
        found = self._find()
        if not found:
            raise UserError(self.env._("%(name)s: no customer meets these criteria. Widen them.", name=self.name))
        items = self._browse_items(found) - self._get_pending_items()
        refusals = self._get_skips(items)
        self._skip(refusals)
        by_partner = (items - items.browse([item.id for item in refusals])).grouped(
            lambda item: item.partner_id.commercial_partner_id)
        for chunk in split_every(CUSTOMERS, by_partner.values()):
            self._create_writeoffs(chunk)

    def _browse_items(self, found):
        return self.env["account.move.line"].browse([item for _partner, items, _amount in found for item in items])

    def _get_pending_items(self):
        """Of this batch's own documents that somebody has asked for already."""
        return self.writeoff_ids.filtered(lambda writeoff: writeoff.state != "cancelled").line_ids.move_line_id

    def _get_skips(self, items):
        """{item: why it is left out}; what is disputed is never given up by criteria, only by hand."""
        refusals = self.env["customer.bad.debt.writeoff"]._get_refusals(items, self.date)
        for item in items - items.browse([item.id for item in refusals]):
            if item.move_id.payment_state == "blocked" or (item.move_id.is_invoice() and item.no_followup):
                refusals[item] = self.env._("it is disputed. Write it off by itself if that is what you want.")
        return refusals

    def _skip(self, refusals):
        # sudo: the list is kept by the methods only
        self.env["customer.bad.debt.batch.skipped"].sudo().create([{
            "batch_id": self.id, "partner_id": item.partner_id.commercial_partner_id.id, "move_line_id": item.id,
            "amount": item.amount_residual, "reason": reason} for item, reason in refusals.items()])

    def _create_writeoffs(self, chunk):
        """All at once; where one cannot be, one by one, and that one is left out."""
        try:
            with self.env.cr.savepoint():
                self._create_writeoff(self.env["account.move.line"].union(*chunk))
        except UserError:
            for items in chunk:
                self._try_writeoff(items)

    def _try_writeoff(self, items):
        try:
            with self.env.cr.savepoint():
                self._create_writeoff(items)
        except UserError as error:
            self._skip(dict.fromkeys(items, str(error)))

    def _create_writeoff(self, items):
        return self.env["customer.bad.debt.writeoff"]._create_for(
            items, self.date, reason=self.reason_id, batch_id=self.id, use_allowance=self.use_allowance,
            tax_relief=self.tax_relief)

    # ------------------------------------------------------------------ approval as a whole
    def action_submit(self):
        """Ask for all that is still a draft."""
        self._check_rights()
        self._lock()
        self._check_state("prepared", "failed")
        self.writeoff_ids.filtered(lambda writeoff: writeoff.state == "draft")._ask()

    def action_approve(self):
        """Approve all that waits for it; each document can be approved, or cancelled, by itself as well."""
        self._check_rights(APPROVER)
        self._lock()
        self._check_state("prepared", "failed")
        self.writeoff_ids.filtered(lambda writeoff: writeoff.state == "to_approve").action_approve()
