#!/usr/bin/env python3
"""Work on one batch of write-offs of all debts, each step in a process of its own; prints JSON.

    _writeoffs.py DATABASE prepare|job|loop|cron [SAMPLE]

`job` books the batch and tells what that costs; `loop` books SAMPLE invoices of it one by one instead, as a script
would; `cron` is one look of Odoo's own worker at its scheduled actions, which says "ready" when it begins.
"""

import json
import resource
import sys

from _common import clock, registry
from odoo import Command, api, fields, sql_db

ENOUGH = 1e9  # no document needs a second person


def accountant(cr):
    env = api.Environment(cr, api.SUPERUSER_ID, {})
    return env(user=env.ref("base.user_admin"), su=False)


def prepare(cr):
    """The batch, asked for by a person."""
    env = accountant(cr)
    company = env.company.sudo()
    company._propose_bad_debt_settings()
    company.write({"bad_debt_approval_limit": ENOUGH, "bad_debt_tax_relief": "reduction"})
    debtors = [("name", "=like", "Debtor %")]
    batch = env["customer.bad.debt.batch"].create({"days_overdue_min": 365, "partner_domain": str(debtors)})
    before = sql_db.sql_counter
    seconds = clock(lambda: (batch.action_prepare(), cr.commit()))[0]
    answer = {"seconds": seconds, "queries": sql_db.sql_counter - before, "documents": len(batch.writeoff_ids)}
    batch.action_post()
    cr.commit()
    return answer


def job(cr):
    batches = api.Environment(cr, api.SUPERUSER_ID, {})["customer.bad.debt.batch"]
    before = sql_db.sql_counter
    seconds = clock(batches._cron_process)[0]
    queries, memory = sql_db.sql_counter - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    state = batches.search([], limit=1).state
    if state != "done":
        sys.exit(f"the batch is {state}")
    return {"seconds": seconds, "queries": queries, "memory": memory}


def loop(cr, sample):
    """An entry an invoice, without tax, created, posted and matched: the least that such a script does."""
    env = accountant(cr)
    company = env.company
    items = env["account.move.line"].search([
        ("partner_id", "=like", "Debtor %"), ("account_id.account_type", "=", "asset_receivable"),
        ("reconciled", "=", False)], limit=int(sample), order="partner_id, id")

    def write_off(item):
        common = {"partner_id": item.partner_id.id, "name": "Bad debt"}
        entry = env["account.move"].create({
            "move_type": "entry", "journal_id": company.bad_debt_journal_id.id, "date": fields.Date.today(),
            "line_ids": [
                Command.create({**common, "account_id": item.account_id.id, "balance": -item.balance}),
                Command.create({**common, "account_id": company.bad_debt_expense_account_id.id,
                                "balance": item.balance})]})
        entry.action_post()
        (item | entry.line_ids.filtered(lambda line: line.account_id == item.account_id)).reconcile()

    def work():
        for item in items:
            write_off(item)
        cr.commit()

    before = sql_db.sql_counter
    seconds = clock(work)[0]
    return {"seconds": seconds, "queries": sql_db.sql_counter - before, "invoices": len(items)}


def cron(cr):
    env = api.Environment(cr, api.SUPERUSER_ID, {})
    env["ir.cron"].search([("id", "!=", env.ref("customer_churn.ir_cron_customer_bad_debt_batch").id)]).active = False
    cr.commit()
    print(json.dumps("ready"), flush=True)
    env["ir.cron"]._process_jobs(cr.dbname)


def main(database, step, *options):
    with registry(database).cursor() as cr:
        answer = {"prepare": prepare, "job": job, "loop": loop, "cron": cron}[step](cr, *options)
    if answer:
        print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
