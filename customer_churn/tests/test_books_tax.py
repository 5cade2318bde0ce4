from freezegun import freeze_time
from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_books import BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksTax(BooksCommon):
    def test_input_claim(self):
        self.company.bad_debt_tax_relief = "input_claim"
        self.env["customer.bad.debt.tax.relief"].create({
            "company_id": self.company.id, "tax_id": self.t15.id, "relief_tax_id": self.claim15.id,
            "account_id": self.vat_in.id})
        writeoff = self.write_off(self.inv((1000, self.t15)))
        self.assertLedger(ar=0, bde=1000, vat=-150, vat_in=150)
        self.assertTags(SALE_BASE=-1000, SALE_TAX=-150, REFUND_BASE=0, REFUND_TAX=0, BOX4_BASE=1000, BOX4_TAX=150)
        writeoff.action_undo()
        self.assertLedger(ar=1150, bde=0, vat=-150, vat_in=0)
        # the undo is a credit: whichever side its tags are of, the box stands at zero
        self.assertEqual(self.tag("BOX4_TAX") + self.tag("BOX4R_TAX"), 0)

    def test_input_claim_without_a_relief_tax(self):
        self.company.bad_debt_tax_relief = "input_claim"
        with self.assertRaises(Exception) as caught:
            self.prepare(self.inv((1000, self.t15)))
        self.assertIn("T15", str(caught.exception))

    def test_two_rates_and_an_exempt_line(self):
        invoice = self.inv((600.01, self.t15), (399.99, self.t7), (50, None))
        self.assertEqual(invoice.amount_total, 1168)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1050, vat=0)
        self.assertTags(SALE_BASE=-1000, SALE_TAX=-118, REFUND_BASE=1000, REFUND_TAX=118)

    def test_two_rates_in_parts(self):
        invoice = self.inv((600.01, self.t15), (399.99, self.t7), (50, None))
        due = self.due(invoice)
        for amount in (0.01, 333.33, 500, 334.66):
            self.write_off(due, {due: amount})
        self.assertLedger(ar=0, bde=1050, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=118)

    def test_price_included(self):
        tax = self._tax("I15", 15, price_include_override="tax_included")
        self.write_off(self.inv((1150, tax)))
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)

    def test_fixed_tax(self):
        tax = self._tax("Eco", 7.5, amount_type="fixed")
        self.write_off(self.inv((1000, tax | self.t15)))
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertEqual(round(self.tag("REFUND_TAX") + self.tag("SALE_TAX"), 2), 0)

    def test_group_of_taxes(self):
        group = self.env["account.tax"].create({
            "name": "Group", "amount_type": "group", "type_tax_use": "sale",
            "children_tax_ids": [Command.set((self.t15 | self.t7).ids)]})
        invoice = self.inv((1000, group))
        self.assertEqual(invoice.amount_total, 1220)
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertEqual(round(self.tag("REFUND_TAX"), 2), 220)
        self.assertEqual(self.tag("REFUND_BASE"), -self.tag("SALE_BASE"))
        writeoff.action_undo()
        self.assertTags(REFUND_BASE=0, REFUND_TAX=0)

    def test_tax_on_tax(self):
        levy = self._tax("Levy", 10, include_base_amount=True, sequence=1)
        self.t15.sequence = 2
        invoice = self.inv((1000, levy | self.t15))
        self.assertEqual(invoice.amount_total, 1265)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertEqual(round(self.tag("REFUND_TAX") + self.tag("SALE_TAX"), 2), 0)
        self.assertEqual(round(self.tag("REFUND_BASE") + self.tag("SALE_BASE"), 2), 0)

    def test_zero_rate(self):
        self.write_off(self.inv((1000, self._tax("Z0", 0))))
        self.assertLedger(ar=0, bde=1000, vat=0)

    def test_withholding(self):
        withheld = self._tax("W", -10)
        invoice = self.inv((1000, self.t15 | withheld))
        self.assertEqual(invoice.amount_total, 1050)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)

    def test_manual_tax(self):
        invoice = self.inv((1000, self.t15), post=False)
        tax_line = invoice.line_ids.filtered("tax_repartition_line_id")
        due = self.due(invoice)
        invoice.write({"line_ids": [
            Command.update(tax_line.id, {"amount_currency": -149.97}),
            Command.update(due.id, {"amount_currency": 1149.97})]})
        invoice.action_post()
        self.assertEqual((invoice.amount_total, invoice.amount_tax), (1149.97, 149.97))
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_TAX=149.97)

    def test_partly_paid(self):
        invoice = self.inv((1000, self.t15))
        self.pay(460, invoice=invoice)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=600, vat=-60)
        self.assertTags(REFUND_BASE=600, REFUND_TAX=90)
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (690, "full"))

    def test_partly_credited(self):
        invoice = self.inv((1000, self.t15))
        self._credit(invoice, 200)
        self.write_off(invoice)
        self.assertEqual(invoice.payment_state in ("paid", "reversed"), True)
        self.assertLedger(ar=0, bde=800, vat=0)

    def _credit(self, invoice, amount, tax=None):
        """A credit note of the invoice, with its tax as given."""
        note = self.env["account.move"].create({
            "move_type": "out_refund", "partner_id": self.partner.id, "invoice_date": "2026-05-10",
            "reversed_entry_id": invoice.id, "invoice_line_ids": [Command.create({
                "name": "Goods", "price_unit": amount, "account_id": self.revenue.id,
                "tax_ids": [Command.set(self.t15.ids)]})]})
        if tax:
            note.write({"line_ids": [
                Command.update(note.line_ids.filtered("tax_repartition_line_id").id, {"amount_currency": tax}),
                Command.update(self.due(note).id, {"amount_currency": -amount - tax})]})
        note.action_post()
        lines = (self.due(note) | self.due(invoice)).filtered(lambda line: not line.reconciled)
        if len(lines) > 1:
            lines.reconcile()
        return note

    def test_no_more_relief_than_was_declared(self):
        """A credit note that took back more tax than its share leaves less to claim."""
        invoice = self.inv((1000, self.t15))
        self.assertEqual(self._credit(invoice, 40, tax=120).amount_total, 160)
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=960, vat=0)
        self.assertEqual(writeoff.amount_tax, 30)

    def test_rounding_to_nothing_and_its_undo(self):
        writeoff = self.write_off(self.inv((0.02, self.t15)))
        self.assertLedger(ar=0, bde=0.02, vat=0)
        writeoff.action_undo()
        self.assertLedger(ar=0.02, bde=0)
        self.assertTags(SALE_BASE=-0.02, REFUND_BASE=0)

    def test_cash_rounding(self):
        rounding = self.cash_rounding_a
        invoice = self.inv((999.98, self.t15), invoice_cash_rounding_id=rounding.id)
        self.assertEqual(invoice.amount_total, 1150)
        self.write_off(invoice)
        self.assertLedger(ar=0, vat=0)
        self.assertTags(REFUND_BASE=999.98, REFUND_TAX=150)

    def test_early_payment_discount(self):
        terms = self.env["account.payment.term"].create({
            "name": "2/10", "early_discount": True, "discount_percentage": 2, "discount_days": 10,
            "early_pay_discount_computation": "mixed",
            "line_ids": [Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})]})
        invoice = self.inv((1000, self.t15), invoice_payment_term_id=terms.id)
        self.assertEqual(invoice.amount_total, 1147)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, vat=0)
        self.assertTags(REFUND_TAX=147)
        self.assertEqual(round(self.tag("REFUND_BASE") + self.tag("SALE_BASE"), 2), 0)

    # ------------------------------------------------------------------ cash basis
    def test_cash_basis_never_becomes_due(self):
        invoice = self.inv((1000, self.c15))
        self.assertLedger(trn=-150, vat=0)
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1000, trn=0, vat=0)
        self.assertTags(SALE_TAX=0, SALE_BASE=0, REFUND_TAX=0, REFUND_BASE=0)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1000, 150))
        transition = (invoice | writeoff.move_id).line_ids.filtered(lambda line: line.account_id == self.trn)
        self.assertEqual(transition.mapped("amount_residual"), [0, 0])
        self.assertFalse(self.env["account.move"].search_count([
            ("tax_cash_basis_origin_move_id", "in", (invoice | writeoff.move_id).ids)]))
        writeoff.action_undo()
        self.assertLedger(ar=1150, bde=0, trn=-150, vat=0)
        self.pay(1150, on="2026-11-23", invoice=invoice)
        self.assertLedger(ar=0, trn=0, vat=-150)

    def test_cash_basis_partly_paid(self):
        invoice = self.inv((1000, self.c15))
        self.pay(460, invoice=invoice)
        self.assertLedger(trn=-90, vat=-60)
        self.write_off(invoice)
        self.assertLedger(ar=0, bde=600, trn=0, vat=-60)

    def test_cash_basis_in_parts_then_paid(self):
        invoice = self.inv((1000, self.c15))
        self.write_off(invoice, {self.due(invoice): 690})
        self.assertLedger(ar=460, bde=600, trn=-60, vat=0)
        self.pay(460, on="2026-11-21", invoice=invoice)
        self.assertLedger(ar=0, trn=0, vat=-60)

    def test_cash_basis_of_several_invoices(self):
        invoices = self.inv((33.33, self.c15)) | self.inv((66.67, self.c15)) | self.inv((0.1, self.c15))
        writeoff = self.write_off(invoices)
        self.assertLedger(ar=0, trn=0, vat=0, bde=100.1)
        lines = (invoices | writeoff.move_id).line_ids.filtered(lambda line: line.account_id == self.trn)
        self.assertEqual(set(lines.mapped("amount_residual")), {0})
        self.assertNoExchange()

    def test_cash_basis_after_the_customers_own_credit(self):
        """What the credit makes due is taken from the transition account once."""
        invoice = self.inv((1000, self.c15))
        self.pay(460)
        writeoff = self.prepare(invoice)
        promised = self.preview(writeoff)
        writeoff.action_submit()
        writeoff.with_user(self.approver).action_post()
        self.assertLedger(ar=0, bde=600, trn=0, vat=-60)
        self.assertEqual(self.booked(writeoff.move_id), promised)

    # ------------------------------------------------------------------ later
    def test_relief_later_once(self):
        self.company.bad_debt_relief_months = 6
        invoice = self.inv((1000, self.t15), on="2026-06-20")
        writeoff = self.write_off(invoice)
        self.assertLedger(ar=0, bde=1150, vat=-150)
        with self.assertRaises(UserError):
            writeoff.action_claim_relief()
        with freeze_time("2026-12-21"):
            writeoff.action_claim_relief()
            self.env.invalidate_all()
            self.assertLedger(bde=1000, vat=0)
            self.assertTags(REFUND_TAX=150, REFUND_BASE=1000)
            with self.assertRaises(UserError):
                writeoff.action_claim_relief()
            self.assertLedger(bde=1000, vat=0)
            writeoff.action_undo()
            self.assertLedger(ar=1150, bde=0, vat=-150)
            self.assertTags(REFUND_TAX=0, REFUND_BASE=0)

    def test_relief_old_enough(self):
        self.company.bad_debt_relief_months = 6
        self.write_off(self.inv((1000, self.t15)))
        self.assertLedger(bde=1000, vat=0)
