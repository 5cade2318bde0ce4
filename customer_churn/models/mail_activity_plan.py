from odoo import api, models
from odoo.exceptions import UserError


class MailActivityPlan(models.Model):
    _inherit = "mail.activity.plan"

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion_of_used_by_reasons(self):
        # sudo: whoever deletes plans need not see reasons
        reasons = self.env["customer.churn.reason"].sudo().with_context(active_test=False).search(
            [("activity_plan_id", "in", self.ids)])
        if reasons:
            raise UserError(self.env._(
                "%(plans)s: scheduled by the reasons %(reasons)s. Archive the plan, or give these reasons another one "
                "first.", plans=", ".join(reasons.activity_plan_id.mapped("name")),
                reasons=", ".join(reasons.mapped("name"))))
