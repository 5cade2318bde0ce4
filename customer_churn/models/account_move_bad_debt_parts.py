import json
from collections import defaultdict

from odoo import models

from ..allocation import allocate

NO_PART = ("line_section", "line_subsection", "line_note", "payment_term", "cogs")


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _get_bad_debt_kind(self):
        tax = self.tax_repartition_line_id.tax_id
        if not tax:
            return "base"
        return "transition" if tax.tax_exigibility == "on_payment" else "tax"

    def _get_bad_debt_key(self, by_account):
        """Lines that are the same to a write-off: same taxes, same tax line, same analytic accounts."""
        return (
            self.tax_repartition_line_id.id, tuple(self.tax_ids.ids), self.group_tax_id.id,
            (by_account or self.tax_repartition_line_id) and self.account_id.id,
            json.dumps(self.analytic_distribution or {}, sort_keys=True))

    def _get_bad_debt_loose_key(self):
        """What a credit note takes back of an invoice: the same tax, or what the same taxes stand on."""
        repartition = self.tax_repartition_line_id
        if not repartition:
            return ("base", tuple(self.tax_ids.ids))
        return ("tax", repartition.tax_id.id, repartition._get_bad_debt_position())


class AccountTaxRepartitionLine(models.Model):
    _inherit = "account.tax.repartition.line"

    def _get_bad_debt_position(self):
        siblings = self.tax_id.repartition_line_ids.filtered(
            lambda line: line.document_type == self.document_type).sorted(lambda line: (line.sequence, line.id))
        return siblings.ids.index(self.id)

    def _get_bad_debt_twin(self, tax, document_type):
        """The line of the other tax, or the other side of this one, that stands at the same place."""
        lines = tax.repartition_line_ids.filtered(
            lambda line: line.document_type == document_type).sorted(lambda line: (line.sequence, line.id))
        position = self._get_bad_debt_position()
        if position < len(lines) and lines[position].repartition_type == "tax":
            return lines[position]
        return lines.filtered(lambda line: line.repartition_type == "tax")[:1]


class AccountMove(models.Model):
    """What the debt of an invoice is made of: the goods, each tax, each analytic account."""

    _inherit = "account.move"

    def _get_bad_debt_parts(self, by_account=False, more_notes=()):
        """{id of the first journal item: part}, less what credit notes took back; positive where it is owed.

        :param by_account: keep what was earned on different accounts apart
        :param more_notes: credit notes that are not matched yet, as `_get_credit_notes` gives them
        """
        parts = self._get_invoiced_parts(by_account)
        for name, currency in (("amount_currency", self.currency_id), ("balance", self.company_currency_id)):
            self._take_credited(parts, name, currency, more_notes)
        return parts

    def _get_invoiced_parts(self, by_account=False):
        if not self.is_sale_document(include_receipts=True):
            return {}
        by_key = {}
        for line in self.line_ids:
            if line.display_type in NO_PART or line.account_id.account_type == "asset_receivable":
                continue
            part = by_key.setdefault(line._get_bad_debt_key(by_account), {
                "line": line, "kind": line._get_bad_debt_kind(), "items": line.browse(),
                "amount_currency": 0.0, "balance": 0.0})
            part["items"] |= line
            part["amount_currency"] -= line.amount_currency
            part["balance"] -= line.balance
        return {part["line"].id: part for part in by_key.values()}

    def _take_credited(self, parts, name, currency, more_notes):
        for loose, credited in self._get_credited(name, more_notes).items():
            same = [part for part in parts.values() if part["line"]._get_bad_debt_loose_key() == loose]
            same = same or [part for part in parts.values() if part["kind"] == "base"]
            owed = sum(part[name] for part in same)
            left = max(currency.round(owed - credited), 0.0)
            shares = allocate(left, [part[name] for part in same], unit=currency.rounding)
            for part, share in zip(same, shares, strict=True):
                part[name] = share

    def _get_credited(self, name, more_notes=()):
        """{loose key: what credit notes took back of it}."""
        credited = defaultdict(float)
        for note, share in (*self._get_credit_notes(), *more_notes):
            for line in note.line_ids:
                if line.display_type not in NO_PART and line.account_id.account_type != "asset_receivable":
                    credited[line._get_bad_debt_loose_key()] += share * line[name]
        return credited

    def _get_credit_notes(self):
        """[(credit note, share of it that is meant for this invoice)]."""
        notes = [(note, 1.0) for note in self.reversal_move_ids
                 if note._credits_bad_debt() and note.state == "posted"]
        items = self.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        for partial in items.with_prefetch(self.line_ids._prefetch_ids).matched_credit_ids:
            note = partial.credit_move_id.move_id
            notes += note._get_bad_debt_share(partial.credit_amount_currency)
        return notes

    def _get_bad_debt_share(self, amount):
        """Of a credit note that was made for no invoice in particular: what matching makes it one for."""
        if self._credits_bad_debt() and not self.reversed_entry_id and self.amount_total:
            return [(self, amount / self.amount_total)]
        return []

    def _credits_bad_debt(self):
        """One that a write-off made is counted as that."""
        return self.move_type == "out_refund" and not self.bad_debt_writeoff_id
