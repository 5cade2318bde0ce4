from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_date

from .customer_churn_run import MANAGER
from .customer_churn_run_progress import STAGE

ONBOARDING = "customer_churn.onboarding_onboarding_churn"
BAD_DEBT_STEP = "customer_churn.onboarding_onboarding_step_churn_bad_debt"


class OnboardingOnboarding(models.Model):
    _inherit = "onboarding.onboarding"

    churn_run_id = fields.Many2one("customer.churn.run", compute="_compute_churn_run")
    churn_stage = fields.Selection(selection=STAGE, compute="_compute_churn_run")
    churn_explanation = fields.Char(compute="_compute_churn_run")
    churn_counts = fields.Char(compute="_compute_churn_run")

    @api.depends_context("company")
    def _compute_churn_run(self):
        """The company's newest run, or what there is to analyse."""
        run = self.env["customer.churn.run"].search(
            [("company_id", "=", self.env.company.id)], order="id desc", limit=1)
        self.churn_run_id = run
        self.churn_stage = run.stage
        nobody = run.state == "done" and not run.customer_count
        self.churn_explanation = run.explanation if run and not nobody else self._explain_ledger()
        self.churn_counts = self.env["customer.churn.policy"]._say_statuses(self.env.company)

    def _explain_ledger(self):
        """What there is to analyse, before anybody did."""
        # sudo: a number and a date; managers of this app need not be accountants
        [[count, since]] = self.env["account.move"].sudo()._read_group([
            ("company_id", "=", self.env.company.id), ("state", "=", "posted"),
            ("move_type", "in", ("out_invoice", "out_receipt")),
        ], aggregates=["__count", "invoice_date:min"])
        if not count:
            return self.env["customer.churn.run"]._explain_nobody(self.env.company)
        return self.env._(
            "Posted customer invoices of %(company)s: %(count)s, the first of %(date)s. Press Analyse Now to see who "
            "is going silent.", company=self.env.company.name, count=f"{count:,}", date=format_date(self.env, since))

    # ------------------------------------------------------------------ opening and closing
    @api.model
    def action_open_churn(self):
        """What the app opens: the first steps, to managers until these are done or closed; else My Customers."""
        action = "customer_churn.customer_churn_profile_action_mine"
        if self.env.user.has_group(MANAGER) and self._get_churn_progress() and self._get_churn_steps_left():
            action = "customer_churn.onboarding_onboarding_action_churn"
        return self.env["ir.actions.act_window"]._for_xml_id(action)

    @api.model
    def _get_churn_steps_left(self):
        """What waits for this user: the accounts of bad debt are set by administrators only."""
        # sudo: as for the progress
        steps = self.env.ref(ONBOARDING).sudo().step_ids.filtered(lambda step: step.current_step_state == "not_done")
        if not self.env.user.has_group("base.group_system"):
            steps -= self.env.ref(BAD_DEBT_STEP)
        return steps

    @api.model
    def _get_churn_progress(self):
        """How far this company is; none where the steps were closed."""
        # sudo: the steps' progress of a company is the code's own record, as in Invoicing
        steps = (self.env.ref(ONBOARDING, raise_if_not_found=False) or self).sudo()
        progress = steps._search_or_create_progress() if steps else self.env["onboarding.progress"]
        return progress.filtered(lambda progress: not progress.is_onboarding_closed)

    def action_close_churn(self):
        """Close the first steps for this company; they stay under Configuration."""
        self._check_churn_manager()
        self._get_churn_progress().action_close()
        return {**self.action_open_churn(), "target": "main"}

    @api.model
    def _check_churn_manager(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only managers of Customer Retention set it up. Ask one of them."))
