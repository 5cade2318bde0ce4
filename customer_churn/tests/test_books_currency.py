from freezegun import freeze_time
from odoo import Command
from odoo.tests import tagged

from .common_books import BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksCurrency(BooksCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # units of the foreign currency for one of the company's
        cls.eur = cls.setup_other_currency("EUR", rates=[
            ("2026-01-01", 0.8), ("2026-06-01", 0.5), ("2026-11-01", 0.5)])

    def exchange(self):
        return self.env["account.move"].search_count([
            ("journal_id", "=", self.company.currency_exchange_journal_id.id)])

    def test_carrying_amount(self):
        self.company.bad_debt_tax_relief = "none"
        old = self.inv((1000, None), currency_id=self.eur.id)
        new = self.inv((1000, None), currency_id=self.eur.id, on="2026-07-01")
        self.assertEqual(self.due(old | new).mapped("balance"), [1250, 2000])
        writeoff = self.write_off(old | new)
        self.assertLedger(ar=0, bde=3250)
        expense = writeoff.move_id.line_ids.filtered(lambda line: line.account_id == self.bde)
        self.assertEqual((set(expense.currency_id), sum(expense.mapped("amount_currency"))), ({self.eur}, 2000))
        self.assertEqual(self.exchange(), 0)
        self.assertEqual((old | new).mapped("amount_residual"), [0, 0])
        self.assertEqual((old.amount_written_off, writeoff.amount_total), (1000, 3250))
        writeoff.action_undo()
        self.assertEqual(self.exchange(), 0)
        self.assertLedger(ar=3250, bde=0)
        self.assertEqual((old | new).mapped("amount_residual"), [1000, 1000])

    def test_relief_in_a_foreign_currency(self):
        invoice = self.inv((1000, self.t15), currency_id=self.eur.id)
        self.write_off(invoice, {self.due(invoice): 777.77})
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1250, vat=0)
        self.assertTags(REFUND_BASE=1250, REFUND_TAX=187.5)
        self.assertEqual(self.exchange(), 0)
        self.assertEqual(invoice.amount_written_off, 1150)

    def test_spot(self):
        self.company.write({"bad_debt_rate": "spot", "bad_debt_tax_relief": "none"})
        invoice = self.inv((1000, None), currency_id=self.eur.id)
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=2000)
        self.assertEqual((invoice.amount_residual, writeoff.amount_total), (0, 2000))
        self.assertEqual(self.exchange(), 1)

    def test_two_currencies_at_once(self):
        writeoff = self.write_off(
            self.inv((1000, self.t15), currency_id=self.eur.id) | self.inv((100, self.t15)))
        self.assertEqual((len(writeoff), len(writeoff.move_id)), (1, 1))
        self.assertLedger(ar=0, bde=1350, vat=0)
        self.assertEqual(self.exchange(), 0)

    def test_several_customers_in_two_currencies(self):
        writeoffs = self.write_off(
            self.inv((1000, None), currency_id=self.eur.id) | self.inv((80, None), partner=self.partner_a))
        self.assertEqual(sorted(writeoffs.mapped("amount_total")), [80, 1250])

    def test_no_decimals(self):
        yen = self.setup_other_currency("JPY", rates=[("2026-01-01", 150.0)], rounding=1.0)
        invoice = self.inv((53634, self.t15), currency_id=yen.id)
        self.assertEqual(invoice.amount_total, 61679)
        self.write_off(invoice, {self.due(invoice): 22821})
        self.write_off(invoice)
        self.assertLedger(ar=0, vat=0)
        self.assertEqual(self.exchange(), 0)
        self.assertEqual(invoice.amount_residual, 0)

    def test_three_decimals(self):
        dinar = self.setup_other_currency("KWD", rates=[("2026-01-01", 0.3)], rounding=0.001)
        invoice = self.inv((536.342, self.t15), currency_id=dinar.id)
        self.assertEqual(invoice.amount_total, 616.793)
        self.write_off(invoice, {self.due(invoice): 228.211})
        self.write_off(invoice)
        self.assertLedger(ar=0, vat=0)
        self.assertEqual(self.exchange(), 0)
        self.assertEqual(invoice.amount_residual, 0)

    def test_partly_paid_in_a_foreign_currency(self):
        invoice = self.inv((1000, self.t15), currency_id=self.eur.id)
        self.pay(460, on="2026-07-01", invoice=invoice, currency=self.eur)  # at 2.00: a gain of core's own
        before = self.exchange()
        self.write_off(invoice)
        self.assertEqual((invoice.amount_residual, self.exchange()), (0, before))
        self.assertEqual(self.balance(self.ar), 0)
        self.assertLedger(vat=-75)  # 40 % of 187.50 stay due

    def test_cash_basis_in_a_foreign_currency(self):
        invoices = self.inv((1000, self.c15), currency_id=self.eur.id) | self.inv(
            (33.33, self.c15), currency_id=self.eur.id, on="2026-07-01")
        writeoff = self.write_off(invoices)
        self.assertLedger(ar=0, trn=0, vat=0)
        lines = (invoices | writeoff.move_id).line_ids.filtered(lambda line: line.account_id == self.trn)
        self.assertEqual((set(lines.mapped("amount_residual")), set(lines.mapped("amount_residual_currency"))),
                         ({0}, {0}))
        self.assertEqual(self.exchange(), 0)

    def test_recovery_in_a_foreign_currency(self):
        invoice = self.inv((1000, None), currency_id=self.eur.id)
        writeoff = self.write_off(invoice)
        payment = self.pay(400, on="2026-11-22", currency=self.eur)  # 800 at 2.00
        recovery = self.recover(writeoff, 500, payment=payment)
        self.assertEqual(self.exchange(), 0)
        self.assertLedger(ar=0, rec=-800, bde=1250)
        self.assertTrue(self.due(payment.move_id).reconciled)
        # in company currency at the carrying value: 400 of 1,000 at 1.25
        self.assertEqual((recovery.amount, writeoff.amount_recovered), (500, 500))
        self.assertEqual(writeoff.state, "partially_recovered")

    def test_early_instalments_keep_the_cents(self):
        terms = self.env["account.payment.term"].create({"name": "Thirds", "line_ids": [
            Command.create({"value": "percent", "value_amount": share, "nb_days": days})
            for share, days in ((33, 0), (33, 30), (34, 60))]})
        invoice = self.inv((333.33, self.t15), (66.66, self.t7), currency_id=self.eur.id,
                           invoice_payment_term_id=terms.id)
        for line in self.due(invoice):
            self.write_off(line)
        self.assertLedger(ar=0, vat=0)
        self.assertEqual((invoice.amount_residual, self.exchange()), (0, 0))
        self.assertEqual(round(self.tag("SALE_BASE") + self.tag("REFUND_BASE"), 2), 0)

    def test_recovery_on_cash_basis_in_a_foreign_currency(self):
        """What came back is due to the tax office, and nothing waits on the transition account."""
        for on in ("2026-05-01", "2026-07-01"):
            writeoff = self.write_off(self.inv((1000, self.c15), currency_id=self.eur.id, on=on))
            self.recover(writeoff, 54.63)
            with self.subTest(on=on):
                self.assertEqual((self.balance(self.trn), self.balance(self.ar)), (0, 0))
                self.assertAlmostEqual(self.balance(self.vat), self.tag("SALE_TAX"), 2)

    def test_recovery_on_cash_basis_of_a_part(self):
        invoice = self.inv((1000, self.c15))
        self.write_off(invoice, {self.due(invoice): 460})
        rest = self.write_off(invoice)
        self.recover(rest, 54.63)
        self.assertLedger(ar=0, trn=0, vat=-7.13)
        self.recover(rest)
        self.assertLedger(ar=0, trn=0, vat=-90)
