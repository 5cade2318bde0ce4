from markupsafe import Markup
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.customer_bad_debt_writeoff import APPROVER, KIND


class CustomerBadDebtWriteoffWizard(models.TransientModel):
    """Asks what is written off, and shows the entries that this comes to."""

    _name = "customer.bad.debt.writeoff.wizard"
    _description = "Write Off"

    date = fields.Date(required=True, default=fields.Date.context_today)
    kind = fields.Selection(KIND, required=True, default="bad_debt")
    reason_id = fields.Many2one("customer.churn.reason")
    use_relief = fields.Boolean(string="Tax Relief", default=True)
    use_allowance = fields.Boolean(
        default=True, help="What was provided for this customer pays first. Only the rest hits the result.")
    net_credits = fields.Boolean(string="Net Credits First", default=True, help="The customer's own credits settle "
                                 "what they can before the rest is given up.")
    move_line_ids = fields.Many2many("account.move.line", string="Open Items")
    line_ids = fields.One2many("customer.bad.debt.writeoff.wizard.line", "wizard_id", string="Items")
    relief_rule = fields.Text(compute="_compute_entry", string="Tax Rule")
    entry_preview = fields.Html(compute="_compute_entry", sanitize=False, string="Entry as It Will Be Posted")
    left_out = fields.Html(compute="_compute_left_out", sanitize=False)
    can_post = fields.Boolean(compute="_compute_entry")

    # ------------------------------------------------------------------ what it was opened from
    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if "line_ids" in fields:
            values |= self.new(values)._propose()
        return values

    def _propose(self):
        """The open items of what it was opened from, and how much of each."""
        context, writeoffs = self.env.context, self.env["customer.bad.debt.writeoff"]
        records = self.env[context.get("active_model") or "res.partner"].browse(
            context.get("active_ids") or context.get("active_id"))
        kind = self.kind or "bad_debt"  # neither is there where only some defaults are asked for
        items = writeoffs._find_items(records, kind)
        refused = writeoffs._get_refusals(items, self.date or fields.Date.context_today(self), kind)
        given = items - items.browse([item.id for item in refused])
        return {"move_line_ids": [Command.set(items.ids)], "line_ids": self._prepare_lines(given)}

    def _prepare_lines(self, items):
        writeoffs = self.env["customer.bad.debt.writeoff"]
        netted = writeoffs._get_netting(items) if self.net_credits else {}
        items = items.sorted(lambda item: (item.partner_id.display_name, item.date_maturity or item.date, item.id))
        return [Command.clear(), *(
            Command.create(writeoffs._prepare_line(item, {}, netted) | {"amount_netted": netted.get(item, 0.0)})
            for item in items)]

    @api.onchange("net_credits")
    def _onchange_net_credits(self):
        self.line_ids = self._prepare_lines(self.line_ids.move_line_id)

    @api.onchange("kind")
    def _onchange_kind(self):
        self.update(self._propose())

    # ------------------------------------------------------------------ what it comes to
    @api.depends("move_line_ids", "date", "kind")
    def _compute_left_out(self):
        for wizard in self:
            refusals = wizard._get_refusals()
            wizard.left_out = Markup("<ul class='mb-0'>%s</ul>") % Markup("").join(
                Markup("<li><b>%s</b>: %s</li>") % (item._get_bad_debt_name(), reason)
                for item, reason in refusals.items()) if refusals else False

    def _get_refusals(self):
        items = self.move_line_ids._origin
        return self.env["customer.bad.debt.writeoff"]._get_refusals(
            items, self.date or fields.Date.context_today(self), self.kind)

    @api.depends("date", "kind", "use_relief", "use_allowance", "net_credits", "line_ids.amount_currency")
    def _compute_entry(self):
        for wizard in self:
            documents = self.env["customer.bad.debt.writeoff"]
            amounts, values = wizard._get_given()
            if amounts and wizard.date and wizard.kind:
                items = self.env["account.move.line"].union(*amounts)
                documents = documents.union(*(documents.new(vals) for vals in documents._prepare_documents(
                    items, wizard.date, amounts, {}, wizard.reason_id, **values)))
            wizard.entry_preview = documents._render_entry()
            wizard.relief_rule = "\n".join(dict.fromkeys(filter(None, documents.mapped("relief_rule")))) or False
            wizard.can_post = self.env.user.has_group(APPROVER) and not any(
                document._needs_approval() for document in documents)

    def _get_given(self):
        """({item: amount}, the other values of the documents)."""
        refused = self._get_refusals()
        amounts = {line.move_line_id._origin: line.amount_currency for line in self.line_ids
                   if line.move_line_id._origin not in refused and (line.amount_currency or line.amount_netted)}
        values = {"kind": self.kind, "use_allowance": self.use_allowance, "net_credits": self.net_credits}
        return amounts, values if self.use_relief else values | {"tax_relief": "none"}

    # ------------------------------------------------------------------ the two buttons
    def _create_documents(self):
        self.ensure_one()
        amounts, values = self._get_given()
        if not amounts:
            raise UserError(self.env._("Nothing is chosen to be written off. Give an amount to at least one item."))
        return self.env["customer.bad.debt.writeoff"]._create_for(
            self.env["account.move.line"].union(*amounts), self.date, amounts, self.reason_id, **values)

    def action_ask(self):
        documents = self._create_documents()
        documents.action_submit()
        return documents._get_open_action()

    def action_write_off(self):
        return self._create_documents().action_write_off()
