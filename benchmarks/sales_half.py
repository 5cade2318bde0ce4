#!/usr/bin/env python3
"""What the runs and the lists cost on the large ledger, against one pass over it (F1), in one run."""

import statistics
from functools import partial

from _common import LARGE, REPEAT, Figure, clock, in_a_process, registry, tell, with_addon
from odoo import SUPERUSER_ID, api

LOOP_CUSTOMERS = 300


def orm_loop(env):
    """Seconds that a search and a write a customer would take for all of them, measured on a few."""
    Profile, company = env["customer.churn.profile"], env["res.company"].search([], order="id", limit=1)
    profiles = Profile.search([("company_id", "=", company.id)], limit=LOOP_CUSTOMERS)

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
    return seconds * Profile.search_count([]) / len(profiles)


def screens(env):
    """Seconds of what a manager opens, the median of three times."""
    Profile, Partner = env["customer.churn.profile"], env["res.partner"]
    columns = {"partner_id": {}, "rhythm": {}, "next_deadline": {}, "overdue_amount": {}}
    at_risk = [("churn_status", "=", "at_risk")]

    def opened(method, *args, **kwargs):
        env.invalidate_all()
        return clock(method, *args, **kwargs)[0]

    lists = {
        "profiles grouped by status": partial(
            opened, Profile.formatted_read_group, [], ["status"], ["revenue_at_stake:sum", "__count"]),
        "first page of profiles": partial(opened, Profile.web_search_read, [], columns, limit=80),
        "partners at risk": partial(opened, Partner.web_search_read, at_risk, {"name": {}}, limit=80),
        "partners grouped by status": partial(opened, Partner.formatted_read_group, [], ["churn_status"], ["__count"]),
    }
    return {name: statistics.median(work() for _ in range(REPEAT)) for name, work in lists.items()}


def figures():
    database = with_addon(LARGE)
    of = in_a_process("_runs.py", database, REPEAT)
    base = of["one_pass"]
    with registry(database).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        loop, lists = orm_loop(env), screens(env)
    yield Figure(f"one pass over the ledger (F1), {LARGE:,} customers", base, ratio=1)
    name = f"first run, fit included, {of['customers']:,} profiles / F1"
    yield Figure(name, of["first"], ratio=of["first"] / base, goal="<= 30 s")
    yield Figure("memory of these runs, at most", of["memory"], "MB", goal="<= 600 MB")
    yield Figure("full run, every profile written / F1", of["full"], ratio=of["full_ratio"], goal="<= 6")
    yield Figure("and what is monthly: fit, record, product lines / F1", of["fit"], ratio=of["fit"] / base)
    yield Figure("the same day again / F1", of["again"], ratio=of["again"] / base)
    name = f"night, 1 % changed, {of['read']:,} read / F1"
    yield Figure(name, of["night"], ratio=of["night_ratio"], goal="<= 0.5")
    yield Figure(f"ORM loop, scaled from {LOOP_CUSTOMERS} / full run", loop, ratio=loop / of["full"], goal=">= 50")
    for name, seconds in lists.items():
        yield Figure(name, seconds, goal="<= 0.3 s")


if __name__ == "__main__":
    tell(list(figures()))
