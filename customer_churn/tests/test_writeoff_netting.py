from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffNetting(BadDebtCommon):
    """The customer's own credits first."""

    def test_payment_settles_the_oldest_first(self):
        first, second = self._invoice((100, None)), self._invoice((100, None), date="2026-05-02")
        self._payment(150)
        writeoff = self._prepare(first | second)
        self.assertEqual(writeoff.line_ids.mapped("amount_currency"), [0, 50])
        self.assertEqual(writeoff.line_ids.mapped("amount_netted"), [100, 50])
        self.assertEqual(writeoff.amount_total, 50)
        writeoff.action_submit()
        writeoff.action_post()
        self.assertEntry(writeoff.move_id, [(self.ar, -50), (self.bde, 50)])
        self.assertEqual((first.amount_residual, second.amount_residual), (0, 0))
        self.assertEqual((first.write_off_state, second.write_off_state), ("none", "full"))

    def test_credit_settles_whichever_item_is_given(self):
        self._invoice((100, None))
        second = self._invoice((100, None), date="2026-05-02")
        self._payment(30)
        self.assertEqual(self._prepare(second).line_ids.amount_currency, 70)

    def test_given_amounts_net_nothing(self):
        invoice = self._invoice((100, None))
        payment = self._payment(30)
        self._write_off(invoice, {self._items(invoice): 100})
        self.assertEqual(self._items(payment.move_id).amount_residual, -30)

    def test_without_netting_the_whole_is_given_up(self):
        invoice = self._invoice((100, None))
        payment = self._payment(30)
        self.assertEqual(self._write_off(invoice, net_credits=False).amount_total, 100)
        self.assertEqual(self._items(payment.move_id).amount_residual, -30)

    def test_credits_that_settle_all(self):
        invoice = self._invoice((100, None))
        self._payment(150)
        with self.assertRaisesRegex(UserError, "Debtor: nothing to write off"):
            self._prepare(invoice)

    def test_credit_note_and_its_tax(self):
        invoice = self._invoice((1000, self.t15))
        self._invoice((200, self.t15), move_type="out_refund", date="2026-06-01")
        writeoff = self._write_off(invoice)
        self.assertEqual((writeoff.amount_total, writeoff.amount_expense, writeoff.amount_tax), (920, 800, 120))
        self.assertBalances(vat=0, ar=0)
