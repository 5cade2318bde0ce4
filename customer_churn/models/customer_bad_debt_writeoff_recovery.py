import json

from odoo import fields, models
from odoo.exceptions import UserError

from ..allocation import allocate
from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_split import NAMES


class CustomerBadDebtWriteoff(models.Model):
    """What of a write-off came back, and how it falls on the lines of its entries."""

    _inherit = "customer.bad.debt.writeoff"

    taxes_on_payment = fields.Text(
        readonly=True, copy=False, help="JSON: the taxes due on payment that each journal item of the entry bore.")

    def _check_recovery(self):
        self._check_group(APPROVER)
        self.check_access("write")
        self._lock()
        self._check_state("posted", "partially_recovered")
        self._check_not_credited()
        if self.kind != "bad_debt":
            raise UserError(self.env._("%(name)s: only bad debt is recovered.", name=self.display_name))
        self.company_id._check_bad_debt_settings("recovery")

    def _get_item_left(self, line):
        """(in its currency, in company currency) what of this item did not come back yet."""
        back, booked = self._get_recovered()[line.booked_line_id.id], line.booked_line_id
        return (line.currency_id.round(-booked.amount_currency + back[0]),
                self.currency_id.round(-booked.balance + back[1]))

    def _split_recovery(self, amount, items):
        """{id of a journal item of the entries: [in its currency, in company currency]}, oldest item first."""
        split, left = {}, amount
        for line in items.sorted(lambda line: (line.move_line_id.date_maturity or line.move_line_id.date, line.id)):
            open_currency, open_amount = self._get_item_left(line)
            part = min(left, open_amount)
            if part <= 0:
                continue
            left = self.currency_id.round(left - part)
            share = open_currency if part == open_amount else line.currency_id.round(
                open_currency * part / open_amount)
            split[line.booked_line_id.id] = [-share, -part]
        if left:
            raise UserError(self.env._(
                "%(name)s: %(left)s is more than is left to recover.",
                name=self.display_name, left=self.currency_id.format(left)))
        for currency in items.currency_id:
            self._split_against(split, currency)
        return split

    def _split_against(self, split, currency):
        """The lines against the items follow the running total of what came back since their entry."""
        given_up = split.copy()
        for move in self._get_entries():
            lines = self.line_ids.filtered(lambda line, move=move: move in (self.move_id, line.relief_move_id))
            items = lines.booked_line_id.filtered(lambda line: line.currency_id == currency)
            against = (move.line_ids - self.line_ids.booked_line_id).filtered(
                lambda line: line.currency_id == currency).sorted("id")
            shares = [self._get_shares(move, items, against, given_up, i) for i in range(2)]
            for line, *amounts in zip(against, *shares, strict=True):
                split[line.id] = amounts

    def _get_shares(self, move, items, against, given_up, i):
        """Of one entry: a claim stands on what was left when it was made, so the rest of it is a weight too."""
        name, unit = NAMES[i], (items.currency_id or self.currency_id, self.currency_id)[i]
        back, since = self._get_recovered(), self._get_recovered(move)
        whole = -sum(item[name] - back[item.id][i] + since[item.id][i] for item in items)
        weights, done = against.mapped(name), [since[line.id][i] for line in against]
        total = -sum(given_up[item.id][i] for item in items if item.id in given_up)
        total_done = -sum(since[item.id][i] for item in items)
        return allocate(
            total, [*weights, whole - sum(weights)], [*done, total_done - sum(done)], unit.rounding)[:-1]

    def _get_recovery_groups(self, split):
        """What is booked against the recovered debt: income, and each tax that is due again."""
        groups = {}
        items = self.line_ids.booked_line_id.ids
        for line in self._get_entries().line_ids.sorted("id"):
            if line.id in items or line.id not in split:
                continue
            values = self._get_recovery_values(line)
            group = groups.setdefault(
                tuple(str(value) for value in values.values()), values | {"balance": 0.0})
            group["balance"] += split[line.id][1]
        return self._drop_taxes_without_amount(list(groups.values()))

    def _drop_taxes_without_amount(self, groups):
        """Where a tax has no line of its own, the host would compute one."""
        booked = self.env["account.tax"].union(*(
            group["tax_repartition_line_id"].tax_id for group in groups
            if not self.currency_id.is_zero(group["balance"])))
        return [group | {"tax_ids": group["tax_ids"] & booked} for group in groups]

    def _prepare_recovery_group(self):
        return {
            "account_id": self.company_id._get_bad_debt_settings().bad_debt_recovery_account_id, "kind": "base",
            "name": self.env._("Bad debt recovered"), "tax_ids": self.env["account.tax"],
            "tax_tag_ids": self.env["account.account.tag"], "analytic_distribution": {}, "balance": 0.0,
            "tax_repartition_line_id": self.env["account.tax.repartition.line"]}

    def _get_recovery_values(self, line):
        values = self._prepare_recovery_group()
        values.pop("balance")
        repartition = line.tax_repartition_line_id or self._get_transition_repartition(line)
        if repartition:
            return values | self._get_recovery_tax(line, repartition)
        taxes = self.env["account.tax"].union(*(self._get_recovery_of(tax) for tax in line.tax_ids))
        taxes |= taxes.browse(json.loads(self.taxes_on_payment or "{}").get(str(line.id), []))
        return values | {
            "tax_ids": taxes, "analytic_distribution": line.analytic_distribution or {},
            "tax_tag_ids": self.env["account.account.tag"].union(*(
                tax.get_tax_tags(tax.type_tax_use == "purchase", "base") for tax in taxes.flatten_taxes_hierarchy()
                if tax.tax_exigibility != "on_payment"))}

    def _get_recovery_of(self, tax):
        """The tax that is due again where relief was taken by `tax`."""
        Relief = self.env["customer.bad.debt.tax.relief"]
        rows = Relief.browse(Relief._get_row_ids(self.company_id.id).values())
        row = rows.filtered(lambda row: (row.relief_tax_id or row.tax_id) == tax)[:1]
        return row.recovery_tax_id or row.tax_id or tax

    def _get_recovery_tax(self, line, repartition):
        tax = self._get_recovery_of(repartition.tax_id)
        side = "refund" if tax.type_tax_use == "purchase" else "invoice"
        twin = repartition._get_bad_debt_twin(tax, side)
        transition = line.account_id if not line.tax_repartition_line_id else line.account_id.browse()
        return {
            "kind": "transition" if transition else "tax", "name": tax.name, "tax_repartition_line_id": twin,
            "account_id": transition or (line.account_id if tax == repartition.tax_id else twin.account_id),
            "tax_tag_ids": twin.tag_ids.filtered(lambda _tag: not transition), "analytic_distribution":
                line.analytic_distribution or {}}

    # ------------------------------------------------------------------ tax due on payment
    def _get_transition_repartition(self, line):
        """The tax line of the invoice that a line of the transition account took back."""
        if line.display_type != "payment_term" or line in self.line_ids.booked_line_id:
            return self.env["account.tax.repartition.line"]
        return line._get_bad_debt_matched().tax_repartition_line_id[:1]

    # ------------------------------------------------------------------ states
    def _refresh_recovered(self):
        for writeoff in self:
            amount = sum(writeoff.recovery_ids.filtered(lambda recovery: recovery.state == "posted").mapped("amount"))
            left = writeoff.currency_id.compare_amounts(writeoff.amount_total - writeoff.amount_undone, amount)
            state = writeoff.state
            if state in ("posted", "partially_recovered", "recovered"):
                state = ("recovered" if left <= 0 else "partially_recovered") if amount else "posted"
            writeoff._set(amount_recovered=amount, state=state)
        self.line_ids.move_id._refresh_written_off()
