from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import MANAGER, USER, ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowserCare(ChurnCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.by_days(dormant_days=90)
        self.seller = self._user("churn_seller", USER)
        self._user("churn_boss", MANAGER)
        self.today = fields.Date.today()  # the browser and the server it talks to live today

    def silent(self, customers):
        customers.user_id = self.seller
        for customer in customers:
            self.bought(customer, *(before(n, self.today) for n in (100, 70, 40)))
        self.night(self.today)

    def test_a_salesperson_does_what_is_planned_and_says_why_the_customer_left(self):
        self.silent(self.anna)
        case = self.cases(self.anna)
        case.activity_schedule("mail.mail_activity_data_call", self.today, user_id=self.seller.id, summary="Call")
        self.start_tour("/odoo/my-customers", "customer_churn_morning", login="churn_seller")
        self.assertFalse(case.activity_ids)
        self.assertEqual(case.reason_id, self.reason("price"))

    def test_a_manager_builds_a_care_plan_and_sees_whom_it_would_treat(self):
        self.silent(self.anna)
        self.start_tour("/odoo/care-plans", "customer_churn_care_plan", login="churn_boss")
        plan = self.env["customer.care.plan"].search([("name", "=", "Call whom we miss")])
        self.assertEqual((plan.company_id, plan.control_share, plan.treatment_count), (self.company, 20, 0))

    def test_one_reason_for_thirty_customers(self):
        customers = self.customers(30)
        self.silent(customers)
        self.start_tour("/odoo/customer-retention", "customer_churn_mass_reason", login="churn_boss")
        self.env.invalidate_all()
        profiles = self.Profile.search([("company_id", "=", self.company.id)])
        self.assertEqual(profiles.reason_id, self.reason("customer_distress"))
        self.assertEqual(len(profiles.reason_id and profiles.filtered("reason_id")), 30)
