from odoo import api, fields, models


class CustomerChurnCase(models.Model):
    """What care plans did for the customer of the case."""

    _inherit = "customer.churn.case"

    care_count = fields.Integer(string="Care", compute="_compute_care_count")

    @api.depends("partner_id", "company_id")
    def _compute_care_count(self):
        counts = {(company, customer): count for company, customer, count in self.env[
            "customer.care.treatment"]._read_group(
                [("company_id", "in", self.company_id.ids), ("partner_id", "in", self.partner_id.ids)],
                ["company_id", "partner_id"], ["__count"])}
        for case in self:
            case.care_count = counts.get((case.company_id, case.partner_id), 0)

    def action_open_care(self):
        self.ensure_one()
        return self.env["customer.care.treatment"]._get_action(self)
