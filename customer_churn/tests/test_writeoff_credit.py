from contextlib import contextmanager

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffCredit(BadDebtCommon):
    """A credit note after a write-off, and what the invoice says in each state."""

    def _credit(self, invoice, *prices, post=True):
        """A credit note of the invoice, its lines at these prices."""
        note = invoice._reverse_moves([{"date": self.day("2026-11-22"), "invoice_date": self.day("2026-11-22")}])
        for line, price in zip(note.invoice_line_ids, prices, strict=True):
            line.price_unit = price
        if post:
            note.action_post()
        return note

    @contextmanager
    def assertRefused(self, words):
        """And nothing of it stays, as for the user."""
        with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
            yield

    def _recover(self, writeoff, amount=None):
        return self.Recovery.with_user(self.approver)._create_for(writeoff, amount, "2026-11-22")

    def _said(self, invoice):
        self.env.invalidate_all()
        return invoice.write_off_state, invoice.amount_written_off, invoice.amount_residual

    # ------------------------------------------------------------------ credited after it was given up
    def test_credit_of_what_is_open_still(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice, {self._items(invoice): 400})
        self._credit(invoice, 652.17)
        self.assertBalances(ar=0, vat=0, bde=347.83)
        self.assertTags(SALE_TAX=-150, REFUND_TAX=150, SALE_BASE=-1000, REFUND_BASE=1000)
        self.assertEqual(self._said(invoice), ("full", 400, 0))

    def test_credit_of_more_than_is_open(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice, {self._items(invoice): 400})
        with self.assertRefused(r"400\.00 more than it comes to.*undo the write-off first"):
            self._credit(invoice, 1000)
        self.assertBalances(ar=750, vat=-97.83)

    def test_credit_of_more_than_is_open_without_relief(self):
        invoice = self._invoice((1000, None))
        self._write_off(invoice, {self._items(invoice): 400})
        with self.assertRefused("undo the write-off first"):
            self._credit(invoice, 600.01)
        self._credit(invoice, 600)
        with self.assertRefused("Undo the write-off first"):
            self._credit(invoice, 0.01)

    def test_tax_given_back_already(self):
        """The goods of one rate come back after a share of both was given up: their tax would come back twice."""
        invoice = self._invoice((1000, self.t15), (1000, None))
        writeoff = self._write_off(invoice, {self._items(invoice): 1000})
        self.assertEqual(writeoff.amount_tax, 69.77)
        with self.assertRefused(r"T15 already.*69\.77 too much"):
            self._credit(invoice, 1000, 0)
        writeoff.action_undo()
        self._credit(invoice, 1000, 0)
        self.assertEqual(self._write_off(invoice, date="2026-11-23").amount_tax, 0)
        self.assertBalances(ar=0, vat=0, bde=1000)

    def test_tax_that_was_lost_may_be_credited(self):
        invoice = self._invoice((1000, self.t15), (1000, None))
        self._write_off(invoice, {self._items(invoice): 1000}, tax_relief="none")
        self._credit(invoice, 1000, 0)
        self.assertBalances(ar=0, vat=0, bde=1000)

    def test_tax_that_will_be_claimed_later(self):
        self.company.bad_debt_relief_months = 12
        invoice = self._invoice((1000, self.t15), (1000, None))
        self._write_off(invoice, {self._items(invoice): 1000})
        with self.assertRefused("too much"):
            self._credit(invoice, 1000, 0)

    def test_tax_due_on_payment_leaves_its_account_once(self):
        invoice = self._invoice((1000, self.c15), (1000, None))
        self._write_off(invoice, {self._items(invoice): 1000})
        with self.assertRefused("too much"):
            self._credit(invoice, 1000, 0)
        self._credit(invoice, 534.88, 534.89)
        self.assertBalances(ar=0, trn=0, vat=0)

    def test_credit_while_the_write_off_is_unmatched(self):
        """Its tax is back all the same, until it is undone."""
        invoice, writeoff = self._unmatched()
        with self.assertRefused("Undo the write-off first"):
            self._credit(invoice, 1000)
        writeoff.action_undo()
        self._credit(invoice, 1000)
        self.assertBalances(ar=0, vat=0)

    def test_draft_of_before_the_write_off(self):
        invoice = self._invoice((1000, self.t15))
        note = self._credit(invoice, 1000, post=False)
        self._write_off(invoice)
        with self.assertRefused("written off and credited"):
            note.action_post()

    def test_draft_may_be_lowered(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice, {self._items(invoice): 400})
        note = self._credit(invoice, 1000, post=False)
        note.invoice_line_ids.price_unit = 652.17
        note.action_post()
        self.assertBalances(ar=0, vat=0)

    def test_given_up_in_a_foreign_currency(self):
        euro = self.env["res.currency"].create({"name": "EUX", "symbol": "EUX", "rate_ids": [
            (0, 0, {"name": "2026-01-01", "rate": 0.8, "company_id": self.company.id})]})
        invoice = self._invoice((1000, self.t15), currency_id=euro.id)
        self._write_off(invoice, {self._items(invoice): 400})
        with self.assertRefused("more than it comes to"):
            self._credit(invoice, 700)
        self._credit(invoice, 652.17)
        self.assertEqual(self._said(invoice), ("full", 400, 0))
        self.assertBalances(ar=0, vat=0)

    def test_what_came_back_may_be_credited(self):
        """Paid after all, the goods are returned: the customer has a credit, and the tax is not given back twice."""
        invoice = self._invoice((1000, self.t15))
        recovery = self._recover(self._write_off(invoice))
        self._credit(invoice, 1000)
        self.assertBalances(vat=0, ar=-1150)
        with self.assertRefused("written off and credited"):
            recovery.action_undo()

    # ------------------------------------------------------------------ what the invoice says
    def test_states(self):
        invoice = self._invoice((1000, self.t15))
        item = self._items(invoice)
        self.assertEqual(self._said(invoice), ("none", 0, 1150))
        first = self._write_off(invoice, {item: 400})
        self.assertEqual(self._said(invoice), ("partial", 400, 750))
        second = self._write_off(invoice)
        self.assertEqual(self._said(invoice), ("full", 1150, 0))
        part = self._recover(second, 300)
        self.assertEqual(self._said(invoice), ("full", 1150, 0))
        rest = self._recover(second)
        self.assertEqual((second.state, self._said(invoice)), ("recovered", ("full", 1150, 0)))
        last = self._recover(first)
        self.assertEqual(self._said(invoice), ("recovered", 1150, 0))
        last.action_undo()
        self.assertEqual(self._said(invoice), ("full", 1150, 0))
        first.action_undo()
        self.assertEqual(self._said(invoice), ("recovered", 750, 400))
        rest.action_undo()
        self.assertEqual((second.state, self._said(invoice)), ("partially_recovered", ("partial", 750, 400)))
        part.action_undo()
        second.action_undo()
        self.assertEqual(self._said(invoice), ("none", 0, 1150))
        self.assertBalances(vat=-150, bde=0, rec=0)

    def test_state_follows_a_payment_of_the_rest(self):
        invoice = self._invoice((1000, self.t15))
        self._write_off(invoice, {self._items(invoice): 400})
        payment = self._payment(750, date="2026-11-21", invoices=invoice)
        self.assertEqual(self._said(invoice), ("full", 400, 0))
        self._items(payment.move_id).remove_move_reconcile()
        self.assertEqual(self._said(invoice), ("partial", 400, 750))

    # ------------------------------------------------------------------ matched by hand
    def _unmatched(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self._items(invoice).remove_move_reconcile()
        return invoice, writeoff

    def test_counterpart_settles_nothing_else(self):
        _invoice, writeoff = self._unmatched()
        other = self._invoice((1150, None))
        with self.assertRefused("no money of the customer"):
            (self._items(other) | writeoff.line_ids.booked_line_id).reconcile()
        self.assertEqual(self._said(other), ("none", 0, 1150))

    def test_given_up_once(self):
        """What was unmatched by hand is a loss in the books already."""
        invoice, writeoff = self._unmatched()
        with self.assertRefused("Match that one again, or undo it"):
            self._prepare(invoice)
        writeoff.action_undo()
        self._write_off(invoice, date="2026-11-23")
        self.assertBalances(ar=0, bde=1000, vat=0)

    def test_counterpart_is_matched_by_the_document(self):
        """By hand the host would make tax due that nobody paid."""
        invoice = self._invoice((1000, self.c15))
        writeoff = self._write_off(invoice)
        self._items(invoice).remove_move_reconcile()
        with self.assertRefused("Match it again"):
            invoice.js_assign_outstanding_line(writeoff.line_ids.booked_line_id.id)
        writeoff.action_rematch()
        self.assertBalances(vat=0, trn=0, ar=0)

    def test_undone_but_for_what_came_back_stays_matched(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self._recover(writeoff, 460)
        writeoff.action_undo()
        for items in (self._items(invoice), writeoff.line_ids.booked_line_id):
            with self.assertRefused("stays so"):
                items.remove_move_reconcile()
        with self.assertRefused("by a credit note"):
            invoice.button_draft()
        self.assertEqual(self._said(invoice), ("partial", 460, 690))

    def test_undo_of_what_came_back_whole(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        self._recover(writeoff)
        self._items(invoice).remove_move_reconcile()
        self.assertEqual(writeoff.state, "unmatched")
        with self.assertRefused("Undo the recovery first"):
            writeoff.action_undo()
        writeoff.action_rematch()
        self.assertEqual((writeoff.state, self._said(invoice)), ("recovered", ("recovered", 1150, 0)))

    # ------------------------------------------------------------------ a cent
    def test_amount_follows_what_was_netted(self):
        """Netting in small parts leaves some cents more than was prepared: they are given up too."""
        euro = self.env["res.currency"].create({"name": "EUX", "symbol": "EUX", "rate_ids": [
            (0, 0, {"name": "2026-01-01", "rate": 0.83, "company_id": self.company.id})]})
        invoice = self._invoice((500.11, None), currency_id=euro.id)
        for _number in range(12):
            self._payment(1, currency_id=euro.id)
        writeoff = self._write_off(invoice)
        self.assertEqual(writeoff.line_ids.booked_line_id.balance, -588.14)  # 602.54 less 12 times 1.20
        self.assertEqual((writeoff.amount_total, writeoff.amount_expense), (588.14, 588.14))
