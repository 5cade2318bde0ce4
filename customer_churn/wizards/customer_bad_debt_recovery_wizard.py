from odoo import api, fields, models


class CustomerBadDebtRecoveryWizard(models.TransientModel):
    """Asks what came back of a write-off: an amount, or a payment that is there already."""

    _name = "customer.bad.debt.recovery.wizard"
    _description = "Record a Recovery"

    writeoff_id = fields.Many2one(
        "customer.bad.debt.writeoff", string="Write-Off", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="writeoff_id.company_id")
    partner_id = fields.Many2one(related="writeoff_id.partner_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=fields.Date.context_today)
    payment_id = fields.Many2one(
        "account.payment", check_company=True,
        domain="[('partner_id', 'child_of', partner_id), ('company_id', '=', company_id), "
               "('payment_type', '=', 'inbound'), ('state', 'in', ('in_process', 'paid')), "
               "('is_reconciled', '=', False)]",
        help="A payment of the customer that is not matched yet. Empty: one is created in the bank journal.")
    amount_left = fields.Monetary(compute="_compute_amount_left", string="Left to Recover")
    amount = fields.Monetary(
        compute="_compute_amount", store=True, readonly=False, required=True,
        help="At the value at which it was written off.")

    @api.depends("writeoff_id")
    def _compute_amount_left(self):
        for wizard in self:
            writeoff = wizard.writeoff_id
            wizard.amount_left = writeoff.amount_total - writeoff.amount_undone - writeoff.amount_recovered

    @api.depends("writeoff_id", "payment_id")
    def _compute_amount(self):
        for wizard in self:
            paid = wizard.payment_id.amount_company_currency_signed if wizard.payment_id else wizard.amount_left
            wizard.amount = min(paid, wizard.amount_left)

    @api.onchange("payment_id")
    def _onchange_payment_id(self):
        self.date = self.payment_id.date or self.date

    def action_apply(self):
        self.ensure_one()
        whole = self.payment_id and not self.currency_id.compare_amounts(
            self.amount, min(self.payment_id.amount_company_currency_signed, self.amount_left))
        self.env["customer.bad.debt.recovery"]._create_for(
            self.writeoff_id, None if whole else self.amount, self.date, self.payment_id or None)
        return {"type": "ir.actions.act_window_close"}


class CustomerBadDebtWriteoff(models.Model):
    _inherit = "customer.bad.debt.writeoff"

    def action_recover(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_churn.customer_bad_debt_recovery_wizard_action")
        return {**action, "context": {"default_writeoff_id": self.id}}
