from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common import TODAY, USER, ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn")
class TestSummary(ChurnCommon):
    """Anna and Bert are the seller's: Anna at risk with a case of today, Bert turns at risk within the week."""

    def setUp(self):
        super().setUp()
        self.by_days()
        self.seller = self._user("churn_seller", USER, email="seller@example.com", notification_type="email")
        self.idle = self._user("churn_idle", USER, email="idle@example.com")
        (self.anna | self.bert).user_id = self.seller
        self.bought(self.anna, before(90), before(40), amount=500)
        self.bought(self.bert, before(60), before(25), amount=900)
        self.night()

    def send(self, date=TODAY):
        with patch.object(fields.Date, "context_today", lambda *args: date):
            summaries = self.env["customer.churn.summary"]._send(self.company, date)
        self.env.flush_all()
        return summaries

    def messages(self, user):
        return self.env["mail.message"].search([
            ("notified_partner_ids", "in", user.partner_id.ids), ("subject", "like", "Your customers")])

    def test_one_message_with_all_that_waits_dearest_first(self):
        summary = self.send()
        self.assertEqual((summary.user_id, summary.customer_count), (self.seller, 2))
        message = self.messages(self.seller)
        self.assertEqual(len(message), 1)
        self.assertIn("2", message.subject)
        body = message.body
        self.assertIn("New case", body)
        self.assertIn("At risk on 07/05/2025", body)
        dearest = self.profile(self.anna) | self.profile(self.bert)
        first, second = dearest.sorted("revenue_at_stake", reverse=True).mapped("partner_id.name")
        self.assertLess(body.index(first), body.index(second))
        self.assertIn("Bought twice, 50 days apart; silent for 40 days.", body)

    def test_nobody_is_told_twice_and_nobody_of_nothing(self):
        self.assertEqual(self.send().user_id, self.seller)
        self.assertFalse(self.send())
        self.assertEqual(len(self.messages(self.seller)), 1)
        self.assertFalse(self.messages(self.idle))

    def test_activities_due_and_late(self):
        case = self.cases(self.anna)
        tomorrow = TODAY + timedelta(days=1)
        for summary, deadline in (("Call", TODAY), ("Visit", before(3)), ("Later", before(-5))):
            case.activity_schedule("mail.mail_activity_data_todo", deadline, summary=summary, user_id=self.seller.id)
        self.cleo.activity_schedule("mail.mail_activity_data_todo", TODAY, summary="Ask Cleo", user_id=self.idle.id)
        self.send()
        body = self.messages(self.seller).body
        self.assertIn("Call: today", body)
        self.assertIn("Visit: since 06/27/2025", body)
        self.assertNotIn("Later", body)
        self.assertIn("Ask Cleo: today", self.messages(self.idle).body)
        self.assertEqual(self.send(tomorrow).mapped("user_id"), self.seller | self.idle)

    def test_what_waits_with_a_contact_of_two_companies_is_told_by_one(self):
        other = self._create_company("Other")
        self.seller.company_ids |= other
        self.cleo.activity_schedule("mail.mail_activity_data_todo", TODAY, summary="Ask Cleo", user_id=self.seller.id)
        waiting = [self.env["customer.churn.summary"]._get_waiting(company, self.seller, TODAY)[self.seller]
                   for company in (self.company, other)]
        self.assertEqual([self.cleo in customers for customers in waiting], [True, False])
        self.seller.company_id = other
        waiting = [self.env["customer.churn.summary"]._get_waiting(company, self.seller, TODAY)[self.seller]
                   for company in (self.company, other)]
        self.assertEqual([self.cleo in customers for customers in waiting], [False, True])

    def test_nobody_is_told_of_what_is_in_the_pool(self):
        case = self.cases(self.anna)
        case.activity_schedule("mail.mail_activity_data_todo", TODAY, summary="Call", user_id=self.seller.id)
        case.write({"user_id": False, "pool_date": TODAY})
        self.assertEqual(self.send().customer_count, 1)
        self.assertNotIn("Call", self.messages(self.seller).body)

    def test_nobody_is_told_of_a_case_that_is_left_alone(self):
        self.cases(self.anna)._leave_alone(before(-90))
        self.assertEqual(self.send().customer_count, 1)
        self.assertNotIn("New case", self.messages(self.seller).body)

    def test_who_does_not_want_it_or_is_no_salesperson_is_not_told(self):
        self.seller.with_user(self.seller).churn_daily_summary = False
        self.assertFalse(self.send())
        self.seller.churn_daily_summary = True
        self.company.churn_daily_summary = False
        self.assertFalse(self.send())
        self.company.churn_daily_summary = True
        self.seller.group_ids -= self.env.ref(USER)
        self.assertFalse(self.send())

    def test_the_reader_reads_it_in_the_own_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["customer_churn"], ["zh_CN"])
        self.seller.lang = "zh_CN"
        self.send()
        message = self.env["mail.message"].search([("notified_partner_ids", "in", self.seller.partner_id.ids)], limit=1)
        self.assertIn("新个案", message.body)
        self.assertIn("我的客户", message.body)

    def test_links_lead_out_of_the_mail(self):
        self.send()
        mail = self.env["mail.mail"].search([("mail_message_id", "=", self.messages(self.seller).id)])
        self.assertEqual(len(mail), 1)
        base = self.env["ir.config_parameter"].get_param("web.base.url")
        self.assertIn(f"{base}/odoo/customer-retention/{self.profile(self.anna).id}", mail.body_html)

    def test_what_is_written_is_the_same_number_of_queries_whoever_waits(self):
        def count(names):
            customers = self.customers(names, prefix=f"Many {names}")
            customers.user_id = self.seller
            for customer in customers:
                self.bought(customer, before(80), before(40))
            self.night()
            self.env.flush_all()
            self.env.invalidate_all()
            before_all = self.cr.sql_log_count
            self.env["customer.churn.summary"]._send(self.company, TODAY + timedelta(days=names))
            self.env.flush_all()
            return self.cr.sql_log_count - before_all
        count(1)  # what is read once
        self.assertLessEqual(count(8), count(2) + 2)
