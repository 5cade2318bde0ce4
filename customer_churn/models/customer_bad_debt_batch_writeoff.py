from odoo import api, fields, models
from odoo.exceptions import UserError


class CustomerBadDebtWriteoff(models.Model):
    """What a write-off may not do because it stands in a batch."""

    _inherit = "customer.bad.debt.writeoff"

    batch_id = fields.Many2one(
        "customer.bad.debt.batch", readonly=True, copy=False, check_company=True,
        index="btree_not_null", ondelete="restrict")

    @api.constrains("batch_id")
    def _check_batch(self):
        self.batch_id._check_state("draft", "prepared")

    def action_submit(self):
        self._check_batch_at_rest()
        return super().action_submit()

    def action_cancel(self):
        result = super().action_cancel()
        self._settle_batch()
        return result

    def _back_to_draft(self):
        self._check_batch_at_rest()
        result = super()._back_to_draft()
        self._settle_batch()
        return result

    def _settle_batch(self):
        """Without failures it has not failed any more."""
        self.batch_id.filtered(lambda batch: batch.state == "failed")._settle()

    def _check_batch_at_rest(self):
        """An approver had a batch posted as it was: nobody puts in anything else while the job is at it."""
        if busy := self.batch_id.filtered(lambda batch: batch.state == "posting"):
            raise UserError(self.env._(
                "%(names)s is being booked. Wait until that is through, and change what is left then.",
                names=", ".join(busy.mapped("name"))))
