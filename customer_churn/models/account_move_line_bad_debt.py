from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _get_bad_debt_name(self):
        """How this item is called in a refusal."""
        name = self.move_id.display_name if self.move_id else self.display_name
        return f"{name} ({self.partner_id.display_name})" if self.partner_id else name
