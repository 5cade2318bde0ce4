import json
import random
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import format_date, mute_logger

from .common import MANAGER, TODAY, USER, ChurnCommon, before

HORIZONS = (90, 180, 365)
SCORES = ("auc", "brier", "total_error", "value_error")


@tagged("post_install", "-at_install", "customer_churn")
class TestRecord(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(11)

    def _lives(self, count=60, since=1000):
        """Rows of customers who buy at random at their own pace until they stop."""
        rows = []
        for customer in self.customers(count, "Person"):
            gap = 1 / self.chance.gammavariate(0.8, 1 / 60)
            at = self.chance.randrange(since)
            end = max(at - self.chance.expovariate(self.chance.gammavariate(0.6, 1 / 250) + 1e-9), 0)
            while at > end:
                rows.append((customer.id, before(int(at)), self.chance.randrange(1000, 50000) / 100))
                at -= self.chance.expovariate(1 / gap) + 1
        return rows

    def _contracts(self, count=120, since=1096):
        """Rows of customers who buy every 80 to 90 days until they leave: fixed days know all of them."""
        rows = []
        for customer in self.customers(count, "Contract"):
            at = since - self.chance.randrange(500)
            end = max(at - self.chance.expovariate(1 / 500), 0)
            while at > end:
                rows.append((customer.id, before(at), 100.0))
                at -= self.chance.randrange(80, 91)
        return rows

    def _keeps_record(self, rows):
        self.in_the_ledger(rows)
        return self.night()

    def _look_back(self, rows, at=TODAY, **kwargs):
        """What the engine says of the rows themselves, without the ledger's way."""
        import pandas as pd

        from .. import engine

        log = engine.PurchaseLog.from_frame(pd.DataFrame(rows, columns=["customer_id", "date", "amount"]))
        return engine.look_back(log, at, **kwargs)

    # ------------------------------------------------------------------ what is stored
    def test_the_rows_have_the_engine_s_numbers(self):
        rows = self._lives()
        run = self._keeps_record(rows)
        told = self._look_back(rows)
        self.assertEqual(run.record_ids.mapped("horizon_days"), list(HORIZONS))
        for record, horizon in zip(run.record_ids, told["horizons"], strict=True):
            self.assertEqual(record.cut_date, before(record.horizon_days))
            self.assertEqual((record.customer_count, record.buyer_count), (horizon["customers"], horizon["buyers"]))
            for name in SCORES:
                self.assertAlmostEqual(record[name], horizon[name], msg=name)
                self.assertAlmostEqual(record[f"fixed_{name}"], horizon["fixed_rule"][name], msg=name)
                self.assertAlmostEqual(record[f"naive_{name}"], horizon["naive"][name], msg=name)
            self.assertEqual(record.fixed_days, horizon["fixed_rule"]["days"])
            self.assertEqual(json.loads(record.calibration), horizon["calibration"])
            self.assertEqual(record.beats_fixed_rule, record.auc > record.fixed_auc)
        self.assertAlmostEqual(run.quality_auc, told["horizons"][0]["auc"])
        self.assertAlmostEqual(run.quality_value_error, told["horizons"][0]["value_error"])

    def test_those_called_lost_a_year_ago_are_counted_by_hand(self):
        rows = self._lives(80)
        run = self._keeps_record(rows)
        cut = before(365)
        lost = self.Run._replay(self.company, cut).query("status == 'lost'").index
        back = {customer for customer, date, _amount in rows if date > cut}
        told = json.loads(run.quality)["called"]["lost"]
        self.assertEqual(told, {"customers": len(lost), "silent": len(set(lost) - back)})
        self.assertGreater(told["customers"], 0)
        self.assertTrue(run.record_sentence.startswith(
            f"Of {told['customers']} customers called lost on {format_date(self.env, cut)}, {told['silent']} have"))

    def test_what_was_reversed_since_was_known_then_and_never_came(self):
        rows = self._lives(40)
        self.reversed(self.bought(self.anna, before(400)), before(100))  # known a year ago, and 180 days ago
        self.reversed(self.bought(self.bert, before(170)), before(20))  # known 90 days ago; nothing came
        self.reversed(self.bought(self.cleo, before(450)), before(370))  # known on none of the three days
        run = self._keeps_record(rows)
        for record, others in zip(run.record_ids, (1, 1, 1), strict=True):
            known = {customer for customer, date, _amount in rows if date <= record.cut_date}
            came = {customer for customer, date, _amount in rows if date > record.cut_date} & known
            self.assertEqual((record.customer_count, record.buyer_count), (len(known) + others, len(came)))
        self.assertNotIn(self.anna, self.Profile.search([("company_id", "=", self.company.id)]).partner_id)

    def test_an_explanation_wraps_in_the_lists(self):
        for model in ("customer.churn.record", "customer.churn.run"):
            self.assertEqual(self.env[model]._fields["explanation"].type, "text", "lists cut a char field")

    def test_many_are_told_as_so_many_of_a_hundred(self):
        run = self.Run.create({"company_id": self.company.id, "date": TODAY, "state": "done", "quality": json.dumps({
            "cut": "2024-06-30", "days_missing": 0, "contest": None, "called": {
                "lost": {"customers": 1234, "silent": 1024}, "dormant": {"customers": 0, "silent": 0},
                "at_risk": {"customers": 99, "silent": 40}}})})
        self.assertEqual(run.record_sentence, (
            "Of 100 customers called lost on 06/30/2024, 83 have not bought since.\n"
            "Of 99 called at risk, 40 have not."))

    def test_of_one_it_speaks_as_of_one(self):
        def said(lost, dormant, at_risk):
            called = {status: {"customers": count, "silent": silent} for status, (count, silent) in (
                ("lost", lost), ("dormant", dormant), ("at_risk", at_risk))}
            return self.Run._say_record({"cut": "2024-06-30", "days_missing": 0, "called": called}).splitlines()

        self.assertEqual(said((1, 1), (1, 0), (5, 1)), [
            "One customer was called lost on 06/30/2024, and has not bought since.",
            "One was called dormant, and has.",
            "Of 5 called at risk, one has not."])
        self.assertEqual(said((1, 0), (1, 1), (0, 0)), [
            "One customer was called lost on 06/30/2024, and has bought since.",
            "One was called dormant, and has not."])
        self.assertEqual(said((0, 0), (200, 2), (5, 0)), [
            "Nobody was called lost on 06/30/2024.",
            "Of 100 customers called dormant on 06/30/2024, one has not bought since.",
            "Of 5 called at risk, 0 have not."])
        self.assertEqual(said((0, 0), (0, 0), (0, 0)), [
            "Nobody was called at risk, dormant or lost on 06/30/2024."])

    def test_a_night_carries_the_record_of_its_fit_and_adds_none(self):
        run = self._keeps_record(self._lives(30))
        night = self.night(TODAY + timedelta(days=1))
        self.assertEqual(night.kind, "nightly")
        self.assertFalse(night.record_ids)
        for name in ("quality", "quality_auc", "quality_brier", "record_sentence", "rule_sentence"):
            self.assertEqual(night[name], run[name], name)

    def test_a_second_fit_on_a_day_replaces_the_record_of_the_first(self):
        first = self._keeps_record(self._lives(30))
        told = first.record_ids.read(SCORES)
        second = self.night(full=True)
        records = self.env["customer.churn.record"].search([("company_id", "=", self.company.id)])
        self.assertEqual(records, second.record_ids)
        self.assertFalse(first.record_ids)
        self.assertEqual(
            [[row[name] for name in SCORES] for row in records.read(SCORES)],
            [[row[name] for name in SCORES] for row in told])
        self.night(TODAY + timedelta(days=1), full=True)
        self.assertEqual(len(records.search([("company_id", "=", self.company.id)])), 6)

    def test_a_run_has_as_many_queries_for_60_customers_as_for_6(self):
        def count(customers, company):
            self.in_the_ledger(self._lives(customers), company=company)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(self.Run._run(company, date=TODAY, full=True).state, "done")
            return self.env.cr.sql_log_count - start

        companies = [self._create_company(name) for name in ("First", "Few", "Many")]
        count(3, companies[0])
        self.assertEqual(count(6, companies[1]), count(60, companies[2]))

    # ------------------------------------------------------------------ what is missing
    def test_a_short_ledger_says_how_many_months_are_missing(self):
        self.bought(self.anna, before(200), before(60))
        self.bought(self.bert, before(150))
        run = self.night()
        near, middle, far = run.record_ids
        self.assertFalse(near.reason == "short")
        self.assertEqual((middle.reason, middle.days_missing), ("short", 70))
        self.assertEqual(
            middle.explanation, "The ledger is too short: 3 more months of invoices are needed.")
        self.assertEqual(far.days_missing, 255)
        self.assertIn("9 more months", far.explanation)
        self.assertIn("18 months", run.rule_sentence)
        self.assertFalse(far.calibration or far.has_naive)
        self.assertEqual(json.loads(far.calibration_chart), {})

    def test_nobody_bought_yet(self):
        run = self.night()
        self.assertEqual(set(run.record_ids.mapped("reason")), {"short"})
        self.assertIn("6 more months", run.record_sentence)
        self.assertEqual(run.quality_auc, 0)

    def test_where_everybody_left_nothing_is_ranked(self):
        for customer in (self.anna, self.bert):
            self.bought(customer, before(900), before(800))
        record = self.night().record_ids[0]
        self.assertEqual((record.reason, record.buyer_count, record.auc), ("one_sided", 0, 0))
        self.assertIn("nothing to rank", record.explanation)
        self.assertFalse(record.beats_fixed_rule)
        self.assertFalse(record.has_revenue, "no share of nothing")

    # ------------------------------------------------------------------ what decides the status
    def test_fixed_days_decide_where_the_forecast_does_not_beat_them_and_it_is_said(self):
        rows = self._contracts()
        run = self._keeps_record(rows)
        dormant, lost = self._look_back(rows)["contest"]["fixed_days"]
        policy = self.Policy._get_policies(self.company)
        self.assertEqual(run._get_fixed_days(policy), [dormant, lost])
        last = {}
        for customer, date, _amount in rows:
            last[customer] = max(date, last.get(customer, date))
        for profile in self.Profile.search([("company_id", "=", self.company.id)]):
            date = last[profile.partner_id.id]
            self.assertEqual(profile.dormant_date, date + timedelta(days=dormant))
            self.assertEqual(profile.lost_date, date + timedelta(days=lost))
            self.assertEqual(profile.status == "lost", profile.lost_date <= TODAY)
        self.assertEqual(dormant, lost)
        sentence = f"lost after {lost} days of silence"
        for said in (run.rule_sentence, policy.fixed_days_note, run.record_ids[0].rule_sentence):
            self.assertIn(sentence, said)
        self.assertEqual(policy.preview, policy.as_stored)
        seller = self._user("churn_seller", USER)
        self.assertIn(sentence, policy.with_user(seller).fixed_days_note)
        self.assertIn(f"before, from {format_date(self.env, before(730))} on", run.rule_sentence)

    def test_a_segment_with_other_horizons_goes_by_its_own_fixed_days(self):
        rows = self._contracts()
        self.Policy._get_policies(self.company)
        short = self.Policy.create({"name": "Short", "company_id": self.company.id, "near_days": 100, "far_days": 200,
                                    "domain": "[('name', 'like', '1')]", "sequence": 1})
        far = self.Policy.create({"name": "Far", "company_id": self.company.id, "far_days": 730,
                                  "domain": "[('name', 'like', '2')]", "sequence": 2})
        run = self._keeps_record(rows)
        company = self.Policy._get_policies(self.company)[-1:]
        told = {pair[:2]: pair[2:] for pair in self._look_back(
            rows, others=[short._to_engine(), far._to_engine()])["fixed_days"]}
        self.assertEqual(set(told), {(90, 365), (100, 200)})
        for policy in (company, short):
            dormant, lost = told[policy.near_days, policy.far_days]
            self.assertEqual(run._get_fixed_days(policy), [dormant, lost])
            profiles = self.Profile.search([("policy_id", "=", policy.id)])
            self.assertEqual({profile.dormant_date - profile.last_purchase_date for profile in profiles},
                             {timedelta(days=dormant)})
            self.assertIn(self.Run._say_fixed_days([dormant, lost]), policy.fixed_days_note)
        self.assertFalse(far.fixed_days_note, "nothing to judge it by")
        waits = {profile.dormant_date - profile.last_purchase_date
                 for profile in self.Profile.search([("policy_id", "=", far.id)])}
        self.assertGreater(len(waits), 3, "by the forecast")

    def test_nights_keep_the_fixed_days_and_a_better_record_gives_the_status_back(self):
        run = self._keeps_record(self._contracts())
        policy = self.Policy._get_policies(self.company)
        days = run._get_fixed_days(policy)
        self.assertTrue(days)
        self.bought(self.anna, TODAY + timedelta(days=1))
        night = self.night(TODAY + timedelta(days=1))
        self.assertEqual((night.kind, night._get_fixed_days(policy)), ("nightly", days))
        self.assertEqual(self.profile(self.anna).dormant_date, TODAY + timedelta(days=1 + days[0]))
        self.in_the_ledger(self._lives(400))
        later = self.night(TODAY + timedelta(days=2), full=True)
        self.assertFalse(later._get_fixed_days(policy))
        self.assertIn("Statuses go by the forecast", later.rule_sentence)
        self.assertFalse(policy.fixed_days_note)
        waits = {profile.dormant_date - profile.last_purchase_date
                 for profile in self.Profile.search([("company_id", "=", self.company.id)])}
        self.assertGreater(len(waits), 20)

    def test_a_replay_knows_the_rule_of_its_day(self):
        self._keeps_record(self._contracts())
        stored = {partner: row["status"] for partner, row in self.stored().items()}
        self.assertEqual(dict(self.Run._replay(self.company, TODAY)["status"]), stored)

    def test_a_policy_that_goes_by_days_keeps_its_own(self):
        self.Policy.create({"name": "Days", "company_id": self.company.id, "rule": "days", "at_risk_days": 10,
                            "dormant_days": 20, "lost_days": 40})
        run = self._keeps_record(self._contracts(60))
        self.assertFalse(run._get_fixed_days(self.Policy._get_policies(self.company)))
        for profile in self.Profile.search([("company_id", "=", self.company.id)]):
            self.assertEqual((profile.lost_date - profile.last_purchase_date).days, 40)

    def test_two_numbers_of_days_are_both_said(self):
        self.assertIn("dormant after 60 days of silence, lost after 180", self.Run._say_fixed_days([60, 180]))

    def test_who_wins_in_one_measure_alone_and_who_had_hindsight_is_said(self):
        run = self.Run.new({})
        told = {
            "fixed_days": [], "best_days": [60, 180], "chosen_on": "2023-07-01", "f1": 0.5, "right": 0.7,
            "fixed_f1": 0.4, "fixed_right": 0.6}
        said = run._say_rule(told)
        self.assertIn("told 70 right, the best fixed days 60", said)
        self.assertIn("60 until dormant and 180 until lost, are those that told best in the time before", said)
        self.assertIn("from 07/01/2023 on", said)
        said = run._say_rule({**told, "fixed_f1": 0.5})
        self.assertIn("told 70 right, fixed days 60, but these found the rarer statuses better", said)
        said = run._say_rule({**told, "fixed_right": 0.8})
        self.assertIn("told 70 right, fixed days 80, but it found the rarer statuses better", said)
        said = run._say_rule({**told, "chosen_on": None, "fixed_f1": 0.6, "fixed_right": 0.8})
        self.assertIn("told 70 right, the best fixed days 80", said)
        self.assertIn("chosen with hindsight", said)

    # ------------------------------------------------------------------ who sees it, and how
    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_managers_read_the_records_of_their_companies_and_nobody_writes_them(self):
        self._keeps_record(self._lives(20))
        sister = self._create_company("Sister")
        self.night(company=sister)
        Record, manager = self.env["customer.churn.record"], self._user("churn_boss", MANAGER)
        seen = Record.with_user(manager).search([])
        self.assertEqual((seen.company_id, len(seen)), (self.company, 3))
        self.assertTrue(seen[0].record_sentence and seen[0].explanation and seen[0].history_chart)
        for act in (lambda: seen[0].write({"auc": 1}), seen[0].unlink, lambda: seen.create({}),
                    lambda: Record.with_user(self._user("churn_seller", USER)).search([])):
            with self.assertRaises(AccessError):
                act()

    def test_beside_a_chance_stands_how_often_such_a_one_came_true(self):
        run = self._keeps_record(self._lives(150))
        groups = json.loads(run.record_ids[0].calibration)
        seller = self._user("churn_seller", USER)
        profiles = self.Profile.search([("company_id", "=", self.company.id)])
        self.env.invalidate_all()
        for profile in profiles.with_user(seller):
            distance = {abs(g["predicted"] - profile.purchase_probability): g["actual"] for g in groups}
            self.assertEqual(profile.chance_record, (
                f"of 100 customers with such a chance, {round(100 * distance[min(distance)])} bought within 90 days"))
        self.Policy._get_policies(self.company).near_days = 60
        self.assertFalse(profiles[0].chance_record)

    def test_the_picture_shows_the_groups_beside_the_diagonal(self):
        record = self._keeps_record(self._lives(80)).record_ids[0]
        chart, groups = json.loads(record.calibration_chart), json.loads(record.calibration)
        dots, line = (dataset["data"] for dataset in chart["datasets"])
        self.assertEqual(dots, [{"x": group["predicted"], "y": group["actual"]} for group in groups])
        self.assertEqual(line, [{"x": 0, "y": 0}, {"x": 1, "y": 1}])
        self.assertIn("second fit", json.loads(record.history_chart)["empty"])
        later = self.night(TODAY + timedelta(days=31)).record_ids[0]
        history = json.loads(later.history_chart)
        self.assertEqual(history["datasets"][0]["data"], [record.auc, later.auc])
        self.assertEqual(len(history["labels"]), 2)

    def test_it_is_said_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["customer_churn"], ["zh_CN"])
        run = self._keeps_record(self._contracts()).with_context(lang="zh_CN")
        self.assertRegex(run.record_sentence, r"^截至 2024/06/30 判定为已流失的 \d+ 位客户中，有 \d+ 位此后再未购买。")
        self.assertIn("固定天数", run.rule_sentence)
        policy = self.Policy._get_policies(self.company).with_context(lang="zh_CN")
        self.assertIn("固定天数", policy.fixed_days_note)
        self.assertIn("固定天数", run.record_ids[0].explanation)
        profile = self.Profile.search([("company_id", "=", self.company.id)], limit=1).with_context(lang="zh_CN")
        self.assertIn("客户中", profile.chance_record)
