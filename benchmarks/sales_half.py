#!/usr/bin/env python3
"""What the sales half costs on a large ledger, against one pass over it, in one run.

    CHURN_LEDGER_SCRIPT=FILE [CHURN_LEDGER_CUSTOMERS=100000] ./dev bench sales_half

FILE is a Python script that fills a database with a ledger (it is given `--db`, `--host`, `--user`,
`--create-from` and `--customers`); the database is kept for the next time.

Prints a table: each figure, its ratio to F1 (the least that one SQL pass over the invoices can cost) and the goal.
Nothing is asserted: machines differ, ratios hardly do.
"""
import datetime
import os
import resource
import statistics
import subprocess
import sys
import time

import psycopg2
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

F1 = """SELECT company_id, commercial_partner_id, min(invoice_date), max(invoice_date), count(*),
               sum(amount_untaxed_signed)
          FROM account_move
         WHERE state = 'posted' AND move_type IN ('out_invoice', 'out_refund', 'out_receipt') GROUP BY 1, 2"""
LOOP_CUSTOMERS = 300


def clock(work, *args, **kwargs):
    """(seconds, answer) of one call."""
    started = time.perf_counter()
    answer = work(*args, **kwargs)
    return time.perf_counter() - started, answer


def one_pass(env):
    return statistics.median(clock(env.cr.execute, F1)[0] for _ in range(3))


def run_all(env, companies, **options):
    """Seconds, runs and queries of one run of each company."""
    before = env.cr.sql_log_count
    seconds, runs = clock(lambda: [env["customer.churn.run"]._run(company, **options) for company in companies])
    failed = [run.error for run in runs if run.state != "done"]
    if failed:
        sys.exit(failed[0])
    queries = env.cr.sql_log_count - before
    env.cr.commit()
    return seconds, runs, queries


def touch(env, share):
    """Change `share` of the customers' newest invoices, as a payment does."""
    env.cr.execute(
        """UPDATE account_move SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN (
               SELECT max(id) FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted'
                GROUP BY commercial_partner_id HAVING mod(commercial_partner_id, 1000) < %s)""", [share * 1000])
    env.cr.commit()


def orm_loop(env, company):
    """What a search and a write a customer would cost for all of them, measured on a few."""
    profiles = env["customer.churn.profile"].search([("company_id", "=", company.id)], limit=LOOP_CUSTOMERS)

    def loop():
        for profile in profiles:
            moves = env["account.move"].search(
                [("partner_id", "=", profile.partner_id.id), ("state", "=", "posted"), ("company_id", "=", company.id),
                 ("move_type", "in", ("out_invoice", "out_refund", "out_receipt"))], order="invoice_date")
            profile.write({"purchase_count": len(set(moves.mapped("invoice_date"))),
                           "last_purchase_date": moves[-1:].invoice_date,
                           "revenue_total": sum(moves.mapped("amount_untaxed_signed"))})
            env.flush_all()
    seconds = clock(loop)[0]
    env.cr.rollback()
    return seconds * env["customer.churn.profile"].search_count([]) / max(len(profiles), 1)


def screens(env):
    """Seconds of what a manager opens."""
    Profile, Partner = env["customer.churn.profile"], env["res.partner"]
    columns = {"partner_id": {}, "explanation": {}, "overdue_amount": {}}
    at_risk = [("churn_status", "=", "at_risk")]
    return {
        "profiles grouped by status": clock(
            Profile.formatted_read_group, [], ["status"], ["revenue_at_stake:sum", "__count"])[0],
        "first page of profiles": clock(Profile.web_search_read, [], columns, limit=80)[0],
        "partners at risk": clock(Partner.web_search_read, at_risk, {"name": {}}, limit=80)[0],
        "partners grouped by status": clock(Partner.formatted_read_group, [], ["churn_status"], ["__count"])[0],
    }


def ledger():
    """Name of a database with the ledger, made by the script where it is not there."""
    customers, script = os.environ.get("CHURN_LEDGER_CUSTOMERS", "100000"), os.environ.get("CHURN_LEDGER_SCRIPT")
    name = f"ledger_{customers}"
    host, user = os.environ["CHURN_PGHOST"], os.environ["CHURN_PGUSER"]
    connection = psycopg2.connect(host=host, user=user, dbname="postgres")
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        found = cursor.fetchone()
    connection.close()
    if not found:
        if not script:
            sys.exit(f"the database {name} is missing: name a script that fills one in CHURN_LEDGER_SCRIPT")
        subprocess.run([sys.executable, script, "--db", name, "--host", host, "--user", user,
                        "--customers", customers, "--create-from", os.environ["CHURN_TEMPLATE"]], check=True)
    return name


def measure(env):
    """[(figure, seconds, ratio to F1, goal)]"""
    companies = env["res.company"].search([], order="id", limit=2)
    today = datetime.date.today()
    env.cr.execute("TRUNCATE customer_churn_event, customer_churn_profile, customer_churn_run CASCADE")
    env.cr.commit()
    base = one_pass(env)
    first, runs, _ = run_all(env, companies, date=today)
    env.cr.execute("ANALYZE customer_churn_profile")
    full, _, full_queries = run_all(env, companies, date=today, full=True)
    again = run_all(env, companies, date=today)[0]
    touch(env, .01)
    quiet, night, quiet_queries = run_all(env, companies, date=today + datetime.timedelta(days=1))
    base = statistics.median([base, one_pass(env)])
    loop = sum(orm_loop(env, company) for company in companies[:1])
    known, read = sum(run.customer_count for run in runs), sum(run.read_count for run in night)
    rows = [
        ("one pass over the ledger (F1)", base, "1", ""),
        (f"first run, fit included, {known:,} customers", first, first / base, "<= 30 s"),
        (f"full run ({full_queries} queries)", full, full / base, "<= 6"),
        ("the same day again", again, again / base, ""),
        (f"night with 1 % changed ({read:,} read, {quiet_queries} queries)", quiet, quiet / base, "<= 0.5"),
        (f"ORM loop, scaled from {LOOP_CUSTOMERS} customers", loop, f"{loop / full:.0f} full runs", ">= 50 full runs"),
    ]
    return rows + [(name, seconds, "", "<= 0.3 s") for name, seconds in screens(env).items()]


def main():
    name = ledger()
    config.parse_config(["-c", os.environ["CHURN_ODOO_RC"], "-d", name, "--no-http", "--log-level=error"])
    with Registry(name).cursor() as cr:
        for figure, seconds, ratio, goal in measure(api.Environment(cr, SUPERUSER_ID, {})):
            ratio = f"{ratio:.2f}" if isinstance(ratio, float) else ratio
            print(f"{figure:70} {seconds:8.2f} s {ratio:>16}   {goal}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB   <= 600 MB")


if __name__ == "__main__":
    main()
