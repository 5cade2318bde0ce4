"""Ledgers as they should not be, from the invoices to the sentences, in both languages and without a warning."""

import json
import logging
import math

from odoo.tests import tagged

from .common import ChurnCommon, before

FIGURES = (
    "alive_probability", "purchase_probability", "expected_purchases", "expected_revenue", "revenue_at_stake",
    "count_weight", "gap_weight", "silence_weight", "value_weight",
)


@tagged("post_install", "-at_install", "customer_churn")
class TestOddLedgers(ChurnCommon):
    def _ledgers(self):
        """{what is odd: (customers, days before today of their purchases, amounts in turn)}"""
        return {
            "one customer": (1, (200, 100, 50), (100,)),
            "all bought once": (40, (100,), (100,)),
            "daily for years": (5, range(1, 1100), (10,)),
            "next to nothing and very much": (60, (300, 200, 100, 10), (0.01, 1e12)),
            "begins yesterday": (30, (1,), (100,)),
            "a pause of five years": (60, (1900, 1880, 1860, 30, 20), (100,)),
            "everybody left": (60, (2000, 1950, 1900), (100,)),
            "refunds above purchases": (60, (300, 200, 100), (100, -900, 50)),
        }

    def test_a_run_on_an_odd_ledger_is_done_and_says_finite_things(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        for odd, (count, days, amounts) in self._ledgers().items():
            with self.subTest(odd), self.assertNoLogs("odoo.addons.customer_churn", logging.WARNING):
                company = self._create_company(odd)
                rows = [(customer.id, before(ago + place % 7 if ago > 7 else ago), amounts[turn % len(amounts)])
                        for place, customer in enumerate(self.customers(count, odd))
                        for turn, ago in enumerate(days)]
                self.in_the_ledger(rows, company)
                run = self.night(company=company)
                self.assertEqual(run.customer_count, count)
                self._assert_plain(self.Profile.search([("company_id", "=", company.id)]))
                self._assert_said(run)
                self.assertEqual(self.night(company=company).event_count, 0)

    def _assert_plain(self, profiles):
        for profile in profiles:
            self.assertTrue(all(math.isfinite(profile[name]) for name in FIGURES))
            self.assertTrue(0 <= profile.purchase_probability <= profile.alive_probability <= 1)
        self.assertNotIn("as a rule", "".join(profiles.filtered(
            lambda profile: profile.purchase_count < 3).mapped("explanation")))

    def _assert_said(self, run):
        profiles = self.Profile.search([("company_id", "=", run.company_id.id)], limit=3)
        json.loads(profiles[:1].get_chance_chart())
        for lang in ("en_US", "zh_CN"):
            for said in (*profiles.with_context(lang=lang).mapped("explanation"),
                         *run.with_context(lang=lang).mapped("record_sentence"),
                         *run.with_context(lang=lang).mapped("rule_sentence")):
                self.assertTrue(said)
                self.assertFalse({"nan", "inf", "None", "False"} & set(said.split()), said)
            profiles.with_context(lang=lang).mapped("weight_lines")
