from odoo.tests import HttpCase, tagged

from .common import ChurnCommon

USER = "customer_churn.group_customer_churn_user"
MANAGER = "customer_churn.group_customer_churn_manager"
CLICK_OUR_MENUS = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    ".startClickEverywhere('customer_churn.customer_churn_menu_root');"
)


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowser(ChurnCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.seller = self._user("churn_seller", USER)
        self.anna.user_id = self.seller
        buyer = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.Policy._get_policies(self.company).write({
            "rule": "days", "at_risk_days": 30, "dormant_days": 9000, "lost_days": 9999, "new_days": 1,
            "single_rule": "same"})
        self.bought(self.anna, "2025-03-01", "2025-04-01", "2025-05-01", invoice_date_due="2025-05-15")
        self.bought(self.bert, "2025-03-01", "2025-04-01")
        self.night()
        buyer.message_post(body="Price list?", message_type="comment")

    def test_a_salesperson_finds_a_customer_at_risk_and_reads_the_file(self):
        self.start_tour("/odoo", "customer_churn_profile", login="churn_seller")

    def _click_every_menu_view_and_filter(self, login):
        self.browser_js(
            "/odoo", CLICK_OUR_MENUS, "odoo.isReady === true", login=login, timeout=300,
            success_signal="clickbot test succeeded")

    def test_every_screen_opens_for_a_manager(self):
        self._user("churn_boss", f"{MANAGER},base.group_system,account.group_account_invoice")
        self._click_every_menu_view_and_filter("churn_boss")

    def test_every_screen_opens_for_a_salesperson(self):
        self._click_every_menu_view_and_filter("churn_seller")
