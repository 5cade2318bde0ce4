from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import PENDING

CONTENT = (
    "company_id", "partner_id", "date", "kind", "use_allowance", "tax_relief", "net_credits", "state",
    "line_ids.amount_currency", "line_ids.move_line_id")


class CustomerBadDebtWriteoff(models.Model):
    """The entry before it is booked, and the rule that decides on its tax, in the reader's words."""

    _inherit = "customer.bad.debt.writeoff"

    entry_preview = fields.Html(compute="_compute_entry_preview", sanitize=False, string="Entry as It Will Be Posted")
    relief_rule = fields.Char(compute="_compute_relief_rule", string="Tax Rule")
    can_post = fields.Boolean(compute="_compute_can_post")
    invoice_count = fields.Integer(compute="_compute_invoice_count", string="Invoices")
    recovered_share = fields.Float(compute="_compute_recovered_share", string="Recovered, in %")
    move_line_ids = fields.One2many(related="move_id.line_ids", string="Journal Items")

    @api.depends(*CONTENT)
    def _compute_entry_preview(self):
        for writeoff in self:
            pending = writeoff.state in PENDING and writeoff.line_ids and writeoff.date and writeoff.kind
            writeoff.entry_preview = writeoff._render_entry() if pending else False

    def _render_entry(self):
        """HTML of the entries of these documents, saved or not; what stands in the way is said instead."""
        parts = []
        for writeoff in self:
            try:
                writeoff.company_id._check_bad_debt_settings(writeoff.kind)
                writeoff._check_amounts({line.move_line_id: line.amount_currency for line in writeoff.line_ids
                                         if line.amount_currency or not writeoff.net_credits})
                values = {"writeoff": writeoff, **writeoff._get_shown_entry(writeoff._preview())}
            except (UserError, RedirectWarning) as error:
                values = {"writeoff": writeoff, "error": error.args[0]}
            parts.append(self.env["ir.qweb"]._render("customer_churn.customer_bad_debt_entry", values))
        return Markup("").join(parts)

    def _get_shown_entry(self, items):
        """The values of journal items with records in place of ids, and what hits the result."""
        env = self.env
        rows = [{
            **item, "account": env["account.account"].browse(item["account_id"]), "balance": item["balance"],
            "currency": env["res.currency"].browse(item["currency_id"]),
            "tags": env["account.account.tag"].browse(item["tax_tag_ids"][0][2] if item.get("tax_tag_ids") else []),
        } for item in items]
        result = sum(row["balance"] for row in rows if row["account"].internal_group in ("income", "expense"))
        return {
            "rows": rows, "result": result, "company_currency": self.currency_id,
            "foreign": any(row["currency"] != self.currency_id for row in rows),
            "tagged": any(row["tags"] for row in rows)}

    @api.depends("company_id", "date", "kind", "tax_relief", "line_ids.move_line_id")
    def _compute_relief_rule(self):
        for writeoff in self:
            writeoff.relief_rule = writeoff._get_relief_rule() if writeoff.date else False

    def _get_relief_rule(self):
        months = self.company_id._get_bad_debt_settings().bad_debt_relief_months
        if self.kind != "bad_debt":
            return self.env._("Only bad debt has its tax back.")
        if self._is_credit_note():
            return self.env._("The tax comes back with the credit note.")
        if self.tax_relief == "none":
            return self.env._("The tax is lost with the debt: no relief.")
        waiting = self.line_ids.filtered(lambda line: not self._has_relief(line))
        if waiting:
            return self.env._(
                "The tax comes back %(months)s months after the due date: for %(count)s of %(all)s items not before "
                "%(date)s. Until then it is booked as a loss.", months=months, count=len(waiting),
                all=len(self.line_ids), date=fields.Date.to_string(
                    max(self._get_relief_date(line) for line in waiting)))
        if self.tax_relief == "reduction":
            return self.env._("The tax of sales is reduced with this entry.")
        return self.env._("The tax is claimed as tax of purchases with this entry.")

    @api.depends("amount_total", "company_id")
    @api.depends_context("uid")
    def _compute_can_post(self):
        approver = self.env.user.has_group(APPROVER)
        for writeoff in self:
            writeoff.can_post = approver and not writeoff._needs_approval()

    @api.depends("line_ids.move_id")
    def _compute_invoice_count(self):
        for writeoff in self:
            writeoff.invoice_count = len(writeoff.line_ids.move_id)

    @api.depends("amount_recovered", "amount_undone", "amount_total")
    def _compute_recovered_share(self):
        for writeoff in self:
            given_up = writeoff.amount_total - writeoff.amount_undone
            writeoff.recovered_share = 100 * writeoff.amount_recovered / given_up if given_up else 0.0

    def action_write_off(self):
        """In one step, for an approver and below the limit."""
        self.action_submit()
        self.action_post()
        return self._get_open_action()

    def _get_open_action(self, name="customer_bad_debt_writeoff_action"):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"customer_churn.{name}")
        if len(self) == 1:
            return {**action, "res_id": self.id, "views": [(False, "form")]}
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}

    def action_open_entry(self):
        """All entries of this document: the first, an undo, recoveries, relief that was claimed later."""
        moves = self._get_entries() | self.reversal_move_id | self.recovery_ids.move_id
        return self._get_move_action(moves, self.env._("Entries"))

    def action_open_invoices(self):
        return self._get_move_action(self.line_ids.move_id, self.env._("Invoices"))

    def _get_move_action(self, moves, name):
        if len(moves) == 1:
            return {"type": "ir.actions.act_window", "res_model": "account.move", "res_id": moves.id,
                    "view_mode": "form", "views": [(False, "form")]}
        return {"type": "ir.actions.act_window", "name": name, "res_model": "account.move", "view_mode": "list,form",
                "domain": [("id", "in", moves.ids)]}
