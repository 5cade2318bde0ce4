from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    churn_share_unassigned = fields.Boolean(related="company_id.churn_share_unassigned", readonly=False)
    churn_case_capacity = fields.Integer(related="company_id.churn_case_capacity", readonly=False)
    churn_case_fallback_user_id = fields.Many2one(related="company_id.churn_case_fallback_user_id", readonly=False)
    churn_daily_summary = fields.Boolean(related="company_id.churn_daily_summary", readonly=False)
    # not related: these are written one by one, and both shares are checked together
    churn_value_a_share = fields.Float(
        string="Value Class A Makes", default=lambda self: self.env.company.churn_value_a_share)
    churn_value_b_share = fields.Float(
        string="Value Class B Makes", default=lambda self: self.env.company.churn_value_b_share)
    churn_last_run_id = fields.Many2one("customer.churn.run", compute="_compute_churn_facts")
    churn_last_explanation = fields.Text(related="churn_last_run_id.explanation")
    churn_next_run = fields.Datetime(compute="_compute_churn_facts")
    churn_counts = fields.Char(compute="_compute_churn_facts")
    churn_unassigned_count = fields.Integer(compute="_compute_churn_facts")

    def _compute_churn_facts(self):
        """What the company's ledger says today, beside the knobs that change it."""
        cron = self.env.ref("customer_churn.ir_cron_customer_churn_run")
        for settings in self:
            mine = [("company_id", "=", settings.company_id.id)]
            settings.churn_last_run_id = self.env["customer.churn.run"].search(
                [*mine, ("state", "=", "done")], limit=1)
            settings.churn_next_run = cron.nextcall if cron.active else False
            settings.churn_counts = self.env["customer.churn.policy"]._say_statuses(settings.company_id)
            settings.churn_unassigned_count = self.env["customer.churn.profile"].search_count(
                [*mine, ("user_id", "=", False)])

    def set_values(self):
        shares = {name: self[name] for name in ("churn_value_a_share", "churn_value_b_share")}
        if tuple(shares.values()) != self.company_id._get_churn_value_shares():
            self.company_id.write(shares)
        return super().set_values()

    def action_churn_run(self):
        return self.env["customer.churn.run"].action_run()
