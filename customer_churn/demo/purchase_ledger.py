"""Post the rows of a purchase log as customer invoices and credit notes.

Used by the development script, with this folder on the path, and by nobody at run time.
"""

from collections import Counter
from datetime import timedelta
from itertools import islice

from purchase_log import INVOICE, REFUND

BATCH = 500
SILENT = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    # Both lines of every document are given, so Odoo need not work them out again.
    "skip_invoice_sync": True,
    "skip_invoice_line_sync": True,
    "skip_analytic_sync": True,
}


def load(env, company, rows, end_date=None, part=0, parts=1):
    """Post one customer invoice or refund per row in the company; return how many.

    With ``end_date`` every date moves by the same number of days, so that the log ends there. Processes that load
    the same rows at the same time take one of the ``parts`` each, a share of the customers.
    """
    env = env(context=dict(env.context, **SILENT, allowed_company_ids=company.ids))
    shift = end_date - max(row.date for row in rows) if end_date else timedelta()
    rows = sorted(rows, key=lambda row: row.date)
    customers = list(dict.fromkeys(row.customer for row in rows))[part::parts]
    book = _Book(env, company, customers, shift)
    named = [(row, name) for row, name in zip(rows, book.names(rows), strict=True) if row.customer in book.partners]
    for kind in (INVOICE, REFUND):
        book.post([(row, name) for row, name in named if row.kind == kind])
    return len(named)


class _Book:
    """What every document of the log shares: journal, account and the customers' records."""

    def __init__(self, env, company, customers, shift):
        self.env, self.company, self.shift = env, company, shift
        self.journal = env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", company.id)], limit=1
        )
        self.account = self.journal.default_account_id
        owner = company.partner_id.with_company(company)
        self.receivable = owner.property_account_receivable_id
        self.partners = self._partners(customers)
        self.unreversed = {}  # (customer, amount) -> [(date, invoice id)], oldest first

    def names(self, rows):
        """The numbers that Odoo would give, which searches the last one for every document."""
        numbers = Counter()
        for row in rows:
            prefix = f"{'R' * (row.kind == REFUND)}{self.journal.code}/{(row.date + self.shift).year}"
            numbers[prefix] += 1
            yield f"{prefix}/{numbers[prefix]:05d}"

    def _partners(self, customers):
        partner_model = self.env["res.partner"]
        known = partner_model.search(
            [("company_id", "=", self.company.id), ("ref", "in", list(customers))]
        )
        ids = {partner.ref: partner.id for partner in known}
        missing = [customer for customer in customers if customer not in ids]
        created = partner_model.create(
            [
                {"name": customer, "ref": customer, "company_id": self.company.id}
                for customer in missing
            ]
        )
        return ids | dict(zip(missing, created.ids, strict=True))

    def post(self, named):
        remaining = iter(named)
        while batch := list(islice(remaining, BATCH)):
            moves = self.env["account.move"].create([self._values(row, name) for row, name in batch])
            moves._post(soft=False)
            self._remember(batch, moves)
            self.env.flush_all()
            self.env.invalidate_all()

    def _values(self, row, name):
        day = row.date + self.shift
        return {
            "name": name,
            "move_type": "out_invoice" if row.kind == INVOICE else "out_refund",
            "partner_id": self.partners[row.customer],
            "journal_id": self.journal.id,
            "company_id": self.company.id,
            "currency_id": self.company.currency_id.id,
            "invoice_date": day,
            "invoice_date_due": day,
            "date": day,
            "ref": row.document,
            "reversed_entry_id": row.kind == REFUND and self._reversed(row),
            "line_ids": [(0, 0, line) for line in self._lines(row, day)],
        }

    def _lines(self, row, day):
        amount = self.company.currency_id.round(row.amount)
        sold = {
            "display_type": "product",
            "name": row.document or row.kind,
            "quantity": 1,
            "price_unit": abs(amount),
            "account_id": self.account.id,
            "tax_ids": [(5, 0, 0)],
            "balance": -amount,
            "amount_currency": -amount,
        }
        owed = {
            "display_type": "payment_term",
            "account_id": self.receivable.id,
            "date_maturity": day,
            "balance": amount,
            "amount_currency": amount,
        }
        return sold, owed

    def _remember(self, batch, moves):
        for (row, _name), move_id in zip(batch, moves.ids, strict=True):
            if row.kind == INVOICE:
                key = row.customer, round(row.amount, 2)
                self.unreversed.setdefault(key, []).append((row.date, move_id))

    def _reversed(self, row):
        """The last invoice before the refund that it cancels to the cent, if there is one."""
        invoices = self.unreversed.get((row.customer, round(-row.amount, 2)), [])
        for position in range(len(invoices) - 1, -1, -1):
            if invoices[position][0] <= row.date:
                return invoices.pop(position)[1]
        return False
