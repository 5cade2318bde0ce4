from odoo import models
from odoo.exceptions import UserError


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def action_draft(self):
        self._check_no_recovery()
        return super().action_draft()

    def action_cancel(self):
        self._check_no_recovery()
        return super().action_cancel()

    def action_reject(self):
        self._check_no_recovery()
        return super().action_reject()

    def unlink(self):
        self._check_no_recovery()  # before the host takes the matching away
        return super().unlink()

    def _check_no_recovery(self):
        # sudo: a recovery counts, whoever may see it
        recoveries = self.env["customer.bad.debt.recovery"].sudo().search([
            ("payment_id", "in", self.ids), ("state", "=", "posted")])
        if recoveries:
            raise UserError(self.env._(
                "%(payments)s: booked as the recovery of a bad debt. Undo the recovery first.",
                payments=", ".join(recoveries.payment_id.mapped("display_name"))))
