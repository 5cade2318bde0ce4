import json
from datetime import timedelta
from math import exp

from odoo.tests import tagged

from ..models.customer_churn_profile_weights import NEGLIGIBLE, WEIGHTS
from .common import TODAY, ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn")
class TestWeights(ChurnCommon):
    """What moved a customer's chance: stored as the engine says, told in the reader's words."""

    def setUp(self):
        super().setUp()
        self.in_the_ledger([
            (customer.id, before(20 + 37 * n + 11 * number % 400), 80 + number)
            for number, customer in enumerate(self.customers(60)) for n in range(number % 7 + 1)])

    def _told(self, partner, lang="en_US"):
        self.env["res.lang"]._activate_lang(lang)
        profile = self.profile(partner).with_context(lang=lang)
        return profile.weight_title, (profile.weight_lines or "").splitlines()

    def _average(self, **values):
        """The average customer as it was learned, with what a test wants to read."""
        run = self.Run._get_last_done(self.company)
        learned = json.loads(run.parameters)
        learned["average"].update(values)
        run.parameters = json.dumps(learned)
        return learned

    def test_the_weights_are_the_engine_s(self):
        from .. import engine

        run = self.night()
        forecaster = engine.Forecaster.from_json(run.parameters)
        history = self.Purchase._read_log(self.company, TODAY).history(TODAY)
        table = forecaster.assess(history, TODAY, engine.Policy())
        stored = self.stored()
        self.assertEqual(set(stored), set(table.index))
        for customer, row in table.iterrows():
            for name in WEIGHTS.values():
                self.assertEqual(stored[customer][name], row[name])

    def test_nights_say_what_a_full_run_says(self):
        self.bought(self.anna, before(90), before(10))
        self.night()
        at = TODAY + timedelta(days=3)
        self.bought(self.anna, at, amount=900)
        run = self.night(at)
        self.assertEqual(run.kind, "nightly")
        self.assertLess(run.read_count, 10)
        nightly = self.stored(["partner_id", *WEIGHTS.values()])[self.anna.id]
        forecaster, history = run._load(run), self.Purchase._read_log(self.company, at).history(at)
        policies = self.Policy._get_policies(self.company)
        full = run._assess(forecaster, history.join(run._load_limits(run).rate(history)), policies)
        self.assertEqual(nightly, {"partner_id": self.anna.id, **full.loc[self.anna.id, list(WEIGHTS.values())]})

    def test_the_points_lead_from_the_average_customer_to_this_one(self):
        self.bought(self.anna, *[before(40 + 9 * n) for n in range(12)], amount=900)
        self.bought(self.bert, before(300))
        self.night()
        for profile in self.profile(self.anna) | self.profile(self.bert):
            weights = {fact: profile[name] for fact, name in WEIGHTS.items()}
            average, points = profile._get_points(weights)
            self.assertAlmostEqual(average + sum(points.values()), profile.purchase_probability, places=9)
            line = sum(weights.values())
            odds = profile.purchase_probability / (1 - profile.purchase_probability)
            self.assertAlmostEqual(average, 1 / (1 + exp(line) / odds), places=9)
            self.assertTrue(all(points[fact] * weights[fact] >= 0 for fact in WEIGHTS))
        self.assertEqual(len({round(p._get_points({fact: p[name] for fact, name in WEIGHTS.items()})[0], 9)
                              for p in self.Profile.search([("company_id", "=", self.company.id)])}), 1)

    def test_the_weightiest_come_first_and_the_negligible_not_at_all(self):
        self.bought(self.anna, before(10))
        self.night()
        profile = self.profile(self.anna)
        words = {"count": "5 purchases", "gap": "between", "silence": "Silent", "value": "a purchase ("}

        def told(**weights):
            profile.write({WEIGHTS[fact]: weights.get(fact, 0) for fact in WEIGHTS} | {"purchase_count": 5})
            profile.invalidate_recordset()
            lines = (profile.weight_lines or "").splitlines()
            return ["".join(fact for fact, word in words.items() if word in line) for line in lines]

        self.assertEqual(told(count=0.3, gap=-0.9, silence=-2, value=0.2), ["silence", "gap", "count"])
        self.assertEqual(told(count=0.3, gap=NEGLIGIBLE * 0.9, silence=0.2), ["count", "silence"])
        self.assertEqual(told(value=-5, silence=NEGLIGIBLE), ["value", "silence"])
        self.assertEqual(told(count=0.05, value=-0.09), [])
        self.assertFalse(profile.weight_title)

    def test_how_far_a_fact_moves_the_chance_stands_in_points_alone(self):
        self.bought(self.anna, before(10))
        self.night()
        profile = self.profile(self.anna)
        average, usual = profile._get_average(self.company)
        fact = profile._say_fact("silence", average, usual)
        for weight, points, said in (
            (0.2, 0.304, "↑ {}: raises it by 30 percentage points"),
            (2, 0.304, "↑ {}: raises it by 30 percentage points"),
            (-2, -0.304, "↓ {}: lowers it by 30 percentage points"),
            (2, 0.014, "↑ {}: raises it by one percentage point"),
            (-2, -0.014, "↓ {}: lowers it by one percentage point"),
            (2, 0.004, "↑ {}: raises it by less than one percentage point"),
            (-2, -0.004, "↓ {}: lowers it by less than one percentage point"),
        ):
            self.assertEqual(profile._say_weight("silence", weight, points, average, usual), said.format(fact))

    def test_the_facts_are_the_customer_s_own_beside_the_average(self):
        self.bought(self.anna, before(96))
        self.bought(self.bert, before(50), before(41))
        self.bought(self.cleo, before(31), before(21), before(1))
        self.night()
        self._average(x=4, gap=60, silence=80)
        for partner, facts in (
            (self.anna, {"count": "One purchase (average customer: 5)",
                         "silence": "Silent for 96 days (average customer: 80 days)"}),
            (self.bert, {"count": "2 purchases (average customer: 5)",
                         "gap": "Bought twice, 9 days apart (average customer: 60 days)",
                         "silence": "Silent for 41 days (average customer at this pace: 12 days)"}),
            (self.cleo, {"count": "3 purchases (average customer: 5)",
                         "gap": "On average 15 days between purchases (average customer: 60 days)",
                         "silence": "Silent for one day (average customer at this pace: 20 days)",
                         "value": "$\N{NO-BREAK SPACE}100.00 a purchase (usual: $\N{NO-BREAK SPACE}250.00)"}),
        ):
            profile = self.profile(partner)
            average, _usual = profile._get_average(self.company)
            for fact, said in facts.items():
                self.assertEqual(profile._say_fact(fact, average, 250), said)

    def test_of_one_purchase_no_gap_is_told(self):
        self.bought(self.anna, before(3))
        self.night()
        singles = self.Profile.search([("company_id", "=", self.company.id), ("purchase_count", "=", 1)])
        self.assertGreater(len(singles), 5)
        self.assertFalse(any(singles.mapped("gap_weight")))
        _title, lines = self._told(self.anna)
        self.assertTrue(lines)
        self.assertNotIn("between", "".join(lines))

    def test_the_title_says_both_chances_and_their_day(self):
        self.bought(self.anna, before(200))
        self.night()
        profile = self.profile(self.anna)
        average = profile._get_points({fact: profile[name] for fact, name in WEIGHTS.items()})[0]
        title, lines = self._told(self.anna)
        self.assertEqual(
            title, f"{profile.purchase_probability:.0%} chance of buying again; a customer with average figures has "
            f"{average:.0%}. What made the difference, as of 06/30/2025:".replace("%", " %"))
        self.assertIn("Silent for 200 days", "".join(lines))

    def test_a_reader_of_chinese_reads_chinese(self):
        self.bought(self.anna, *[before(40 + 10 * n) for n in range(5)], amount=900)
        self.bought(self.bert, before(400))
        self.night()
        self._average(x=2, gap=40, silence=60)
        title, lines = self._told(self.anna, "zh_CN")
        self.assertRegex(title, r"^复购概率为 \d+%，各项均为平均水平的客户为 \d+%。差异的主要原因（截至 .*）：$")
        text = "\n".join(lines)
        self.assertRegex(text, r"已 40 天未购买（同等购买节奏的客户平均 15 天）：(提高|降低) \d+ 个百分点")
        self.assertRegex(text, r"↑ 平均每隔 10 天购买一次（客户平均 40 天）：提高 \d+ 个百分点")
        _title, lines = self._told(self.bert, "zh_CN")
        self.assertIn("仅购买过一次（客户平均 3 次）", "".join(lines))
        self.assertNotRegex("".join([title, text, *lines]), "[A-Za-z]")

    def test_fixed_days_decide_the_status_and_not_the_weights(self):
        self.bought(self.anna, before(200))
        self.Policy.create({"name": "Days", "company_id": self.company.id, "rule": "days"})
        self.night()
        profile = self.profile(self.anna)
        self.assertStatus(self.anna, "lost")
        self.assertLess(profile.silence_weight, 0)
        self.assertIn("Silent for 200 days", profile.weight_lines)

    def test_without_a_forecast_that_knows_an_average_nothing_is_told(self):
        self.bought(self.anna, before(200))
        run = self.night()
        profile = self.profile(self.anna)
        for parameters in (False, '{"format": 2, "outlook": {"unit": 1}}'):
            run.parameters = parameters
            profile.invalidate_recordset()
            self.assertFalse(profile.weight_lines or profile.weight_title)

    def test_a_salesperson_reads_the_lines_of_the_own_customers(self):
        seller = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        self.anna.user_id = seller
        self.bought(self.anna, before(200))
        self.night()
        self.assertIn("Silent for 200 days", self.profile(self.anna).with_user(seller).weight_lines)

    def test_odd_money_is_told_too(self):
        self.bought(self.anna, before(9), before(4), amount=1e11)
        self.bought(self.bert, before(9))
        self.credited(self.bert, before(3), amount=5000)
        self.night()
        for profile in self.Profile.search([("company_id", "=", self.company.id)]):
            self.assertTrue(all(abs(profile[name]) < 100 for name in WEIGHTS.values()))
            self.assertLessEqual(len((profile.weight_lines or "").splitlines()), 3)

    def test_the_lines_of_60_customers_cost_as_many_queries_as_those_of_20(self):
        self.night()
        profiles = self.Profile.search([("company_id", "=", self.company.id)]).sorted(lambda p: -abs(p.value_weight))

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            some.mapped("weight_lines")
            return self.env.cr.sql_log_count - start

        count(profiles)
        self.assertEqual(count(profiles), count(profiles[:20]))
