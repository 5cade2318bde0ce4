from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_books import APPROVER, BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksRights(BooksCommon):
    def test_who_may_not_prepare(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.prepare(self.inv((10, None)))
        writeoff.action_submit()
        people = {
            "internal": "base.group_user", "portal": "base.group_portal",
            "sales": "base.group_user,customer_churn.group_customer_churn_manager",
            "readonly": "base.group_user,account.group_account_readonly",
            "invoicing": "base.group_user,account.group_account_invoice"}
        for name, groups in people.items():
            user = new_test_user(self.env, f"books_{name}", groups=groups, company_id=self.company.id,
                                 company_ids=[Command.set(self.company.ids)])
            with self.subTest(name=name):
                with self.assertRaises(AccessError):
                    self.prepare(invoice, user=user)
                for method in ("action_submit", "action_approve", "action_post", "action_undo", "action_cancel"):
                    with self.assertRaises(AccessError):
                        getattr(writeoff.with_user(user), method)()
        self.assertEqual(writeoff.state, "approved")

    def test_officer_prepares_and_approver_posts(self):
        writeoff = self.prepare(self.inv((1000, self.t15)))
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "approved")
        with self.assertRaises(AccessError):
            writeoff.action_post()
        writeoff.with_user(self.approver).action_post()
        self.assertEqual((writeoff.state, writeoff.move_id.create_uid), ("posted", self.approver))

    def test_above_the_limit_by_a_second_person(self):
        self.company.bad_debt_approval_limit = 1149.99
        writeoff = self.prepare(self.inv((1000, self.t15)), user=self.approver)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "to_approve")
        for method in ("action_approve", "action_post"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(writeoff, method)()
        writeoff.with_user(self.second).action_approve()
        writeoff.action_post()
        self.assertEqual(writeoff.state, "posted")

    def test_at_the_limit_nobody_else(self):
        self.company.bad_debt_approval_limit = 1150
        writeoff = self.prepare(self.inv((1000, self.t15)), user=self.approver)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "approved")

    def test_zero_means_every_one(self):
        self.company.bad_debt_approval_limit = 0
        writeoff = self.prepare(self.inv((1, None)))
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "to_approve")

    def test_a_draft_is_not_posted(self):
        writeoff = self.prepare(self.inv((1000, self.t15)))
        with self.assertRaises(UserError):
            writeoff.with_user(self.approver).action_post()

    def test_the_state_is_written_by_the_methods_only(self):
        writeoff = self.prepare(self.inv((1000, self.t15)))
        for user in (self.officer, self.approver, self.env.user):
            with self.subTest(user=user.login), self.assertRaises(UserError):
                writeoff.with_user(user).write({"state": "approved"})
        with self.assertRaises(UserError):
            self.Writeoff.with_user(self.approver).create({
                "company_id": self.company.id, "partner_id": self.partner.id, "date": "2026-11-20",
                "state": "approved"})

    def test_another_amount_is_another_request(self):
        self.company.bad_debt_approval_limit = 100
        writeoff = self.prepare(self.inv((1000, self.t15)))
        writeoff.action_submit()
        writeoff.with_user(self.approver).action_approve()
        writeoff.line_ids.amount_currency = 1000
        self.assertEqual(writeoff.state, "draft")
        with self.assertRaises(UserError):
            writeoff.with_user(self.approver).action_post()

    def test_by_parts_the_limit_is_not_evaded_after_approval(self):
        """What was approved is what is booked: a part more to the document is a new request."""
        self.company.bad_debt_approval_limit = 100
        first, second = self.inv((50, None)), self.inv((5000, None))
        writeoff = self.prepare(first, user=self.approver)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "approved")
        writeoff.write({"line_ids": [Command.create({
            "move_line_id": self.due(second).id, "amount_currency": 5000})]})
        with self.assertRaises(UserError):
            writeoff.action_post()
        self.assertEqual(second.amount_residual, 5000)

    def test_other_companies_see_nothing(self):
        writeoff = self.prepare(self.inv((1000, self.t15)))
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self._person("books_stranger", APPROVER, company=other)
        self.assertFalse(self.Writeoff.with_user(stranger).search([("id", "=", writeoff.id)]))
        with self.assertRaises(AccessError):
            writeoff.with_user(stranger).read(["state"])
        with self.assertRaises(AccessError):
            writeoff.with_user(stranger).action_submit()

    def test_exception_to_a_lock_counts_for_its_user(self):
        writeoffs = self.prepare(self.inv((1000, None)), on="2026-10-15") | self.prepare(
            self.inv((1000, None), partner=self.partner_a), on="2026-10-15")
        writeoffs.action_submit()
        self.company.fiscalyear_lock_date = "2026-10-31"
        self.env["account.lock_exception"].create({
            "company_id": self.company.id, "user_id": self.approver.id, "fiscalyear_lock_date": "2026-09-30",
            "end_datetime": "2099-01-01 00:00:00"})
        with self.assertRaises(UserError):
            writeoffs[1].with_user(self.second).action_post()
        writeoffs[0].with_user(self.approver).action_post()
        self.assertEqual(str(writeoffs[0].move_id.date), "2026-10-15")

    def test_cancelled_is_out_of_the_way(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.prepare(invoice)
        writeoff.action_submit()
        writeoff.action_cancel()
        self.assertEqual(writeoff.state, "cancelled")
        with self.assertRaises(UserError):
            writeoff.with_user(self.approver).action_post()
        self.assertEqual(self.write_off(invoice).state, "posted")

    def test_a_paid_invoice_between_request_and_posting(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.prepare(invoice)
        writeoff.action_submit()
        self.pay(1150, invoice=invoice)
        moves = self.env["account.move"].search_count([])
        with self.assertRaises(UserError):
            writeoff.with_user(self.approver).action_post()
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertEqual(self.balance(self.ar), 0)

    def test_a_credit_between_request_and_posting(self):
        """Whoever approved 1,150 does not give up 1,150 of which 500 are in the bank."""
        invoice = self.inv((1000, self.t15))
        writeoff = self.prepare(invoice)
        writeoff.action_submit()
        self.pay(500)
        try:
            writeoff.with_user(self.approver).action_post()
        except UserError:
            self.assertEqual(self.balance(self.ar), 650)
        else:
            self.env.invalidate_all()
            self.assertEqual((self.balance(self.ar), writeoff.amount_total), (0, 650))
