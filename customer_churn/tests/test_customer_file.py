from unittest.mock import patch

from lxml import html
from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MANAGER, TODAY, ChurnCommon, before, day

PROFILES = "customer_churn.report_file"
PARTNERS = "customer_churn.report_partner_file"


@tagged("post_install", "-at_install", "customer_churn")
class TestCustomerFile(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days()
        today = patch.object(fields.Date, "context_today", lambda *args: TODAY)
        today.start()
        self.addCleanup(today.stop)

    def printed(self, records, report=PROFILES, user=None, **context):
        """The pages, a customer each, as lists of their texts."""
        self.env.invalidate_all()
        Report = self.env["ir.actions.report"].with_user(user or self.env.user).with_context(**context)
        content, _kind = Report._render_qweb_html(report, records.ids)
        pages = html.fromstring(content).xpath("//div[contains(concat(' ', @class, ' '), ' article ')]")
        return [[text.strip() for text in page.itertext() if text.strip()] for page in pages]

    def row(self, texts, label):
        return texts[texts.index(label) + 1]

    def lived(self):
        self.anna.write({"phone": "+31 10 1234", "city": "Rotterdam"})
        self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id, "email": "buyer@example.com"})
        [first] = self.bought(self.anna, "2015-03-01", amount=40)
        first.line_ids.date_maturity = day("2015-03-11")
        self.paid(first, "2015-03-21")
        self.bought(self.anna, "2016-03-01", "2024-11-01", "2025-02-01", amount=100)
        self.anna.message_post(body="The long text", subject="Price list 2025", message_type="comment")
        self.anna.message_post(body="Called on Monday", message_type="comment")
        self.night()

    def test_the_whole_file(self):
        self.lived()
        [texts] = self.printed(self.profile(self.anna))
        profile = self.profile(self.anna)
        for text in ("Anna", "Rotterdam", "Buyer | buyer@example.com", profile.explanation, "Price list 2025",
                     "Called on Monday"):
            self.assertTrue([found for found in texts if text in found], text)
        self.assertNotIn("The long text", " ".join(texts))
        self.assertEqual(self.row(texts, "Phone"), "+31 10 1234")
        self.assertEqual(self.row(texts, "Customer Since"), "03/01/2015")
        years = texts[texts.index("Revenue by Year") + 1:texts.index("Last Documents")]
        self.assertEqual([text for text in years if text.isdigit()], ["2025", "2024", "2016", "2015"])
        self.assertEqual([text for text in years if "." in text], ["100.00", "100.00", "100.00", "40.00"])
        self.assertEqual(self.row(texts, "Total Due"), "$")
        self.assertIn("INV/2015/00001 paid 10 days late", texts)
        self.assertEqual(texts.count("Bought"), 4)

    def test_a_salesperson_prints_own_customers_without_documents(self):
        self.lived()
        [texts] = self.printed(self.profile(self.anna), user=self.seller)
        self.assertNotIn("Last Documents", texts)
        self.assertIn("Last Purchases", texts)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.printed(self.profile(self.anna), user=self.other_seller)
        [texts] = self.printed(self.anna, PARTNERS, self.other_seller)
        self.assertFalse([text for text in texts if "03/01/2015" in text or "Bought" in text])

    def test_only_users_of_the_app_are_offered_it(self):
        group = self.env.ref("customer_churn.group_customer_churn_user")
        for name in ("customer_churn_profile_action_report_file", "res_partner_action_report_file"):
            report = self.env.ref(f"customer_churn.{name}")
            self.assertEqual(report.group_ids, group)
            self.assertFalse(report.paperformat_id, "that of the company")
        clerk = self._user("churn_clerk", "base.group_user")
        bindings = self.env["ir.actions.actions"].with_user(clerk).get_bindings("res.partner").get("report", [])
        self.assertNotIn("Customer File", [binding["name"] for binding in bindings])

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_others_print_nothing(self):
        self.lived()
        for groups in ("base.group_user", "base.group_portal"):
            user = self._user(f"churn_{groups[-6:]}", groups)
            for report, records in ((PROFILES, self.profile(self.anna)), (PARTNERS, self.anna)):
                with self.assertRaises(AccessError):
                    self.printed(records, report, user)

    def test_contacts_print_the_customer_they_belong_to_once(self):
        self.lived()
        self.bought(self.bert, before(5))
        self.night()
        pages = self.printed(self.anna | self.anna.child_ids | self.bert | self.cleo, PARTNERS)
        self.assertEqual([[name for name in ("Anna", "Bert", "Cleo") if name in texts] for texts in pages],
                         [["Anna"], ["Bert"], ["Cleo"]])
        self.assertTrue([text for text in pages[2] if "there is nothing to analyse yet" in text])
        self.assertFalse([text for text in pages[1] if "there is nothing to analyse yet" in text])
        self.assertNotIn("What Happened", pages[2])

    def test_it_speaks_the_reader_s_language_and_not_the_customer_s(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"].search([("name", "=", "customer_churn")])._update_translations(["zh_CN"])
        self.lived()
        self.anna.lang = "en_US"
        reader = self._user("churn_reader", f"{MANAGER},account.group_account_readonly", lang="zh_CN")
        [texts] = self.printed(self.profile(self.anna), user=reader, lang="zh_CN")
        for text in ("年度收入", "已购买", "INV/2015/00001 逾期 10 天付款", "沉睡" if "沉睡" in texts else "已流失"):
            self.assertIn(text, texts)
        self.assertNotIn("Revenue by Year", texts)

    def test_each_customer_begins_on_a_page_of_its_own(self):
        self.lived()
        self.bought(self.bert, before(5))
        self.night()
        profiles = self.profile(self.anna) | self.profile(self.bert)
        Report = self.env["ir.actions.report"]
        content, _kind = Report._render_qweb_html(PROFILES, profiles.ids)
        bodies, _ids, headers, _footer, _arguments = Report._prepare_html(content, report_model=profiles._name)
        self.assertEqual([[name for name in ("Anna", "Bert") if name in body] for body in bodies], [["Anna"], ["Bert"]])
        self.assertTrue(headers)

    def test_the_number_of_queries_does_not_grow_with_the_customers(self):
        customers = self.customers(12)
        customers.user_id = self.seller
        for customer in customers:
            [first, _second] = self.bought(customer, before(60), before(40))
            first.line_ids.date_maturity = before(50)
            self.paid(first, before(45))
            customer.message_post(body="Hello", message_type="comment")
            self.env["res.partner"].create({"name": "Buyer", "parent_id": customer.id})
        self.night()
        profiles = self.Profile.search([("partner_id", "in", customers.ids)])

        def queries(count):
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(self.printed(profiles[:count], user=self.seller)), count)
            return self.env.cr.sql_log_count - start

        queries(12)
        # core asks once a profile whether its messages may be read
        self.assertEqual(queries(12) - queries(2), 10)
