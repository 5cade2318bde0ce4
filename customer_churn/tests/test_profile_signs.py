import random
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import Form, tagged

from .common import TODAY, USER, ChurnCommon, before

PAYMENT_FIELDS = (
    "due_item_count", "days_late", "days_late_change", "disputed_count", "disputed_amount", "credited_share")


@tagged("post_install", "-at_install", "customer_churn")
class TestProfileSigns(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.sister = self._create_company("Sister")
        today = patch.object(fields.Date, "context_today", lambda *args: TODAY)
        today.start()
        self.addCleanup(today.stop)

    def _file(self, partner, user=None, **context):
        self.env.invalidate_all()
        return self.profile(partner).with_user(user or self.env.user).with_context(**context)

    def _owed(self, partner, due, paid=None, amount=100, **values):
        """An invoice of a month before that fell due so many days ago, paid so many days ago or not at all."""
        [invoice] = self.bought(partner, before(due + 30), amount=amount, invoice_date_due=before(due), **values)
        if paid is not None:
            self.paid(invoice, before(paid))
        return invoice

    def _said(self, partner, lang="en_US"):
        return self._file(partner, lang=lang).explanation.replace("\N{NO-BREAK SPACE}", " ")

    # ------------------------------------------------------------------ lateness
    def _expected_lateness(self, items, at):
        """(count, mean) of the items (due, paid or None) that fell due in the year before `at`, seen from then."""
        late = [max(((min(paid, at) if paid else at) - due).days, 0)
                for due, paid in items if at - timedelta(days=365) < due <= at]
        return len(late), sum(late) / len(late) if late else 0

    def test_lateness_equals_an_independent_computation(self):
        chance, items = random.Random(2), {self.anna: [], self.bert: []}
        for customer, own in items.items():
            for _n in range(25):
                due = chance.randrange(0, 900)
                paid = chance.choice((None, due + 5, due, max(due - 40, 0), max(due - chance.randrange(400), 0)))
                self._owed(customer, due, paid)
                own.append((before(due), None if paid is None else before(paid)))
        self.night()
        for customer, own in items.items():
            profile = self._file(customer)
            count, late = self._expected_lateness(own, TODAY)
            count_before, late_before = self._expected_lateness(own, before(365))
            self.assertGreater(min(count, count_before), 3)
            self.assertEqual(profile.due_item_count, count)
            self.assertAlmostEqual(profile.days_late, late)
            self.assertAlmostEqual(profile.days_late_change, late - late_before)

    def test_what_a_credit_note_settled_was_not_paid(self):
        invoice = self._owed(self.anna, 100)
        refund = self.credited(self.anna, before(10), amount=100)
        lines = (invoice | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        lines.reconcile()
        self.assertTrue(all(lines.mapped("reconciled")))
        self._owed(self.anna, 50, paid=40)
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.due_item_count, profile.days_late), (1, 10))

    def test_instalments_and_receipts_count_one_by_one(self):
        term = self.env["account.payment.term"].create({"name": "Two", "line_ids": [
            Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (0, 30)]})
        self.bought(self.anna, before(90), invoice_payment_term_id=term.id)
        self.bought(self.anna, before(45), move_type="out_receipt", invoice_date_due=before(30))
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.due_item_count, profile.days_late), (3, (90 + 60 + 30) / 3))

    def test_others_drafts_and_what_is_not_due_do_not_count(self):
        self._owed(self.anna, 10, paid=8)
        self._owed(self.bert, 100)
        self._owed(self.anna, 100, company=self.sister)
        self._owed(self.anna, 400)
        self.drafted(self.anna, before(100))
        self.bought(self.anna, before(5), invoice_date_due=before(-20))
        self.credited(self.anna, before(50), amount=10)
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.due_item_count, profile.days_late, profile.days_late_change), (1, 2, 0))

    def test_nobody_owes_anything(self):
        self.bought(self.anna, before(5), amount=10, invoice_date_due=before(-25))
        self.night()
        self.assertEqual([self._file(self.anna)[name] for name in PAYMENT_FIELDS], [0] * len(PAYMENT_FIELDS))

    # ------------------------------------------------------------------ disputes and credit notes
    def test_disputed_is_what_is_open_and_blocked_or_not_followed_up(self):
        blocked, excluded, paid, fine = (self._owed(self.anna, 40, amount=amount) for amount in (100, 200, 400, 800))
        elsewhere = self._owed(self.anna, 40, company=self.sister)
        for invoice in blocked | elsewhere:
            invoice.action_toggle_block_payment()
        (excluded | paid).no_followup = True
        self.paid(paid, before(3))
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.disputed_count, profile.disputed_amount), (2, 300))
        self.assertIn("2 invoices of $ 300.00 together are disputed.", self._said(self.anna))
        excluded.no_followup = False
        self.assertIn("One invoice of $ 100.00 is disputed.", self._said(self.anna))
        blocked.action_toggle_block_payment()
        self.assertEqual(self._file(self.anna).disputed_count, 0)
        self.assertTrue(fine)

    def test_the_share_of_credit_notes_is_that_of_partial_ones(self):
        self.bought(self.anna, before(100), before(50), amount=200)
        self.credited(self.anna, before(40), amount=100)
        self.reversed(self.bought(self.anna, before(30), amount=900), before(20))
        self.credited(self.anna, before(400), amount=5000)
        self.credited(self.anna, before(20), amount=5000, company=self.sister)
        self.credited(self.bert, before(20), amount=7000)
        self.drafted(self.anna, before(20), move_type="out_refund")
        self.night()
        self.assertEqual(self._file(self.anna).credited_share, 0.25)
        self.assertIn("25 % of what was invoiced in 12 months was credited.", self._said(self.anna))
        self.assertFalse(self.profile(self.bert))

    def test_money_is_the_company_s(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "company_id": self.company.id, "name": before(400), "rate": 0.5})
        invoice = self._owed(self.anna, 40, amount=100, currency_id=euro.id)
        invoice.action_toggle_block_payment()
        self.credited(self.anna, before(20), amount=50)
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.disputed_amount, profile.credited_share), (200, 0.25))

    # ------------------------------------------------------------------ in words
    def test_lateness_is_said_where_it_says_something(self):
        for customer, now, then in ((self.anna, 25, 5), (self.bert, 10, 30), (self.cleo, 6, 6)):
            for days, late in ((100, now), (120, now), (140, now), (500, then), (520, then), (540, then)):
                self._owed(customer, days, paid=days - late)
        self.night()
        self.assertIn("Pays 25 days late on average, 20 more than a year ago.", self._said(self.anna))
        self.assertIn("Pays 10 days late on average, 20 less than a year ago.", self._said(self.bert))
        self.assertNotIn("late", self._said(self.cleo))
        self.env["res.lang"]._activate_lang("zh_CN")
        self.assertIn("平均逾期 25 天付款，比一年前多 20 天。", self._said(self.anna, "zh_CN"))

    def test_few_instalments_say_nothing(self):
        for days in (100, 120):
            self._owed(self.anna, days, paid=days - 50)
        self.night()
        self.assertEqual(self._file(self.anna).days_late, 50)
        self.assertNotIn("late", self._said(self.anna))

    # ------------------------------------------------------------------ readers
    def test_a_salesperson_without_accounting_reads_them(self):
        seller = self._user("churn_seller", USER)
        self.anna.user_id = seller
        invoice = self._owed(self.anna, 40)
        invoice.action_toggle_block_payment()
        self.night()
        self.assertFalse(self.env["account.move"].with_user(seller).has_access("read"))
        form = Form(self._file(self.anna, seller))
        self.assertEqual((form.due_item_count, form.days_late, form.disputed_amount), (1, 40, 100))
        self.assertIn("is disputed", form.explanation)

    def test_the_number_of_queries_does_not_grow(self):
        customers = self.customers(12)
        for customer in customers:
            for days in (100, 120, 140):
                self._owed(customer, days, paid=days - 50)
            self._owed(customer, 20).action_toggle_block_payment()
            self.credited(customer, before(10), amount=50)
        self.night()
        profiles = self.Profile.search([("partner_id", "in", customers.ids)])

        def queries(count, names):
            self.env.invalidate_all()
            started = self.env.cr.sql_log_count
            profiles[:count].read(names)
            return self.env.cr.sql_log_count - started

        queries(12, ["explanation"])
        for names in (["explanation"], PAYMENT_FIELDS):
            self.assertEqual(queries(12, names), queries(2, names))
        # the profiles, the instalments, the documents, and the currency of the money
        self.assertLessEqual(queries(12, PAYMENT_FIELDS), 5)
