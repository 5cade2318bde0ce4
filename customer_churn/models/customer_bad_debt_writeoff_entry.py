import json

from odoo import models
from odoo.fields import Command

from ..allocation import allocate
from .customer_bad_debt_writeoff_split import NAMES

ACCOUNT_OF_KIND = {
    "bad_debt": "bad_debt_expense_account_id",
    "stale_credit": "bad_debt_stale_credit_account_id",
    "small_difference": "bad_debt_small_difference_account_id",
}


class CustomerBadDebtWriteoff(models.Model):
    """The entry: one line for each item given up, against what it is booked to."""

    _inherit = "customer.bad.debt.writeoff"

    def _preview(self):
        """The lines of the entry as posting will create them, as dicts. Nothing is created."""
        self.ensure_one()
        return self._build()[0]

    def _build(self):
        """(values of the journal items, {item: split}, the group that each of the values comes from).

        The customer's items come first, in the order of the document's lines.
        """
        splits, debts = self._split()
        given_up = self.line_ids.filtered("amount_currency")
        items = [self._prepare_item(line) for line in given_up]
        groups = {}
        for line in given_up:
            self._add_parts(groups, line, splits[line], debts[line.move_line_id.move_id])
        against = self._use_allowance(list(groups.values()))
        return items + [self._prepare_against(group) for group in against], splits, [{}] * len(items) + against

    def _prepare_item(self, line):
        item, sign = line.move_line_id, line._get_sign()
        return {
            "name": item.move_id.name or item.name, "account_id": item.account_id.id, "partner_id": item.partner_id.id,
            "currency_id": item.currency_id.id, "amount_currency": -sign * line.amount_currency,
            "balance": -sign * line.amount, "date_maturity": item.date_maturity, "display_type": "payment_term",
            "tax_ids": [Command.clear()], "analytic_distribution": False}

    # ------------------------------------------------------------------ against what
    def _add_parts(self, groups, line, split, debt):
        relief = self._has_relief(line)
        amounts = self._spread(line, split, debt, relief)
        largest = max(amounts, key=lambda key: abs(amounts[key][1]) if self._is_base(key, debt) else -1.0)
        amounts[largest][1] += line.amount - line._get_carrying_amount()  # the rate of the day, where it is asked for
        for key, (amount_currency, balance) in amounts.items():
            values = self._get_part_values(key, debt, split, relief)
            values |= {"partner_id": line.move_line_id.partner_id, "currency_id": line.currency_id}
            group = groups.setdefault(
                tuple(map(str, values.values())), values | {"amount_currency": 0.0, "balance": 0.0})
            group["amount_currency"] += line._get_sign() * amount_currency
            group["balance"] += line._get_sign() * balance

    def _is_base(self, key, debt):
        return not debt.parts or debt.parts[key]["kind"] == "base"

    def _spread(self, line, split, debt, relief):
        """Tax that does not come back is a loss like the goods that bear it, over the same analytic accounts."""
        amounts = {key: list(part) for key, part in split.items()}
        lost = [key for key in amounts if debt.parts and debt.parts[key]["kind"] == "tax" and not relief]
        base = [key for key in amounts if self._is_base(key, debt)]
        if not base:
            return amounts
        for gone in lost:
            tax = debt.parts[gone]["line"].tax_repartition_line_id.tax_id
            bearing = [key for key in base
                       if tax in debt.parts[key]["line"].tax_ids.flatten_taxes_hierarchy()] or base
            for i, currency in enumerate((line.currency_id, line.company_currency_id)):
                weights = [debt.parts[key][NAMES[i]] for key in bearing]
                shares = allocate(amounts[gone][i], weights, unit=currency.rounding)
                for key, share in zip(bearing, shares, strict=True):
                    amounts[key][i] = currency.round(amounts[key][i] + share)
        return {key: part for key, part in amounts.items() if key not in lost}

    def _get_part_values(self, key, debt, split, relief):
        values = {
            "account_id": self.company_id._get_bad_debt_settings()[ACCOUNT_OF_KIND[self.kind]],
            "name": self._get_label(), "tax_ids": self.env["account.tax"],
            "tax_tag_ids": self.env["account.account.tag"],
            "tax_repartition_line_id": self.env["account.tax.repartition.line"],
            "group_tax_id": self.env["account.tax"], "kind": "base", "analytic_distribution": "{}",
            "sources": self.env["account.move.line"], "taxes_on_payment": self.env["account.tax"]}
        if not debt.parts:
            return values
        part = debt.parts[key]
        line = part["line"]
        values |= {"kind": part["kind"], "analytic_distribution": json.dumps(
            line.analytic_distribution or {}, sort_keys=True)}
        if part["kind"] == "transition":
            twin = line.tax_repartition_line_id
            twin = twin._get_bad_debt_twin(twin.tax_id, "refund") if self._is_credit_note() else twin.browse()
            return values | {"account_id": line.account_id, "name": line.name, "sources": part["items"],
                             "tax_repartition_line_id": twin}
        if part["kind"] == "base" and self._hits_revenue():
            values |= {"account_id": line.account_id, "name": line.name or values["name"]}
        if part["kind"] == "base":
            values["taxes_on_payment"] = line.tax_ids.flatten_taxes_hierarchy().filtered(
                lambda tax: tax.tax_exigibility == "on_payment")
        if relief and part["kind"] == "tax":
            values |= self._get_tax_relief(part)
        elif relief:
            values |= self._get_base_relief(part, debt, split)
        return values

    def _get_label(self):
        return {
            "bad_debt": self.env._("Bad debt written off"),
            "stale_credit": self.env._("Stale credit written back"),
            "small_difference": self.env._("Small difference"),
        }[self.kind]

    def _prepare_against(self, group):
        analytic = json.loads(group["analytic_distribution"])
        if not analytic and group["kind"] == "base":
            analytic = self._get_default_analytic(group["account_id"], group["partner_id"])
        kinds = {"tax": "tax", "transition": "payment_term"}  # neither asks for an analytic account
        values = {
            "name": group["name"], "display_type": kinds.get(group["kind"], "product"),
            "account_id": group["account_id"].id, "partner_id": group["partner_id"].id,
            "currency_id": group["currency_id"].id,
            "amount_currency": group["currency_id"].round(group["amount_currency"]),
            "balance": self.currency_id.round(group["balance"]),
            "tax_ids": [Command.set(group["tax_ids"].ids)], "tax_tag_ids": [Command.set(group["tax_tag_ids"].ids)],
            "tax_repartition_line_id": group["tax_repartition_line_id"].id, "group_tax_id": group["group_tax_id"].id,
            "analytic_distribution": analytic or False}
        return values | self._get_credit_note_line(group, values)

    def _get_default_analytic(self, account, partner):
        """The company's own rule, as the host would apply it to such a line."""
        return self.env["account.analytic.distribution.model"]._get_distribution({
            "product_id": False, "product_categ_id": False, "partner_id": partner.id,
            "partner_category_id": partner.category_id.ids, "account_prefix": account.code,
            "company_id": self.company_id.id, "related_root_plan_ids": self.env["account.analytic.plan"]})

    # ------------------------------------------------------------------ provided for already
    def _use_allowance(self, groups):
        """What was provided for this customer pays before the result does, with the tags of what it pays."""
        groups = [group for group in groups if group["amount_currency"] or group["balance"]]
        if not (self.use_allowance and self.kind == "bad_debt") or self._hits_revenue():
            return groups
        left, account = self._get_allowance()
        paid = []
        for group in groups:
            part = min(left, group["balance"]) if group["kind"] == "base" else 0.0
            if part <= 0:
                paid.append(group)
                continue
            left -= part
            share = group["amount_currency"] if part == group["balance"] else group["currency_id"].round(
                group["amount_currency"] * part / group["balance"])
            paid.append(group | {"account_id": account, "kind": "allowance", "balance": part, "amount_currency": share})
            if part < group["balance"]:
                paid.append(group | {
                    "balance": group["balance"] - part, "amount_currency": group["amount_currency"] - share})
        return paid

    def _get_allowance(self):
        """(what stands on the allowance account for this customer, the account)."""
        account = self.company_id._get_bad_debt_settings().bad_debt_allowance_account_id
        [[balance]] = self.env["account.move.line"]._read_group([
            ("account_id", "=", account.id), ("company_id", "=", self.company_id.id), ("parent_state", "=", "posted"),
            ("partner_id.commercial_partner_id", "=", self.partner_id.id)], aggregates=["balance:sum"])
        return max(self.currency_id.round(-(balance or 0.0)), 0.0) if account else 0.0, account

    # ------------------------------------------------------------------ what it comes to
    def _refresh_amounts(self):
        """What the entry would come to, kept on the document while it is prepared and when it is booked."""
        for writeoff in self:
            writeoff._refresh_lines()
            values, splits, _groups = writeoff._build()
            writeoff._keep_split(splits)
            writeoff._keep_relief_dates()
            writeoff._set(**writeoff._get_amounts(values))

    def _refresh_lines(self):
        pairs = self._get_netting_pairs(self.line_ids.move_line_id) if self.net_credits else {}
        # sudo: kept by the methods only
        lines = self.line_ids.sudo()
        for line in lines:
            line.amount_residual_currency = abs(line.move_line_id.amount_residual_currency)
        lines._keep_netted(pairs)

    def _get_amounts(self, values):
        """How the loss is shared; the document's own sign is positive."""
        provided = self.company_id._get_bad_debt_settings().bad_debt_allowance_account_id.id
        sums = {"amount_expense": 0.0, "amount_allowance": 0.0, "amount_tax": 0.0}
        for line in values[len(self.line_ids.filtered("amount_currency")):]:
            name = "amount_tax" if line["display_type"] != "product" else (
                "amount_allowance" if line["account_id"] == provided else "amount_expense")
            sums[name] += line["balance"]
        sign = -1 if self.kind == "stale_credit" else 1
        return {name: self.currency_id.round(sign * amount) for name, amount in sums.items()}
