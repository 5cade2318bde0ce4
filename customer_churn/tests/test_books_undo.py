from freezegun import freeze_time
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_books import BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksUndo(BooksCommon):
    def test_mirror(self):
        invoice = self.inv((1000, self.t15), (200, self.t7))
        writeoff = self.write_off(invoice)
        writeoff.action_undo(fields.Date.to_date("2026-11-22"))
        self.env.invalidate_all()
        self.assertEqual((writeoff.state, str(writeoff.reversal_move_id.date)), ("reversed", "2026-11-22"))
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("not_paid", invoice.amount_total))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (0, "none"))
        self.assertLedger(ar=invoice.amount_total, bde=0, vat=-164)
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0, SALE_TAX=-164)
        self.assertEqual(writeoff.reversal_move_id.reversed_entry_id, writeoff.move_id)
        booked, mirror = writeoff.move_id.line_ids, writeoff.reversal_move_id.line_ids
        self.assertEqual(sorted(-line.balance for line in booked), sorted(mirror.mapped("balance")))
        self.assertTrue(all(line.reconciled for line in self.due(writeoff.move_id | writeoff.reversal_move_id)))
        with self.assertRaises(UserError):
            writeoff.action_undo()
        second = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1200, vat=0)
        self.assertEqual(second.state, "posted")

    def test_allowance_comes_back(self):
        self.env["account.move"].create({"journal_id": self.journal.id, "date": "2026-10-31", "line_ids": [
            Command.create({"account_id": self.imp.id, "balance": 575}),
            Command.create({"account_id": self.alw.id, "balance": -575, "partner_id": self.partner.id})]}).action_post()
        writeoff = self.write_off(self.inv((1000, self.t15)), use_allowance=True)
        self.assertLedger(alw=0, bde=425)
        writeoff.action_undo()
        self.assertLedger(alw=-575, bde=0)

    def test_undo_of_the_first_of_two_parts(self):
        invoice = self.inv((1000, self.t15))
        first = self.write_off(invoice, {self.due(invoice): 400})
        self.write_off(invoice)
        first.action_undo()
        self.env.invalidate_all()
        self.assertEqual((invoice.amount_residual, invoice.amount_written_off), (400, 750))
        self.assertEqual(invoice.write_off_state, "partial")
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)

    def test_locked(self):
        writeoff = self.write_off(self.inv((1000, self.t15)), on="2026-10-15")
        self.company.fiscalyear_lock_date = "2026-10-31"
        with self.assertRaisesRegex(UserError, "[Ll]ock"):
            writeoff.action_undo(fields.Date.to_date("2026-10-20"))
        self.assertEqual(writeoff.state, "posted")
        writeoff.action_undo()
        self.assertGreater(str(writeoff.reversal_move_id.date), "2026-10-31")

    def test_before_the_write_off(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        with self.assertRaises(UserError):
            writeoff.action_undo(fields.Date.to_date("2026-11-19"))
        with self.assertRaises(UserError):
            writeoff.action_undo(fields.Date.to_date("2026-11-25"))

    def test_officer_does_not_undo(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        with self.assertRaises(AccessError):
            writeoff.with_user(self.officer).action_undo()

    def test_storno(self):
        self.company.account_storno = True
        writeoff = self.write_off(self.inv((1000, self.t15)))
        writeoff.action_undo()
        lines = writeoff.reversal_move_id.line_ids
        self.assertTrue(all(line.debit <= 0 and line.credit <= 0 for line in lines), lines.mapped("debit"))
        self.assertLedger(ar=1150, bde=0, vat=-150)

    def test_hashed_journal(self):
        self.journal.restrict_mode_hash_table = True
        writeoff = self.write_off(self.inv((1000, self.t15)))
        move = writeoff.move_id.with_env(self.env)
        self.assertTrue(move.inalterable_hash)
        for method in ("button_draft", "button_cancel", "unlink"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(move, method)()
        writeoff.action_undo()
        self.assertLedger(ar=1150, bde=0)
        self.assertEqual(writeoff.state, "reversed")

    def test_exactly_what_was_not_recovered(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.recover(writeoff, 460)
        writeoff.action_undo()
        self.env.invalidate_all()
        self.assertEqual((invoice.amount_residual, writeoff.state), (690, "reversed"))
        # tax: 150 claimed, 60 due again by the recovery, 90 by the undo
        self.assertEqual(round(self.tag("REFUND_TAX") + self.tag("SALE_TAX"), 2), -150)
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (460, "partial"))


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksRecovery(BooksCommon):
    def test_part_with_a_payment_that_is_there(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        payment = self.pay(460, on="2026-11-22")
        recovery = self.recover(writeoff, 460, payment=payment)
        self.assertLedger(ar=0, bde=1000, rec=-400, vat=-60)
        self.assertEqual(self.entry(recovery.move_id), {self.ar.code: 460, self.rec.code: -400, self.vat.code: -60})
        self.assertTrue(self.due(payment.move_id).reconciled)
        self.assertEqual((invoice.payment_state, invoice.amount_written_off), ("paid", 1150))
        self.assertEqual((recovery.amount, recovery.amount_tax), (460, 60))
        self.assertEqual((writeoff.amount_recovered, writeoff.state), (460, "partially_recovered"))
        self.assertTags(SALE_TAX=-210, SALE_BASE=-1400, REFUND_TAX=150, REFUND_BASE=1000)

    def test_all_in_parts_to_the_cent(self):
        invoice = self.inv((100, self.t15))
        writeoff = self.write_off(invoice)
        for amount in (38.33, 38.33, 38.34):
            self.recover(writeoff, amount, payment=self.pay(amount, on="2026-11-22"))
        self.assertLedger(ar=0, bde=100, rec=-100, vat=-15)
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("recovered", 115))
        self.assertEqual(invoice.write_off_state, "recovered")

    def test_payment_of_its_own(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        recovery = self.recover(writeoff, 460)
        self.assertLedger(rec=-400, vat=-60, ar=0)
        self.assertTrue(recovery.payment_id)
        self.assertEqual(recovery.payment_id.amount, 460)

    def test_all_by_default(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.recover(writeoff)
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("recovered", 1150))
        self.assertLedger(rec=-1000, vat=-150)

    def test_no_more_than_was_written_off(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.recover(writeoff, 1000)
        for amount in (150.01, 0, -1, float("nan")):
            with self.subTest(amount=amount), self.assertRaises(UserError):
                self.recover(writeoff, amount)
        self.assertEqual(writeoff.amount_recovered, 1000)

    def test_without_relief_there_is_no_tax(self):
        self.company.bad_debt_tax_relief = "none"
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.recover(writeoff, 460)
        self.assertLedger(rec=-460, vat=-150)

    def test_cash_basis(self):
        writeoff = self.write_off(self.inv((1000, self.c15)))
        self.assertLedger(vat=0, trn=0)
        self.recover(writeoff, 230, payment=self.pay(230, on="2026-11-22"))
        self.assertLedger(ar=0, rec=-200, trn=0, vat=-30)
        self.assertEqual(self.tag("SALE_TAX"), -30)

    def test_undo(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        payment = self.pay(460, on="2026-11-22")
        recovery = self.recover(writeoff, 460, payment=payment)
        recovery.action_undo()
        self.env.invalidate_all()
        self.assertLedger(ar=-460, rec=0, vat=0, bde=1000)
        self.assertEqual((writeoff.amount_recovered, writeoff.state), (0, "posted"))
        self.assertFalse(self.due(payment.move_id).reconciled)
        with self.assertRaises(UserError):
            recovery.action_undo()
        again = self.recover(writeoff, 460, payment=payment)
        self.assertEqual((again.amount, writeoff.amount_recovered), (460, 460))

    def test_undo_after_a_full_recovery_is_refused(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.recover(writeoff)
        with self.assertRaises(UserError):
            writeoff.action_undo()

    def test_recovery_by_approvers_only(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        with self.assertRaises(AccessError):
            self.env["customer.bad.debt.recovery"].with_user(self.officer)._create_for(
                writeoff.with_user(self.officer), amount=10, date=fields.Date.to_date("2026-11-22"))

    def test_recovery_in_a_locked_period(self):
        writeoff = self.write_off(self.inv((1000, self.t15)), on="2026-10-15")
        self.company.fiscalyear_lock_date = "2026-10-31"
        with self.assertRaises(UserError):
            self.recover(writeoff, 10, on="2026-10-20")

    def test_input_claim_is_given_back(self):
        self.company.bad_debt_tax_relief = "input_claim"
        self.env["customer.bad.debt.tax.relief"].create({
            "company_id": self.company.id, "tax_id": self.t15.id, "relief_tax_id": self.claim15.id,
            "account_id": self.vat_in.id})
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.recover(writeoff, 460)
        # the source tax is due again: an empty recovery tax means the source tax
        self.assertLedger(rec=-400, vat=-210, vat_in=150)
        self.assertTags(SALE_TAX=-210)
