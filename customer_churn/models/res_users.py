from odoo import fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    churn_daily_summary = fields.Boolean(
        string="Daily Summary of Customers", default=True,
        help="One message a day with the customers that wait for you, dearest first; none on days without any.")

    @property
    def SELF_READABLE_FIELDS(self):
        return [*super().SELF_READABLE_FIELDS, "churn_daily_summary"]

    @property
    def SELF_WRITEABLE_FIELDS(self):
        return [*super().SELF_WRITEABLE_FIELDS, "churn_daily_summary"]
