from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import MANAGER, USER, ChurnCommon, before

CLICK_OUR_MENUS = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    ".startClickEverywhere('customer_churn.customer_churn_menu_root');"
)


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowser(ChurnCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.seller = self._user("churn_seller", USER)
        (self.anna | self.cleo).user_id = self.seller
        buyer = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.Policy._get_policies(self.company).write({
            "rule": "days", "at_risk_days": 30, "dormant_days": 90, "lost_days": 300, "new_days": 1})
        today = fields.Date.today()  # the browser and the server it talks to live today
        days = [before(n, today) for n in (100, 70, 40)]
        self.bought(self.anna, *days, invoice_date_due=before(95, today))
        self.bought(self.bert, *days)
        self.bought(self.cleo, *days, amount=7)
        self.night(today)
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
