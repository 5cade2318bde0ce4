from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestRecovery(BadDebtCommon):
    def _recover(self, writeoff, amount=None, date="2026-11-22", payment=None):
        return self.Recovery.with_user(self.approver)._create_for(writeoff, amount, date, payment)

    def test_part_with_its_tax(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        recovery = self._recover(writeoff, 460)
        self.assertEntry(recovery.move_id, [(self.ar, 460), (self.rec, -400), (self.vat, -60)])
        self.assertEqual((recovery.amount, recovery.amount_tax), (460, 60))
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("partially_recovered", 460))
        self.assertTrue(self._items(recovery.payment_id.move_id).reconciled)
        self.assertBalances(ar=0, vat=-60, rec=-400, bde=1000)
        self.assertTags(SALE_BASE=-1400, SALE_TAX=-210, REFUND_BASE=1000, REFUND_TAX=150)
        self.assertEqual((invoice.amount_written_off, invoice.amount_residual), (1150, 0))
        self._recover(writeoff)
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("recovered", 1150))
        self.assertBalances(ar=0, vat=-150, rec=-1000)
        self.assertEqual(invoice.write_off_state, "recovered")

    def test_without_relief(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)), tax_relief="none")
        recovery = self._recover(writeoff, 460)
        self.assertEntry(recovery.move_id, [(self.ar, 460), (self.rec, -460)])

    def test_by_a_payment_that_is_there(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        payment = self._payment(460, date="2026-11-21")
        recovery = self._recover(writeoff, payment=payment)
        self.assertEqual(recovery.amount, 460)
        self.assertTrue(self._items(payment.move_id).reconciled)

    def test_paid_more_than_was_owed(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        payment = self._payment(1200, date="2026-11-21")
        with self.assertRaisesRegex(UserError, "left to recover"):
            self._recover(writeoff, 1200, payment=payment)
        self._recover(writeoff, payment=payment)
        self.assertEqual(writeoff.state, "recovered")
        self.assertEqual(self._items(payment.move_id).amount_residual, -50)
        with self.assertRaises(UserError):
            self._recover(writeoff, 1)

    def test_amounts_that_are_none(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        for amount in (0, -1, 1150.01, float("nan")):
            with self.subTest(amount=amount), self.assertRaises(UserError):
                self._recover(writeoff, amount)
        self.assertEqual(writeoff.amount_recovered, 0)

    def test_all_of_it_came_back(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self._recover(writeoff)
        with self.assertRaises(UserError):
            writeoff.action_undo()

    def test_small_parts_add_up(self):
        writeoff = self._write_off(self._invoice((100, self.t15)))
        for amount in (38.33, 38.33, 38.34):
            self._recover(writeoff, amount)
        self.assertBalances(rec=-100, vat=-15, ar=0)

    def test_allowance_does_not_come_back(self):
        self._entry((self.alw, -575), (self.bde, 575))
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self._recover(writeoff)
        self.assertBalances(rec=-1000, alw=0, bde=1000, vat=-150)

    def test_undo_of_a_recovery(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        recovery = self._recover(writeoff, 460)
        recovery.action_undo("2026-11-23")
        self.assertEqual((recovery.state, writeoff.state, writeoff.amount_recovered), ("reversed", "posted", 0))
        self.assertBalances(rec=0, vat=0, ar=-460)
        self.assertTags(SALE_BASE=-1000, SALE_TAX=-150)
        self.assertEqual(self._items(recovery.payment_id.move_id).amount_residual, -460)
        with self.assertRaises(UserError):
            recovery.action_undo()
        self.assertEqual(self._recover(writeoff, payment=recovery.payment_id).amount, 460)

    def test_undo_opens_what_did_not_come_back(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self._recover(writeoff, 460)
        writeoff.action_undo("2026-11-23")
        self.assertEntry(writeoff.reversal_move_id, [(self.ar, 690), (self.bde, -600), (self.vat, -90)])
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (690, "partial"))
        self.assertEqual((writeoff.state, invoice.amount_written_off), ("reversed", 460))
        self.assertBalances(ar=690, vat=-150, bde=400, rec=-400)
        self.assertTags(REFUND_BASE=400, REFUND_TAX=60)
        again = self._write_off(invoice, date="2026-11-23")
        self.assertEqual((again.amount_expense, again.amount_tax), (600, 90))

    def test_cash_basis_is_due_on_the_recovery(self):
        writeoff = self._write_off(self._invoice((1000, self.c15)))
        recovery = self._recover(writeoff, 230)
        self.assertEntry(recovery.move_id, [(self.ar, 230), (self.rec, -200), (self.trn, -30)])
        self.assertBalances(vat=-30, trn=0, ar=0, rec=-200)
        self.assertTags(SALE_TAX=-30)

    def test_cash_basis_beside_other_goods(self):
        """Only the goods that bore the tax make it due; the rest has its own tax or none."""
        writeoff = self._write_off(self._invoice((1000, self.t15), (500, self.c15), (200, None)))
        recovery = self._recover(writeoff, 962.5)
        self.assertEntry(recovery.move_id, [
            (self.ar, 962.5), (self.rec, -500), (self.rec, -250), (self.rec, -100), (self.vat, -75), (self.trn, -37.5)])
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150, SALE_BASE=-1750, SALE_TAX=-262.5)
        self._recover(writeoff)
        self.assertTags(SALE_BASE=-2500, SALE_TAX=-375)
        self.assertBalances(ar=0, trn=0, rec=-1700, vat=-225)

    def test_cash_basis_beside_a_tax_that_was_lost(self):
        writeoff = self._write_off(self._invoice((1000, self.t15), (500, self.c15)), tax_relief="none")
        self._recover(writeoff)
        self.assertTags(SALE_BASE=-1500, SALE_TAX=-225)
        self.assertBalances(ar=0, trn=0, rec=-1650, bde=1650, vat=-225)

    def test_cash_basis_of_the_second_part(self):
        invoice = self._invoice((1000, self.c15))
        self._write_off(invoice, {self._items(invoice): 460})
        rest = self._write_off(invoice)
        self._recover(rest, 54.63)
        self.assertBalances(ar=0, trn=0, vat=-7.13)
        self._recover(rest)
        self.assertBalances(ar=0, trn=0, vat=-90)

    def test_cash_basis_in_a_foreign_currency(self):
        """What becomes due is a cent off at the payment's rate: no exchange difference comes of it."""
        euro = self.env["res.currency"].create({"name": "EUX", "symbol": "EUX", "rate_ids": [
            (0, 0, {"name": "2026-01-01", "rate": 0.5, "company_id": self.company.id})]})
        writeoff = self._write_off(self._invoice((648.53, self.c15), currency_id=euro.id))
        for amount in (641.01, 33.33, 0.07, None):
            self._recover(writeoff, amount)
            self.assertBalances(ar=0, trn=0)
        self.assertNoExchange()
        self.assertEqual(writeoff.state, "recovered")
        self.assertAlmostEqual(self._balance(self.vat), -194.56, delta=0.04)
        self.assertEqual(self._balance(self.vat) + self._balance(self.rec), -1491.62)

    def test_cash_basis_of_a_cent(self):
        writeoff = self._write_off(self._invoice((1000, self.c15)))
        self.assertEntry(self._recover(writeoff, 0.04).move_id, [(self.ar, 0.04), (self.rec, -0.03), (self.trn, -0.01)])
        self.assertEntry(self._recover(writeoff, 0.03).move_id, [(self.ar, 0.03), (self.rec, -0.03)])
        self._recover(writeoff)
        self.assertBalances(ar=0, trn=0, rec=-1000, vat=-150)

    def test_undo_where_the_tax_was_less_than_a_cent(self):
        yen = self.env["res.currency"].create({"name": "YEX", "symbol": "Y", "rounding": 1, "rate_ids": [
            Command.create({"name": "2026-01-01", "rate": 150, "company_id": self.company.id})]})
        writeoff = self._write_off(self._invoice((1000, self.c15), (56, self.t7), currency_id=yen.id))
        recovery = self.Recovery.with_user(self.approver)._create_for(writeoff, 2.56)
        recovery.action_undo()
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("posted", 0))
        self.Recovery.with_user(self.approver)._create_for(writeoff)
        self.assertEqual(writeoff.state, "recovered")

    def test_tax_claimed_later_on_what_was_left_then(self):
        self.company.bad_debt_relief_months = 6
        writeoff = self._write_off(self._invoice((1000, self.t15), date="2026-05-10"), date="2026-11-01")
        self._recover(writeoff, 460, "2026-11-02")
        writeoff.action_claim_relief("2026-11-12")
        self.assertBalances(vat=-60, rec=-460, bde=1060)
        recovery = self._recover(writeoff, 115, "2026-11-15")
        self.assertEntry(recovery.move_id, [(self.ar, 115), (self.rec, -100), (self.vat, -15)])
        self.assertTags(SALE_BASE=-1100, SALE_TAX=-165, REFUND_BASE=600, REFUND_TAX=90)
        self._recover(writeoff, date="2026-11-16")
        self.assertBalances(ar=0, vat=-150, rec=-1060, bde=1060)
        self.assertTags(SALE_BASE=-1600, SALE_TAX=-240)

    def test_tax_claimed_later_of_one_of_two_invoices(self):
        """What is paid on the invoice whose tax was never claimed makes none due."""
        self.company.bad_debt_relief_months = 6
        old, new = self._invoice((1000, self.t15), date="2026-05-10"), self._invoice((100, self.t15), date="2026-07-10")
        writeoff = self._write_off(old | new, date="2026-11-01")
        writeoff.action_claim_relief("2026-11-12")
        self._recover(writeoff, 1150, "2026-11-15")
        self.assertBalances(vat=-165, rec=-1000)
        recovery = self._recover(writeoff, 115, "2026-11-16")
        self.assertEntry(recovery.move_id, [(self.ar, 115), (self.rec, -115)])

    def test_lock_date_is_named(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self.company.sudo().fiscalyear_lock_date = "2026-11-22"
        with self.assertRaisesRegex(UserError, "Global Lock Date|Lock"):
            self._recover(writeoff, 460)

    def test_lock_of_the_tax_return_that_a_recovery_falls_in(self):
        """The write-off takes no tax back, what comes in makes it due."""
        writeoff = self._write_off(self._invoice((1000, self.c15)), date="2026-11-01")
        self.company.sudo().tax_lock_date = "2026-11-10"
        with self.assertRaisesRegex(UserError, "2026-11-05 is closed by"):
            self._recover(writeoff, date="2026-11-05")
        self.assertEqual(self._recover(writeoff, date="2026-11-11").move_id.date, self.day("2026-11-11"))
