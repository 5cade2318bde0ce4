import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import TODAY, ChurnCommon, before

VALUE_COLUMNS = ("partner_id", "value_class", "rfm_score")


@tagged("post_install", "-at_install", "customer_churn")
class TestValue(ChurnCommon):
    def _ledger(self, count=40, seed=11):
        """Customers dear and cheap, of whom some buy as others do, and some stopped a year ago."""
        chance, rows = random.Random(seed), []
        for customer in self.customers(count):
            price, gap, stop = chance.choice((5, 20, 20, 400)), chance.choice((30, 60)), chance.choice((0, 0, 20, 380))
            rows += [(customer.id, before(days), price) for days in range(stop, 800, gap)]
        self.in_the_ledger(rows)
        return rows

    def _expected(self, rows, a_share, b_share):
        """{customer id: its class and score} by ranks and running totals, with nothing of the engine's."""
        import pandas as pd

        frame = pd.DataFrame(rows, columns=["partner", "date", "amount"])
        by = frame.groupby("partner")
        years = [frame[(frame.date > before(days)) & (frame.date <= before(days - 365))] for days in (365, 730)]
        money = pd.concat([year.groupby("partner").amount.sum() for year in years], axis=1).fillna(0).max(axis=1)
        totals = money.groupby(money).sum().sort_index(ascending=False)
        dearer = (totals.cumsum() - totals) / totals.sum()
        classes = {value: "a" if share < a_share else "b" if share < a_share + b_share else "c"
                   for value, share in dearer.items()}
        ranks = [(figure.rank() - 0.5) / len(figure) * 5 // 1 + 1 for figure in (
            by.date.max().map(lambda day: day.toordinal()), by.date.nunique(), by.amount.sum())]
        return {partner: (classes[money[partner]], "".join(str(int(rank[partner])) for rank in ranks))
                for partner in money.index}

    def _found(self):
        return {partner: (row["value_class"], row["rfm_score"])
                for partner, row in self.stored(VALUE_COLUMNS).items()}

    def test_classes_and_scores_equal_an_independent_computation(self):
        rows = self._ledger()
        for a_share, b_share in ((0.7, 0.2), (0.4, 0.55)):
            self.company.write({"churn_value_a_share": a_share, "churn_value_b_share": b_share})
            self.night()
            expected = self._expected(rows, a_share, b_share)
            self.assertEqual({value for value, _score in expected.values()}, {"a", "b", "c"})
            self.assertEqual(self._found(), expected)

    def test_nights_say_what_a_full_run_with_the_same_limits_says(self):
        rows = self._ledger()
        self.night()
        chance, at = random.Random(5), TODAY
        partners = sorted({partner for partner, _day, _amount in rows})
        for _night in range(4):
            at += timedelta(days=chance.randrange(1, 5))
            self.in_the_ledger([(partner, at, chance.choice((1, 20, 900))) for partner in chance.sample(partners, 6)])
            self.bought(self.anna, at)
            run = self.night(at)
            self.assertEqual(run.kind, "nightly")
            nightly, same = self._found(), run._load_limits(run)
            with patch.object(type(self.Run), "_fit_limits", lambda *args, same=same: same):
                self.assertEqual(self.night(at, full=True).value_limits, run.value_limits)
            self.assertEqual(self._found(), nightly)

    def test_who_went_silent_keeps_class_and_score_while_nothing_is_fitted(self):
        self.bought(self.anna, before(400), before(380), amount=900)
        self.bought(self.bert, before(30), before(1), amount=10)
        self.night()
        before_the_night = self._found()
        self.assertEqual(before_the_night[self.anna.id], ("a", "234"))
        self.assertEqual(self.night(TODAY + timedelta(days=20)).kind, "nightly")
        self.assertEqual(self._found(), before_the_night)

    def test_the_first_customer_of_an_empty_company(self):
        self.night()
        self.bought(self.anna, TODAY + timedelta(days=1))
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "nightly")
        self.assertEqual(self._found(), {self.anna.id: ("a", "333")})

    def test_a_replay_knows_them_too(self):
        self._ledger()
        self.night()
        replayed = self.Run._replay(self.company, TODAY)
        self.assertEqual(
            {partner: (row.value_class, str(row.rfm_score)) for partner, row in replayed.iterrows()}, self._found())

    # ------------------------------------------------------------------ settings
    def test_shares_that_make_no_sense_are_refused_by_name(self):
        for a_share, b_share in ((0, 0.2), (0.7, 0), (-0.1, 0.2), (0.7, 0.3)):
            with self.assertRaisesRegex(ValidationError, "Purveyor: the shares.*Lower"), self.env.cr.savepoint():
                self.company.write({"churn_value_a_share": a_share, "churn_value_b_share": b_share})

    def test_both_shares_change_at_once_in_the_settings(self):
        for a_share, b_share in ((0.9, 0.05), (0.1, 0.85)):
            self.env["res.config.settings"].create(
                {"churn_value_a_share": a_share, "churn_value_b_share": b_share}).execute()
            self.assertEqual(self.company._get_churn_value_shares(), (a_share, b_share))
        settings = self.env["res.config.settings"].create({})
        self.assertEqual((settings.churn_value_a_share, settings.churn_value_b_share), (0.1, 0.85))

    def test_changed_shares_lead_to_a_fit(self):
        self.bought(self.anna, before(10))
        self.night()
        self.company.churn_value_a_share = 0.6
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "full")
        self.assertEqual(self.night(TODAY + timedelta(days=2)).kind, "nightly")

    def test_limits_of_another_version_lead_to_a_fit(self):
        self.bought(self.anna, before(10))
        for kept in ('{"format": 0}', False):
            self.night(full=True).value_limits = kept
            self.assertEqual(self.night(TODAY).kind, "full")

    # ------------------------------------------------------------------ screens
    def test_the_matrix_stands_in_the_order_of_a_customer_s_life(self):
        self._ledger()
        self.night()
        groups = self.Profile._read_group(
            [("company_id", "=", self.company.id)], ["status", "value_class"], ["revenue_12m:sum"], order="status")
        statuses = [code for code, _name in self.Profile._fields["status"].selection]
        places = [statuses.index(status) for status, _value, _money in groups]
        self.assertGreater(len(set(places)), 1)
        self.assertEqual(places, sorted(places))
