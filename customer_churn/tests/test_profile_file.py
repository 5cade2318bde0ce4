import json
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import Form, tagged

from ..models.customer_churn_profile_file import AGEING, DOCUMENT_LIMIT
from .common import TODAY, USER, ChurnCommon, before, day

FILE_FIELDS = (
    "partner_address", "contact_ids", "revenue_ratio", "purchase_graph", "purchase_ids", "message_ids", "activity_ids",
    "due_amount", "overdue_amount", "usual_payment_days", "rhythm", "explanation", "next_deadline",
)


@tagged("post_install", "-at_install", "customer_churn")
class TestProfileFile(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.seller = self._user("churn_seller", USER)
        self.contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.sister = self._create_company("Sister")
        today = patch.object(fields.Date, "context_today", lambda *args: TODAY)
        today.start()
        self.addCleanup(today.stop)

    def _file(self, partner, user=None):
        """The profile as somebody reads it now."""
        self.env.invalidate_all()
        return self.profile(partner).with_user(user or self.env.user)

    # ------------------------------------------------------------------ transactions
    def test_the_graph_shows_the_purchases_of_24_months(self):
        self.bought(self.anna, "2025-06-03", "2025-06-20", "2024-07-01", amount=100)
        self.bought(self.contact, "2024-06-30", amount=50)
        self.bought(self.anna, "2023-06-30", amount=7)
        self.credited(self.anna, "2025-04-10", amount=30)
        self.bought(self.anna, "2025-05-05", amount=1000, company=self.sister)
        self.bought(self.bert, "2025-05-05", amount=2000)
        self.drafted(self.anna, "2025-05-05", amount=4000)
        self.reversed(self.bought(self.anna, "2025-05-05", amount=8000), "2025-05-06")
        self.night()
        graph = json.loads(self._file(self.anna).purchase_graph)
        [bars] = graph["datasets"]
        labels, values = graph["labels"], bars["data"]
        self.assertEqual((len(values), labels[0], labels[-1]), (24, "Jul 2023", "Jun 2025"))
        self.assertEqual({label: value for label, value in zip(labels, values, strict=True) if value is not None},
                         {"Jun 2025": 200, "Apr 2025": -30, "Jul 2024": 100, "Jun 2024": 50})
        this_year = sum(value or 0 for value in values[12:])
        self.assertEqual((this_year, labels[11], bars["tone"][11:13]), (270, "Jun 2024", ["muted", "primary"]))
        self.assertEqual(self._file(self.anna).revenue_12m, this_year)

    def test_the_last_documents_are_the_customer_s_own(self):
        posted = self.bought(self.anna, *[before(n) for n in range(20, 10, -1)])
        late = self.bought(self.contact, before(1)) | self.credited(self.anna, before(2), amount=30)
        self.drafted(self.anna, before(0))
        self.bought(self.anna, before(0), company=self.sister)
        self.bought(self.bert, before(0))
        self.night()
        profile = self._file(self.anna)
        expected = (posted | late).sorted(lambda move: (move.invoice_date, move.id), reverse=True)
        self.assertEqual(profile.document_ids, expected[:DOCUMENT_LIMIT])
        self.assertEqual(profile.document_count, 12)
        self.assertEqual(profile.purchase_ids.mapped("date"), sorted(
            {*posted.mapped("invoice_date"), before(1)}, reverse=True)[:DOCUMENT_LIMIT])
        opened = self.env["account.move"].search(profile.action_open_invoices()["domain"])
        self.assertEqual(opened, posted | late)

    # ------------------------------------------------------------------ money
    def test_the_ageing_is_that_of_the_open_documents(self):
        for days, amount in ((-3, 1), (0, 2), (1, 4), (30, 8), (31, 16), (60, 32), (61, 64), (90, 128), (91, 256)):
            self.bought(self.anna, before(100), amount=amount, invoice_date_due=before(days))
        self.credited(self.anna, before(40), amount=10, invoice_date_due=before(40))
        self.bought(self.anna, before(100), amount=5000, company=self.sister)
        self.bought(self.bert, before(100), amount=9000)
        self.night()
        profile = self._file(self.anna)
        self.assertEqual([profile[name] for name in AGEING], [3, 12, 48 - 10, 192, 256])
        self.assertEqual(profile.due_amount, 511 - 10)
        self.assertEqual(profile.due_amount, self.anna.credit)
        self.assertEqual(profile.overdue_amount, 508 - 10)

    def test_a_credit_is_not_overdue(self):
        self.bought(self.anna, before(100), amount=20, invoice_date_due=before(5))
        self.credited(self.anna, before(50), amount=50, invoice_date_due=before(50))
        self.night()
        profile = self._file(self.anna)
        self.assertEqual((profile.overdue_amount, profile.due_amount), (0, -30))

    def test_the_usual_days_to_pay_are_the_median(self):
        for days in (10, 20, 60):
            [invoice] = self.bought(self.anna, before(100))
            self.paid(invoice, before(100 - days))
        self.paid(self.bought(self.anna, before(400)), before(1))
        self.bought(self.anna, before(100))
        self.paid(self.bought(self.bert, before(90)), before(88))
        self.paid(self.bought(self.cleo, before(9)), before(9))
        self.night()
        for customer, days, count in ((self.anna, 20, 3), (self.bert, 2, 1), (self.cleo, 0, 1)):
            profile = self._file(customer)
            self.assertEqual((profile.usual_payment_days, profile.paid_invoice_count), (days, count))

    # ------------------------------------------------------------------ communication
    def test_messages_and_activities_of_the_customer_and_its_contacts(self):
        self.bought(self.anna, before(5))
        self.night()
        said = self.anna.message_post(body="Called", message_type="comment")
        written = self.contact.message_post(body="Price list?", message_type="email")
        self.anna.message_post(body="Phone changed", message_type="notification")
        self.bert.message_post(body="Not hers", message_type="comment")
        activity = self.contact.activity_schedule("mail.mail_activity_data_todo", date_deadline=TODAY)
        profile = self._file(self.anna)
        self.assertEqual(profile.message_ids, written | said)
        self.assertEqual(profile.message_ids.ids, [written.id, said.id])
        self.assertEqual(profile.activity_ids, activity)

    def test_nobody_sees_messages_he_may_not_read(self):
        secret = self.env["res.partner"].create({"name": "Secret", "parent_id": self.anna.id})
        self.anna.user_id = self.seller
        self.bought(self.anna, before(5))
        self.night()
        seen = self.contact.message_post(body="Price list?", message_type="comment")
        hidden = secret.message_post(body="Between us", message_type="comment")
        activity = secret.activity_schedule("mail.mail_activity_data_todo", user_id=self.env.uid)
        self.env["ir.rule"].create({
            "name": "No secrets", "model_id": self.env["ir.model"]._get_id("res.partner"),
            "groups": [Command.set(self.env.ref(USER).ids)], "domain_force": "[('name', '!=', 'Secret')]"})
        both = self._file(self.anna).with_user(self.env.ref("base.user_root"))
        self.assertEqual((both.message_ids, both.activity_ids), (seen | hidden, activity))
        profile = self._file(self.anna, self.seller)
        self.assertEqual(profile.message_ids, seen)
        self.assertFalse(profile.activity_ids)
        self.assertEqual(profile.contact_ids, self.contact)

    # ------------------------------------------------------------------ readers
    def test_a_salesperson_without_accounting_reads_the_form(self):
        self.anna.write({"user_id": self.seller.id, "street": "12 Harbour Road", "city": "Rotterdam"})
        self.bought(self.anna, before(100), amount=100, invoice_date_due=before(70))
        self.bought(self.anna, before(100), amount=4000, company=self.sister)
        self.contact.message_post(body="Price list?", message_type="comment")
        self.night()
        self.assertFalse(self.env["account.move"].with_user(self.seller).has_access("read"))
        form = Form(self._file(self.anna, self.seller))
        self.assertEqual((form.overdue_amount, form.overdue_90_amount, form.due_amount), (100, 100, 100))
        self.assertEqual(form.partner_address, "12 Harbour Road\nRotterdam")
        self.assertEqual(len(form.purchase_ids), 1)
        self.assertEqual(len(form.message_ids), 1)
        self.assertNotIn("document_ids", form._view["fields"])
        accountant = self._user("churn_accountant", f"{USER},account.group_account_readonly")
        self.anna.user_id = accountant
        form = Form(self._file(self.anna, accountant))
        self.assertEqual(len(form.document_ids), 1)

    def test_the_number_of_queries_does_not_grow(self):
        self.company.churn_case_capacity = 0  # who has a case is seen for that, the others for their salesperson
        customers = self.customers(12)
        customers.user_id = self.seller
        for customer in customers:
            buyer = self.env["res.partner"].create({"name": "Buyer", "parent_id": customer.id, "street": "1 Road"})
            self.paid(self.bought(buyer, before(50)), before(20))
            self.bought(customer, before(100), before(40))
            buyer.message_post(body="Hello", message_type="comment")
            customer.activity_schedule("mail.mail_activity_data_todo", user_id=self.seller.id)
        self.night()
        profiles = self.Profile.search([("partner_id", "in", customers.ids)]).with_user(self.seller)

        def queries(count, names):
            self.env.invalidate_all()
            before_reading = self.env.cr.sql_log_count
            profiles[:count].read(names)
            return self.env.cr.sql_log_count - before_reading

        for name in FILE_FIELDS:
            queries(12, [name])  # access rules and the like are cached
            with self.subTest(field=name):
                # core asks once a profile whether its messages may be read
                growth = 10 if name == "message_ids" else 0
                self.assertEqual(queries(12, [name]) - queries(2, [name]), growth)

    def test_the_ratio_is_that_of_the_two_years(self):
        self.bought(self.anna, before(30), amount=50)
        self.bought(self.anna, before(400), amount=200)
        self.bought(self.bert, before(30))
        self.night()
        self.assertEqual(self._file(self.anna).revenue_ratio, 25)
        self.assertEqual(self._file(self.bert).revenue_ratio, 0)

    def test_labels_speak_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.bought(self.anna, day("2025-05-05"))
        self.night()
        graph = json.loads(self._file(self.anna).with_context(lang="fr_FR").purchase_graph)
        self.assertEqual(graph["labels"][-1], "juin 2025")
