from odoo.tests import HttpCase, new_test_user, tagged

from .common_bad_debt import APPROVER, BadDebtFixture


@tagged("post_install", "-at_install", "customer_churn", "customer_churn_browser")
class TestBrowserBadDebt(BadDebtFixture, HttpCase):
    """An accountant's way, on today's date: the browser and the server it talks to live today."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_books()
        cls.asks = cls._accountant("bad_debt_asks")
        cls.decides = cls._accountant("bad_debt_decides")

    @classmethod
    def _accountant(cls, login):
        return new_test_user(
            cls.env, login=login, groups=f"base.group_user,base.group_partner_manager,{APPROVER}",
            company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)])

    def test_one_invoice_is_written_off_partly_recovered_and_undone(self):
        invoice = self._invoice((1000, self.t15))
        self.start_tour(f"/odoo/account.move/{invoice.id}", "customer_bad_debt_one_invoice", login="bad_debt_asks")
        writeoff = self.Writeoff.search([("partner_id", "=", self.debtor.id)])
        self.assertEqual((writeoff.state, writeoff.amount_recovered, writeoff.amount_undone), ("reversed", 115, 460))
        self.assertEqual(invoice.amount_residual, 1150 - 115)

    def test_ten_invoices_of_a_customer_need_a_second_person(self):
        self.company.bad_debt_approval_limit = 5000
        for i in range(10):
            self._invoice((100 * (i + 1), None))
        self.start_tour(
            f"/odoo/res.partner/{self.debtor.id}", "customer_bad_debt_ten_invoices", login="bad_debt_asks")
        writeoff = self.Writeoff.search([("partner_id", "=", self.debtor.id)])
        self.assertEqual((writeoff.state, len(writeoff.line_ids)), ("to_approve", 10))
        self.start_tour(
            "/odoo/action-customer_churn.customer_bad_debt_writeoff_action", "customer_bad_debt_approval",
            login="bad_debt_decides")
        self.assertEqual((writeoff.state, writeoff.amount_expense), ("posted", 5500))
        self.assertEqual(writeoff.approved_by_id, self.decides)

    def test_a_batch_is_prepared_posted_and_mended(self):
        people = self.env["res.partner"].create([
            {"name": name, "property_account_receivable_id": self.ar.id} for name in ("Anna", "Bert", "Cleo", "Dora")])
        invoices = [self._invoice((amount, None), partner=partner, date="2025-05-01")
                    for partner, amount in zip(people, (1000, 1100, 1200, 100), strict=True)]
        self._items(invoices[2]).no_followup = True
        url = "/odoo/action-customer_churn.customer_bad_debt_batch_action"
        self.start_tour(url, "customer_bad_debt_batch", login="bad_debt_asks")
        batch = self.env["customer.bad.debt.batch"].search([("company_id", "=", self.company.id)])
        self.assertEqual((batch.state, batch.posted_by_id, batch.writeoff_ids.partner_id), (
            "posting", self.asks, people[0] | people[1]))
        self._payment(1000, partner=people[0], invoices=invoices[0])
        while batch.with_user(1)._take_up():
            self.env.flush_all()
        self.start_tour(url, "customer_bad_debt_batch_failed", login="bad_debt_asks")
        self.assertEqual(batch.writeoff_ids.sorted("partner_id").mapped("state"), ["cancelled", "posted"])
        self.assertEqual(batch.state, "done")
        self.assertEqual((invoices[1].amount_residual, invoices[3].amount_residual), (0, 100))
