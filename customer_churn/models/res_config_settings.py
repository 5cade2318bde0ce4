from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    churn_share_unassigned = fields.Boolean(related="company_id.churn_share_unassigned", readonly=False)

    def action_churn_run(self):
        return self.env["customer.churn.run"].action_run()
