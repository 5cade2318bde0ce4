from odoo import api, models
from odoo.exceptions import UserError


class MailActivityPlan(models.Model):
    _inherit = "mail.activity.plan"

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """Odoo does not translate the names of plans. The shipped ones are shown in the reader's language as long as
        nobody gave them another name."""
        result = super()._compute_display_name()
        shipped = {
            "first_aid": ("First aid", self.env._("First aid")),
            "win_back": ("Three-step win-back", self.env._("Three-step win-back")),
            "call": ("A call", self.env._("A call")),
            "ask_why": ("Ask Why", self.env._("Ask Why")),
        }
        find = self.env["ir.model.data"]._xmlid_to_res_id
        names = {find(f"customer_churn.mail_activity_plan_{code}"): pair for code, pair in shipped.items()}
        for plan in self:
            name, translated = names.get(plan._origin.id, (None, None))
            if name and plan.name == name:
                plan.display_name = translated
        return result

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
