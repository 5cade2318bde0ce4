from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffCreditNote(BadDebtCommon):
    """The option for countries whose law wants a credit note."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.bad_debt_method = "credit_note"
        cls.rev2 = cls._create_account("400100", "Services", "income")

    def assertTotals(self, move, untaxed, total):
        self.assertEqual((move.amount_untaxed, move.amount_total), (untaxed, total))
        self.assertEqual((move.tax_totals["base_amount_currency"], move.tax_totals["total_amount_currency"]),
                         (untaxed, total))

    def test_revenue_and_tax_are_credited(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._prepare(invoice)
        self.assertEqual(writeoff.relief_rule, "The tax comes back with the credit note.")
        promised = [(line["account_id"], line["balance"]) for line in writeoff._preview()]
        writeoff.action_submit()
        writeoff.action_post()
        move = writeoff.move_id
        self.assertEqual((move.move_type, move.state, move.journal_id), ("out_refund", "posted", invoice.journal_id))
        self.assertEqual((move.reversed_entry_id, move.invoice_date), (invoice, self.day("2026-11-20")))
        self.assertEntry(move, [(self.ar, -1150), (self.rev, 1000), (self.vat, 150)])
        self.assertEqual(promised, [(line.account_id.id, line.balance) for line in move.line_ids.sorted("id")])
        self.assertTotals(move, 1000, 1150)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("reversed", 0))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (1150, "full"))
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150, SALE_TAX=-150)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax, writeoff.state), (1000, 150, "posted"))

    def test_it_is_not_sent(self):
        self.debtor.email = "debtor@example.com"
        before = self.env["mail.mail"].search_count([])
        move = self._write_off(self._invoice((1000, self.t15))).move_id
        self.assertEqual((move.is_move_sent, move.sending_data), (False, False))
        self.assertEqual(self.env["mail.mail"].search_count([]), before)
        self.assertFalse(self.env["ir.attachment"].search_count([
            ("res_model", "=", "account.move"), ("res_id", "=", move.id)]))

    def test_undo(self):
        invoice = self._invoice((1000, self.t15))
        writeoff = self._write_off(invoice)
        with self.assertRaisesRegex(UserError, "Undo the write-off"):
            writeoff.move_id.button_draft()
        writeoff.action_undo()
        self.assertEqual(writeoff.reversal_move_id.move_type, "entry")
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("not_paid", 1150))
        self.assertBalances(ar=1150, rev=-1000, vat=-150)
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0)
        self._write_off(invoice)
        self.assertBalances(ar=0, rev=0, vat=0)

    def test_a_loss_instead_of_less_revenue(self):
        self.company.bad_debt_credit_note_expense = True
        self._entry((self.alw, -575), (self.bde, 575))
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.alw, 575), (self.bde, 425), (self.vat, 150)])
        self.assertTotals(writeoff.move_id, 1000, 1150)
        self.assertEqual((writeoff.amount_allowance, writeoff.amount_expense), (575, 425))
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)

    def test_parts_add_up_account_by_account(self):
        services = {"account_id": self.rev2.id}
        invoice = self._invoice((600.01, self.t15), (399.99, self.t15, services), (50, None), (100, self.t7))
        item = self._items(invoice)
        for amount in (0.01, 333.33, 500, 473.66):
            self._write_off(item, {item: amount})
        self.assertBalances(ar=0, rev=0, rev2=0, vat=0)
        self.assertTags(REFUND_BASE=1100, REFUND_TAX=157)
        self.assertEqual((invoice.payment_state, invoice.amount_written_off), ("reversed", 1307))

    def test_instalments(self):
        terms = self.env["account.payment.term"].create({"name": "Halves", "line_ids": [
            Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (0, 30)]})
        invoice = self._invoice((1000, self.t15), invoice_payment_term_id=terms.id, invoice_date_due=False)
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -575), (self.ar, -575), (self.rev, 1000), (self.vat, 150)])
        self.assertEqual(invoice.payment_state, "reversed")
        writeoff.action_undo()
        self.assertEqual(self._items(invoice).mapped("amount_residual"), [575, 575])

    def test_partly_credited_before(self):
        invoice = self._invoice((1000, self.t15))
        note = self._invoice((200, self.t15), move_type="out_refund", date="2026-06-01")
        (self._items(invoice) | self._items(note)).reconcile()
        self.assertTotals(self._write_off(invoice).move_id, 800, 920)
        self.assertBalances(ar=0, rev=0, vat=0)

    def test_taxes_of_every_kind(self):
        included = self._create_tax("I15", 15, price_include_override="tax_included")
        group = self.env["account.tax"].create({
            "name": "G", "amount_type": "group", "type_tax_use": "sale", "company_id": self.company.id,
            "country_id": self.usa.id, "tax_group_id": self.tax_group.id,
            "children_tax_ids": [Command.set((self._create_tax("G15", 15) | self._create_tax("G7", 7)).ids)]})
        for taxes, price, untaxed, total in (
                (included, 1150, 1000, 1150), (group, 1000, 1000, 1220), (self._create_tax("Z", 0), 10, 10, 10),
                (self.t15 | self._create_tax("WH", -10), 1000, 1000, 1050),
                (self._create_tax("F", 5, amount_type="fixed"), 1000, 1000, 1005)):
            with self.subTest(taxes=taxes.mapped("name")):
                self.assertTotals(self._write_off(self._invoice((price, taxes))).move_id, untaxed, total)
                self.assertBalances(ar=0, rev=0, vat=0)
        self.assertEqual(self._tag("REFUND_BASE"), -self._tag("SALE_BASE"))
        self.assertEqual(self._tag("REFUND_TAX"), -self._tag("SALE_TAX"))

    def test_parts_of_a_fixed_tax_add_up(self):
        fixed = self._create_tax("F2", 2, amount_type="fixed")
        for rounding, amounts in ((0.01, (37.01, 20, 59.99)), (1, (37, 20, 60))):
            with self.subTest(rounding=rounding):
                currency = self.env["res.currency"].create({
                    "name": f"X{rounding}", "symbol": "X", "rounding": rounding, "rate_ids": [Command.create({
                        "name": "2026-01-01", "rate": 1, "company_id": self.company.id})]})
                invoice = self._invoice((100, self.t15 | fixed), currency_id=currency.id)
                item = self._items(invoice)
                self.assertEqual(item.amount_currency, sum(amounts))
                for amount in amounts:
                    writeoff = self._prepare(item, {item: amount})
                    promised = [(line["account_id"], line["balance"]) for line in writeoff._preview()]
                    writeoff.action_submit()
                    writeoff.action_post()
                    self.assertEqual(promised, [
                        (line.account_id.id, line.balance) for line in writeoff.move_id.line_ids.sorted("id")])
                self.assertBalances(ar=0, rev=0, vat=0)
        self.assertEqual(self._tag("REFUND_TAX"), -self._tag("SALE_TAX"))

    def test_parts_in_a_company_without_decimals(self):
        self.company.currency_id = self.env["res.currency"].create({"name": "XJP", "symbol": "X", "rounding": 1})
        fixed = self._create_tax("F2", 2, amount_type="fixed")
        for price, quantity, amounts in (
                (100, 1, (37, 20, 60)), (333, 3, (426, 1, 728)), (7, 100, (371, 300, 334)), (7, 1, (4, 6))):
            with self.subTest(price=price):
                invoice = self._invoice((price, self.t15 | fixed, {"quantity": quantity}))
                item = self._items(invoice)
                self.assertEqual(item.amount_currency, sum(amounts))
                for amount in amounts:
                    self._write_off(item, {item: amount})
                self.assertBalances(ar=0, rev=0, vat=0)

    def test_tax_of_less_than_a_cent(self):
        yen = self.env["res.currency"].create({"name": "YEX", "symbol": "Y", "rounding": 1, "rate_ids": [
            Command.create({"name": "2026-01-01", "rate": 150, "company_id": self.company.id})]})
        invoice = self._invoice((1000, None), (56, self.t7), currency_id=yen.id)
        item = self._items(invoice)
        for amount in (333, 111, 616):
            self._write_off(item, {item: amount})
        self.assertBalances(ar=0, rev=0, vat=0)

    def test_at_the_rate_of_the_invoice(self):
        euro = self.env["res.currency"].create({"name": "EUX", "symbol": "E", "rounding": 0.01, "rate_ids": [
            Command.create({"name": day, "rate": rate, "company_id": self.company.id})
            for day, rate in (("2026-01-01", 0.8), ("2026-11-01", 0.5))]})
        invoice = self._invoice((1000, self.t15), currency_id=euro.id)
        move = self._write_off(invoice).move_id
        self.assertEntry(move, [(self.ar, -1437.5), (self.rev, 1250), (self.vat, 187.5)])
        self.assertEqual((move.currency_id, move.amount_total, invoice.payment_state), (euro, 1150, "reversed"))
        self.assertNoExchange()

    def test_tax_due_on_payment_never_becomes_due(self):
        invoice = self._invoice((1000, self.c15), (500, self.t15))
        writeoff = self._write_off(invoice)
        self.assertTotals(writeoff.move_id, 1500, 1725)
        self.assertBalances(ar=0, rev=0, trn=0, vat=0)
        self.assertFalse(self.env["account.move"].search_count([("journal_id", "=", self.caba_journal.id)]))
        self.assertTags(REFUND_BASE=500, REFUND_TAX=75)
        writeoff.action_undo()
        self.assertBalances(ar=1725, trn=-150, vat=-75)
        self._payment(1725, invoices=invoice)
        self.assertBalances(ar=0, trn=0, vat=-225)

    def test_one_for_each_invoice_and_entries_for_the_rest(self):
        invoices = self._invoice((100, None)) | self._invoice((200, None))
        opening = self._entry((self.ar, 50), (self.rev, -50))
        writeoffs = self._write_off(invoices | opening)
        self.assertEqual(sorted(writeoffs.mapped(lambda one: (one.amount_total, one.move_id.move_type))),
                         [(50, "entry"), (100, "out_refund"), (200, "out_refund")])
        self.assertBalances(ar=0)
        with self.assertRaisesRegex(UserError, "for one invoice"):
            writeoff = self._prepare(self._invoice((10, None)))
            writeoff.write({"line_ids": [Command.create({
                "move_line_id": self._items(self._invoice((10, None))).id, "amount_currency": 10})]})
            writeoff.action_submit()

    def test_a_journal_of_its_own(self):
        journal = self._create_journal("TCN", "sale", default_account_id=self.rev.id)
        self.company.bad_debt_credit_note_journal_id = journal
        self.assertEqual(self._write_off(self._invoice((10, None))).move_id.journal_id, journal)
        with self.assertRaisesRegex(ValidationError, "not a journal of sales"):
            self.company.bad_debt_credit_note_journal_id = self.bd_journal

    def test_locked_sales(self):
        invoice = self._invoice((10, None))
        self.company.sudo().sale_lock_date = "2026-11-20"
        with self.assertRaisesRegex(UserError, "closed by .*Sales"), self.env.cr.savepoint():
            self._write_off(invoice)
        self._write_off(invoice, method="entry")

    def test_nothing_comes_back_of_it(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        with self.assertRaisesRegex(UserError, "Undo the write-off"):
            self.Recovery.with_user(self.approver)._create_for(writeoff, 10)

    def test_by_hand_where_the_company_books_entries(self):
        self.company.bad_debt_method = "entry"
        self.assertEqual(self._write_off(self._invoice((10, None))).move_id.move_type, "entry")
        self.assertEqual(
            self._write_off(self._invoice((10, None)), method="credit_note").move_id.move_type, "out_refund")

    def test_what_was_bought_was_bought(self):
        self._write_off(self._invoice((1000, self.t15)))
        self.env.flush_all()
        purchase = self.env["customer.churn.purchase"].search([("partner_id", "=", self.debtor.id)])
        self.assertEqual(purchase.amount, 1000)
