from odoo import models

WITH_SALESPERSON = (  # stored beside the customer, to be searched and to decide who sees it
    "customer.churn.profile", "customer.churn.event", "customer.churn.product.line", "customer.churn.reason.answer",
)


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """A customer has one open case: decide which before the rows move, where the database would refuse. What
        moved is seen by the salesperson of the customer that it belongs to now."""
        # sudo: whoever may merge contacts need not see their cases
        self.env["customer.churn.case"].sudo()._merge_customers(src_partners, dst_partner)
        # sudo: nor how they are cared for
        self.env["customer.care.treatment"].sudo()._merge_customers(src_partners, dst_partner)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        for name in WITH_SALESPERSON:
            # sudo: nor what else is known of them
            moved = self.env[name].sudo().search([("partner_id", "=", dst_partner.id)])
            self.env.add_to_compute(moved._fields["user_id"], moved)
        return result
