from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _get_bad_debt_name(self):
        """How this item is called in a refusal."""
        name = self.move_id.display_name if self.move_id else self.display_name
        return f"{name} ({self.partner_id.display_name})" if self.partner_id else name

    def _get_bad_debt_matched(self):
        """The items that this one is matched with."""
        return (self.matched_debit_ids.debit_move_id | self.matched_credit_ids.credit_move_id).filtered(
            lambda item: item.account_id == self.account_id and not item.move_id.exchange_diff_partial_ids)
