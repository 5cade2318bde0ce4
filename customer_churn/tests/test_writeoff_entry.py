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

    def test_many_small_parts_add_up(self):
        invoice = self._invoice((100, self.t15))
        item = self._items(invoice)
        parts = [self._write_off(invoice, {item: amount}) for amount in (38.33, 38.33, 38.34)]
        self.assertEqual([part.amount_expense for part in parts], [33.33, 33.33, 33.34])
        self.assertEqual([part.amount_tax for part in parts], [5.0, 5.0, 5.0])
        self.assertBalances(bde=100, vat=0, ar=0)
        self.assertTags(REFUND_BASE=100, REFUND_TAX=15)

    def test_instalments(self):
        terms = self.env["account.payment.term"].create({"name": "33/33/34", "line_ids": [
            (0, 0, {"value": "percent", "value_amount": share, "nb_days": days})
            for share, days in ((33, 0), (33, 30), (34, 60))]})
        invoice = self._invoice((1000.01, self.t15), invoice_payment_term_id=terms.id, invoice_date_due=False)
        items = self._items(invoice)
        self.assertEqual(items.mapped("balance"), [379.5, 379.5, 391.01])
        writeoff = self._write_off(items[:2])
        self.assertEntry(writeoff.move_id, [
            (self.ar, -379.5), (self.ar, -379.5), (self.bde, 660), (self.vat, 99)])
        self.assertEqual(
            writeoff.line_ids.booked_line_id.mapped("date_maturity"), items[:2].mapped("date_maturity"))
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (391.01, "partial"))
        self.assertEqual(invoice.write_off_state, "partial")

    def test_preview_is_what_is_posted(self):
        self._entry((self.alw, -575), (self.bde, 575))
        writeoff = self._prepare(self._invoice((1000, self.t15), (300, self.t7)))
        preview = writeoff._preview()
        self.assertFalse(self.env["account.move"].search_count([("bad_debt_writeoff_id", "=", writeoff.id)]))
        writeoff.action_submit()
        writeoff.action_post()
        lines = writeoff.move_id.line_ids.sorted("id")
        for name in ("account_id", "partner_id", "currency_id"):
            self.assertEqual([line[name] for line in preview], [line[name].id for line in lines])
        for name in ("amount_currency", "balance"):
            self.assertEqual([line[name] for line in preview], lines.mapped(name))
        for name in ("tax_ids", "tax_tag_ids"):
            self.assertEqual(
                [set(line[name][0][2]) if name in line and line[name][0][0] == 6 else set() for line in preview],
                [set(line[name].ids) for line in lines])

    def test_allowance_pays_first(self):
        self._entry((self.alw, -1200), (self.bde, 1200))
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.alw, 1000), (self.vat, 150)])
        self.assertBalances(alw=-200, bde=1200)
        self.assertTags(REFUND_BASE=1000, REFUND_TAX=150)
        self.assertEqual((writeoff.amount_allowance, writeoff.amount_expense), (1000, 0))

    def test_allowance_that_does_not_suffice(self):
        self._entry((self.alw, -575), (self.bde, 575))
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.alw, 575), (self.bde, 425), (self.vat, 150)])
        self.assertBalances(alw=0, bde=1000)
        self.assertTags(REFUND_BASE=1000)

    def test_allowance_is_left_alone_where_it_must(self):
        self._entry((self.alw, -575), (self.bde, 575))
        writeoff = self._write_off(self._invoice((1000, self.t15)), use_allowance=False)
        self.assertEqual((writeoff.amount_allowance, writeoff.amount_expense), (0, 1000))

    def test_two_receivable_accounts_one_entry(self):
        first = self._invoice((100, None))
        self.debtor.property_account_receivable_id = self.ar2
        second = self._invoice((200, None))
        writeoff = self._write_off(first | second)
        self.assertEntry(writeoff.move_id, [(self.ar, -100), (self.ar2, -200), (self.bde, 300)])
        self.assertEqual((first | second).mapped("amount_residual"), [0, 0])

    def test_contacts_of_one_customer_together(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.debtor.id})
        other = self.env["res.partner"].create({"name": "Other", "property_account_receivable_id": self.ar.id})
        writeoffs = self._prepare(
            self._invoice((100, None), partner=contact) | self._invoice((10, None))
            | self._invoice((5, None), partner=other))
        self.assertEqual({writeoff.partner_id: writeoff.amount_total for writeoff in writeoffs},
                         {self.debtor: 110, other: 5})

    def test_receipt_and_opening_entry(self):
        receipt = self._invoice((100, self.t15), move_type="out_receipt")
        opening = self._entry((self.ar, 50), (self.rev, -50))
        writeoff = self._write_off(receipt | opening)
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (150, 15))
        self.assertEqual((receipt.amount_residual, self._items(opening).amount_residual), (0, 0))

    # ------------------------------------------------------------------ analytic
    def _analytic(self, *names):
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        return self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id, "company_id": self.company.id} for name in names])

    def _analytic_amount(self, account):
        fname = account.plan_id._column_name()
        return sum(self.env["account.analytic.line"].search([(fname, "=", account.id)]).mapped("amount"))

    def test_analytic_accounts_come_to_nothing(self):
        a1, a2 = self._analytic("A1", "A2")
        self._write_off(self._invoice(
            (600, self.t15, {"analytic_distribution": {str(a1.id): 100}}),
            (400, self.t15, {"analytic_distribution": {str(a1.id): 50, str(a2.id): 50}})))
        self.assertEqual([self._analytic_amount(account) for account in (a1, a2)], [0, 0])

    def test_analytic_accounts_bear_the_lost_tax(self):
        a1, a2 = self._analytic("A1", "A2")
        writeoff = self._write_off(self._invoice(
            (600, self.t15, {"analytic_distribution": {str(a1.id): 100}}),
            (400, self.t15, {"analytic_distribution": {str(a2.id): 100}})), tax_relief="none")
        self.assertEntry(writeoff.move_id, [(self.ar, -1150), (self.bde, 690), (self.bde, 460)])
        self.assertEqual([self._analytic_amount(account) for account in (a1, a2)], [-90, -60])

    def test_mandatory_plan_takes_the_company_s_rule(self):
        a1, = self._analytic("A1")
        self.env["account.analytic.applicability"].create({
            "analytic_plan_id": a1.plan_id.id, "business_domain": "general", "applicability": "mandatory"})
        invoice = self._invoice((1000, self.t15))
        with self.assertRaisesRegex(Exception, "analytic"), self.env.cr.savepoint():
            self._write_off(invoice)
        self.env["account.analytic.distribution.model"].create({
            "account_prefix": "65", "company_id": self.company.id, "analytic_distribution": {str(a1.id): 100}})
        writeoff = self._write_off(invoice)
        self.assertEqual(self._analytic_amount(a1), -1000)
        self.assertFalse(writeoff.line_ids.booked_line_id.analytic_distribution)

    def test_two_documents_of_a_customer_use_the_allowance_once(self):
        self._entry((self.alw, -500), (self.bde, 500))
        both = self._prepare(self._invoice((1000, None))) | self._prepare(self._invoice((1000, None)))
        both.action_submit()
        both.action_post()
        self.assertBalances(alw=0, bde=2000, ar=0)
        self.assertEqual(both.mapped("amount_allowance"), [500, 0])
