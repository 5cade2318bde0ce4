from odoo import api, fields, models


class CustomerBadDebtWriteoffWizardLine(models.TransientModel):
    """One open item, and how much of it to give up."""

    _name = "customer.bad.debt.writeoff.wizard.line"
    _description = "Write Off Item"

    wizard_id = fields.Many2one("customer.bad.debt.writeoff.wizard", required=True, ondelete="cascade")
    move_line_id = fields.Many2one("account.move.line", string="Open Item", required=True, ondelete="cascade")
    move_id = fields.Many2one(related="move_line_id.move_id", string="Invoice")
    partner_id = fields.Many2one(related="move_line_id.partner_id", string="Customer")
    date_maturity = fields.Date(related="move_line_id.date_maturity", string="Due On")
    days_overdue = fields.Integer(compute="_compute_days_overdue")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    residual = fields.Monetary(related="move_line_id.amount_residual_currency", string="Open Amount")
    amount_netted = fields.Monetary(string="Netted")
    amount_currency = fields.Monetary(string="Write Off")
    is_disputed = fields.Boolean(compute="_compute_is_disputed", string="Disputed")

    @api.depends("move_line_id.date_maturity", "wizard_id.date")
    def _compute_days_overdue(self):
        for line in self:
            due, date = line.date_maturity, line.wizard_id.date
            line.days_overdue = max((date - due).days, 0) if due and date else 0

    @api.depends("move_line_id")
    def _compute_is_disputed(self):
        """The host's own mark for an invoice that is not to be paid yet."""
        for line in self:
            line.is_disputed = line.move_line_id.move_id.payment_state == "blocked"
