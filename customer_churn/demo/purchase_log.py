"""Read a purchase log (a CSV file); `purchase_ledger.py` posts it.

Used by the development script and by nobody at run time: the addon imports neither file. Reading needs no
Odoo, so that a bad file is refused before any database is touched.
"""

import csv
import gzip
import io
import math
from datetime import date
from typing import NamedTuple

INVOICE, REFUND = "invoice", "refund"
MOST_FAULTS_SHOWN = 10
COLUMN_NAMES = {
    "customer": ("customer", "customer_id"),
    "date": ("date",),
    "amount": ("amount",),
    "document": ("document", "doc_id"),
    "kind": ("type",),
}
REQUIRED = ("customer", "date", "amount")


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
