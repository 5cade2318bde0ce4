from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import RedirectWarning, UserError, ValidationError
from odoo.tests import tagged

from .common_books import BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksEntry(BooksCommon):
    def test_gross_without_relief(self):
        self.company.bad_debt_tax_relief = "none"
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1150, vat=-150, revenue=-1000)
        self.assertTags(SALE_BASE=-1000, SALE_TAX=-150, REFUND_BASE=0, REFUND_TAX=0)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("paid", 0))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (1150, "full"))
        self.assertEqual((writeoff.amount_total, writeoff.amount_expense, writeoff.amount_tax), (1150, 1150, 0))
        self.assertEqual((writeoff.state, str(writeoff.move_id.date)), ("posted", "2026-11-20"))
        self.assertEqual((writeoff.move_id.move_type, writeoff.move_id.journal_id), ("entry", self.journal))

    def test_relief_by_reduction(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0, revenue=-1000)
        self.assertTags(SALE_BASE=-1000, SALE_TAX=-150, REFUND_BASE=1000, REFUND_TAX=150)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1000, 150))
        self.assertEqual(writeoff.move_id.bad_debt_writeoff_id, writeoff)

    def test_part_without_relief(self):
        self.company.bad_debt_tax_relief = "none"
        invoice = self.inv((1000, self.t15))
        self.write_off(invoice, {self.due(invoice): 400})
        self.assertLedger(ar=750, bde=400)
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (750, "partial"))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (400, "partial"))

    def test_parts_add_up_to_the_whole(self):
        invoice = self.inv((100, self.t15))
        due, taken = self.due(invoice), []
        for amount in (38.33, 38.33, 38.34):
            entry = self.entry(self.write_off(due, {due: amount}).move_id)
            taken.append((entry[self.bde.code], entry[self.vat.code]))
        self.assertEqual(taken, [(33.33, 5.0), (33.33, 5.0), (33.34, 5.0)])
        self.assertLedger(ar=0, bde=100, vat=0)
        self.assertTags(REFUND_BASE=100, REFUND_TAX=15)
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (115, "full"))

    def test_instalments(self):
        terms = self.env["account.payment.term"].create({"name": "Thirds", "line_ids": [
            Command.create({"value": "percent", "value_amount": share, "nb_days": days})
            for share, days in ((33, 0), (33, 30), (34, 300))]})
        invoice = self.inv((1000.01, self.t15), invoice_payment_term_id=terms.id)
        due = self.due(invoice).sorted("date_maturity")
        self.assertEqual(due.mapped("balance"), [379.5, 379.5, 391.01])
        writeoff = self.write_off(due[:2])
        self.assertEqual(self.entry(writeoff.move_id), {self.ar.code: -759, self.bde.code: 660, self.vat.code: 99})
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (391.01, "partial"))
        booked = writeoff.move_id.line_ids.filtered(lambda line: line.account_id == self.ar)
        self.assertEqual(booked.mapped("date_maturity"), due[:2].mapped("date_maturity"))

    def test_analytic_follows_the_invoice(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        one, two = self.env["account.analytic.account"].create([
            {"name": name, "plan_id": plan.id} for name in ("One", "Two")])
        invoice = self.inv(
            (600, self.t15, {"analytic_distribution": {one.id: 100}}),
            (400, self.t15, {"analytic_distribution": {one.id: 50, two.id: 50}}))
        self.write_off(invoice)
        lines = self.env["account.analytic.line"].search([(plan._column_name(), "in", (one | two).ids)])
        sums = {account: round(sum(lines.filtered(
            lambda line, account=account: line[plan._column_name()] == account).mapped("amount")), 2)
            for account in (one, two)}
        self.assertEqual((len(lines), sums), (6, {one: 0, two: 0}))

    def test_mandatory_plan_is_met_by_the_companys_own_model(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "One", "plan_id": plan.id})
        plan.write({"applicability_ids": [Command.create({
            "business_domain": "general", "applicability": "mandatory"})]})
        invoice = self.inv((1000, self.t15))
        with self.assertRaises(UserError):
            self.write_off(invoice)
        self.env["account.analytic.distribution.model"].create({
            "account_prefix": "65", "analytic_distribution": {account.id: 100}, "company_id": self.company.id})
        # a draft of the refused attempt may stand: the savepoint took it away
        move = self.write_off(invoice).move_id
        expense = move.line_ids.filtered(lambda line: line.account_id == self.bde)
        self.assertEqual(expense.analytic_distribution, {str(account.id): 100})

    def test_allowance_first(self):
        entry = self.env["account.move"].create({"journal_id": self.journal.id, "date": "2026-10-31", "line_ids": [
            Command.create({"account_id": self.imp.id, "balance": 1200}),
            Command.create({"account_id": self.alw.id, "balance": -1200, "partner_id": self.partner.id})]})
        entry.action_post()
        writeoff = self.write_off(self.inv((1000, self.t15)), use_allowance=True)
        self.assertLedger(ar=0, bde=0, alw=-200, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_allowance, writeoff.amount_tax), (0, 1000, 150))
        second = self.write_off(self.inv((1000, self.t15)), use_allowance=True)
        self.assertLedger(ar=0, bde=800, alw=0, vat=0)
        self.assertTags(REFUND_BASE=2000, REFUND_TAX=300)
        self.assertEqual((second.amount_expense, second.amount_allowance, second.amount_tax), (800, 200, 150))

    def test_allowance_left_alone(self):
        self.env["account.move"].create({"journal_id": self.journal.id, "date": "2026-10-31", "line_ids": [
            Command.create({"account_id": self.imp.id, "balance": 500}),
            Command.create({"account_id": self.alw.id, "balance": -500, "partner_id": self.partner.id})]}).action_post()
        self.write_off(self.inv((1000, self.t15)), use_allowance=False)
        self.assertLedger(bde=1000, alw=-500)

    def test_two_receivable_accounts_in_one_entry(self):
        other = self.ar.copy({"code": "121099"})
        first = self.inv((1000, self.t15))
        self.partner.property_account_receivable_id = other
        second = self.inv((200, self.t15))
        writeoff = self.write_off(first | second)
        self.assertEqual(self.entry(writeoff.move_id), {
            self.ar.code: -1150, other.code: -230, self.bde.code: 1200, self.vat.code: 180})
        self.assertEqual((first | second).mapped("amount_residual"), [0, 0])
        self.assertEqual(len(writeoff.move_id), 1)

    def test_contacts_are_one_customer(self):
        child = self.env["res.partner"].create({"name": "Branch office", "parent_id": self.partner.id})
        writeoff = self.write_off(self.inv((100, None)) | self.inv((50, None), partner=child))
        self.assertEqual((len(writeoff), writeoff.partner_id, writeoff.amount_total), (1, self.partner, 150))

    def test_several_customers_have_a_document_each(self):
        invoices = self.inv((100, None)) | self.inv((50, None), partner=self.partner_a)
        writeoffs = self.write_off(invoices)
        self.assertEqual(sorted(writeoffs.mapped("amount_total")), [50, 100])
        self.assertEqual(len(writeoffs.move_id), 2)

    def test_preview_is_what_is_posted(self):
        invoice = self.inv((600.01, self.t15), (399.99, self.t7), (50, None))
        writeoff = self.prepare(invoice, {self.due(invoice): 777.77})
        moves = self.env["account.move"].search_count([])
        promised = self.preview(writeoff)
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        writeoff.action_submit()
        writeoff.with_user(self.approver).action_post()
        self.assertEqual(self.booked(writeoff.move_id), promised)

    # ------------------------------------------------------------------ credits first
    def test_unapplied_money_is_used_before(self):
        first, second = self.inv((100, None)), self.inv((100, None), on="2026-05-02")
        self.pay(150)
        writeoff = self.write_off(first | second)
        self.assertEqual(writeoff.amount_total, 50)
        self.assertLedger(ar=0, bde=50)
        self.assertEqual((first.amount_written_off, first.write_off_state), (0, "none"))
        self.assertEqual((second.amount_written_off, second.write_off_state), (50, "full"))

    def test_unapplied_money_that_covers_all(self):
        invoice = self.inv((100, None))
        self.pay(150)
        with self.assertRaises(UserError):
            self.prepare(invoice)

    def test_credits_count_whichever_invoice_is_given(self):
        self.inv((100, None))
        second = self.inv((100, None), on="2026-05-02")
        self.pay(30)
        writeoff = self.write_off(second)
        self.assertEqual(writeoff.amount_total, 70)
        self.assertLedger(ar=100, bde=70)

    def test_given_amounts_net_nothing(self):
        invoice = self.inv((100, None))
        payment = self.pay(30)
        self.write_off(invoice, {self.due(invoice): 100})
        self.assertLedger(ar=-30, bde=100)
        self.assertFalse(self.due(payment.move_id).reconciled)

    # ------------------------------------------------------------------ what is refused
    def assertRefused(self, what, *words, exception=UserError, **values):
        with self.assertRaises(exception) as caught:
            self.prepare(what, **values)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_refused_by_name(self):
        good, draft = self.inv((100, None)), self.inv((100, None), post=False)
        self.assertRefused(good | draft, "Defaulter")
        self.assertEqual(good.payment_state, "not_paid")
        paid = self.inv((100, None))
        self.pay(100, invoice=paid)
        self.assertRefused(paid, paid.name)
        self.assertRefused(good, good.name, on="2026-11-24")
        self.assertRefused(good, good.name, on="2026-04-30")
        bill = self.env["account.move"].create({
            "move_type": "in_invoice", "partner_id": self.partner.id, "invoice_date": "2026-05-01",
            "invoice_line_ids": [Command.create({"name": "x", "price_unit": 10, "tax_ids": []})]})
        bill.action_post()
        payable = bill.line_ids.filtered(lambda line: line.account_id.account_type == "liability_payable")
        self.assertRefused(payable, bill.name)
        refund = self.env["account.move"].create({
            "move_type": "out_refund", "partner_id": self.partner_a.id, "invoice_date": "2026-05-01",
            "invoice_line_ids": [Command.create({"name": "x", "price_unit": 10, "tax_ids": []})]})
        refund.action_post()
        self.assertRefused(refund, refund.name)

    def test_receipt_is_a_debt(self):
        receipt = self.inv((100, None), move_type="out_receipt")
        self.write_off(receipt)
        self.assertLedger(ar=0, bde=100)
        self.assertEqual(receipt.write_off_state, "full")

    def test_impossible_amounts(self):
        invoice = self.inv((1000, self.t15))
        due = self.due(invoice)
        for amount in (0, -1, 1150.01, float("nan"), float("inf"), 0.001, 1.234):
            with self.subTest(amount=amount), self.assertRaises(ValidationError):
                self.prepare(invoice, {due: amount})

    def test_settings_that_are_missing(self):
        invoice = self.inv((1000, self.t15))
        moves = self.env["account.move"].search_count([])
        for name in ("bad_debt_expense_account_id", "bad_debt_journal_id"):
            with self.subTest(name=name):
                kept, self.company[name] = self.company[name], False
                self.assertRefused(invoice, exception=RedirectWarning)
                self.assertEqual(self.env["account.move"].search_count([]), moves)
                self.company[name] = kept

    def test_settings_archived_after_the_preparation(self):
        writeoff = self.prepare(self.inv((1000, self.t15)))
        writeoff.action_submit()
        self.bde.active = False
        with self.assertRaises(RedirectWarning):
            writeoff.with_user(self.approver).action_post()

    def test_settings_of_the_wrong_kind(self):
        for name, record in (
                ("bad_debt_journal_id", self.bank), ("bad_debt_journal_id", self.company_data["default_journal_sale"]),
                ("bad_debt_expense_account_id", self.revenue), ("bad_debt_expense_account_id", self.ar),
                ("bad_debt_allowance_account_id", self.ar), ("bad_debt_recovery_account_id", self.ar)):
            with self.subTest(name=name), self.assertRaises(ValidationError):
                self.company[name] = record
                self.env.flush_all()

    def test_lock_dates_are_named(self):
        writeoff = self.prepare(self.inv((1000, self.t15)), on="2026-10-15")
        writeoff.action_submit()
        self.company.fiscalyear_lock_date = "2026-10-31"
        with self.assertRaisesRegex(UserError, "Global|Lock|lock"):
            writeoff.with_user(self.approver).action_post()
        self.assertEqual(writeoff.state, "approved")

    def test_tax_lock_concerns_tax_only(self):
        with_tax = self.prepare(self.inv((1000, self.t15)), on="2026-10-15")
        without = self.prepare(self.inv((1000, None)), on="2026-10-15")
        (with_tax | without).action_submit()
        self.company.tax_lock_date = "2026-10-31"
        with self.assertRaises(UserError):
            with_tax.with_user(self.approver).action_post()
        without.with_user(self.approver).action_post()
        self.assertEqual(str(without.move_id.date), "2026-10-15")

    def test_one_pending_document_an_item(self):
        invoice = self.inv((1000, self.t15))
        self.prepare(invoice)
        with self.assertRaisesRegex(UserError, "it stands on Write-off .* already"):
            self.prepare(invoice)

    def test_frozen_once_posted(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        with self.assertRaises(UserError):
            writeoff.line_ids.amount_currency = 10
        with self.assertRaises(UserError):
            writeoff.date = "2026-11-19"
        with self.assertRaises(UserError):
            writeoff.unlink()
        self.assertLedger(ar=0, bde=1000)
