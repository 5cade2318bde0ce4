#!/usr/bin/env python3
"""Work on one batch of write-offs of all debts, each step in a process of its own; prints JSON.

    _writeoffs.py DATABASE prepare|book|cron [COPY]

`book` books the batch and, in turns, invoices of a COPY of the database one by one, and tells what both cost; `cron` is
one look of Odoo's own worker at its scheduled actions, which says "ready" when it begins.
"""

import json
import resource
import sys
import time

from _common import clock, registry
from odoo import Command, api, fields, sql_db

ENOUGH = 1e9  # no document needs a second person
SAMPLE = 25  # invoices in the loop, after each chunk


def accountant(cr):
    env = api.Environment(cr, api.SUPERUSER_ID, {})
    return env(user=env.ref("base.user_admin"), su=False)


def prepare(cr):
    """The batch, asked for by a person."""
    env = accountant(cr)
    # sudo: the settings are another person's
    company = env.company.sudo()
    company._propose_bad_debt_settings()
    company.write({"bad_debt_approval_limit": ENOUGH, "bad_debt_tax_relief": "reduction"})
    debtors = [("name", "=like", "Debtor %")]
    batch = env["customer.bad.debt.batch"].create({"days_overdue_min": 365, "partner_domain": str(debtors)})
    seconds, _, queries, _ = count(lambda: (batch.action_prepare(), cr.commit()))
    answer = {"seconds": seconds, "queries": queries}
    batch.action_post()
    cr.commit()
    return answer


def book(cr, plain):
    """The job chunk after chunk, and after each some invoices of another copy in the loop: what drifts hits both."""
    batch = api.Environment(cr, api.SUPERUSER_ID, {})["customer.bad.debt.batch"].search([], limit=1)
    answer = {"seconds": [], "loop": [], "processor": [], "loop_processor": [], "queries": 0, "loop_queries": 0}
    with registry(plain).cursor() as other:
        loop(other, 1)  # both are warm: the batch was prepared, the loop has been round once
        while batch.state == "posting":
            seconds, processor, queries, documents = count(lambda: (batch._take_up(), cr.commit())[0])
            answer["queries"] += queries
            if documents:
                answer["seconds"].append(seconds)
                answer["processor"].append(processor)
                seconds, processor, queries, _ = count(lambda: loop(other, SAMPLE))
                answer["loop"].append(seconds)
                answer["loop_processor"].append(processor)
                answer["loop_queries"] += queries
    answer["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return answer


def count(work):
    """(seconds, those of this process's processor, queries, answer)"""
    queries, processor = sql_db.sql_counter, time.process_time()
    seconds, answer = clock(work)
    return seconds, time.process_time() - processor, sql_db.sql_counter - queries, answer


def loop(cr, size):
    """An entry an invoice, without tax, created, posted and matched: the least that a script does."""
    env = accountant(cr)
    items = env["account.move.line"].search([
        ("partner_id", "=like", "Debtor %"), ("account_id.account_type", "=", "asset_receivable"),
        ("reconciled", "=", False)], limit=size, order="partner_id, id")
    for item in items:
        common = {"partner_id": item.partner_id.id, "name": "Bad debt"}
        entry = env["account.move"].create({
            "move_type": "entry", "journal_id": env.company.bad_debt_journal_id.id, "date": fields.Date.today(),
            "line_ids": [
                Command.create({**common, "account_id": item.account_id.id, "balance": -item.balance}),
                Command.create({**common, "account_id": env.company.bad_debt_expense_account_id.id,
                                "balance": item.balance})]})
        entry.action_post()
        (item | entry.line_ids.filtered(lambda line, item=item: line.account_id == item.account_id)).reconcile()
    cr.commit()


def cron(cr):
    env = api.Environment(cr, api.SUPERUSER_ID, {})
    env["ir.cron"].search([("id", "!=", env.ref("customer_churn.ir_cron_customer_bad_debt_batch").id)]).active = False
    cr.commit()
    print(json.dumps("ready"), flush=True)
    env["ir.cron"]._process_jobs(cr.dbname)


def main(database, step, *options):
    with registry(database).cursor() as cr:
        answer = {"prepare": prepare, "book": book, "cron": cron}[step](cr, *options)
    if answer:
        print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
