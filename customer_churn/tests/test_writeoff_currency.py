from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffCurrency(BadDebtCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eur = cls._create_currency("EUX", 0.01, {"2026-01-01": 0.8, "2026-07-01": 0.5})

    @classmethod
    def _create_currency(cls, name, rounding, rates):
        """rates: units a dollar."""
        return cls.env["res.currency"].create({
            "name": name, "symbol": name, "rounding": rounding, "rate_ids": [
                (0, 0, {"name": day, "rate": rate, "company_id": cls.company.id}) for day, rate in rates.items()]})

    def _two(self, tax=None):
        return (self._invoice((1000, tax), currency_id=self.eur.id)
                | self._invoice((1000, tax), currency_id=self.eur.id, date="2026-08-01"))

    def test_carrying_amount(self):
        invoices = self._two()
        writeoff = self._write_off(invoices)
        self.assertEntry(writeoff.move_id, [(self.ar, -1250), (self.ar, -2000), (self.bde, 3250)])
        self.assertEqual(writeoff.move_id.line_ids.mapped("amount_currency"), [-1000, -1000, 2000])
        self.assertEqual(writeoff.move_id.line_ids.currency_id, self.eur)
        self.assertNoExchange()
        self.assertEqual(invoices.mapped("amount_residual"), [0, 0])
        self.assertEqual(invoices.mapped("amount_written_off"), [1000, 1000])
        writeoff.action_undo()
        self.assertNoExchange()
        self.assertEqual(invoices.mapped("amount_residual"), [1000, 1000])
        self.assertEqual(self._items(invoices).mapped("amount_residual"), [1250, 2000])

    def test_spot_is_an_option(self):
        self.company.bad_debt_rate = "spot"
        invoice = self._invoice((1000, None), currency_id=self.eur.id)
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -2000), (self.bde, 2000)])
        self.assertBalances(ar=0, bde=2000, gain=-750)
        writeoff.action_undo()
        self.assertEqual((self._items(invoice).amount_residual, invoice.amount_residual), (1250, 1000))

    def test_relief_as_declared(self):
        writeoff = self._write_off(self._two(self.t15))
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (3250, 487.5))
        self.assertBalances(vat=0, ar=0)
        self.assertTags(REFUND_BASE=3250, REFUND_TAX=487.5)
        self.assertNoExchange()

    def test_in_parts(self):
        invoice = self._invoice((333.33, self.t15), currency_id=self.eur.id)
        item = self._items(invoice)
        for amount in (111.11, 99.99, 172.23):
            self._write_off(invoice, {item: amount})
        self.assertEqual(invoice.amount_residual, 0)
        self.assertBalances(ar=0, vat=0, bde=416.66)
        self.assertNoExchange()

    def test_several_currencies_of_one_customer(self):
        writeoff = self._write_off(
            self._invoice((100, self.t15)) | self._invoice((100, self.t15), currency_id=self.eur.id))
        self.assertEntry(writeoff.move_id, [
            (self.ar, -115), (self.ar, -143.75), (self.bde, 100), (self.bde, 125), (self.vat, 15), (self.vat, 18.75)])

    def test_company_without_decimals(self):
        for name, rounding, base, first in (("JPX", 1, 53634, 22821), ("KWX", 0.001, 536.343, 228.212)):
            with self.subTest(currency=name):
                currency = self._create_currency(name, rounding, {"2026-01-01": 1})
                invoice = self._invoice((base, self.t15), currency_id=currency.id)
                item = self._items(invoice)
                self._write_off(invoice, {item: first})
                self._write_off(invoice)
                self.assertEqual(invoice.amount_residual, 0)
                self.assertBalances(ar=0, vat=0)
                self.assertNoExchange()

    def test_cash_basis(self):
        invoices = self._two(self.c15)
        items = self._items(invoices)
        writeoffs = self._write_off(invoices, {item: 333.33 for item in items})
        writeoffs |= self._write_off(invoices)
        self.assertBalances(trn=0, vat=0, ar=0)
        self.assertNoExchange()
        for writeoff in writeoffs.sorted("id", reverse=True):
            writeoff.action_undo()
        self.assertEqual(invoices.mapped("amount_residual"), [1150, 1150])
        self.assertBalances(trn=-487.5, ar=3737.5)
        self.assertNoExchange()

    def test_cash_basis_at_the_day_s_rate(self):
        """The exchange difference stays matched with its item, whichever way the rate went."""
        self.company.bad_debt_rate = "spot"
        down = self._create_currency("DNX", 0.01, {"2026-01-01": 0.5, "2026-07-01": 0.8})
        cases = [(currency, method) for currency in (self.eur, down) for method in ("entry", "credit_note")]
        for currency, method in cases:
            with self.subTest(currency=currency.name, method=method), self.env.cr.savepoint() as savepoint:
                self.company.bad_debt_method = method
                invoice = self._invoice((1000, self.c15), currency_id=currency.id)
                item = self._items(invoice)
                before, residual = self._balance(self.ar), item.amount_residual
                writeoffs = self._write_off(item, {item: 230}) | self._write_off(item)
                self.assertBalances(ar=0, trn=0, vat=0)
                self.assertFalse(self._lines().filtered(
                    lambda line: line.account_id == self.ar and line.amount_residual))
                for writeoff in writeoffs:
                    writeoff.action_undo()
                self.assertEqual((item.amount_residual, self._balance(self.ar)), (residual, before))
                savepoint.rollback()

    def test_recovery_at_the_payment_s_rate(self):
        invoice = self._invoice((1000, None), currency_id=self.eur.id)
        writeoff = self._write_off(invoice)
        payment = self._payment(400, date="2026-11-21", currency_id=self.eur.id)
        recovery = self.Recovery.with_user(self.approver)._create_for(writeoff, payment=payment)
        self.assertEntry(recovery.move_id, [(self.ar, 800), (self.rec, -800)])
        self.assertEqual((recovery.amount, writeoff.amount_recovered), (500, 500))
        self.assertNoExchange()
        writeoff.action_undo()
        self.assertEqual((invoice.amount_residual, self._items(invoice).amount_residual), (600, 750))
        self.assertNoExchange()

    def test_recovery_of_several_currencies(self):
        writeoff = self._write_off(
            self._invoice((100, self.t15)) | self._invoice((100, self.t15), currency_id=self.eur.id))
        Recovery = self.Recovery.with_user(self.approver)
        euros = self._payment(50, date="2026-11-21", currency_id=self.eur.id)
        self.assertEqual(Recovery._create_for(writeoff, payment=euros).amount, 62.5)
        self.assertEqual(Recovery._create_for(writeoff, 100).amount_tax, 13.04)
        Recovery._create_for(writeoff)
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("recovered", 258.75))
        self.assertBalances(vat=-33.75, ar=0)

    def test_recovery_in_company_currency(self):
        writeoff = self._write_off(self._invoice((1000, self.t15), currency_id=self.eur.id))
        payment = self._payment(500, date="2026-11-21")
        recovery = self.Recovery.with_user(self.approver)._create_for(writeoff, payment=payment)
        self.assertEntry(recovery.move_id, [(self.ar, 500), (self.rec, -434.78), (self.vat, -65.22)])
        self.assertTrue(self._items(payment.move_id).reconciled)
        rest = self.Recovery.with_user(self.approver)._create_for(writeoff)
        self.assertEqual(writeoff.state, "recovered")
        self.assertBalances(vat=-187.5, ar=0)
        self.assertEqual(rest.amount, 937.5)

    def test_partly_paid_at_another_rate(self):
        invoice = self._invoice((1000, self.t15), currency_id=self.eur.id)
        self._payment(460, date="2026-08-01", invoices=invoice, currency_id=self.eur.id)  # a gain of the host's own
        exchanges = self.env["account.move"].search_count([("journal_id", "=", self.exch_journal.id)])
        self._write_off(invoice)
        self.assertEqual(
            self.env["account.move"].search_count([("journal_id", "=", self.exch_journal.id)]), exchanges)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertBalances(ar=0, vat=-75)  # 40 % of 187.50 stay due

    def test_instalments_keep_the_cents(self):
        terms = self.env["account.payment.term"].create({"name": "Thirds", "line_ids": [
            (0, 0, {"value": "percent", "value_amount": share, "nb_days": days})
            for share, days in ((33, 0), (33, 30), (34, 60))]})
        invoice = self._invoice((333.33, self.t15), (66.66, self.t7), currency_id=self.eur.id,
                                invoice_payment_term_id=terms.id, invoice_date_due=False)
        for item in self._items(invoice):
            self._write_off(item)
        self.assertBalances(ar=0, vat=0)
        self.assertEqual(self._tag("REFUND_BASE"), -self._tag("SALE_BASE"))
        self.assertEqual(invoice.amount_residual, 0)
        self.assertNoExchange()

    def test_recovery_on_cash_basis(self):
        """What came back is due to the tax office, and nothing waits on the transition account."""
        for date in ("2026-05-01", "2026-08-01"):
            writeoff = self._write_off(self._invoice((1000, self.c15), currency_id=self.eur.id, date=date))
            self.Recovery.with_user(self.approver)._create_for(writeoff, 54.63, "2026-11-22")
            with self.subTest(date=date):
                self.assertBalances(trn=0, ar=0)
                self.assertEqual(self._balance(self.vat), self._tag("SALE_TAX"))
