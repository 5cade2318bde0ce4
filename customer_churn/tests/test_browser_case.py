from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowserCase(ChurnCommon, HttpCase):
    def test_a_salesperson_opens_a_case_says_why_and_closes_it_as_lost(self):
        self.anna.user_id = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        self.company.churn_case_capacity = 0
        self.by_days(dormant_days=90)
        today = fields.Date.today()  # the browser and the server it talks to live today
        self.bought(self.anna, *(before(n, today) for n in (100, 70, 40)))
        self.night(today)
        self.start_tour("/odoo/my-customers", "customer_churn_case", login="churn_seller")
        case = self.cases(self.anna)
        self.assertEqual((case.outcome, case.reason_id.code, case.note), ("lost", "service", "Nobody called back"))
        self.assertEqual(len(case.answer_ids), 1)
