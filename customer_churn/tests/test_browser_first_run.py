from odoo.tests import HttpCase, tagged

from .common import ChurnCommon


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowserFirstRun(ChurnCommon, HttpCase):
    def test_a_manager_of_a_fresh_company_sees_the_analysis_finish_and_opens_the_customers(self):
        self.bought(self.anna, "2025-01-05", "2025-02-05", "2025-03-05")
        self.bought(self.bert, "2025-03-01")
        self.env["customer.churn.policy"]._get_policies(self.company).write(
            {"rule": "days", "at_risk_days": 3000, "dormant_days": 4000, "lost_days": 5000})
        self._user("churn_boss", "customer_churn.group_customer_churn_manager,base.group_system")
        self.start_tour("/odoo", "customer_churn_first_run", login="churn_boss")
        self.assertFalse(self.company.churn_share_unassigned)
