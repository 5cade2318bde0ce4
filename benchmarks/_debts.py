#!/usr/bin/env python3
"""Really posted invoices that nobody paid: one line with tax each, ten a customer, all overdue for years.

    _debts.py DATABASE CUSTOMERS INVOICES_EACH

The database must have accounting with a chart of accounts (Odoo's demo data has).
"""

import sys
from datetime import date, timedelta

from _common import registry
from odoo import Command, api

BATCH = 200
FIRST_DAY = date.today() - timedelta(days=900)


def values(customer, number, tax):
    day = FIRST_DAY + timedelta(days=number % 300)
    line = {"name": "Goods", "quantity": 1 + number % 7, "price_unit": 10.01 * (1 + number % 90),
            "tax_ids": [Command.set(tax.ids)]}
    return {"move_type": "out_invoice", "partner_id": customer.id, "invoice_date": day, "invoice_date_due": day,
            "invoice_line_ids": [Command.create(line)]}


def main(database, customers, each):
    with registry(database).cursor() as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {"tracking_disable": True})
        tax = env["account.tax"].search([
            ("company_id", "=", env.company.id), ("type_tax_use", "=", "sale"), ("amount", ">", 0)], limit=1)
        debtors = env["res.partner"].create([{"name": f"Debtor {n}"} for n in range(int(customers))])
        wanted = [values(customer, number, tax) for number, customer in enumerate(list(debtors) * int(each))]
        for start in range(0, len(wanted), BATCH):
            env["account.move"].create(wanted[start:start + BATCH])._post()
            cr.commit()
            env.invalidate_all()
        cr.execute("ANALYZE")


if __name__ == "__main__":
    main(*sys.argv[1:])
