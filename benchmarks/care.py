#!/usr/bin/env python3
"""Ten thousand customers newly at risk on one night: what a care plan costs within the capacity of fifty people, and
what it would cost to treat them one by one."""

from datetime import timedelta

from _common import LARGE, Figure, clock, registry, tell, with_addon
from odoo import SUPERUSER_ID, Command, api
from odoo.tools import SQL

CUSTOMERS, PEOPLE, CAPACITY, SAMPLE = 10_000, 50, 10, 25


def prepare(env):
    """A company whose customers are all at risk since the day of its last run, fifty salespeople, and a plan."""
    run = env["customer.churn.run"].search([("state", "=", "done")], order="customer_count desc", limit=1)
    company = run.company_id
    users = env["res.users"].with_context(no_reset_password=True).create([
        {"name": f"Salesperson {number}", "login": f"care_{number}", "company_id": company.id,
         "company_ids": [Command.set(company.ids)],
         "group_ids": [Command.link(env.ref("customer_churn.group_customer_churn_user").id)]}
        for number in range(PEOPLE)])
    env.cr.execute(SQL(
        """UPDATE customer_churn_profile p SET user_id = (%s::int[])[1 + p.id %% %s],
                  status = CASE WHEN place <= %s THEN 'at_risk' ELSE 'active' END, status_date = %s
             FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM customer_churn_profile
                    WHERE company_id = %s) n WHERE n.id = p.id""",
        users.ids, PEOPLE, CUSTOMERS, run.date, company.id))
    env.cr.execute(SQL(
        "UPDATE res_partner c SET user_id = p.user_id FROM customer_churn_profile p WHERE p.partner_id = c.id"))
    env.invalidate_all()
    steps = env.ref("customer_churn.mail_activity_plan_win_back")
    plan = env["customer.care.plan"].create({
        "name": "Win back", "company_id": company.id, "activity_plan_id": steps.id, "capacity_per_week": CAPACITY,
        "control_share": 10})
    return plan, run.date


def one_by_one(env, plan, date):
    """Seconds a customer: a search whether it was treated, a record, and Odoo's activities one by one."""
    profiles = env["customer.churn.profile"].search([
        ("company_id", "=", plan.company_id.id), ("status", "=", "at_risk")], limit=SAMPLE, order="id desc")
    Treatment = env["customer.care.treatment"]

    def treat():
        for profile in profiles:
            if not Treatment.search_count([("plan_id", "=", plan.id), ("partner_id", "=", profile.partner_id.id)]):
                Treatment.create({"plan_id": plan.id, "company_id": plan.company_id.id, "date": date,
                                  "partner_id": profile.partner_id.id, "occasion": "one by one"})
                for step in plan.activity_plan_id.template_ids:
                    profile.partner_id.activity_schedule(
                        activity_type_id=step.activity_type_id.id, date_deadline=step._get_date_deadline(date),
                        user_id=profile.user_id.id)
            env.flush_all()
    return clock(treat)[0] / len(profiles)


def figures():
    with registry(with_addon(LARGE)).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        plan, date = prepare(env)
        before = cr.sql_log_count
        seconds, treatments = clock(plan._treat, date)
        env.flush_all()
        queries = cr.sql_log_count - before
        treated = len(treatments.filtered(lambda treatment: not treatment.is_control))
        mails = env["mail.mail"].search_count([("create_date", ">=", env.cr.now())])
        each = one_by_one(env, plan, date)
        next_day = clock(plan._treat, date + timedelta(days=1))[0]
        env.cr.rollback()
    name = f"care of one night, {CUSTOMERS:,} newly at risk, {treated} treated, {len(treatments) - treated} left alone"
    yield Figure(name, seconds)
    yield Figure("its queries", queries, "queries")
    yield Figure("mails to colleagues", mails, "mails", goal="<= 0 mails")
    yield Figure("one by one, as many, / the night", each * treated, ratio=each * treated / seconds)
    yield Figure("the next day, nobody has capacity left", next_day)


if __name__ == "__main__":
    tell(list(figures()))
