import json
from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..allocation import allocate
from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import BOOKED

SAME = ("name", "date_maturity", "display_type", "analytic_distribution")
SAME_RECORD = ("account_id", "partner_id", "currency_id", "tax_repartition_line_id", "group_tax_id")


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _prepare_bad_debt_mirror(self, left):
        """The same line the other way round, tags and all, of what is left of it."""
        values = {name: self[name] for name in SAME} | {name: self[name].id for name in SAME_RECORD}
        values |= {
            "amount_currency": -left[0], "balance": -left[1], "tax_ids": [Command.set(self.tax_ids.ids)],
            "tax_tag_ids": [Command.set(self.tax_tag_ids.ids)]}
        if self.company_id.account_storno:
            values["is_storno"] = not self.is_storno
        return values


class CustomerBadDebtWriteoff(models.Model):
    """Undo: the mirror of the entry, as far as nothing came back, and the items are open again."""

    _inherit = "customer.bad.debt.writeoff"

    def action_undo(self, date=None):
        """Book the mirror on a day that is open, and open again what was not recovered."""
        self._check_group(APPROVER)
        self.check_access("write")
        self._lock()
        self._check_state(*(state for state in BOOKED if state != "recovered"))
        date = self._to_date(date)
        for writeoff in self:
            writeoff.company_id._check_bad_debt_settings("undo")
            writeoff._check_undo_date(date)
            left = writeoff._get_left()
            if not left:
                raise UserError(self.env._(
                    "%(name)s: all of it came back, nothing is left to undo. Undo the recovery first.",
                    name=writeoff.display_name))
            mirror = writeoff._create_mirror(left, date)
            writeoff._match_mirror(mirror, left)
            writeoff._keep_undone(mirror, left)
        self.line_ids.move_id._refresh_written_off()
        self._reopen_cases()
        self._log_on_invoices(self.env._("Write-off undone"))

    def _get_entries(self):
        return self.move_id | self.line_ids.relief_move_id

    def _check_undo_date(self, date):
        if date > fields.Date.context_today(self) or date < max(self._get_entries().mapped("date")):
            raise UserError(self.env._(
                "%(name)s: the undo must be dated between %(first)s and today.",
                name=self.display_name, first=max(self._get_entries().mapped("date"))))

    def _get_left(self):
        """{journal item of the entries: [in its currency, in company currency]}, less what was recovered."""
        back = self._get_recovered()
        left = {}
        for line in self._get_entries().line_ids.sorted("id"):
            amounts = [line.currency_id.round(line.amount_currency - back[line.id][0]),
                       self.currency_id.round(line.balance - back[line.id][1])]
            if any(amounts):
                left[line] = amounts
        return left

    def _get_recovered(self, since=None):
        """{id of a journal item of the entries: what came back of it, or only since one of the entries stands}."""
        back = defaultdict(lambda: [0.0, 0.0])
        known = {str(line.id) for line in since.line_ids} if since else set()
        for recovery in self.recovery_ids.filtered(lambda recovery: recovery.state == "posted"):
            split = recovery._get_split()
            if since and known.isdisjoint(split):
                continue
            for key, amounts in split.items():
                back[int(key)] = [done + new for done, new in zip(back[int(key)], amounts, strict=True)]
        return back

    def _create_mirror(self, left, date):
        values = [line._prepare_bad_debt_mirror(amounts) for line, amounts in left.items()]
        if not any(line["tax_repartition_line_id"] for line in values):  # or the host would compute a tax
            for line in values:
                line["tax_ids"] = [Command.clear()]
        return self._post_entry(values, date, self.env._("Undo of %s", self.move_id.name))

    def _match_mirror(self, mirror, left):
        """Each counterpart with its mirror; what was recovered stays matched with the item."""
        booked = self._get_matched_lines()
        quiet = self.with_context(no_cash_basis=True, add_caba_vals=True, bad_debt_undo=True).env["account.move.line"]
        items = {line: line._get_bad_debt_matched() for line in booked}
        quiet.browse(booked.ids).remove_move_reconcile()
        pairs = dict(zip(left, mirror.line_ids.sorted("id"), strict=False))
        quiet._reconcile_plan([quiet.browse((line | pairs[line]).ids) for line in booked if line in pairs])
        if rest := [quiet.browse((items[line] | line).ids) for line in booked if not line.reconciled and items[line]]:
            quiet._reconcile_plan(rest)
        mirror.reversed_entry_id = self.move_id

    def _get_matched_lines(self):
        """The counterparts of the items, and of tax that is due on payment."""
        return self.move_id.line_ids.filtered(
            lambda line: line.account_id.reconcile and (
                line.display_type == "payment_term" or line.tax_repartition_line_id and self._is_credit_note()))

    def _keep_undone(self, mirror, left):
        for line in self.line_ids.filtered("booked_line_id"):
            undone = abs(left.get(line.booked_line_id, [0.0])[0])
            # sudo: kept by the methods only
            line.sudo().write({"amount_undone": undone, "split": json.dumps(line._get_split_left(undone))})
        total = sum(abs(left.get(line, [0.0, 0.0])[1]) for line in self.line_ids.booked_line_id)
        self._set(state="reversed", reversal_move_id=mirror.id, amount_undone=total)


class CustomerBadDebtWriteoffLine(models.Model):
    _inherit = "customer.bad.debt.writeoff.line"

    def _get_recovered_currency(self):
        """How much of this item came back, in its currency."""
        return abs(self.writeoff_id._get_recovered()[self.booked_line_id.id][0])

    def _get_split_left(self, undone):
        """What still counts as given up, and as claimed back, when part of it was undone."""
        split = self._get_split()
        left = self.currency_id.round(self.amount_currency - undone)
        if not left:
            return {}
        columns = []
        for i, currency in enumerate((self.currency_id, self.company_currency_id)):
            weights = [amounts[i] for amounts in split.values()]
            total = left if i == 0 else currency.round(sum(weights) * left / self.amount_currency)
            columns.append(allocate(total, weights, unit=currency.rounding))
        return dict(zip(split, zip(*columns, strict=True), strict=True))
