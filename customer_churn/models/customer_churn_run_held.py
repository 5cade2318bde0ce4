"""Whom nobody is to be pushed while something else is open with them."""

from odoo import api, models


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    @api.model
    def _get_held_partners(self, company=None):
        """Customers with an open dispute in a company, whom care plans leave alone if they say so. Other addons add
        theirs, such as those under dunning.

        :rtype: res.partner
        """
        company = company or self.company_id or self.env.company
        groups = self.env["account.move.line"]._read_group([
            ("company_id", "=", company.id), ("account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"), ("reconciled", "=", False), ("move_id.move_type", "=like", "out_%"),
            "|", ("no_followup", "=", True), ("move_id.payment_state", "=", "blocked")], ["partner_id"])
        return self.env["res.partner"].union(*(partner.commercial_partner_id for [partner] in groups))
