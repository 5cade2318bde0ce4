import json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.models import MAGIC_COLUMNS

STATE = [
    ("draft", "Draft"),
    ("to_approve", "To Approve"),
    ("approved", "Approved"),
    ("posted", "Posted"),
    ("partially_recovered", "Partially Recovered"),
    ("recovered", "Recovered"),
    ("reversed", "Undone"),
    ("unmatched", "Unmatched"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]
PENDING = ("draft", "to_approve", "approved", "failed")
BOOKED = ("posted", "partially_recovered", "recovered", "unmatched")
GIVEN = {"writeoff_id", "move_line_id", "amount_currency"}
MAGIC = set(MAGIC_COLUMNS)


class CustomerBadDebtWriteoffLine(models.Model):
    """One open item, and how much of it is given up."""

    _name = "customer.bad.debt.writeoff.line"
    _description = "Write-Off Item"
    _order = "writeoff_id, id"

    writeoff_id = fields.Many2one(
        "customer.bad.debt.writeoff", string="Write-Off", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="writeoff_id.company_id", store=True, index=True)
    state = fields.Selection(related="writeoff_id.state", store=True)
    move_line_id = fields.Many2one(
        "account.move.line", string="Open Item", required=True, index=True, ondelete="restrict")
    move_id = fields.Many2one(related="move_line_id.move_id", string="Invoice", store=True, index=True)
    date_maturity = fields.Date(related="move_line_id.date_maturity", string="Due On")
    currency_id = fields.Many2one(related="move_line_id.currency_id", store=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    amount_residual_currency = fields.Monetary(
        string="Open Amount", readonly=True, help="What the customer owed when this was prepared.")
    amount_netted = fields.Monetary(
        string="Netted", readonly=True, help="Settled with the customer's own credits when this is posted.")
    amount_currency = fields.Monetary(string="Write Off", required=True)
    amount = fields.Monetary(
        currency_field="company_currency_id", compute="_compute_amount", store=True)
    amount_tax = fields.Monetary(
        string="Tax", currency_field="company_currency_id", readonly=True,
        help="The part of the amount that comes back from the tax office, or never became due.")
    amount_undone = fields.Monetary(string="Undone Amount", readonly=True, help="What an undo has opened again.")
    split = fields.Text(readonly=True, help="JSON: how much falls on which part of the invoice.")
    relief_date = fields.Date(
        string="Relief On", readonly=True, help="The tax may be claimed back from this day on.")
    relief_move_id = fields.Many2one("account.move", string="Relief Entry", readonly=True, index="btree_not_null")
    booked_line_id = fields.Many2one(
        "account.move.line", string="Journal Item", readonly=True, index="btree_not_null")

    _pending_uniq = models.UniqueIndex(
        "(move_line_id) WHERE state IN ('draft', 'to_approve', 'approved', 'failed')",
        "This open item stands on another write-off already. Work on that one, or cancel it.")

    @api.depends("amount_currency", "move_line_id", "writeoff_id.date")
    def _compute_amount(self):
        """Company currency: the item's own share of what is open, or the rate of the day where the settings say so."""
        for line in self:
            if line.state in BOOKED:
                continue
            item = line.move_line_id
            line.amount = line._get_carrying_amount()
            if line.writeoff_id._is_spot() and item.currency_id != line.company_currency_id:
                line.amount = item.currency_id._convert(
                    line.amount_currency, line.company_currency_id, line.company_id, line.writeoff_id.date)

    def _get_carrying_amount(self):
        """At the rate at which the item came into the books; the whole of an item takes its last cent along."""
        item = self.move_line_id
        open_currency, open_amount = abs(item.amount_residual_currency), abs(item.amount_residual)
        if not item.currency_id.compare_amounts(self.amount_currency, open_currency) or not open_currency:
            return open_amount
        return self.company_currency_id.round(open_amount * self.amount_currency / open_currency)

    def _get_sign(self):
        """1 for what the customer owes, -1 for a credit of the customer."""
        return 1 if self.move_line_id.balance >= 0 else -1

    def _get_split(self):
        return json.loads(self.split or "{}")

    def _keep_netted(self, pairs):
        by_id = {item.id: sum(amount for _other, amount in others) for item, others in pairs.items()}
        for line in self:
            line.amount_netted = by_id.get(line.move_line_id.id, 0.0)

    # ------------------------------------------------------------------ frozen from submission on
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_by_person(vals, GIVEN)
        lines = super().create(vals_list)
        lines._thaw()
        return lines

    def _check_by_person(self, vals, allowed):
        if (own := vals.keys() & self._fields.keys() - allowed - MAGIC) and not self.env.su:
            raise AccessError(self.env._(
                "%(fields)s: not to be written by hand. Only the amount to write off is.",
                fields=", ".join(self._fields[name]._description_string(self.env) for name in sorted(own))))

    def write(self, vals):
        self._check_by_person(vals, {"amount_currency"})
        self._thaw()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_unfrozen(self):
        self._thaw()

    def _thaw(self):
        """What was asked for or booked stays; whoever changes it sends the document back to draft first."""
        if self.env.su:
            return
        if booked := self.writeoff_id.filtered(lambda writeoff: writeoff.state not in PENDING):
            raise UserError(self.env._(
                "%(names)s: booked or cancelled, its items do not change any more.",
                names=", ".join(booked.mapped("display_name"))))
        self.writeoff_id._back_to_draft()
