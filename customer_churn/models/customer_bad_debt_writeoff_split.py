import json
from collections import defaultdict

from odoo import models

from ..allocation import allocate
from .customer_bad_debt_writeoff_line import BOOKED

NAMES = ("amount_currency", "balance")


class Debt:
    """What is left of one invoice's parts while its items are given up one after the other."""

    def __init__(self, move, taken, pairs, by_account):
        self.move = move
        notes = [note for other, amount in pairs for note in other.move_id._get_bad_debt_share(amount)]
        netted = sum(amount for _other, amount in pairs)
        self.parts = move._get_bad_debt_parts(by_account, notes)
        self.taken = {key: list(taken.get(key, (0.0, 0.0))) for key in self.parts}
        items = move.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        total = sum(items.mapped("amount_currency")) or 1.0
        self.open = sum(items.mapped("amount_residual_currency")) - netted
        self.transition = {
            key: [self._open(part["items"], name, currency, netted / total) for name, currency in self._units()]
            for key, part in self.parts.items() if part["kind"] == "transition"}

    def _units(self):
        return (("amount_currency", self.move.currency_id), ("balance", self.move.company_currency_id))

    def _open(self, items, name, currency, netted):
        """Tax that no payment has made due; what is netted first makes its share due."""
        residual = {"amount_currency": "amount_residual_currency", "balance": "amount_residual"}[name]
        left = -sum(items.mapped(residual)) if items.account_id.reconcile else -sum(items.mapped(name))
        return left + sum(currency.round(item[name] * netted) for item in items)

    def take(self, amounts):
        """{part: [in the currency, in company currency]} of one amount, and remember it."""
        if not self.parts:
            return {0: list(amounts)}
        shares = [self._share(i, name, amounts[i], currency) for i, (name, currency) in enumerate(self._units())]
        split = {key: [share[key] for share in shares] for key in self.parts}
        self._take_transition(split, amounts[0])
        for key, part in split.items():
            self.taken[key] = [done + new for done, new in zip(self.taken[key], part, strict=True)]
        self.open -= amounts[0]
        return split

    def _share(self, i, name, amount, currency):
        """No more than the parts have; what is beyond them, the credit notes being open, is a loss without tax."""
        keys = list(self.parts)
        weights, done = [self.parts[key][name] for key in keys], [self.taken[key][i] for key in keys]
        within = max(min(amount, sum(weights) - sum(done)), 0.0)
        shares = dict(zip(keys, allocate(within, weights, done, currency.rounding), strict=True))
        shares[self._largest()] += currency.round(amount - within)
        return shares

    def _largest(self):
        return max(self.parts, key=lambda key: (self.parts[key]["kind"] == "base", abs(self.parts[key]["balance"])))

    def _take_transition(self, split, amount):
        """Tax due on payment leaves its transition account as it stands open there."""
        for key, left in self.transition.items():
            for i, (_name, currency) in enumerate(self._units()):
                part = currency.round(left[i] * amount / self.open) if self.open else 0.0
                split[self._largest()][i] = currency.round(split[self._largest()][i] + split[key][i] - part)
                split[key][i] = part
                left[i] -= part


class CustomerBadDebtWriteoff(models.Model):
    _inherit = "customer.bad.debt.writeoff"

    def _split(self):
        """{item of this document: {part: [in its currency, in company currency]}}, and the debts they are part of."""
        debts, splits = {}, {}
        standing = self._get_standing_splits()
        # as it stands now: what posting has netted already is no longer open, and is not to be netted once more
        netted = self._get_netting_pairs(self.line_ids.move_line_id) if self.net_credits else {}
        for line in self.line_ids:
            move = line.move_line_id.move_id
            if move not in debts:
                items = self.line_ids.grouped("move_id")[move].move_line_id
                first = [pair for item in items for pair in netted.get(item, ())]
                debts[move] = Debt(move, standing[move], first, self._hits_revenue())
            amounts = [line.amount_currency, line._get_carrying_amount()]
            splits[line] = debts[move].take(amounts)
        return splits, debts

    def _get_standing_splits(self):
        """{invoice: {part: what earlier write-offs took}}."""
        standing = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
        lines = self.env["customer.bad.debt.writeoff.line"].search([
            ("move_id", "in", self.line_ids.move_id.ids), ("writeoff_id", "not in", self.ids),
            ("state", "in", (*BOOKED, "reversed"))])
        for line in lines:
            for key, amounts in line._get_split().items():
                for i in range(len(NAMES)):
                    standing[line.move_id][int(key)][i] += amounts[i]
        return standing

    def _keep_split(self, splits):
        for line, split in splits.items():
            # sudo: kept by the methods only
            line.sudo().split = json.dumps({str(key): amounts for key, amounts in split.items()})
