from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import BOOKED


class CustomerBadDebtWriteoff(models.Model):
    """The tax that may be claimed back only months after the due date: a second entry, once."""

    _inherit = "customer.bad.debt.writeoff"

    relief_waits = fields.Boolean(compute="_compute_relief_waits")

    @api.depends("line_ids.relief_date", "line_ids.relief_move_id", "state")
    def _compute_relief_waits(self):
        for writeoff in self:
            writeoff.relief_waits = writeoff.state in ("posted", "partially_recovered") and any(
                line._is_relief_due() for line in writeoff.line_ids)

    def action_claim_relief(self, date=None):
        self._check_group(APPROVER)
        self.check_access("write")
        self._lock()
        self._check_state(*(state for state in BOOKED if state != "recovered"))
        date = self._to_date(date)
        for writeoff in self:
            writeoff.company_id._check_bad_debt_settings("bad_debt")
            lines = writeoff._get_claimable(date)
            writeoff._book_claim(lines, writeoff._build_claim(lines), date)

    def _get_claimable(self, date):
        waiting = self.line_ids.filtered(lambda line: line.relief_date and not line.relief_move_id)
        if lines := waiting.filtered(lambda line: line.relief_date <= date):
            return lines
        if waiting:
            raise UserError(self.env._(
                "%(name)s: the tax may be claimed back from %(date)s on, not earlier.",
                name=self.display_name, date=min(waiting.mapped("relief_date"))))
        raise UserError(self.env._("%(name)s: there is no tax left to claim back.", name=self.display_name))

    def _build_claim(self, lines):
        """The tax leaves the expense; what it stands on moves to itself, so that the tax return sees it."""
        groups = {}
        for line in lines:
            parts = line.move_line_id.move_id._get_bad_debt_parts()
            split = {int(key): part for key, part in line._get_split_left(line._get_recovered_currency()).items()}
            for key in split:
                if parts[key]["kind"] != "transition":
                    self._add_claim(groups, line, key, split, parts)
        return [line for group in groups.values() for line in self._prepare_claim(group)]

    def _prepare_claim(self, group):
        """What is claimed, or stands in the tax return, against the expense."""
        expense = {
            "account_id": self.company_id._get_bad_debt_settings().bad_debt_expense_account_id, "kind": "base",
            "name": self._get_label(), "amount_currency": -group["amount_currency"], "balance": -group["balance"]}
        plain = {name: group[name].browse() for name in (
            "tax_ids", "tax_tag_ids", "tax_repartition_line_id", "group_tax_id")}
        return [self._prepare_against(group), self._prepare_against(group | expense | plain)]

    def _add_claim(self, groups, line, key, split, parts):
        values = self._get_part_values(key, ClaimedParts(parts), split, True)
        if parts[key]["kind"] == "base" and not values["tax_tag_ids"]:
            return
        values |= {"partner_id": line.move_line_id.partner_id, "currency_id": line.currency_id}
        group = groups.setdefault(tuple(map(str, values.values())), values | {"amount_currency": 0.0, "balance": 0.0})
        group["amount_currency"] += split[key][0]
        group["balance"] += split[key][1]

    def _book_claim(self, lines, values, date):
        if not values:
            raise UserError(self.env._("%(name)s: there is no tax left to claim back.", name=self.display_name))
        move = self._post_entry(
            values, date, self.env._("Tax relief of %s", self.move_id.name), validate_analytic=True)
        tax = sum(move.line_ids.filtered("tax_repartition_line_id").mapped("balance"))
        for line in lines:
            line.sudo().relief_move_id = move  # sudo: kept by the methods only
        self._set(amount_expense=self.amount_expense - tax, amount_tax=self.amount_tax + tax)

    @api.model
    def _cron_claim_relief(self):
        """Claim what has become due, a document a transaction, in the name of who approved it."""
        domain = Domain("relief_date", "<=", fields.Date.context_today(self)) & Domain([
            ("relief_move_id", "=", False), ("state", "in", ("posted", "partially_recovered"))])
        writeoffs = self.env["customer.bad.debt.writeoff.line"].search(domain).writeoff_id
        for done, writeoff in enumerate(writeoffs, 1):
            writeoff._try_claim()
            if not self.env["ir.cron"]._commit_progress(1, remaining=len(writeoffs) - done):
                return

    def _try_claim(self):
        try:
            with self.env.cr.savepoint():
                user = self.approved_by_id or self.move_id.create_uid
                self.with_user(user).with_context(allowed_company_ids=self.company_id.ids).action_claim_relief()
        except UserError as error:
            self._set(error=str(error))


class ClaimedParts:
    """The parts of an invoice, as `_get_part_values` reads them."""

    def __init__(self, parts):
        self.parts = parts
