from collections import Counter
from datetime import timedelta
from unittest.mock import patch

import pandas as pd
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import TODAY, ChurnCommon, before, day

LIMITS = {"rule": "days", "at_risk_days": 40, "dormant_days": 80, "lost_days": 160, "new_days": 30, "floor_days": 0}
STATUSES = ["new", "active", "at_risk", "dormant", "lost"]
LOGGER = "odoo.addons.customer_churn.models.customer_churn_month"


@tagged("post_install", "-at_install", "customer_churn")
class TestMonth(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.Month = self.env["customer.churn.month"]
        self.Policy._get_policies(self.company).write(LIMITS)

    def _ledger(self, count, company=None):
        """Documents of `count` customers, each with another beginning and rhythm, some of them gone; as a frame."""
        rows = [
            (customer.id, before(ago), 10 + place if ago % 7 else -5)
            for place, customer in enumerate(self.customers(count))
            for ago in range(13 * place % 300, 800 - 17 * (place % 40), 17 + place)]
        self.in_the_ledger(rows, company)
        return pd.DataFrame(rows, columns=["customer", "date", "amount"]).assign(date=lambda f: pd.to_datetime(f.date))

    def _expected(self, known, at):
        """{status: (customers, revenue of 12 months)} by hand."""
        at, limits = pd.Timestamp(at), LIMITS
        known = known[known.date <= at]
        year = known[known.date > at - pd.Timedelta(days=365)].groupby("customer").amount.sum()
        counts, money = Counter(), Counter()
        for customer, dates in known[known.amount > 0].groupby("customer").date:
            silence, age = (at - dates.max()).days, (at - dates.min()).days
            status = next((name for name in ("lost", "dormant", "at_risk") if silence >= limits[f"{name}_days"]),
                          "new" if age < limits["new_days"] else "active")
            counts[status] += 1
            money[status] += year.get(customer, 0)
        return {status: (counts[status], round(float(money[status]), 2)) for status in STATUSES}

    def _rows(self, date=None, company=None):
        self.env.invalidate_all()
        return self.Month.search([
            ("company_id", "=", (company or self.company).id), *([("date", "=", date)] if date else [])])

    def _counted(self, date):
        return {row.status: (row.customer_count, row.revenue_12m) for row in self._rows(date)}

    def _cron(self, steps=1000):
        """The last part of the scheduled action; time is up after so many steps."""
        left = iter(range(steps, -1, -1))
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(left, 0)):
            self.Month._fill_missing()

    # ------------------------------------------------------------------ by the runs
    def test_the_run_of_the_last_day_of_a_month_counts_the_profiles(self):
        known = self._ledger(20)
        self.night(before(1))
        self.assertFalse(self._rows())
        self.night(TODAY)
        self.assertEqual(self._counted(TODAY), self._expected(known, TODAY))
        self.assertFalse(any(self._rows().mapped("is_replayed")))
        self.night(TODAY + timedelta(days=1))
        self.assertEqual(set(self._rows().mapped("date")), {TODAY})

    def test_a_second_run_of_that_day_counts_anew_and_doubles_nothing(self):
        self._ledger(5)
        self.night()
        self.bought(self.anna, before(0))
        self.night()
        self.assertEqual(self._rows().mapped("status"), STATUSES)
        self.assertEqual(sum(self._rows().mapped("customer_count")), 6)

    # ------------------------------------------------------------------ afterwards
    def test_the_months_before_the_first_run_are_counted_as_they_were_known_then(self):
        known = self._ledger(40)
        late = self.bought(self.anna, "2024-10-05", amount=77)
        self.reversed(late, "2025-02-03")
        self.night(before(10))
        self._cron()
        dates = sorted(set(self._rows().mapped("date")))
        self.assertEqual((len(dates), dates[0], dates[-1]), (24, day("2023-06-30"), day("2025-05-31")))
        self.assertEqual(len(self._rows()), 24 * 5)
        self.assertTrue(all(self._rows().mapped("is_replayed")))
        anna = pd.DataFrame({"customer": [self.anna.id], "date": pd.to_datetime(["2024-10-05"]), "amount": [77]})
        for date in dates:
            with_anna = pd.concat([known, anna]) if date < day("2025-02-03") else known
            self.assertEqual(self._counted(date), self._expected(with_anna, date), date)
        self.assertEqual({row.status for row in self._rows() if row.customer_count}, set(STATUSES))

    def test_the_chances_of_a_replay_are_those_of_a_full_run(self):
        self.Policy._get_policies(self.company).write({"rule": "chance"})
        self._ledger(60)
        self.night()
        kept = self._counted(TODAY)
        self._rows().unlink()
        self._cron(steps=1)
        self.assertEqual(self._counted(TODAY), kept)
        self.assertGreater(len([count for count, _money in kept.values() if count]), 2)

    def test_a_month_that_no_run_saw_the_end_of_is_counted_afterwards(self):
        known = self._ledger(10)
        self.night(before(40))
        self._cron()
        self.night(before(5))
        self.assertFalse(self._rows("2025-05-31"))
        self._cron()
        self.assertEqual(self._counted("2025-05-31"), self._expected(known, "2025-05-31"))

    def test_nothing_is_counted_before_the_first_purchase_or_the_first_run(self):
        self._cron()
        self.bought(self.anna, "2025-03-10")
        self.night(before(10))
        self._cron()
        self.assertEqual(set(self._rows().mapped("date")), {day("2025-03-31"), day("2025-04-30"), day("2025-05-31")})

    def test_out_of_time_it_goes_on_where_it_was(self):
        self._ledger(10)
        self.night(before(10))
        seen = []
        for _call in range(30):
            self._cron(steps=1)
            seen.append(len(self._rows()))
        self.assertEqual(seen, [min(5 * n, 120) for n in range(1, 31)])

    def test_killed_within_a_month_it_leaves_no_half_and_counts_it_the_next_time(self):
        self._ledger(10)
        self.night(before(10))
        real = type(self.Month)._write_counts

        def killed(model, *args, **kwargs):
            real(model, *args, **kwargs)
            raise RuntimeError("killed")

        with patch.object(type(self.Month), "_write_counts", killed), self.assertLogs(LOGGER, "ERROR") as log:
            self._cron()
        self.assertEqual(len([line for line in log.output if "Purveyor" in line]), 1)
        self.assertFalse(self._rows())
        self._cron()
        self.assertEqual(len(self._rows()), 120)

    def test_a_company_that_fails_lets_the_others_go_on(self):
        other = self._create_company("Zero")
        for company in (self.company, other):
            self._ledger(3, company)
            self.night(before(10), company=company)
        real = type(self.Month)._fill

        def fill(model, company, date):
            if company == self.company:
                raise ValueError("broken")
            real(model, company, date)

        with patch.object(type(self.Month), "_fill", fill), mute_logger(LOGGER):
            self._cron(steps=0)
            self.assertEqual(len(self._rows(company=other)), 5, "a failure that took all the time is no end")
            self._cron()
        self.assertFalse(self._rows())
        self.assertEqual(len(self._rows(company=other)), 120)

    def test_a_run_that_is_asked_for_meanwhile_comes_first(self):
        self._ledger(3)
        self.night(before(10))
        asked = self.Run.create({"company_id": self.company.id, "date": before(9)})
        self._cron()
        self.assertEqual(len(self._rows()), 5)
        asked.state = "failed"
        self._cron()
        self.assertEqual(len(self._rows()), 120)

    def test_the_scheduled_action_counts_the_past_after_the_runs(self):
        self._ledger(3)
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 100), \
                patch.object(type(self.Run), "_get_today", lambda run, company: TODAY):
            self.Run._cron_run()
        self.assertEqual(len(self._rows()), 120)
        self.assertEqual(self._rows("2025-06-30").mapped("is_replayed"), [False] * 5)

    def test_where_the_runs_took_all_the_time_the_scheduled_action_comes_back_for_the_months(self):
        self._ledger(3)
        left = []

        def progress(cron, processed=0, *, remaining=None):
            left.append(max(left[-1] - processed, 0) if remaining is None else remaining)
            return 0

        with patch.object(type(self.env["ir.cron"]), "_commit_progress", progress):
            while not left or left[-1]:
                self.assertLess(len(left), 300)
                self.Run._cron_run()
        self.assertEqual(len(self._rows()), 120)

    def test_after_a_change_of_limits_the_past_waits_for_the_run_that_learns(self):
        self._ledger(3)
        self.night(before(10))
        self.Policy._get_policies(self.company).far_days = 400
        self._cron()
        self.assertFalse(self._rows())
        self.night(before(9))
        self._cron()
        self.assertEqual(len(self._rows()), 120)

    # ------------------------------------------------------------------ rights and size
    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_managers_read_the_months_of_their_companies_and_nobody_writes_them(self):
        sister = self._create_company("Sister")
        for company in (self.company, sister):
            self.bought(self.anna, before(5), company=company)
            self.night(company=company)
        seller = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        manager = self._user("churn_manager", "customer_churn.group_customer_churn_manager")
        self.assertEqual(self.Month.with_user(manager).search([]).company_id, self.company)
        with self.assertRaises(AccessError):
            self.Month.with_user(seller).search([])
        row = self._rows()[0].with_user(manager)
        for act in (row.unlink, lambda: row.write({"customer_count": 1}),
                    lambda: row.create({"company_id": self.company.id, "date": TODAY, "status": "new"})):
            with self.assertRaises(AccessError):
                act()

    def test_a_month_costs_the_same_queries_for_300_customers_as_for_10(self):
        def cost(count):
            company = self._create_company(f"Of {count}")
            self._ledger(count, company)
            self.night(before(10), company=company)
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.Month._fill(company, day("2025-05-31"))
            return self.env.cr.sql_log_count - start

        cost(3)
        self.assertEqual(cost(10), cost(300))
