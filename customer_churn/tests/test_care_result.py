from datetime import timedelta
from statistics import NormalDist

from odoo.tests import tagged
from odoo.tools import SQL

from .common import before
from .common_care import CareCommon

Z = NormalDist().inv_cdf(0.975)


def wilson(bought, count):
    share = bought / count
    middle, half = share + Z**2 / (2 * count), Z * (share * (1 - share) / count + Z**2 / (4 * count**2)) ** 0.5
    return (middle - half) / (1 + Z**2 / count), (middle + half) / (1 + Z**2 / count)


@tagged("post_install", "-at_install", "customer_churn")
class TestCareResult(CareCommon):
    def result(self, plan):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["customer.care.result"].browse(plan.id)

    def met_and_measured(self, treated, control, share=20):
        """A plan whose treatments began before it measures: (count, bought) of each arm, 100 each purchase."""
        plan = self.plan(control_share=share, measure_days=30)
        begun = before(60)
        vals_list = []
        for is_control, (count, bought) in ((False, treated), (True, control)):
            for number, customer in enumerate(self.customers(count, prefix=f"{is_control}")):
                vals_list.append({
                    "plan_id": plan.id, "company_id": self.company.id, "partner_id": customer.id, "occasion": "x",
                    "date": begun, "is_control": is_control, "state": "control" if is_control else "done",
                    "bought_date": begun + timedelta(days=9) if number < bought else False,
                    "bought_revenue": 100 if number < bought else 0})
        self.Treatment.create(vals_list)
        self.night()
        return plan

    def test_shares_difference_and_interval(self):
        result = self.result(self.met_and_measured((70, 56), (80, 48)))
        self.assertEqual((result.treated_count, result.treated_bought), (70, 56))
        self.assertEqual((result.control_count, result.control_bought), (80, 48))
        self.assertAlmostEqual(result.difference, 0.2)
        (low_t, high_t), (low_c, high_c) = wilson(56, 70), wilson(48, 80)
        self.assertAlmostEqual(result.difference_low, 0.2 - ((0.8 - low_t) ** 2 + (high_c - 0.6) ** 2) ** 0.5)
        self.assertAlmostEqual(result.difference_high, 0.2 + ((high_t - 0.8) ** 2 + (0.6 - low_c) ** 2) ** 0.5)
        self.assertEqual((result.treated_revenue, result.control_revenue), (80, 60))
        error = (100**2 * 0.8 * 0.2 / 70 + 100**2 * 0.6 * 0.4 / 80) ** 0.5
        self.assertAlmostEqual(result.revenue_difference_high - result.revenue_difference, Z * error, places=1)
        self.assertAlmostEqual(result.revenue_gained, 20 * 70, places=1)
        self.assertEqual(result.verdict, "works")
        self.assertEqual(result.explanation, (
            "Works: of 100 treated customers 20 more bought again than of 100 left alone (between 5 and 33)."))

    def test_verdicts_in_words(self):
        self.assertIn("fewer bought again", self.result(self.met_and_measured((200, 20), (60, 30))).explanation)
        early = self.result(self.met_and_measured((20, 8), (5, 1)))
        self.assertEqual(early.verdict, "too_early")
        self.assertRegex(early.explanation, r"Too early to say: [\d,]+ more needed\.")
        same = self.result(self.met_and_measured((800, 320), (800, 320)))
        self.assertEqual(same.verdict, "no_difference")
        self.assertIn("at most 5 more or 5 fewer", same.explanation)
        self.assertIn("cannot be measured", self.result(self.met_and_measured((20, 8), (0, 0), share=0)).explanation)
        self.assertIn("Nobody is measured yet", self.result(self.plan(control_share=10)).explanation)

    def test_measured_only_after_the_last_day_that_counts(self):
        self.silent(self.anna, 40)
        self.night()
        plan = self.plan(measure_days=30)
        self.care()
        self.night(before(-30))
        result = self.result(plan)
        self.assertEqual((result.treated_count, result.waiting_count), (0, 1))
        self.night(before(-31))
        result = self.result(plan)
        self.assertEqual((result.treated_count, result.waiting_count), (1, 0))

    def test_what_was_bought_within_the_days_is_the_ledgers_money(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        plan = self.plan(measure_days=30)
        self.care()
        self.bought(self.anna, before(-5), amount=200)
        self.credited(self.anna, before(-6), amount=50)
        self.bought(self.anna, before(-31), amount=999)
        self.bought(self.bert, before(-31), amount=70)
        self.night(before(-35))
        self.care(before(-35))
        found = {t.partner_id: (t.bought_date, t.bought_revenue)
                 for t in self.Treatment.search([("plan_id", "=", plan.id)])}
        self.assertEqual(found, {self.anna: (before(-5), 150), self.bert: (False, 0)})
        result = self.result(plan)
        self.assertEqual((result.treated_count, result.treated_bought, result.treated_revenue), (2, 1, 75))

    def test_a_purchase_reversed_later_counts_no_more(self):
        self.silent(self.anna, 40)
        self.night()
        plan = self.plan(measure_days=30)
        self.care()
        invoice = self.bought(self.anna, before(-5), amount=200)
        self.night(before(-6))
        self.care(before(-6))
        self.assertEqual(self.Treatment.search([("plan_id", "=", plan.id)]).bought_date, before(-5))
        self.reversed(invoice, before(-7))
        self.night(before(-8))
        self.care(before(-8))
        self.assertFalse(self.Treatment.search([("plan_id", "=", plan.id)]).bought_date)

    def test_the_same_customer_on_many_occasions_is_not_many_customers(self):
        plan = self.met_and_measured((40, 20), (40, 8))
        alone = self.result(plan)
        width = alone.difference_high - alone.difference_low
        again = self.Treatment.search([("plan_id", "=", plan.id)])
        for number in range(3):
            again.copy({"occasion": f"again {number}"})
        often = self.result(plan)
        self.assertEqual(often.treated_count, 160)
        self.assertAlmostEqual(often.difference_high - often.difference_low, width, places=6)

    def test_an_independent_computation_finds_the_same_sums(self):
        plan = self.met_and_measured((30, 12), (10, 3))
        rows = self.env.execute_query(SQL(
            "SELECT is_control, count(*), count(bought_date), sum(bought_revenue) FROM customer_care_treatment"
            " WHERE plan_id = %s GROUP BY 1 ORDER BY 1", plan.id))
        self.assertEqual([tuple(map(float, row)) for row in rows], [(0, 30, 12, 1200), (1, 10, 3, 300)])
        result = self.result(plan)
        self.assertEqual([result.treated_count, result.treated_bought, result.control_count, result.control_bought],
                         [30, 12, 10, 3])

    def test_the_figures_open_the_customers_behind_them(self):
        plan = self.met_and_measured((5, 2), (5, 1))
        action = self.result(plan).action_open_treatments()
        self.assertEqual(self.Treatment.search_count(action["domain"]), 10)
