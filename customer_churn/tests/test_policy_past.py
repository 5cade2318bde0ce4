import re
from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from psycopg2.errors import LockNotAvailable

from .. import engine_process
from ..models import customer_churn_policy_preview
from .common import TODAY, ChurnCommon, before, day

STATUSES = {"New": "new", "Active": "active", "At Risk": "at_risk", "Dormant": "dormant", "Lost": "lost"}
DAYS = {"rule": "days", "at_risk_days": 40, "dormant_days": 80, "lost_days": 160, "new_days": 30, "floor_days": 0}
LINE = re.compile(r"(.*): ([\d,]+)(?:, of whom ([\d,]+) \(\d+ %\) did not come back)?")


@tagged("post_install", "-at_install", "customer_churn")
class TestPolicyPast(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.policy = self.Policy.create({"name": "Everybody", "company_id": self.company.id, **DAYS})

    def _ledger(self, count=40, oldest=900):
        """{customer id: days of purchases}, each with another rhythm, every third one gone."""
        bought = {
            customer.id: [before(ago) for ago in range(
                (place % 3 == 0) * 400 + 11 * place % 300, oldest, 15 + 2 * place)]
            for place, customer in enumerate(self.customers(count))}
        self.in_the_ledger([(customer, date, 9) for customer, dates in bought.items() for date in dates])
        return bought

    def _expected(self, bought, past, limits):
        """{status: [customers, bought nothing since]} by hand."""
        known, gone = Counter(), Counter()
        for dates in bought.values():
            if not (then := [date for date in dates if date <= past]):
                continue
            silence, age = (past - max(then)).days, (past - min(then)).days
            status = next((name for name in ("lost", "dormant", "at_risk") if silence >= limits[f"{name}_days"]),
                          "new" if age < limits["new_days"] else "active")
            known[status] += 1
            gone[status] += not any(date > past for date in dates)
        return {status: [known[status], gone[status]] for status in STATUSES.values()}

    def _read(self, text):
        found = [LINE.fullmatch(line).groups() for line in text.splitlines()]
        return {STATUSES[label]: [int(count.replace(",", "")), int((gone or "0").replace(",", ""))]
                for label, count, gone in found}

    def test_the_limits_are_tried_on_the_ledger_of_a_year_ago(self):
        bought = self._ledger()
        self.night()
        expected = self._expected(bought, before(365), DAYS)
        self.assertGreater(len([1 for count, gone in expected.values() if 0 < gone < count]), 1)
        self.assertEqual(self._read(self.policy.past_preview), expected)
        self.assertFalse(self.policy.past_as_stored)
        self.assertIn("06/30/2024", self.policy.past_note)
        self.assertIn("365 days", self.policy.past_note)

    def test_a_change_shows_its_consequence_beside_the_limits_as_saved(self):
        bought = self._ledger()
        self.night()
        with Form(self.policy) as form:
            form.at_risk_days, form.dormant_days, form.lost_days = 20, 30, 50
            changed = {**DAYS, "at_risk_days": 20, "dormant_days": 30, "lost_days": 50}
            self.assertEqual(self._read(form.past_preview), self._expected(bought, before(365), changed))
            self.assertEqual(self._read(form.past_as_stored), self._expected(bought, before(365), DAYS))
            form.at_risk_days, form.dormant_days, form.lost_days = (
                DAYS["at_risk_days"], DAYS["dormant_days"], DAYS["lost_days"])
            self.assertFalse(form.past_as_stored)

    def test_what_was_reversed_since_was_known_then_and_who_bought_again_came_back(self):
        self.in_the_ledger([(self.cleo.id, before(800), 9)])
        self.reversed(self.bought(self.anna, before(400)), before(100))
        self.bought(self.anna, before(50))
        self.bought(self.bert, before(395))
        self.night()
        self.assertEqual(self._read(self.policy.past_preview), {
            "new": [0, 0], "active": [2, 1], "at_risk": [0, 0], "dormant": [0, 0], "lost": [1, 1]})

    def test_the_engine_s_chances_decide_a_year_ago_as_they_do_today(self):
        self._ledger()
        self.policy.rule = "chance"
        run = self.night()
        forecaster = run._load(run)
        history = self.Purchase._read_log(self.company, before(365)).history(before(365))
        status = forecaster.classify(history, before(365), self.policy._to_engine()).status
        tried = self._read(self.policy.past_preview)
        self.assertEqual({name: count for name, (count, _gone) in tried.items() if count}, dict(Counter(status)))
        self.assertGreater(status.nunique(), 1)

    def test_a_ledger_too_short_is_said_with_the_day_from_which_on_it_is_long_enough(self):
        self.bought(self.anna, before(179), before(20))
        self.night()
        self.assertIn("too short to try the limits on the past", self.policy.past_note)
        self.assertIn("possible from 07/01/2025", self.policy.past_note)
        self.assertFalse(self.policy.past_preview)
        self.assertTrue(self.policy.is_counted)
        self.night(TODAY + timedelta(days=1))
        self.policy.invalidate_recordset()
        self.assertIn("90 days since", self.policy.past_note)
        self.assertEqual(self._read(self.policy.past_preview)["dormant"], [1, 0])

    def test_between_half_a_year_and_a_year_it_looks_back_as_far_as_it_can(self):
        self.in_the_ledger([(self.anna.id, before(300), 9)])
        self.night()
        self.assertIn("210 days since", self.policy.past_note)
        self.assertEqual(self.policy._get_past_day()[0], before(210))

    def test_before_the_first_run_and_without_customers_nothing_is_tried(self):
        self.assertFalse(self.policy.past_note or self.policy.past_preview)
        self.night()
        self.policy.invalidate_recordset()
        self.assertFalse(self.policy.past_note or self.policy.past_preview)

    def test_a_segment_is_tried_on_its_own_customers(self):
        bought = self._ledger(30)
        mine = self.env["res.partner"].browse(list(bought)[::2])
        mine.ref = "W"
        segment = self.Policy.create({
            **DAYS, "name": "Wholesale", "company_id": self.company.id, "domain": "[('ref', '=', 'W')]", "sequence": 1})
        self.night()
        for policy, ids in ((segment, set(mine.ids)), (self.policy, set(bought) - set(mine.ids))):
            part = {customer: dates for customer, dates in bought.items() if customer in ids}
            self.assertEqual(self._read(policy.past_preview), self._expected(part, before(365), DAYS), policy.name)

    def test_a_salesperson_s_preview_knows_own_customers_only(self):
        seller, other = (self._user(login, "customer_churn.group_customer_churn_user") for login in ("cs1", "cs2"))
        bought = self._ledger(10)
        customers = self.env["res.partner"].browse(list(bought))
        customers[:4].user_id, customers[4:].user_id = seller, other
        self.night()
        tried = self._read(self.policy.with_user(seller).past_preview)
        part = {customer: bought[customer] for customer in customers[:4].ids}
        self.assertEqual(tried, self._expected(part, before(365), DAYS))

    def test_of_many_customers_every_so_manieth_is_tried_and_the_figures_are_scaled(self):
        bought = self._ledger(41)
        self.night()
        self.assertFalse(self.policy.sample_note)
        with patch.object(customer_churn_policy_preview, "MOST", 10):
            self.policy.invalidate_recordset()
            tried, today, note = self.policy.past_preview, self.policy.preview, self.policy.sample_note
        chosen = sorted(bought)[4::5]
        self.assertEqual(note, "Counted among 8 of 41 customers, and scaled.")
        part = self._expected({customer: bought[customer] for customer in chosen}, before(365), DAYS)
        self.assertEqual(self._read(tried), {
            status: [round(41 / 8 * count) for count in counts] for status, counts in part.items()})
        stored = Counter(self.Profile.search([("partner_id", "in", chosen)]).mapped("status"))
        self.assertEqual(today, self.policy._say_counts(
            {status: round(41 / 8 * count) for status, count in stored.items()}))

    def test_a_user_s_second_question_waits_for_the_first(self):
        self._ledger(5)
        self.night()
        self.policy.invalidate_recordset()
        with db_connect(self.env.cr.dbname).cursor() as other:
            lock = "SELECT pg_try_advisory_xact_lock(%s, %s)"
            other.execute(lock, (engine_process.LOCK_CLASS, self.env.uid))
            self.env.cr.execute("SET LOCAL lock_timeout = '100ms'")
            with self.assertRaises(LockNotAvailable), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.policy.read(["preview"])
            other.rollback()
            self.policy.invalidate_recordset()
            self.assertTrue(self.policy.preview)
            other.execute(lock, (engine_process.LOCK_CLASS, self.env.uid))
            self.assertEqual(other.fetchone(), (False,), "until the transaction is over")
            other.execute(lock, (engine_process.LOCK_CLASS, self.env.uid + 1))
            self.assertEqual(other.fetchone(), (True,), "other users do not wait")

    def test_the_preview_costs_the_same_queries_for_300_customers_as_for_10(self):
        def cost(count):
            company = self._create_company(f"Of {count}")
            policy = self.Policy._get_policies(company)
            self.in_the_ledger([(customer.id, day("2024-01-05"), 5) for customer in self.customers(count)], company)
            self.night(company=company)
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            policy.read(["preview", "past_note", "past_preview"])
            return self.env.cr.sql_log_count - start

        cost(3)
        self.assertEqual(cost(10), cost(300))
