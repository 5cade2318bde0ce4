from odoo import api, fields, models

from .res_company_bad_debt import TYPES


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    bad_debt_journal_id = fields.Many2one(related="company_id.bad_debt_journal_id", readonly=False)
    bad_debt_expense_account_id = fields.Many2one(related="company_id.bad_debt_expense_account_id", readonly=False)
    bad_debt_allowance_account_id = fields.Many2one(related="company_id.bad_debt_allowance_account_id", readonly=False)
    bad_debt_impairment_account_id = fields.Many2one(
        related="company_id.bad_debt_impairment_account_id", readonly=False)
    bad_debt_recovery_account_id = fields.Many2one(related="company_id.bad_debt_recovery_account_id", readonly=False)
    bad_debt_stale_credit_account_id = fields.Many2one(
        related="company_id.bad_debt_stale_credit_account_id", readonly=False)
    bad_debt_small_difference_account_id = fields.Many2one(
        related="company_id.bad_debt_small_difference_account_id", readonly=False)
    bad_debt_stale_credit_months = fields.Integer(related="company_id.bad_debt_stale_credit_months", readonly=False)
    bad_debt_stale_credit_limit = fields.Monetary(related="company_id.bad_debt_stale_credit_limit", readonly=False)
    bad_debt_small_difference_limit = fields.Monetary(
        related="company_id.bad_debt_small_difference_limit", readonly=False)
    bad_debt_tax_relief = fields.Selection(related="company_id.bad_debt_tax_relief", readonly=False, required=True)
    bad_debt_relief_months = fields.Integer(related="company_id.bad_debt_relief_months", readonly=False)
    bad_debt_method = fields.Selection(related="company_id.bad_debt_method", readonly=False, required=True)
    bad_debt_credit_note_expense = fields.Boolean(related="company_id.bad_debt_credit_note_expense", readonly=False)
    bad_debt_credit_note_journal_id = fields.Many2one(
        related="company_id.bad_debt_credit_note_journal_id", readonly=False)
    bad_debt_rate = fields.Selection(related="company_id.bad_debt_rate", readonly=False, required=True)
    bad_debt_approval_limit = fields.Monetary(related="company_id.bad_debt_approval_limit", readonly=False)
    bad_debt_found = fields.Char(compute="_compute_bad_debt_found")
    bad_debt_missing = fields.Char(compute="_compute_bad_debt_found")

    @api.depends("company_id", "bad_debt_journal_id", *TYPES)
    def _compute_bad_debt_found(self):
        """What the button would set, and what it would create, before anybody presses it."""
        for settings in self:
            company = settings.company_id
            names = [name for name in ("bad_debt_journal_id", *TYPES) if not settings[name]]
            found = company._find_bad_debt_settings() if names else {}
            label = {name: company._fields[name]._description_string(self.env) for name in names}
            settings.bad_debt_found = ", ".join(
                f"{label[name]}: {found[name].display_name}" for name in names if name in found)
            settings.bad_debt_missing = ", ".join(label[name] for name in names if name not in found)

    def action_propose_bad_debt(self):
        self.company_id._propose_bad_debt_settings()
        return {"type": "ir.actions.client", "tag": "reload"}
