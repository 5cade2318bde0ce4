from markupsafe import Markup
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.customer_bad_debt_writeoff import APPROVER


class CustomerBadDebtWriteoffWizard(models.TransientModel):
    """Asks what is written off, and shows the entries that this comes to."""

    _name = "customer.bad.debt.writeoff.wizard"
    _description = "Write Off"

    date = fields.Date(required=True, default=fields.Date.context_today)
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
        items = self._get_items() if "line_ids" in fields else self.env["account.move.line"]
        if items:
            writeoffs = self.env["customer.bad.debt.writeoff"]
            given = items - items.browse([
                item.id for item in writeoffs._get_refusals(items, values["date"])])
            values |= {"move_line_ids": [Command.set(items.ids)], "line_ids": self._prepare_lines(given)}
        return values

    @api.model
    def _get_items(self):
        """The open items of the customers, invoices, journal items or cases that it was opened from."""
        context = self.env.context
        records = self.env[context.get("active_model") or "res.partner"].browse(
            context.get("active_ids") or context.get("active_id"))
        if records._name == "account.move.line":
            return records
        if records._name == "account.move":
            return records.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        partners = records if records._name == "res.partner" else records.partner_id
        companies = self.env.companies if records._name == "res.partner" else records.company_id
        return self.env["account.move.line"].search([
            ("partner_id.commercial_partner_id", "in", partners.commercial_partner_id.ids),
            ("company_id", "in", companies.ids), ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"), ("reconciled", "=", False), ("amount_residual", ">", 0)])

    def _prepare_lines(self, items, net=True):
        netted = self.env["customer.bad.debt.writeoff"]._get_netting(items) if net else {}
        items = items.sorted(lambda item: (item.partner_id.display_name, item.date_maturity or item.date, item.id))
        return [Command.create({
            "move_line_id": item.id, "amount_netted": netted.get(item, 0.0),
            "amount_currency": item.currency_id.round(abs(item.amount_residual_currency) - netted.get(item, 0.0)),
        }) for item in items]

    @api.onchange("net_credits")
    def _onchange_net_credits(self):
        items = self.line_ids.move_line_id
        self.line_ids = [Command.clear(), *self._prepare_lines(items, self.net_credits)]

    # ------------------------------------------------------------------ what it comes to
    @api.depends("move_line_ids", "date")
    def _compute_left_out(self):
        for wizard in self:
            refusals = wizard._get_refusals()
            wizard.left_out = Markup("<ul class='mb-0'>%s</ul>") % Markup("").join(
                Markup("<li><b>%s</b>: %s</li>") % (item._get_bad_debt_name(), reason)
                for item, reason in refusals.items()) if refusals else False

    def _get_refusals(self):
        items = self.move_line_ids._origin
        return self.env["customer.bad.debt.writeoff"]._get_refusals(
            items, self.date or fields.Date.context_today(self))

    @api.depends("date", "use_relief", "use_allowance", "net_credits", "line_ids.amount_currency")
    def _compute_entry(self):
        for wizard in self:
            documents = wizard._get_documents()
            wizard.entry_preview = documents._render_entry()
            wizard.relief_rule = "\n".join(dict.fromkeys(filter(None, documents.mapped("relief_rule")))) or False
            wizard.can_post = self.env.user.has_group(APPROVER) and not any(
                document._needs_approval() for document in documents)

    def _get_documents(self):
        """The documents as they would be created, unsaved."""
        refused = self._get_refusals()
        documents = self.env["customer.bad.debt.writeoff"]
        given = {line.move_line_id._origin: line for line in self.line_ids
                 if line.move_line_id._origin not in refused and (line.amount_currency or line.amount_netted)}
        items = self.env["account.move.line"].union(*given)
        for (company, partner), group in documents._group_items(items).items():
            documents += documents.new({
                "company_id": company.id, "partner_id": partner.id, "date": self.date, "reason_id": self.reason_id.id,
                "net_credits": self.net_credits, **self._get_values(company),
                "line_ids": [Command.create({
                    "move_line_id": item.id, "amount_currency": given[item].amount_currency,
                    "amount_netted": given[item].amount_netted}) for item in group]})
        return documents

    def _get_values(self, company):
        settings = company._get_bad_debt_settings()
        return {"use_allowance": self.use_allowance, "kind": "bad_debt",
                "tax_relief": settings.bad_debt_tax_relief if self.use_relief else "none"}

    # ------------------------------------------------------------------ the two buttons
    def _create_documents(self):
        self.ensure_one()
        refused = self._get_refusals()
        lines = self.line_ids.filtered(lambda line: (
            line.move_line_id not in refused and (line.amount_currency or line.amount_netted)))
        if not lines:
            raise UserError(self.env._("Nothing is chosen to be written off. Give an amount to at least one item."))
        values = {"reason": self.reason_id, "use_allowance": self.use_allowance}
        if not self.use_relief:
            values["tax_relief"] = "none"
        amounts = None if self.net_credits else {line.move_line_id: line.amount_currency for line in lines}
        documents = self.env["customer.bad.debt.writeoff"]._create_for(
            lines.move_line_id, self.date, amounts, **values)
        by_item = {line.move_line_id: line.amount_currency for line in lines}
        for line in documents.line_ids:
            if line.currency_id.compare_amounts(line.amount_currency, by_item[line.move_line_id]):
                line.amount_currency = by_item[line.move_line_id]
        return documents

    def action_ask(self):
        documents = self._create_documents()
        documents.action_submit()
        return documents._get_open_action()

    def action_write_off(self):
        return self._create_documents().action_write_off()


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
