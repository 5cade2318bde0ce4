from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class CustomerChurnReasonWizard(models.TransientModel):
    """Asks why: for one customer or for many, one reason for all or one per row."""

    _name = "customer.churn.reason.wizard"
    _inherit = "customer.churn.reason.mixin"
    _description = "Record Reasons"

    line_ids = fields.One2many("customer.churn.reason.wizard.line", "wizard_id", string="Customers")
    line_count = fields.Integer(compute="_compute_line_count")
    per_row = fields.Boolean(string="A Reason per Customer")

    @api.depends("line_ids")
    def _compute_line_count(self):
        for wizard in self:
            wizard.line_count = len(wizard.line_ids)

    @api.model
    def default_get(self, fields):
        """The customers of the records that it was opened from: profiles, cases or contacts."""
        values = super().default_get(fields)
        context = self.env.context
        if "line_ids" in fields and context.get("active_model"):
            records = self.env[context["active_model"]].browse(
                context.get("active_ids") or context.get("active_id"))
            values["line_ids"] = [
                Command.create(row) for row in self.env["customer.churn.reason.answer"]._prepare_rows(records)]
        return values

    @api.model
    def _get_action(self, records):
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_reason_wizard_action")
        return {**action, "context": {"active_model": records._name, "active_ids": records.ids}}

    def action_apply(self):
        """All or none; the notice leads to where a mistake is taken back."""
        self.ensure_one()
        rows = self._get_rows()
        if not rows:
            raise UserError(self.env._("No reason was chosen, so there is nothing to record. Choose one first."))
        answers = self.env["customer.churn.reason.answer"]._record(rows, self.evidence or None, self.evidence_name)
        return answers._get_notice()

    def _get_rows(self):
        """Of each customer its own answer, or the one for all; customers without a reason are left out."""
        rows = []
        for line in self.line_ids:
            given = line if self.per_row else self
            if given.reason_id:
                rows.append({
                    "company_id": line.company_id.id, "partner_id": line.partner_id.id, "case_id": line.case_id.id,
                    "reason_id": given.reason_id.id, "competitor_id": given.competitor_id.id, "note": self.note})
        return rows


class CustomerChurnReasonWizardLine(models.TransientModel):
    _name = "customer.churn.reason.wizard.line"
    _description = "Reason of One Customer"

    wizard_id = fields.Many2one("customer.churn.reason.wizard", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True)
    partner_id = fields.Many2one("res.partner", string="Customer", required=True)
    case_id = fields.Many2one("customer.churn.case")
    currency_id = fields.Many2one(related="company_id.currency_id")
    revenue_at_stake = fields.Monetary(string="Revenue at Stake")
    reason_id = fields.Many2one("customer.churn.reason")
    requires_competitor = fields.Boolean(related="reason_id.requires_competitor")
    competitor_id = fields.Many2one("res.partner")
