from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffUndo(BadDebtCommon):
    def test_exact_mirror(self):
        self._entry((self.alw, -575), (self.bde, 575))
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        writeoff.action_undo("2026-11-23")
        self.assertEntry(writeoff.reversal_move_id, [
            (self.ar, 1150), (self.alw, -575), (self.bde, -425), (self.vat, -150)])
        self.assertEqual(writeoff.reversal_move_id.reversed_entry_id, writeoff.move_id)
        self.assertEqual(writeoff.reversal_move_id.date, self.day("2026-11-23"))
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (1150, "not_paid"))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (0, "none"))
        self.assertBalances(alw=-575, bde=575, ar=1150, vat=-150)
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0, SALE_TAX=-150)
        self.assertEqual(writeoff.state, "reversed")

    def test_after_the_undo_it_may_be_written_off_again(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice).action_undo("2026-11-23")
        again = self._write_off(invoice, date="2026-11-23")
        self.assertEqual((again.amount_expense, again.amount_tax), (1000, 150))
        self.assertBalances(vat=0, ar=0)

    def test_the_first_of_two_parts(self):
        invoice = self._invoice((1000, self.t15))
        first = self._write_off(invoice, {self._items(invoice): 400})
        self._write_off(invoice)
        first.action_undo()
        self.assertEqual((invoice.amount_residual, invoice.amount_written_off), (400, 750))
        self.assertEqual(invoice.write_off_state, "partial")
        self._write_off(invoice)
        self.assertBalances(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)

    def test_locked_period_is_named(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        for name, date in (("fiscalyear_lock_date", "2026-11-22"), ("tax_lock_date", "2026-11-22")):
            with self.subTest(lock=name), self.env.cr.savepoint() as savepoint:
                self.company.sudo()[name] = date
                with self.assertRaisesRegex(UserError, "closed by"):
                    writeoff.action_undo("2026-11-21")
                savepoint.rollback()
        writeoff.action_undo("2026-11-21")

    def test_twice(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        writeoff.action_undo()
        with self.assertRaisesRegex(UserError, "Undone"):
            writeoff.action_undo()

    def test_before_the_write_off(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        with self.assertRaises(UserError):
            writeoff.action_undo("2026-11-19")
        with self.assertRaises(UserError):
            writeoff.action_undo("2026-11-24")

    def test_storno(self):
        self.company.account_storno = True
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        writeoff.action_undo()
        lines = writeoff.reversal_move_id.line_ids.sorted("balance")
        self.assertEqual(lines.mapped(lambda line: (line.debit, line.credit)), [(-1000, 0), (-150, 0), (0, -1150)])

    def test_hashed_journal(self):
        self.bd_journal.restrict_mode_hash_table = True
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self.assertTrue(writeoff.move_id.inalterable_hash)
        writeoff.action_undo()
        self.assertEqual(invoice.amount_residual, 1150)

    def test_claimed_later_and_undone(self):
        self.company.bad_debt_relief_months = 6
        invoice = self._invoice((1000, self.t15), date="2026-05-22")
        writeoff = self._write_off(invoice, date="2026-11-21")
        self.assertBalances(bde=1150, vat=-150)
        writeoff.action_claim_relief("2026-11-22")
        self.assertBalances(bde=1000, vat=0)
        writeoff.action_undo("2026-11-23")
        self.assertBalances(bde=0, vat=-150, ar=1150)
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0)

    def test_cash_basis(self):
        invoice = self._invoice((1000, self.c15))
        writeoff = self._write_off(invoice)
        writeoff.action_undo()
        self.assertBalances(trn=-150, vat=0, ar=1150)
        self._payment(1150, invoices=invoice)
        self.assertBalances(trn=0, vat=-150, ar=0)
