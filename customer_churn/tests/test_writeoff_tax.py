from unittest.mock import patch

from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import freeze_time, tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffTax(BadDebtCommon):
    def _claim(self):
        tax = self._create_tax(
            "BOX4", 15, tags=("BOX4", "BOX4"), account=self._create_account("119000", "Claim", "asset_current"),
            type_tax_use="purchase")
        self.env["customer.bad.debt.tax.relief"].create(
            {"company_id": self.company.id, "tax_id": self.t15.id, "relief_tax_id": tax.id})
        return tax

    def test_input_claim(self):
        tax = self._claim()
        writeoff = self._write_off(self._invoice((1000, self.t15)), tax_relief="input_claim")
        claim = tax.invoice_repartition_line_ids.account_id
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 1000), (claim, 150)])
        self.assertTags(BOX4_BASE=1000, BOX4_TAX=150, SALE_BASE=-1000, SALE_TAX=-150, REFUND_BASE=0)
        self.assertBalances(vat=-150)

    def test_input_claim_and_its_undo(self):
        self._claim()
        writeoff = self._write_off(self._invoice((1000, self.t15)), tax_relief="input_claim")
        writeoff.action_undo()
        self.assertBalances(ar=1150, bde=0, vat=-150)
        self.assertTags(BOX4_BASE=0, BOX4_TAX=0, SALE_TAX=-150)

    def test_input_claim_and_a_recovery(self):
        """The tax of the invoice is due again, or the claim is given back where the row says so: by its refund side."""
        tax = self._claim()
        tax.refund_repartition_line_ids.filtered(lambda line: line.repartition_type == "tax").tag_ids = (
            self.tags["REFUND_TAX"])
        claim = tax.invoice_repartition_line_ids.account_id
        row = self.env["customer.bad.debt.tax.relief"].search([("relief_tax_id", "=", tax.id)])
        for recovery_tax, booked, tags in (
                (self.t15.browse(), (self.vat, -60), {"SALE_TAX": -210, "BOX4_TAX": 150, "REFUND_TAX": 0}),
                (tax, (claim, -60), {"SALE_TAX": -360, "BOX4_TAX": 300, "REFUND_TAX": -60})):
            row.recovery_tax_id = recovery_tax
            writeoff = self._write_off(self._invoice((1000, self.t15)), tax_relief="input_claim")
            recovery = self.Recovery.with_user(self.approver)._create_for(writeoff, 460, "2026-11-22")
            self.assertEntry(recovery.move_id, [(self.ar, 460), (self.rec, -400), booked])
            self.assertTags(**tags)

    def test_input_claim_without_its_tax(self):
        with self.assertRaisesRegex(RedirectWarning, "T15 has no relief tax"):
            self._prepare(self._invoice((1000, self.t15)), tax_relief="input_claim")

    def test_several_rates(self):
        writeoff = self._write_off(self._invoice((1000, self.t15), (300, self.t7), (50, None)))
        self.assertEntry(writeoff.move_id, [
            (self.ar, -1521), (self.bde, 1000), (self.bde, 300), (self.bde, 50), (self.vat, 150), (self.vat, 21)])
        self.assertTags(REFUND_BASE=1300, REFUND_TAX=171)

    def test_several_rates_in_parts(self):
        item = self._items(self._invoice((600.01, self.t15), (399.99, self.t7), (50, None)))
        for amount in (0.01, 333.33, 500, 334.66):
            self._write_off(item, {item: amount})
        self.assertBalances(ar=0, bde=1050, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=118)

    def test_tax_on_tax(self):
        levy = self._create_tax("Levy", 10, include_base_amount=True, sequence=1)
        self.t15.sequence = 2
        invoice = self._invoice((1000, levy | self.t15))
        self.assertEqual(invoice.amount_total, 1265)
        self._write_off(invoice)
        self.assertBalances(ar=0, bde=1000, vat=0)
        self.assertEqual(self._tag("REFUND_TAX"), -self._tag("SALE_TAX"))
        self.assertEqual(self._tag("REFUND_BASE"), -self._tag("SALE_BASE"))

    def test_two_taxes_on_one_line(self):
        self._write_off(self._invoice((1000, self.t15 | self.t7)))
        self.assertBalances(bde=1000, vat=0, ar=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=220)

    def test_price_included_fixed_and_group(self):
        included = self._create_tax("I15", 15, price_include_override="tax_included")
        fixed = self._create_tax("F", 5, amount_type="fixed")
        children = self._create_tax("G15", 15) | self._create_tax("G7", 7)
        group = self.env["account.tax"].create({
            "name": "G", "amount_type": "group", "type_tax_use": "sale", "company_id": self.company.id,
            "country_id": self.usa.id, "tax_group_id": self.tax_group.id,
            "children_tax_ids": [Command.set(children.ids)]})
        for tax, base, due in ((included, 869.57, 130.43), (fixed, 1000, 5), (group, 1000, 220)):
            with self.subTest(tax=tax.name):
                writeoff = self._write_off(self._invoice((1000, tax)))
                self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (base, due))
                self.assertBalances(vat=0, ar=0)
        self.assertTags(REFUND_BASE=2869.57, REFUND_TAX=355.43)

    def test_zero_and_exempt(self):
        zero = self._create_tax("Z", 0)
        self._write_off(self._invoice((1000, zero), (500, None)))
        self.assertBalances(bde=1500, ar=0)
        self.assertTags(REFUND_BASE=0)

    def test_zero_where_a_row_says_so(self):
        zero = self._create_tax("Z", 0)
        self.env["customer.bad.debt.tax.relief"].create({"company_id": self.company.id, "tax_id": zero.id})
        self._write_off(self._invoice((1000, zero)))
        self.assertTags(REFUND_BASE=1000)

    def test_withholding(self):
        withholding = self._create_tax("WH", -10)
        writeoff = self._write_off(self._invoice((1000, self.t15 | withholding)))
        self.assertEntry(writeoff.move_id, [(self.ar, -1050), (self.bde, 1000), (self.vat, 150), (self.vat, -100)])

    def test_tax_edited_by_hand(self):
        invoice = self._invoice((1000, self.t15), post=False)
        tax_line = invoice.line_ids.filtered("tax_line_id")
        invoice.write({"line_ids": [
            Command.update(tax_line.id, {"amount_currency": -150.03, "balance": -150.03}),
            Command.update(self._items(invoice).id, {"amount_currency": 1150.03, "balance": 1150.03})]})
        invoice.action_post()
        writeoff = self._write_off(invoice)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1000, 150.03))
        self.assertBalances(vat=0)

    def test_cash_rounding(self):
        rounding = self.env["account.cash.rounding"].create({
            "name": "0.05", "rounding": 0.05, "strategy": "add_invoice_line", "rounding_method": "HALF-UP",
            "profit_account_id": self.rev.id, "loss_account_id": self.sd.id})
        invoice = self._invoice((999.98, self.t15), invoice_cash_rounding_id=rounding.id)
        self.assertEqual(invoice.amount_total, 1150)
        self._write_off(invoice)
        self.assertBalances(ar=0, vat=0, bde=1000)
        self.assertTags(REFUND_BASE=999.98, REFUND_TAX=150)

    def test_early_payment_discount(self):
        terms = self.env["account.payment.term"].create({
            "name": "2/10", "early_discount": True, "discount_percentage": 2, "discount_days": 10,
            "early_pay_discount_computation": "mixed",
            "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})]})
        invoice = self._invoice((1000, self.t15), invoice_payment_term_id=terms.id, invoice_date_due=False)
        self.assertEqual(invoice.amount_total, 1147)
        self._write_off(invoice)
        self.assertBalances(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_TAX=147)
        self.assertEqual(self._tag("REFUND_BASE"), -self._tag("SALE_BASE"))

    def test_partly_paid(self):
        invoice = self._invoice((1000, self.t15))
        self._payment(460, invoices=invoice)
        writeoff = self._write_off(invoice)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (600, 90))
        self.assertBalances(vat=-60)

    def test_no_more_than_declared_less_credited(self):
        """The credit note is open still, and the whole invoice is given up all the same."""
        invoice = self._invoice((1000, self.t15))
        note = invoice._reverse_moves([{"date": self.day("2026-06-01"), "invoice_date": self.day("2026-06-01")}])
        note.invoice_line_ids.price_unit = 400
        note.action_post()
        note.line_ids.remove_move_reconcile()
        self.assertEqual(invoice.amount_residual, 1150)
        writeoff = self._write_off(invoice, {self._items(invoice): 1150})
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1060, 90))
        self.assertBalances(vat=0)

    def test_credited_with_more_tax_than_its_share(self):
        invoice = self._invoice((1000, self.t15))
        note = self._invoice((40, self.t15), move_type="out_refund", date="2026-05-10", post=False)
        note.write({"reversed_entry_id": invoice.id, "line_ids": [
            Command.update(note.line_ids.filtered("tax_line_id").id, {"amount_currency": 120}),
            Command.update(self._items(note).id, {"amount_currency": -160})]})
        note.action_post()
        (self._items(note) | self._items(invoice)).filtered(lambda item: not item.reconciled).reconcile()
        writeoff = self._write_off(invoice)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (960, 30))
        self.assertBalances(ar=0, vat=0)

    def test_credited_in_part_then_given_up_in_parts(self):
        invoice = self._invoice((1000, self.t15))
        note = self._invoice((200, self.t15), move_type="out_refund", date="2026-06-01")
        (self._items(invoice) | self._items(note)).reconcile()
        first = self._write_off(invoice, {self._items(invoice): 333.33})
        second = self._write_off(invoice)
        self.assertEqual((first.amount_tax, second.amount_tax), (43.48, 76.52))
        self.assertBalances(vat=0, ar=0)

    def test_tax_that_rounds_to_nothing(self):
        writeoff = self._write_off(self._invoice((0.02, self.t15)))
        self.assertEntry(writeoff.move_id, [(self.ar, -0.02), (self.bde, 0.02)])
        writeoff.action_undo("2026-11-23")
        self.assertTags(REFUND_BASE=0, SALE_BASE=-0.02)

    # ------------------------------------------------------------------ later
    def test_relief_later_once(self):
        self.company.bad_debt_relief_months = 6
        invoice = self._invoice((1000, self.t15), date="2026-06-15")
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 1150)])
        self.assertEqual(writeoff.line_ids.relief_date, self.day("2026-12-15"))
        with self.assertRaisesRegex(UserError, "2026"):
            writeoff.action_claim_relief()
        with freeze_time("2026-12-20"):
            writeoff.action_claim_relief()
            with self.assertRaises(UserError):
                writeoff.action_claim_relief()
        self.assertEqual(writeoff.line_ids.relief_move_id.date, self.day("2026-12-20"))
        self.assertBalances(bde=1000, vat=0, ar=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1000, 150))

    def test_relief_later_by_the_night(self):
        self.company.bad_debt_relief_months = 6
        writeoff = self._write_off(self._invoice((1000, self.t15), date="2026-06-15"))
        with freeze_time("2026-12-20"):
            with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 100):
                self.Writeoff._cron_claim_relief()
                self.Writeoff._cron_claim_relief()
        self.assertEqual(len(writeoff.line_ids.relief_move_id), 1)
        self.assertBalances(bde=1000, vat=0)

    def test_relief_at_once_where_it_is_old_enough(self):
        self.company.bad_debt_relief_months = 6
        self._write_off(self._invoice((1000, self.t15)))
        self.assertBalances(bde=1000, vat=0)

    # ------------------------------------------------------------------ due on payment
    def test_cash_basis_never_becomes_due(self):
        writeoff = self._write_off(self._invoice((1000, self.c15)))
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 1000), (self.trn, 150)])
        self.assertBalances(trn=0, vat=0, ar=0)
        self.assertFalse(self.env["account.move"].search_count([("journal_id", "=", self.caba_journal.id)]))
        self.assertTags(SALE_BASE=0, SALE_TAX=0, REFUND_BASE=0, REFUND_TAX=0)
        self.assertTrue(writeoff.move_id.line_ids.filtered(lambda line: line.account_id == self.trn).reconciled)

    def test_cash_basis_partly_paid(self):
        invoice = self._invoice((1000, self.c15))
        self._payment(460, invoices=invoice)
        self.assertBalances(vat=-60, trn=-90)
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -690), (self.bde, 600), (self.trn, 90)])
        self.assertBalances(trn=0, vat=-60, ar=0)

    def test_cash_basis_given_up_in_part_then_paid(self):
        invoice = self._invoice((1000, self.c15))
        self._write_off(invoice, {self._items(invoice): 690})
        self.assertBalances(ar=460, bde=600, trn=-60, vat=0)
        self._payment(460, date="2026-11-21", invoices=invoice)
        self.assertBalances(ar=0, trn=0, vat=-60)

    def test_cash_basis_in_parts_of_several_invoices(self):
        first, second = self._invoice((100.01, self.c15)), self._invoice((33.33, self.c15), date="2026-05-02")
        items = self._items(first | second)
        self._write_off(first | second, {item: 17.17 for item in items})
        self._write_off(first | second)
        self.assertBalances(trn=0, vat=0, ar=0)
        self.assertNoExchange()

    def test_cash_basis_and_netting(self):
        invoice = self._invoice((1000, self.c15))
        self._payment(460)
        writeoff = self._write_off(invoice)
        self.assertEntry(writeoff.move_id, [(self.ar, -690), (self.bde, 600), (self.trn, 90)])
        self.assertBalances(trn=0, vat=-60, ar=0)
