from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    churn_share_unassigned = fields.Boolean(
        string="Salespeople See Customers Without a Salesperson", default=True,
    )
