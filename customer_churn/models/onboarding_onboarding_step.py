from odoo import api, models
from odoo.exceptions import AccessError


class OnboardingOnboardingStep(models.Model):
    _inherit = "onboarding.onboarding.step"

    def action_open_churn_step(self):
        """The card's button: what the step's record says opens it."""
        self.ensure_one()
        self.onboarding_ids._check_churn_manager()
        return getattr(self, self.panel_step_open_action_name)()

    @api.model
    def action_open_step_churn_analyse(self):
        """Ask for the analysis; the page itself shows how it goes."""
        action = self.env["customer.churn.run"].action_run()
        return action if len(self.env.companies) > 1 else False

    @api.model
    def action_open_step_churn_limits(self):
        policies = self.env["customer.churn.policy"]._get_policies(self.env.company)
        self._tick_churn_step("limits")
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_policy_action")
        if len(policies) == 1:
            return {**action, "res_id": policies.id, "views": [(False, "form")]}
        return action

    @api.model
    def action_open_step_churn_salespeople(self):
        return self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_salespeople_wizard_action")

    @api.model
    def action_open_step_churn_bad_debt(self):
        """The accounts stand in the settings of Invoicing, which are for administrators, as Odoo has it."""
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._(
                "Only administrators change the settings of Invoicing. Ask one of them, or close these steps."))
        return self.env["ir.actions.act_window"]._for_xml_id("account.action_account_config")

    @api.model
    def _tick_churn_step(self, name):
        self.env["onboarding.onboarding"]._check_churn_manager()
        # sudo: only that the step is done in this company is written; the right was checked above
        self.sudo().action_validate_step(f"customer_churn.onboarding_onboarding_step_churn_{name}")
