from odoo import models

TOUCHED = "customer_churn.written_off"


class AccountMove(models.Model):
    """A debt that was given up is not paid: what a write-off makes of the payment state is told in its own words."""

    _inherit = "account.move"

    def _keep_quiet(self):
        """Until the end of the transaction, these invoices do not note that their payment state changed."""
        self.env.cr.precommit.data.setdefault(TOUCHED, set()).update(self.ids)

    def _message_track(self, fields_iter, initial_values_dict):
        quiet = self & self.browse(self.env.cr.precommit.data.get(TOUCHED, ()))
        tracking = super(AccountMove, self - quiet)._message_track(fields_iter, initial_values_dict)
        return tracking | super(AccountMove, quiet)._message_track(
            set(fields_iter) - {"payment_state"}, initial_values_dict)
