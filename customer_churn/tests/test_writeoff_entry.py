from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffEntry(BadDebtCommon):
    def test_gross_without_relief(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice, tax_relief="none")
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 1150)])
        self.assertBalances(ar=0, bde=1150, vat=-150, rev=-1000)
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0, SALE_TAX=-150)
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (0, "paid"))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (1150, "full"))
        self.assertEqual(writeoff.move_id.date, self.day("2026-11-20"))
        self.assertEqual(writeoff.move_id.bad_debt_writeoff_id, writeoff)

    def test_full_relief(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 1000), (self.vat, 150)])
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150, SALE_BASE=-1000, SALE_TAX=-150)
        self.assertBalances(ar=0, rev=-1000, vat=0)
        self.assertRecordValues(writeoff, [{
            "state": "posted", "amount_total": 1150, "amount_expense": 1000, "amount_tax": 150, "amount_allowance": 0}])

    def test_partial_without_relief(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice, {self._items(invoice): 400}, tax_relief="none")
        self.assertBalances(bde=400, ar=750)
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (750, "partial"))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (400, "partial"))
