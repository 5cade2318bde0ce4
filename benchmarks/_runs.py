#!/usr/bin/env python3
"""Print as JSON what the runs of one database cost: seconds and queries of each kind, memory of the process.

    _runs.py DATABASE [REPEAT]

`one_pass` (F1) is the least that one pass over the ledger can cost. Full runs and nights are measured REPEAT times,
each on a day of its own and beside a pass of its own; what is monthly, the fit with its record and the product lines,
is told apart. Before each comes what autovacuum does in a day.
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

from devtool.postgres import sql

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
# Payments change the newest invoice of one customer in a hundred, each night of others.
PAY = """
UPDATE account_move SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN (
       SELECT max(id) FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted'
        GROUP BY commercial_partner_id HAVING mod(commercial_partner_id, 100) = %s)
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


def rest(env):
    env.cr.commit()
    sql(env.cr.dbname, "VACUUM (ANALYZE) customer_churn_profile")


def measure_full(env, companies, date):
    """{what: figure} of a run that writes every profile, as every chance has fallen since the day before."""
    rest(env)
    base = one_pass(env)
    with fits(env) as learning:
        seconds, queries, _ = run(env, companies, date=date, full=True)
    fit = sum(learning)
    return {"base": base, "seconds": seconds - fit, "ratio": (seconds - fit) / base, "fit": fit, "queries": queries}


def measure_night(env, companies, date, number):
    env.cr.execute(PAY, [number])
    rest(env)
    base = one_pass(env)
    seconds, queries, runs = run(env, companies, date=date)
    read = sum(run.read_count for run in runs)
    return {"base": base, "seconds": seconds, "ratio": seconds / base, "queries": queries, "read": read}


def measure(env, repeat):
    companies = env["res.company"].search([], order="id", limit=2)
    env.cr.execute(LAST_DAY)
    [[today]] = env.cr.fetchall()
    env.cr.execute(FORGET)
    rest(env)
    base = one_pass(env)
    first, first_queries, runs = run(env, companies, date=today)
    full = [measure_full(env, companies, today + timedelta(days=day)) for day in range(1, repeat + 1)]
    today += timedelta(days=repeat)
    again = run(env, companies, date=today)[0]
    nights = [measure_night(env, companies, today + timedelta(days=day), day) for day in range(1, repeat + 1)]

    def middle(measured, what):
        return statistics.median(each[what] for each in measured)

    return {
        "customers": sum(run.customer_count for run in runs), "read": round(middle(nights, "read")),
        "one_pass": statistics.median([base, *(each["base"] for each in full + nights)]), "first": first,
        "full": middle(full, "seconds"), "full_ratio": middle(full, "ratio"), "fit": middle(full, "fit"),
        "again": again, "night": middle(nights, "seconds"), "night_ratio": middle(nights, "ratio"),
        "queries": {"first run": first_queries, "full run": full[0]["queries"], "night": nights[0]["queries"]},
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(database, repeat=1):
    with registry(database).cursor() as cr:
        print(json.dumps(measure(api.Environment(cr, SUPERUSER_ID, {}), int(repeat))))


if __name__ == "__main__":
    main(*sys.argv[1:])
