from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, RedirectWarning, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common_bad_debt import APPROVER, OFFICER, BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffRights(BadDebtCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice((1000, cls.t15))

    # ------------------------------------------------------------------ who may
    def test_others_may_nothing(self):
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        groups = {
            "internal": "base.group_user", "portal": "base.group_portal", "reader": "account.group_account_readonly",
            "invoicing": "account.group_account_invoice", "manager": "customer_churn.group_customer_churn_manager"}
        for login, group in groups.items():
            with self.subTest(user=login):
                user = new_test_user(self.env, login=f"wo_{login}", groups=group, company_id=self.company.id,
                                     company_ids=[(6, 0, self.company.ids)])
                with self.assertRaises(AccessError):
                    self.Writeoff.with_user(user)._create_for(self._items(self.invoice), "2026-11-20")
                with self.assertRaises(AccessError):
                    self.Writeoff.with_user(user).create({
                        "company_id": self.company.id, "partner_id": self.debtor.id, "date": "2026-11-20"})
                for method in ("action_submit", "action_approve", "action_post", "action_undo", "action_cancel"):
                    with self.assertRaises(AccessError):
                        getattr(writeoff.with_user(user), method)()

    def test_officer_prepares_and_does_not_post(self):
        writeoff = self.Writeoff.with_user(self.officer)._create_for(self._items(self.invoice), "2026-11-20")
        self.assertEqual(writeoff.amount_tax, 150)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "approved")
        for method in ("action_post", "action_undo", "action_approve"):
            with self.assertRaises(AccessError):
                getattr(writeoff, method)()
        writeoff.with_user(self.approver).action_post()
        with self.assertRaises(AccessError):
            self.Recovery.with_user(self.officer)._create_for(writeoff, 10)

    def test_what_a_booked_one_says_of_itself_changes_only_an_approver_and_is_kept(self):
        writeoff = self._prepare(self.invoice)
        reason = self.env["customer.churn.reason"].search([("requires_competitor", "=", False)], limit=1)
        writeoff.with_user(self.officer).write({"reason_id": reason.id, "note": "Gone"})
        writeoff.action_submit()
        writeoff.with_user(self.officer).note = "Gone"  # as approved, it is another request
        self.assertEqual(writeoff.state, "draft")
        writeoff.action_submit()
        writeoff.action_post()
        for _state in ("posted", "reversed"):
            for vals in ({"reason_id": False}, {"note": "Not gone"}):
                with self.assertRaisesRegex(AccessError, "Approver"):
                    writeoff.with_user(self.officer).write(vals)
            if writeoff.state == "posted":
                writeoff.action_undo()
        self.cr.precommit.run()
        writeoff.with_user(self.approver).write({"note": "Moved away"})
        self.cr.precommit.run()
        kept = writeoff.message_ids.sudo().tracking_value_ids.mapped(
            lambda value: (value.field_id.name, value.old_value_text, value.new_value_text))
        self.assertIn(("note", "Gone", "Moved away"), kept)

    def test_second_person_above_the_limit(self):
        self.company.bad_debt_approval_limit = 0
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "to_approve")
        with self.assertRaisesRegex(UserError, "To Approve"):
            writeoff.action_post()
        with self.assertRaisesRegex(AccessError, "second person"):
            writeoff.action_approve()
        second = self._create_user("second", APPROVER)
        writeoff.with_user(second).action_approve()
        writeoff.action_post()
        self.assertEqual((writeoff.state, writeoff.requested_by_id, writeoff.approved_by_id),
                         ("posted", self.approver, second))

    def test_limit_itself_needs_nobody(self):
        self.company.bad_debt_approval_limit = 1150
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "approved")

    def test_whoever_changes_it_sends_it_back(self):
        writeoff = self._prepare(self.invoice)
        for change in (lambda: writeoff.line_ids.write({"amount_currency": 400}),
                       lambda: writeoff.write({"date": "2026-11-19"}),
                       lambda: writeoff.write({"tax_relief": "none"})):
            writeoff.action_submit()
            self.assertEqual(writeoff.state, "approved")
            change()
            self.assertEqual(writeoff.state, "draft")
        other = self._invoice((10, None))
        writeoff.action_submit()
        line = self.env["customer.bad.debt.writeoff.line"].with_user(self.officer).create({
            "writeoff_id": writeoff.id, "move_line_id": self._items(other).id, "amount_currency": 10})
        self.assertEqual(writeoff.state, "draft")
        writeoff.action_submit()
        line.unlink()
        self.assertEqual(writeoff.state, "draft")
        writeoff.action_submit()
        writeoff.action_post()
        self.assertEqual(writeoff.move_id.amount_total, 400)
        with self.assertRaises(UserError):
            writeoff.line_ids.write({"amount_currency": 300})
        with self.assertRaises(UserError):
            writeoff.write({"date": "2026-11-18"})

    def test_state_is_not_written_by_hand(self):
        writeoff = self._prepare(self.invoice)
        for values in ({"state": "approved"}, {"amount_recovered": 5}, {"move_id": self.invoice.id}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                writeoff.write(values)
        for values in ({"amount_undone": 5}, {"split": "{}"}, {"amount_netted": 3}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                writeoff.line_ids.write(values)
        with self.assertRaises(AccessError):
            self.Writeoff.with_user(self.officer).create({
                "company_id": self.company.id, "partner_id": self.debtor.id, "state": "approved"})

    def test_other_companies_are_out_of_sight(self):
        writeoff = self._prepare(self.invoice)
        other = self._create_company("Elsewhere")
        stranger = new_test_user(
            self.env, login="stranger", groups=APPROVER, company_id=other.id, company_ids=[(6, 0, other.ids)])
        seen = self.Writeoff.with_user(stranger).with_context(allowed_company_ids=other.ids)
        self.assertFalse(seen.search([("id", "=", writeoff.id)]))
        with self.assertRaises(AccessError):
            seen.browse(writeoff.id).action_submit()

    def test_what_is_not_approved_is_not_booked(self):
        writeoff = self._prepare(self.invoice)
        with self.assertRaisesRegex(UserError, "Draft"):
            writeoff.action_post()
        writeoff.action_submit()
        writeoff.action_cancel()
        with self.assertRaisesRegex(UserError, "Cancelled"):
            writeoff.action_post()

    def test_an_item_more_is_another_request(self):
        self.company.bad_debt_approval_limit = 100
        writeoff = self._prepare(self._invoice((50, None)))
        writeoff.action_submit()
        writeoff.write({"line_ids": [Command.create({
            "move_line_id": self._items(self.invoice).id, "amount_currency": 1150})]})
        self.assertEqual(writeoff.state, "draft")
        writeoff.action_submit()
        self.assertEqual(writeoff.state, "to_approve")

    def test_exception_from_a_lock_counts_for_its_user(self):
        second = self._create_user("second", APPROVER)
        writeoff = self._prepare(self.invoice, date="2026-10-15")
        writeoff.action_submit()
        self.company.sudo().fiscalyear_lock_date = "2026-10-31"
        self.env["account.lock_exception"].create({
            "company_id": self.company.id, "user_id": self.approver.id, "fiscalyear_lock_date": "2026-09-30",
            "end_datetime": "2099-01-01 00:00:00"})
        with self.assertRaisesRegex(UserError, "closed by"):
            writeoff.with_user(second).action_post()
        writeoff.action_post()
        self.assertEqual(writeoff.move_id.date, self.day("2026-10-15"))

    def test_paid_between_request_and_posting(self):
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self._payment(1150, invoices=self.invoice)
        with self.assertRaisesRegex(UserError, self.invoice.name):
            writeoff.action_post()
        self.assertFalse(self.env["account.move"].search([("bad_debt_writeoff_id", "=", writeoff.id)]))

    def test_credited_between_request_and_posting(self):
        """Nobody gives up 1,150 of which 500 are in the bank, and what was approved is not changed unasked."""
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self._payment(500)
        with self.assertRaisesRegex(UserError, "more than the .*650.00 that are open"), self.env.cr.savepoint():
            writeoff.action_post()
        writeoff.line_ids.amount_currency = 650
        writeoff.action_submit()
        writeoff.action_post()
        self.assertBalances(ar=0, bde=565.22)

    # ------------------------------------------------------------------ refused by name
    def test_draft_invoice_is_refused_and_nothing_prepared(self):
        draft = self._invoice((10, None), post=False)
        with self.assertRaisesRegex(UserError, "not posted"):
            self._prepare(self.invoice | draft)
        self.assertFalse(self.Writeoff.search([("partner_id", "=", self.debtor.id)]))

    def test_paid_is_refused(self):
        self._payment(1150, invoices=self.invoice)
        with self.assertRaisesRegex(UserError, "nothing to write off"):
            self._prepare(self.invoice)

    def test_amounts_that_are_none(self):
        item = self._items(self.invoice)
        for amount in (0, -1, 1150.01, float("nan"), float("inf"), 0.001, "12", None):
            with self.subTest(amount=amount), self.assertRaises(ValidationError):
                self._prepare(self.invoice, {item: amount})

    def test_documents_of_suppliers_are_refused(self):
        journal = self._create_journal("TBILL", "purchase", default_account_id=self.bde.id)
        payable = self._create_account("211000", "Payable", "liability_payable", reconcile=True)
        self.debtor.property_account_payable_id = payable
        for move_type in ("in_invoice", "in_refund", "in_receipt"):
            bill = self._invoice((10, None), move_type=move_type, journal_id=journal.id)
            with self.subTest(move_type=move_type), self.assertRaisesRegex(UserError, "no debt of a customer"):
                self._prepare(bill.line_ids.filtered(lambda line: line.account_id == payable))

    def test_dates_that_are_wrong(self):
        for date, words in (("2026-11-24", "future"), ("2026-04-30", "dated before")):
            with self.subTest(date=date), self.assertRaisesRegex(UserError, words):
                self._prepare(self.invoice, date=date)

    def test_payment_on_its_way(self):
        self.patch(type(self.invoice), "_get_invoice_in_payment_state", lambda move: "in_payment")
        self.bank_journal.inbound_payment_method_line_ids.payment_account_id = False
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids).create({"journal_id": self.bank_journal.id})
        wizard.action_create_payments()
        self.assertEqual((self.invoice.payment_state, self.invoice.amount_residual), ("in_payment", 1150))
        with self.assertRaisesRegex(UserError, "on its way"):
            self._prepare(self.invoice)

    def test_online_payment_that_waits(self):
        provider = self.env["payment.provider"].create({"name": "Online", "company_id": self.company.id})
        payment = self.env["payment.transaction"].create({
            "provider_id": provider.id, "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
            "reference": "online", "amount": 1150, "currency_id": self.company.currency_id.id,
            "partner_id": self.debtor.id, "invoice_ids": [Command.set(self.invoice.ids)]})
        for state, processed in (("pending", False), ("done", False)):
            payment.write({"state": state, "is_post_processed": processed})
            with self.subTest(state=state), self.assertRaisesRegex(UserError, "online payment that waits"):
                self._prepare(self.invoice)
        payment.write({"state": "pending"})
        other = self._invoice((10, None))
        batch = self.env["customer.bad.debt.batch"].with_user(self.approver).create({
            "company_id": self.company.id, "date": "2026-11-20", "days_overdue_min": 30})
        batch.action_prepare()
        self.assertEqual(batch.skipped_ids.move_id, self.invoice)
        self.assertIn("online payment", batch.skipped_ids.reason)
        self.assertEqual(batch.writeoff_ids.line_ids.move_id, other)
        payment.write({"state": "cancel"})
        self._prepare(self.invoice)

    def test_very_many_items_are_shared_among_documents(self):
        invoices = self.env["account.move"].union(*(self._invoice((10 + i, None)) for i in range(5)))
        self._payment(15)
        with patch("odoo.addons.customer_churn.models.customer_bad_debt_writeoff_create.ITEMS", 2):
            writeoffs = self._prepare(invoices)
        self.assertEqual(writeoffs.mapped("amount_total"), [6, 25, 14])
        for writeoff in writeoffs[::-1]:
            writeoff.action_submit()
            writeoff.action_post()
        self.assertBalances(ar=1150, bde=45)

    def test_one_pending_write_off_an_item(self):
        writeoff = self._prepare(self.invoice)
        with self.assertRaisesRegex(UserError, writeoff.name):
            self._prepare(self.invoice)
        writeoff.action_cancel()
        self._prepare(self.invoice)

    def test_lock_dates_are_named(self):
        for name in ("fiscalyear_lock_date", "tax_lock_date", "hard_lock_date"):
            with self.subTest(lock=name), self.env.cr.savepoint() as savepoint:
                self.company.sudo()[name] = "2026-11-20"
                with self.assertRaisesRegex(UserError, self.company.fields_get([name])[name]["string"]):
                    self._write_off(self.invoice)
                savepoint.rollback()

    def test_tax_lock_does_not_matter_without_tax(self):
        self.company.sudo().tax_lock_date = "2026-11-20"
        writeoff = self._write_off(self.invoice, tax_relief="none")
        self.assertEqual(writeoff.move_id.date, self.day("2026-11-20"))

    def test_branch_uses_the_settings_of_its_parent(self):
        branch = self._create_company("Branch", parent_id=self.company.id)
        self.approver.company_ids |= branch
        self.debtor.with_company(branch).property_account_receivable_id = self.ar
        invoice = self._invoice((1000, self.t15), company_id=branch.id)
        self.assertEqual(invoice.company_id, branch)
        both = self.Writeoff.with_user(self.approver).with_context(allowed_company_ids=(self.company | branch).ids)
        writeoff = both._create_for(self._items(invoice | self.invoice), "2026-11-20")
        self.assertEqual(writeoff.company_id, branch | self.company)
        of_branch = writeoff.filtered(lambda one: one.company_id == branch).with_context(
            allowed_company_ids=branch.ids)
        of_branch.action_submit()
        of_branch.action_post()
        self.assertEqual((of_branch.move_id.company_id, of_branch.move_id.journal_id), (branch, self.bd_journal))
        self.assertEqual((of_branch.amount_expense, of_branch.amount_tax, invoice.amount_residual), (1000, 150, 0))
        self.assertEqual(self.invoice.amount_residual, 1150)

    # ------------------------------------------------------------------ settings
    def test_settings_that_lack(self):
        for name in ("bad_debt_expense_account_id", "bad_debt_journal_id"):
            with self.subTest(name=name), self.env.cr.savepoint() as savepoint:
                self.company[name] = False
                with self.assertRaises(RedirectWarning):
                    self._prepare(self.invoice)
                savepoint.rollback()
        self.assertFalse(self.Writeoff.search([("partner_id", "=", self.debtor.id)]))

    def test_settings_of_a_wrong_kind(self):
        wrong = {"bad_debt_journal_id": self.sale_journal, "bad_debt_expense_account_id": self.rev,
                 "bad_debt_allowance_account_id": self.ar}
        for name, record in wrong.items():
            with self.subTest(name=name), self.env.cr.savepoint() as savepoint:
                with self.assertRaisesRegex(ValidationError, record.display_name):
                    self.company[name] = record
                savepoint.rollback()

    def test_archived_account(self):
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self.bde.active = False
        with self.assertRaisesRegex(RedirectWarning, "archived"):
            writeoff.action_post()
        self.assertFalse(self.env["account.move"].search([("bad_debt_writeoff_id", "=", writeoff.id)]))

    def test_groups(self):
        self.assertTrue(self.officer.has_group("account.group_account_readonly"))
        self.assertFalse(self.officer.has_group("account.group_account_invoice"))
        self.assertTrue(self.approver.has_group(OFFICER))
        self.assertTrue(self.approver.has_group("account.group_account_invoice"))
