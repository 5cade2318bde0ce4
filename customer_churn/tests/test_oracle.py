from datetime import date, timedelta

from odoo.tests import tagged

from .common import TODAY, ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn")
class TestOracle(ChurnCommon):
    """The stored figures against a computation that shares nothing with the addon's SQL."""

    def setUp(self):
        super().setUp()
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": "2020-01-01", "rate": 0.8})
        customers = self.customers(12)
        for number, customer in enumerate(customers):
            self.bought(customer, *[before(20 + 37 * n + number) for n in range(number)], amount=10.01 + number)
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": customers[3].id})
        self.bought(contact, before(5), before(365), before(364), before(730), before(729), amount=33.33)
        self.bought(customers[4], before(9), before(9), amount=0.1, move_type="out_receipt")
        self.bought(customers[5], before(11), amount=77.77, currency_id=euro.id)
        self.credited(customers[6], before(3), amount=5.55)
        self.credited(customers[7], before(57), amount=500)
        self.reversed(self.bought(customers[8], before(80), amount=1000), before(70))
        twice = self.bought(customers[9], before(81), amount=1000)
        self.credited(customers[9], before(60), amount=1000, of=twice)
        self.credited(customers[9], before(59), amount=1000, of=twice)
        self.reversed(self.bought(customers[10], before(50), amount=12), TODAY + timedelta(days=9))
        self.bought(customers[11], TODAY + timedelta(days=3))
        self.drafted(customers[2], before(1))
        self.bought(customers[1], before(2), line={"discount": 100})
        customers[0].active = False
        self.bought(customers[0], before(500), amount=3)

    def _documents(self):
        import pandas as pd

        moves = self.env["account.move"].search_read(
            [("company_id", "=", self.company.id), ("state", "=", "posted"),
             ("move_type", "in", ("out_invoice", "out_refund", "out_receipt"))],
            ["partner_id", "invoice_date", "amount_untaxed_signed", "amount_total", "reversed_entry_id", "currency_id"],
            order="id")
        owner = {move["id"]: self.env["res.partner"].browse(move["partner_id"][0]).commercial_partner_id.id
                 for move in moves}
        by_id = {move["id"]: move for move in moves}
        void, reversals = set(), sorted(moves, key=lambda m: (m["invoice_date"], m["id"]))
        for move in reversals:
            origin = by_id.get(move["reversed_entry_id"] and move["reversed_entry_id"][0])
            if (origin and origin["id"] not in void and origin["currency_id"] == move["currency_id"]
                    and origin["amount_total"] == move["amount_total"]
                    and max(move["invoice_date"], origin["invoice_date"]) <= TODAY):
                void |= {move["id"], origin["id"]}
        return pd.DataFrame([
            {"customer_id": owner[m["id"]], "date": m["invoice_date"], "amount": m["amount_untaxed_signed"]}
            for m in moves if m["id"] not in void and m["invoice_date"] <= TODAY])

    def _expected(self, frame):
        expected = {}
        for customer, rows in frame.groupby("customer_id"):
            days = sorted(set(rows[rows.amount > 0].date))
            if not days:
                continue
            gaps = sorted((b - a).days for a, b in zip(days, days[1:]))
            middle = len(gaps) // 2
            money = lambda after, until: round(  # noqa: E731
                float(rows[(rows.date > after) & (rows.date <= until)].amount.sum()), 2)
            expected[customer] = (
                len(days), days[0], days[-1],
                (gaps[middle] + gaps[-middle - 1]) / 2 if gaps else None,
                money(before(365), TODAY), money(before(730), before(365)), money(date.min, TODAY),
            )
        return expected

    def test_figures_equal_an_independent_computation(self):
        self.night()
        names = ("purchase_count", "first_purchase_date", "last_purchase_date", "usual_gap_days", "revenue_12m",
                 "revenue_previous_12m", "revenue_total")
        found = {
            customer: tuple(float(row[n]) if n.startswith(("revenue", "usual")) and row[n] is not None else row[n]
                            for n in names)
            for customer, row in self.stored().items()}
        expected = self._expected(self._documents())
        self.assertGreater(len(expected), 10)
        self.assertEqual(found, expected)

    def test_statuses_deadlines_and_chances_equal_the_engine_s(self):
        from .. import engine

        run = self.night()
        log = engine.PurchaseLog.from_frame(self._documents())
        forecaster = engine.fit(log, TODAY, horizons=(90, 365))
        self.assertEqual(run.parameters, forecaster.to_json())
        policy = engine.Policy()
        history = log.history(TODAY)
        table = forecaster.classify(history, TODAY, policy).join(forecaster.predict(history, TODAY, policy.near_days))
        stored = self.stored()
        self.assertEqual(set(stored), set(table.index))
        for customer, row in table.iterrows():
            mine = stored[customer]
            self.assertEqual(mine["status"], row["status"])
            for name in ("at_risk_date", "dormant_date", "lost_date"):
                self.assertEqual(mine[name], None if row[name] is None or row[name] != row[name] else row[name].date())
            for name in ("alive_probability", "purchase_probability"):
                self.assertAlmostEqual(mine[name], row[name], places=9)
