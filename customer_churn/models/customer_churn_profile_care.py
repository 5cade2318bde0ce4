from odoo import api, fields, models


class CustomerChurnProfile(models.Model):
    """What care plans did for the customer."""

    _inherit = "customer.churn.profile"

    care_count = fields.Integer(string="Care", compute="_compute_care_count")

    @api.depends("partner_id", "company_id")
    def _compute_care_count(self):
        found = self._get_of_customers("customer.care.treatment")
        for profile in self:
            profile.care_count = len(found.get((profile.company_id, profile.partner_id), ()))

    def action_open_care(self):
        self.ensure_one()
        return self.env["customer.care.treatment"]._get_action(self)
