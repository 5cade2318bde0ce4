from odoo import fields, models


class CustomerBadDebtRecovery(models.Model):
    """Money that came after all: the debt is booked again, as far as it was paid, and the tax is due again."""

    _name = "customer.bad.debt.recovery"
    _description = "Recovery of Bad Debt"
    _check_company_auto = True
    _order = "date desc, id desc"

    writeoff_id = fields.Many2one(
        "customer.bad.debt.writeoff", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="writeoff_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="writeoff_id.partner_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    payment_id = fields.Many2one("account.payment", readonly=True, index="btree_not_null", ondelete="restrict")
    move_id = fields.Many2one("account.move", string="Entry", readonly=True, index="btree_not_null")
    reversal_move_id = fields.Many2one("account.move", string="Undone By", readonly=True, index="btree_not_null")
    amount = fields.Monetary(readonly=True, help="At the value at which it was written off.")
    amount_tax = fields.Monetary(readonly=True, help="Due to the tax office again.")
    state = fields.Selection(
        [("posted", "Posted"), ("reversed", "Undone")], readonly=True, default="posted", index=True)
    split = fields.Text(readonly=True, help="JSON: how much of each line of the write-off came back.")
