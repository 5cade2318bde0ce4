"""Turn a purchase log (a CSV file) into posted customer invoices.

Used by the development script and by nobody at run time: the addon does not import this file.
Reading needs no Odoo, so that a bad file is refused before any database is touched.
"""

import csv
import gzip
import io
import math
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

INVOICE, REFUND = "invoice", "refund"
BATCH = 500
MOST_FAULTS_SHOWN = 10
COLUMN_NAMES = {
    "customer": ("customer", "customer_id"),
    "date": ("date",),
    "amount": ("amount",),
    "document": ("document", "doc_id"),
    "kind": ("type",),
}
REQUIRED = ("customer", "date", "amount")
SILENT = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    # Both lines of every document are given, so Odoo need not work them out again: half the time.
    "skip_invoice_sync": True,
}


class PurchaseLogError(ValueError):
    """The file cannot be loaded; the message says which line and why."""


class Purchase(NamedTuple):
    """One document of one customer; the amount of a refund is negative."""

    customer: str
    date: date
    amount: float
    document: str
    kind: str


def read(path):
    """Return every row of the file, or refuse the whole file."""
    text = _text(path)
    if not text.strip():
        raise PurchaseLogError(f"{path}: the file is empty")
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = _columns(path, next(reader))
    rows, faults = [], []
    for values in reader:
        if not any(value.strip() for value in values):
            continue
        try:
            rows.append(_purchase(values, columns, decimal_comma=delimiter == ";"))
        except PurchaseLogError as fault:
            faults.append(f"line {reader.line_num}: {fault}")
    if faults:
        raise PurchaseLogError(_summary(path, faults))
    if not rows:
        raise PurchaseLogError(f"{path}: the file has a header but no purchases")
    return rows


def load(env, company, rows, end_date=None):
    """Post one customer invoice or refund per row in the company; return how many.

    With ``end_date`` every date moves by the same number of days, so that the log ends there.
    """
    env = env(context=dict(env.context, **SILENT, allowed_company_ids=company.ids))
    shift = end_date - max(row.date for row in rows) if end_date else timedelta()
    rows = sorted(rows, key=lambda row: row.date)
    book = _Book(env, company, rows, shift)
    book.post([row for row in rows if row.kind == INVOICE])
    book.post([row for row in rows if row.kind == REFUND])
    return len(rows)


class _Book:
    """What every document of the log shares: journal, account and the customers' records."""

    def __init__(self, env, company, rows, shift):
        self.env, self.company, self.shift = env, company, shift
        self.journal = env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", company.id)], limit=1
        )
        self.account = self.journal.default_account_id
        owner = company.partner_id.with_company(company)
        self.receivable = owner.property_account_receivable_id
        self.partners = self._partners(dict.fromkeys(row.customer for row in rows))
        self.unreversed = {}  # (customer, amount) -> [(date, invoice id)], oldest first

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

    def post(self, rows):
        remaining = iter(rows)
        while batch := list(islice(remaining, BATCH)):
            moves = self.env["account.move"].create([self._values(row) for row in batch])
            moves._post(soft=False)
            self._remember(batch, moves)
            self.env.flush_all()
            self.env.invalidate_all()

    def _values(self, row):
        day = row.date + self.shift
        return {
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
        for row, move_id in zip(batch, moves.ids, strict=True):
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


def _text(path):
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, EOFError) as error:
        raise PurchaseLogError(f"{path}: cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise PurchaseLogError(f"{path}: is not UTF-8 text; save it as CSV UTF-8") from error


def _delimiter(text):
    header = text.lstrip().splitlines()[0]
    return ";" if header.count(";") > header.count(",") else ","


def _columns(path, header):
    found = [name.strip().lower() for name in header]
    columns = {
        column: next((found.index(name) for name in names if name in found), None)
        for column, names in COLUMN_NAMES.items()
    }
    missing = [" or ".join(COLUMN_NAMES[name]) for name in REQUIRED if columns[name] is None]
    if missing:
        raise PurchaseLogError(
            f"{path}: line 1: column missing: {', '.join(missing)} "
            f"(found: {', '.join(name for name in found if name) or 'none'})"
        )
    return columns


def _purchase(values, columns, decimal_comma):
    cells = {
        name: values[index].strip() if index is not None and index < len(values) else ""
        for name, index in columns.items()
    }
    if not cells["customer"]:
        raise PurchaseLogError("the customer is empty")
    amount, kind = _signed(_amount(cells["amount"], decimal_comma), cells["kind"].lower())
    return Purchase(cells["customer"], _date(cells["date"]), amount, cells["document"], kind)


def _date(text):
    day = text.replace("T", " ").split(" ")[0]
    try:
        if len(day) == len("2025-12-31"):
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise PurchaseLogError(f"date {text!r} is not a date like 2025-12-31")


def _amount(text, decimal_comma):
    """A comma is a decimal sign only where semicolons separate the columns; never thousands."""
    plain = text.replace(",", ".") if decimal_comma and "." not in text else text
    try:
        amount = float(plain)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount) or "_" in text:
        raise PurchaseLogError(f"amount {text!r} is not a number like 1234.50")
    return amount


def _signed(amount, kind):
    if kind not in ("", INVOICE, REFUND):
        raise PurchaseLogError(f"type {kind!r} is neither {INVOICE} nor {REFUND}")
    if kind == INVOICE and amount < 0:
        raise PurchaseLogError(f"amount '{amount:g}' of an invoice is negative")
    if kind == REFUND or amount < 0:
        return -abs(amount), REFUND
    return amount, INVOICE


def _summary(path, faults):
    more = len(faults) - MOST_FAULTS_SHOWN
    lines = faults[:MOST_FAULTS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return f"{path}: " + "\n  ".join(lines)
