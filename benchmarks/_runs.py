#!/usr/bin/env python3
"""Print as JSON what the runs of one database cost: seconds and queries of each kind, memory of the process.

    _runs.py DATABASE [REPEAT]

`one_pass` (F1) is the least that one pass over the ledger can cost. Full runs are measured REPEAT times, each
on a day of its own and beside a pass of its own; what is monthly, the fit with its record and the product lines, is
told apart.
"""

import json
import resource
import statistics
import sys
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from unittest.mock import patch

from _common import clock, registry
from odoo import SUPERUSER_ID, api

ONE_PASS = """
SELECT company_id, commercial_partner_id, min(invoice_date), max(invoice_date), count(*), sum(amount_untaxed_signed)
  FROM account_move
 WHERE state = 'posted' AND move_type IN ('out_invoice', 'out_refund', 'out_receipt') GROUP BY 1, 2
"""
MONTHLY = "_learn", "_look_at_product_lines"
LAST_DAY = "SELECT max(invoice_date) FROM account_move WHERE move_type LIKE 'out%' AND invoice_date <= current_date"
# As on the first day: the first run makes the policies too. Never TRUNCATE CASCADE: invoices know their write-off,
# write-offs their case, cases their run.
FORGOTTEN = "case", "event", "product_line", "profile", "record", "run", "policy"
FORGET = "; ".join(f"DELETE FROM customer_churn_{name}" for name in FORGOTTEN)
# A payment changes the newest invoice of one customer in a hundred.
PAY = """
UPDATE account_move SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN (
       SELECT max(id) FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted'
        GROUP BY commercial_partner_id HAVING mod(commercial_partner_id, 100) = 0)
"""


def run(env, companies, **options):
    """[seconds, queries, runs] of one run of each company."""
    before = env.cr.sql_log_count
    seconds, runs = clock(lambda: [env["customer.churn.run"]._run(company, **options) for company in companies])
    failed = [run.error for run in runs if run.state != "done"]
    if failed:
        sys.exit(failed[0])
    queries = env.cr.sql_log_count - before
    env.cr.commit()
    return seconds, queries, runs


@contextmanager
def fits(env):
    """The list that the seconds of all that comes with a fit alone are appended to."""
    found, Run = [], type(env["customer.churn.run"])

    def timed(method):
        def call(*args):
            seconds, answer = clock(method, *args)
            found.append(seconds)
            return answer
        return call

    with ExitStack() as patches:
        for name in MONTHLY:
            patches.enter_context(patch.object(Run, name, timed(getattr(Run, name))))
        yield found


def one_pass(env):
    return statistics.median(clock(env.cr.execute, ONE_PASS)[0] for _ in range(3))


def measure(env, repeat):
    companies = env["res.company"].search([], order="id", limit=2)
    env.cr.execute(LAST_DAY)
    [[today]] = env.cr.fetchall()
    env.cr.execute(FORGET)
    env.cr.commit()
    passes, full, fit = [one_pass(env)], [], []
    first, first_queries, runs = run(env, companies, date=today)
    env.cr.execute("ANALYZE customer_churn_profile")
    for _ in range(repeat):
        passes.append(one_pass(env))
        today += timedelta(days=1)  # every chance has fallen, so every profile is written
        with fits(env) as learning:
            seconds, queries, _ = run(env, companies, date=today, full=True)
        full.append((seconds - sum(learning), queries))
        fit.append(sum(learning))
    again = run(env, companies, date=today)[0]
    env.cr.execute(PAY)
    env.cr.commit()
    night, night_queries, nights = run(env, companies, date=today + timedelta(days=1))
    return {
        "customers": sum(run.customer_count for run in runs), "read": sum(run.read_count for run in nights),
        "one_pass": statistics.median(passes), "first": first, "full": statistics.median(s for s, _ in full),
        "full_ratio": statistics.median(s / base for (s, _), base in zip(full, passes[1:], strict=True)),
        "fit": statistics.median(fit), "again": again, "night": night,
        "queries": {"first run": first_queries, "full run": full[0][1], "night": night_queries},
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(database, repeat=1):
    with registry(database).cursor() as cr:
        print(json.dumps(measure(api.Environment(cr, SUPERUSER_ID, {}), int(repeat))))


if __name__ == "__main__":
    main(*sys.argv[1:])
