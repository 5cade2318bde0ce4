#!/usr/bin/env python3
"""What a night of new cases costs: every customer of a company at risk, fifty owners, ten cases each.

The same cases are opened one by one as well, as a form would open them, on a sample that is scaled.
"""

import sys
from datetime import timedelta

from _common import SMALL, Figure, clock, registry, tell, throwaway, with_addon
from odoo import SUPERUSER_ID, Command, api

OWNERS, CAPACITY, SAMPLE = 50, 10, 25
ALL_AT_RISK = "UPDATE customer_churn_profile SET status = 'at_risk', status_date = %s WHERE company_id = %s"
SHARE_OUT = """
WITH shared AS (UPDATE customer_churn_profile SET user_id = (%(users)s::int[])[1 + partner_id %% %(count)s]
                 WHERE company_id = %(company)s RETURNING partner_id, user_id)
UPDATE res_partner p SET user_id = shared.user_id FROM shared WHERE shared.partner_id = p.id
"""


def prepare(env):
    """A run whose company has every customer at risk, shared out between the owners."""
    company = env["res.company"].search([], order="id", limit=1)
    users = env["res.users"].with_context(no_reset_password=True, tracking_disable=True).create([
        {"name": f"Owner {n}", "login": f"owner{n}", "company_id": company.id,
         "company_ids": [Command.set(company.ids)],
         "group_ids": [Command.link(env.ref("customer_churn.group_customer_churn_user").id)]} for n in range(OWNERS)])
    run = env["customer.churn.run"]._run(company)
    if run.state != "done":
        sys.exit(run.error)
    company.churn_case_capacity = CAPACITY
    env["customer.churn.case"].search([]).unlink()
    env.cr.execute(SHARE_OUT, {"users": users.ids, "count": OWNERS, "company": company.id})
    env.cr.execute(ALL_AT_RISK, [run.date - timedelta(days=1), company.id])
    env.invalidate_all()
    return run


def count(env, work):
    """(seconds, queries, answer) of some work, written to the database."""
    env.flush_all()
    before = env.cr.sql_log_count
    seconds, answer = clock(lambda: (work(), env.flush_all())[0])
    return seconds, env.cr.sql_log_count - before, answer


def one_by_one(env, cases):
    """The cases again, each by a `create` of its own that logs, subscribes and tells."""
    vals_list = [env["customer.churn.case"]._prepare_case_vals(case.profile_id) | {
        "user_id": case.user_id.id, "opened_date": case.opened_date} for case in cases]
    cases.unlink()
    for vals in vals_list:
        case = env["customer.churn.case"].create(vals)
        case.message_post(body=case.explanation)
        env.flush_all()


def figures():
    with throwaway(with_addon(SMALL)) as database, registry(database).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        run = prepare(env)
        seconds, queries, opened = count(env, lambda: env["customer.churn.case"]._open_due(run))
        candidates = env["customer.churn.profile"].search_count([("company_id", "=", run.company_id.id)])
        again = count(env, lambda: env["customer.churn.case"]._follow_up(run))[0]
        loop = count(env, lambda: one_by_one(env, opened[:SAMPLE]))[0] * len(opened) / SAMPLE
        cr.rollback()
    yield Figure(f"{len(opened)} cases of {candidates:,} customers at risk; loop / it", seconds, ratio=loop / seconds)
    yield Figure("its queries", queries, "")
    yield Figure("cases again in the same night", again)


if __name__ == "__main__":
    tell(list(figures()))
