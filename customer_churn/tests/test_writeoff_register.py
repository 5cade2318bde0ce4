from odoo.tests import HttpCase, tagged

from .common_bad_debt import APPROVER, BadDebtCommon, BadDebtFixture


@tagged("post_install", "-at_install")
class TestWriteoffRegister(BadDebtCommon):
    def _rows(self):
        self.env.flush_all()
        return self.env["customer.bad.debt.register"].with_user(self.officer).search([], order="id")

    def test_register_shares_the_document_among_its_items_and_follows_a_recovery(self):
        seller = self._create_user("seller_of_it", "base.group_user")
        self.debtor.user_id = seller
        early = self._invoice((1000, self.t15), date="2026-01-10", invoice_user_id=False)
        late = self._invoice((3000, self.t15), date="2026-11-01", invoice_user_id=False)
        self._write_off(early | late)
        rows = self._rows()
        self.assertEqual(rows.mapped("move_id"), early | late)
        self.assertEqual(rows.mapped("amount"), [1150, 3450])
        self.assertEqual(rows.mapped("amount_expense"), [1000, 3000])
        self.assertEqual(rows.mapped("amount_tax"), [150, 450])
        self.assertEqual(rows.mapped("age"), ["3", "0"])
        self.assertEqual(rows.mapped("days_overdue"), [314, 19])
        self.assertEqual(rows.user_id, seller)
        self.Recovery.with_user(self.approver)._create_for(rows.writeoff_id.with_user(self.approver), amount=2300)
        self.env.invalidate_all()
        rows = self._rows()
        self.assertEqual(rows.mapped("amount_recovered"), [575, 1725])
        self.assertEqual(rows.mapped("amount_tax_back"), [75, 225])
        self.assertEqual(rows.mapped("recovered_share"), [0.5, 0.5])

    def test_register_keeps_what_was_undone_apart_and_drafts_out(self):
        self._prepare(self._invoice((10, None)))
        self._write_off(self._invoice((1000, None))).action_undo("2026-11-21")
        row = self._rows()
        self.assertEqual((row.amount, row.amount_undone, row.amount_standing), (1000, 1000, 0))

    def test_decision_prints_items_figures_and_entry(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        html = self.env["ir.actions.report"].with_user(self.approver)._render_qweb_html(
            "customer_churn.report_writeoff", writeoff.ids)[0].decode()
        for text in ("Decision to Write Off", "1,150.00", "1,000.00", writeoff.move_id.name, self.bde.code):
            self.assertIn(text, html)

    def test_profile_shows_what_was_lost_and_tells_it(self):
        profile = self.env["customer.churn.profile"].create({
            "partner_id": self.debtor.id, "company_id": self.company.id, "status": "lost"})
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self.Recovery.with_user(self.approver)._create_for(writeoff, amount=230)
        self.assertEqual((profile.written_off_amount, profile.recovered_amount), (1150, 230))
        told = [(row["kind"], row["amount"]) for row in profile._get_happenings() if row["kind"] == "write_off"]
        self.assertCountEqual(told, [("write_off", 1150), ("write_off", 230)])
        reader = self._create_user("reader", "customer_churn.group_customer_churn_manager")
        self.assertFalse(profile.with_user(reader)._get_writeoff_happenings(None))


@tagged("post_install", "-at_install")
class TestWriteoffPortal(BadDebtFixture, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_books()

    def test_portal_says_written_off_only_where_the_company_tells(self):
        approver = self._create_user("portal_approver", APPROVER)
        customer = self._create_user("portal_debtor", "base.group_portal")
        customer.partner_id.parent_id = self.debtor
        invoice = self._invoice((1000, None))
        writeoff = self.Writeoff.with_user(approver)._create_for(self._items(invoice), "2026-11-20")
        writeoff.action_submit()
        writeoff.action_post()
        self.authenticate("portal_debtor", "portal_debtor")
        page = self.url_open("/my/invoices").text
        self.assertIn(invoice.name, page)
        self.assertNotIn("Written off", page)
        self.assertNotIn('title="Paid"', page)
        self.company.bad_debt_tell_customer = True
        self.assertIn("Written off", self.url_open("/my/invoices").text)
        writeoff.action_undo()
        page = self.url_open("/my/invoices").text
        self.assertNotIn("Written off", page)
        self.assertIn("Waiting for Payment", page)
