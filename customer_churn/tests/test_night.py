"""What a night knows of customers of whom only days passed: no more of the ledger is read than what left a window."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged

from .common import TODAY, ChurnCommon, before

LEDGER_COLUMNS = (
    "partner_id", "purchase_count", "first_purchase_date", "last_purchase_date", "usual_gap_days", "gap_spread_days",
    "revenue_12m", "revenue_previous_12m", "revenue_total", "value_class", "rfm_score", "status", "status_date",
)


@tagged("post_install", "-at_install", "customer_churn")
class TestNight(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.by_days(at_risk_days=3000, dormant_days=3000, lost_days=3000)

    def passed(self, days):
        """(customers whose documents were read, their figures) of a night so many days later, which must be those
        of a run that reads everybody."""
        read, read_documents = [], type(self.Purchase)._read_documents

        def watched(purchase, company, at, customers=None, since=None):
            read.append(customers)
            return read_documents(purchase, company, at, customers, since)

        at = TODAY + timedelta(days=days)
        with patch.object(type(self.Purchase), "_read_documents", watched):
            run = self.night(at)
        self.assertEqual(run.kind, "nightly")
        found = self.stored(LEDGER_COLUMNS)
        with (patch.object(type(self.Run), "_fit", lambda *args: run._load(run)),
              patch.object(type(self.Run), "_fit_limits", lambda *args: run._load_limits(run))):
            self.night(at, full=True)
        self.assertEqual(self.stored(LEDGER_COLUMNS), found)
        return read[0], found

    def test_money_leaves_its_window_without_anybody_s_documents_being_read(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.bought(contact, before(364), amount=33.33)
        self.bought(self.anna, before(729), amount=20.5)
        self.credited(self.anna, before(364), amount=3.33)
        self.bought(self.anna, before(40), before(20), before(7), amount=10)
        self.bought(self.bert, before(363), before(20))
        self.night()
        self.assertEqual(self.profile(self.anna).revenue_12m, 60)
        read, found = self.passed(1)
        self.assertEqual(read, [])
        self.assertEqual(found[self.anna.id]["revenue_12m"], 30)
        self.assertEqual(found[self.anna.id]["revenue_previous_12m"], 30)
        self.assertEqual(found[self.bert.id]["revenue_12m"], 200)

    def test_what_was_reversed_takes_no_money_along(self):
        self.reversed(self.bought(self.anna, before(364), amount=500), before(363))
        twice = self.bought(self.anna, before(380), amount=70)
        self.credited(self.anna, before(379), amount=70, of=twice)
        self.credited(self.anna, before(361), amount=70, of=twice)  # voids nothing: the one before did
        self.bought(self.anna, before(9), amount=100)
        self.night()
        self.assertEqual(self.profile(self.anna).revenue_12m, 30)
        read, found = self.passed(20)
        self.assertEqual(read, [])
        self.assertEqual(found[self.anna.id]["revenue_12m"], 100)
        self.assertEqual(found[self.anna.id]["revenue_previous_12m"], -70)

    def test_a_deadline_is_seen_without_reading_and_a_purchase_by_reading(self):
        self.Policy.search([("company_id", "=", self.company.id)]).at_risk_days = 30
        self.bought(self.anna, before(364), before(28))
        self.bought(self.bert, before(364), before(28))
        self.night()
        self.bought(self.bert, TODAY + timedelta(days=2))
        read, found = self.passed(2)
        self.assertEqual(read, self.bert.ids)
        self.assertEqual(found[self.anna.id]["status"], "at_risk")
        self.assertEqual(found[self.bert.id]["status"], "active")

    def test_a_company_with_nobody_to_look_at_has_its_night(self):
        self.bought(self.anna, before(9))
        self.night()
        self.assertEqual(self.passed(1)[0], [])

    def test_a_profile_names_the_analysis_of_its_forecast(self):
        self.bought(self.anna, before(200), before(9))
        self.bought(self.bert, before(200), before(9))
        first = self.night()
        self.bought(self.bert, TODAY + timedelta(days=1))
        second = self.night(TODAY + timedelta(days=1))
        self.assertEqual((self.profile(self.anna).run_id, self.profile(self.bert).run_id), (first, second))
