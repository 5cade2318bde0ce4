#!/usr/bin/env python3
"""What a batch of write-offs costs: 2,000 posted invoices of 200 customers, with tax relief and all notes.

The loop to compare with makes a plain entry for each of a sample of the same invoices, in turns with the chunks. Then
workers that book the batch are killed again and again somewhere on their way, the next one goes on, and in the end the
ledger says what was booked twice, and what is missing.
"""

import random
import signal
import statistics
import subprocess
import sys
import time

from _common import HERE, Figure, extended, in_a_process, tell, throwaway
from _writeoffs import SAMPLE

from devtool.common import PYTHON, digest, file_digest, run_logged, step
from devtool.databases import base_database, base_key, drop_others, ensure
from devtool.postgres import databases, sql

CUSTOMERS, EACH, KILLS, RESUMES = 200, 10, 2, 20
INVOICES = CUSTOMERS * EACH
# Per invoice: what is open, and how often it was given up. And entries without their document or the reverse.
LEDGER = """
SELECT count(*) FILTER (WHERE l.amount_residual <> 0),
       count(*) FILTER (WHERE (SELECT count(*) FROM account_partial_reconcile p WHERE p.debit_move_id = l.id) > 1),
       (SELECT count(*) FROM account_move e WHERE e.bad_debt_writeoff_id IS NOT NULL),
       (SELECT count(*) FROM account_move e JOIN customer_bad_debt_writeoff d ON d.move_id = e.id
         WHERE e.bad_debt_writeoff_id = d.id AND e.state = 'posted' AND d.state = 'posted'),
       sum(l.balance) + (SELECT sum(c.balance) FROM account_move_line c JOIN account_move e ON e.id = c.move_id
                          WHERE e.bad_debt_writeoff_id IS NOT NULL AND c.account_id = min(l.account_id))
  FROM account_move_line l JOIN account_move m ON m.id = l.move_id JOIN res_partner d ON d.id = l.partner_id
  JOIN account_account a ON a.id = l.account_id
 WHERE d.name LIKE 'Debtor %' AND a.account_type = 'asset_receivable' AND m.move_type = 'out_invoice'
"""


def debts():
    """Name of a database with the invoices, without the addon: made once and kept."""
    script = HERE / "_debts.py"

    def fill(database):
        with step(f"{INVOICES:,} posted invoices of {CUSTOMERS} customers"):
            command = [PYTHON, script, database, CUSTOMERS, EACH]
            run_logged(command, "debts.log", f"{script.name} made no debts")

    family = "churn_debts_"
    name = family + digest(base_key(), file_digest(script), CUSTOMERS, EACH)
    if name not in databases():
        drop_others(family, keep=0)
    return ensure(name, base_database(), fill)


def stage(database, name, *options):
    return in_a_process("_writeoffs.py", database, name, *options)


def kill(database, longest):
    """A worker that dies in the middle of whatever it does then."""
    command = [sys.executable, "-W", "ignore", str(HERE / "_writeoffs.py"), database, "cron"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        worker.stdout.readline()
        time.sleep(random.uniform(0, longest))
        worker.send_signal(signal.SIGKILL)


def resume(database):
    """What the scheduled action leaves for its next look, it takes up there."""
    for _ in range(RESUMES):
        stage(database, "cron")
        if not sql(database, "SELECT 1 FROM customer_bad_debt_batch WHERE state <> 'done'"):
            return
    sys.exit("the batch does not come to its end")


def booked(database):
    [[count]] = sql(database, "SELECT count(*) FROM customer_bad_debt_writeoff WHERE state = 'posted'")
    return count


def faults(database):
    """How many invoices or documents the ledger shows to be open, booked twice, or torn."""
    [[left, twice, entries, whole, difference]] = sql(database, LEDGER)
    return left + twice + abs(entries - CUSTOMERS) + abs(whole - CUSTOMERS) + bool(difference)


def measure(database):
    """(what booking costs, faults after it, documents booked when the last worker died, faults after the resumption)"""
    with throwaway(database) as copy:
        with throwaway(copy) as plain:
            done = stage(copy, "book", plain)
        wrong = faults(copy)
    with throwaway(database) as copy:
        for _ in range(KILLS):
            kill(copy, sum(done["seconds"]) / KILLS)
        before = booked(copy)
        resume(copy)
        return done, wrong, before, faults(copy)


def ratio(done, loop, chunk):
    """The same number of invoices is in every chunk, and in every turn of the loop."""
    each = INVOICES / len(done[chunk])
    return statistics.median(a / SAMPLE / (b / each) for a, b in zip(done[loop], done[chunk], strict=True))


def figures():
    with throwaway(extended(debts(), "churn_bench_debts_")) as database:
        prepared = stage(database, "prepare")
        done, wrong, before, wrong_after = measure(database)
    chunks = len(done["seconds"])
    yield Figure(f"preparing a batch of {INVOICES:,} invoices, {CUSTOMERS} customers", prepared["seconds"])
    yield Figure("booking it; loop, an entry an invoice / it", sum(done["seconds"]),
                 ratio=ratio(done, "loop", "seconds"), goal=">= 8")
    yield Figure("the same, processor time of Odoo alone", sum(done["processor"]),
                 ratio=ratio(done, "loop_processor", "processor"))
    yield Figure("its queries an invoice", done["queries"] / INVOICES, "queries", goal="<= 4 queries")
    yield Figure("those of the loop", done["loop_queries"] / SAMPLE / chunks, "queries")
    yield Figure("memory of the process", done["memory"], "MB")
    yield Figure("open, booked twice or torn after it", wrong, "", goal="<= 0 invoices")
    name = f"the same, {KILLS} workers killed, the last at {before} of {CUSTOMERS} customers"
    yield Figure(name, wrong_after, "", goal="<= 0 invoices")


if __name__ == "__main__":
    tell(list(figures()))
