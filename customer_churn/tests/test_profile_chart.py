import json
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .. import engine, engine_process
from .common import TODAY, USER, ChurnCommon, before, day


@tagged("post_install", "-at_install", "customer_churn")
class TestProfileChart(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.in_the_ledger([
            (customer.id, before(ago), 80)
            for place, customer in enumerate(self.customers(20)) for ago in range(place * 25, 900, 20 + place)])
        self.bought(self.anna, "2024-03-05", "2024-06-05", "2024-09-10", "2024-12-01", "2025-05-20", amount=40)
        self.run = self.night()

    def _chart(self, partner=None, user=None):
        profile = self.profile(partner or self.anna)
        chart = json.loads(profile.with_user(user or self.env.user).get_chance_chart())
        return chart, {dataset["label"]: dataset["data"] for dataset in chart["datasets"]}

    def _chances(self, partner=None):
        return {point["x"]: point["y"] for point in self._chart(partner)[1]["Chance of Buying Again"]}

    def test_the_chances_are_the_engine_s_at_these_dates(self):
        forecaster = engine.Forecaster.from_json(self.run.parameters)
        chances = self._chances()
        self.assertEqual((len(chances), min(chances), max(chances)), (16, "2024-03-31", "2025-06-30"))
        self.assertEqual(list(chances), sorted(chances))
        for text, chance in chances.items():
            at = day(text)
            history = self.Purchase._read_log(self.company, at, self.anna.ids).history(at)
            [expected] = forecaster.predict(history, at, 90).purchase_probability
            self.assertAlmostEqual(chance, expected, 12, text)
        self.assertAlmostEqual(chances["2025-06-30"], self.profile(self.anna).purchase_probability, 12)
        self.assertLess(chances["2025-04-30"], chances["2025-05-31"])

    def test_the_day_of_the_analysis_comes_last_where_no_month_ends_on_it(self):
        self.night(day("2025-07-04"))
        self.assertEqual(list(self._chances())[-2:], ["2025-06-30", "2025-07-04"])

    def test_an_invoice_that_was_reversed_later_was_known_until_then(self):
        invoice = self.bought(self.bert, "2025-02-10")
        self.bought(self.bert, "2025-05-10")
        self.reversed(invoice, "2025-04-15")
        self.night()
        self.assertEqual(list(self._chances(self.bert)), ["2025-02-28", "2025-03-31", "2025-05-31", "2025-06-30"])

    def test_after_an_upgrade_of_the_forecast_the_next_analysis_is_waited_for(self):
        self.Run._get_last_done(self.company).parameters = '{"format": 0, "horizons": [90, 365]}'
        self.assertIn("from the next analysis on", self._chart()[0]["empty"])
        self.assertIn("with the next analysis", self.Policy._get_policies(self.company).preview)

    def test_the_policy_s_horizon_counts(self):
        self.Policy._get_policies(self.company).near_days = 30
        at_90 = self._chart()
        self.assertFalse(at_90[1])
        self.assertIn("from the next analysis on", at_90[0]["empty"])
        self.night()
        self.assertAlmostEqual(self._chances()["2025-06-30"], self.profile(self.anna).purchase_probability, 12)

    def test_purchases_are_dots_and_deadlines_lines(self):
        profile, data = self.profile(self.anna), self._chart()[1]
        self.assertEqual([point["x"] for point in data["Purchase"]], [
            "2024-03-05", "2024-06-05", "2024-09-10", "2024-12-01", "2025-05-20"])
        self.assertEqual({point["label"] for point in data["Purchase"]}, {"$\xa040.00"})
        self.assertTrue(profile.at_risk_date)
        for label, date in (("At Risk", profile.at_risk_date), ("Dormant", profile.dormant_date)):
            self.assertEqual([(point["x"], point["y"]) for point in data.get(label, [])],
                             [(str(date), 0), (str(date), 1)] if date < day("2025-12-31") else [], label)

    def test_opening_the_form_starts_no_process(self):
        with patch.object(engine_process.subprocess, "run", side_effect=AssertionError("a process was started")):
            Form(self.profile(self.anna))
            with self.assertRaises(AssertionError):
                self._chart()

    def test_reading_the_profile_is_enough_and_needed(self):
        seller, other = self._user("churn_seller", USER), self._user("churn_other_seller", USER)
        self.anna.user_id = seller
        self.night()
        self.assertEqual(self._chart(user=seller), self._chart())
        profile = self.profile(self.anna)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            profile.with_user(other).get_chance_chart()
        clerk = self._user("churn_clerk", "account.group_account_invoice")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            profile.with_user(clerk).get_chance_chart()

    def test_another_company_s_purchases_do_not_count(self):
        before_it = self._chart()
        self.bought(self.anna, before(3), company=self._create_company("Sister"))
        self.assertEqual(self._chart(), before_it)

    def test_a_process_that_fails_leaves_a_sentence(self):
        self.run.parameters = json.dumps({"format": engine.FORMAT, "horizons": [90]})
        with self.assertLogs("odoo.addons.customer_churn.models.customer_churn_profile_chart", "ERROR"):
            chart, data = self._chart()
        self.assertFalse(data)
        self.assertIn("could not be worked out", chart["empty"])

    def test_a_process_that_cannot_be_started_leaves_a_sentence(self):
        with patch.object(engine_process.sys, "executable", "/nowhere"), \
                self.assertLogs("odoo.addons.customer_churn.models.customer_churn_profile_chart", "ERROR"):
            chart, _data = self._chart()
        self.assertIn("could not be worked out", chart["empty"])

    def test_the_picture_costs_the_same_queries_for_many_purchases_as_for_few(self):
        def cost(partner):
            profile = self.profile(partner)
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            profile.get_chance_chart()
            return self.env.cr.sql_log_count - start

        self.in_the_ledger([(self.bert.id, before(ago), 5) for ago in range(600)] + [(self.cleo.id, TODAY, 5)])
        self.night()
        cost(self.anna)
        self.assertEqual(cost(self.bert), cost(self.cleo))
