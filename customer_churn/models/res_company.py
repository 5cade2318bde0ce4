from odoo import fields, models
from odoo.exceptions import AccessError

from .customer_churn_run import MANAGER


class ResCompany(models.Model):
    _inherit = "res.company"

    churn_share_unassigned = fields.Boolean(
        string="Salespeople See Customers Without a Salesperson", default=True,
    )

    def _share_unassigned_customers(self, share):
        """Managers of this app decide it for their companies, who may not write these otherwise."""
        if not self.env.user.has_group(MANAGER) or self - self.env.user.company_ids:
            raise AccessError(self.env._(
                "Only managers of Customer Retention decide who gets the customers. Ask one of them."))
        # sudo: this one field; the right was checked above
        self.sudo().churn_share_unassigned = share
