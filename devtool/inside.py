"""What runs inside an Odoo process: the example's company, its documents, the analysis."""

from contextlib import contextmanager
from datetime import date, timedelta

from devtool.common import CONFIG
from devtool.run import demo_module

STALE_AFTER_DAYS = 31


@contextmanager
def environment(database):
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    configure(database)
    with Registry(database).cursor() as cursor:
        yield api.Environment(cursor, SUPERUSER_ID, {})


def configure(database):
    from odoo.tools import config

    options = ["-c", str(CONFIG), "-d", database, "--max-cron-threads=0"]
    config.parse_config(options, setup_logging=True)


def task_company(database, name):
    with environment(database) as env:
        company = new_company(env, name)
        env.cr.commit()
        return company.id


def task_load(database, ledger, company, part, parts):
    rows = demo_module("purchase_log").read(ledger)
    yesterday = date.today() - timedelta(days=1)
    last = max(row.date for row in rows)
    stale = abs((yesterday - last).days) > STALE_AFTER_DAYS or last > yesterday
    with environment(database) as env:
        record = env["res.company"].browse(company)
        end_date = yesterday if stale else None
        count = demo_module("purchase_ledger").load(env, record, rows, end_date, part, parts)
        env.cr.commit()
    return {"documents": count, "shifted": (yesterday - last).days if stale else 0}


def new_company(env, name):
    dollar = env.ref("base.USD")
    dollar.active = True
    company = env["res.company"].create({"name": name, "currency_id": dollar.id})
    template = env["account.chart.template"]
    template.try_loading("generic_coa", company=company, install_demo=False)
    admin = env.ref("base.user_admin")
    admin.write({"company_ids": [(4, company.id)], "company_id": company.id})
    return company


def task_statuses(database, own):
    with environment(database) as env:
        companies = env["res.company"].search([])
        if own:
            companies = env.ref("base.user_admin").company_id
        answer = {"companies": [company_statuses(env, company) for company in companies]}
        env.ref("customer_churn.ir_cron_customer_churn_run")._trigger()  # the months before, while Odoo serves
        env.cr.commit()
    return answer


def company_statuses(env, company):
    run = env["customer.churn.run"]._run(company)
    groups = env["customer.churn.profile"]._read_group(
        [("company_id", "=", company.id)],
        ["status"],
        ["__count", "revenue_12m:sum", "revenue_at_stake:sum"],
    )
    return {
        "name": company.name,
        "state": run.state,
        "error": run.error or None,
        "customers": run.customer_count,
        "duration": run.duration,
        "statuses": [[status or "none", *figures] for status, *figures in groups],
    }
