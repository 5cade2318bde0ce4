from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffKind(BadDebtCommon):
    """Credits that nobody claims, and rests of either sign, with their own and the company's limits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.bad_debt_small_difference_limit = 0.05
        cls.eur, cls.yen = cls.env["res.currency"].create([{
            "name": name, "symbol": name, "rounding": rounding,
            "rate_ids": [(0, 0, {"name": "2026-01-01", "rate": rate, "company_id": cls.company.id})]}
            for name, rounding, rate in (("EUX", 0.01, 0.8), ("JPX", 1.0, 150.0))])

    def _stale(self, amount, date="2023-01-15"):
        return self._write_off(self._payment(amount, date=date).move_id, kind="stale_credit")

    def _small(self, *moves, **values):
        return self._write_off(self.env["account.move"].union(*moves), kind="small_difference", **values)

    # ------------------------------------------------------------------ stale credits
    def test_stale_credit(self):
        writeoff = self._stale(50)
        self.assertEntry(writeoff.move_id, [(self.ar, 50), (self.oi, -50)])
        self.assertTrue(writeoff.line_ids.move_line_id.reconciled)
        self.assertEqual((writeoff.amount_total, writeoff.amount_expense, writeoff.amount_tax), (50, 50, 0))

    def test_stale_credit_settles_invoices_first(self):
        invoice = self._invoice((30, None))
        writeoff = self._stale(50)
        self.assertEntry(writeoff.move_id, [(self.ar, 20), (self.oi, -20)])
        self.assertEqual((invoice.amount_residual, invoice.write_off_state), (0, "none"))

    def test_a_credit_is_stale_after_the_months_of_the_company(self):
        self.company.bad_debt_stale_credit_months = 24
        with self.assertRaisesRegex(UserError, "not stale before the end of 2026-11-20, 24 months"):
            self._stale(50, "2024-11-20")
        self._stale(50, "2024-11-19")
        self.company.bad_debt_stale_credit_months = 36
        with self.assertRaisesRegex(UserError, "36 months"):
            self._stale(50, "2024-11-19")
        self.company.bad_debt_stale_credit_months = 0
        self._stale(50, "2026-11-20")

    def test_a_credit_above_the_limit_after_what_is_owed(self):
        self.company.bad_debt_stale_credit_limit = 100
        with self.assertRaisesRegex(UserError, "above the limit of stale credits"), self.env.cr.savepoint():
            self._stale(100.01)
        invoice = self._invoice((0.01, None))
        self.assertEqual((self._stale(100.01).amount_total, invoice.amount_residual), (100, 0))
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._stale(100.01)

    def test_the_rule_counts_until_it_is_booked(self):
        writeoff = self._prepare(self._payment(50, date="2023-01-15").move_id, kind="stale_credit")
        writeoff.action_submit()
        self.company.bad_debt_stale_credit_limit = 49
        with self.assertRaisesRegex(UserError, "above the limit"):
            writeoff.action_post()

    # ------------------------------------------------------------------ small differences
    def test_small_differences_both_ways(self):
        short = self._invoice((100, None))
        self._payment(99.97, invoices=short)
        self.assertEntry(self._small(short).move_id, [(self.ar, -0.03), (self.sd, 0.03)])
        over = self._payment(0.02)
        self.assertEntry(self._small(over.move_id).move_id, [(self.ar, 0.02), (self.sd, -0.02)])
        self.assertBalances(ar=0, bde=0)

    def test_rests_of_both_signs_at_once_settle_each_other_first(self):
        short, over = self._invoice((0.03, None)), self._payment(0.02)
        writeoff = self._small(short, over.move_id)
        self.assertEntry(writeoff.move_id, [(self.ar, -0.01), (self.sd, 0.01)])
        self.assertEqual((writeoff.amount_total, writeoff.amount_expense, short.amount_residual), (0.01, 0.01, 0))
        self.assertTrue(self._items(over.move_id).reconciled)

    def test_what_netting_leaves_is_what_counts(self):
        invoice = self._invoice((100.03, None))
        self._payment(100)
        self.assertEqual(self._small(invoice).amount_total, 0.03)
        self.assertBalances(ar=0, sd=0.03)

    def test_above_the_limit(self):
        over = self._payment(0.06)
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(over.move_id)
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(self._invoice((0.12, None)))
        self.company.bad_debt_small_difference_limit = 0
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(self._invoice((0.07, None)))

    def test_a_currency_has_a_limit_of_its_own(self):
        self.eur.with_company(self.company).bad_debt_small_difference_limit = 0.07
        self._small(self._invoice((0.07, None), currency_id=self.eur.id))  # 0.09 in the books
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(self._invoice((0.08, None), currency_id=self.eur.id))
        self.eur.with_company(self.company).bad_debt_small_difference_limit = 0.01
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(self._invoice((0.02, None), currency_id=self.eur.id))

    def test_without_one_the_value_in_the_books_decides(self):
        self.assertEqual(self._small(self._invoice((7, None), currency_id=self.yen.id)).amount_total, 0.05)
        larger = self._payment(9, currency_id=self.yen.id).move_id
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(larger)
        self.yen.with_company(self.company).bad_debt_small_difference_limit = 10
        self.assertEqual(self._small(larger).amount_total, 0.06)

    def test_the_limit_of_a_currency_is_each_company_s_own(self):
        other = self._create_company("Other")
        self.eur.with_company(other).bad_debt_small_difference_limit = 10
        with self.assertRaisesRegex(UserError, "above the limit"):
            self._small(self._invoice((5, None), currency_id=self.eur.id))
        with self.assertRaisesRegex(ValidationError, "EUX"):
            self.eur.bad_debt_small_difference_limit = -1

    def test_undo(self):
        payment = self._payment(50, date="2023-01-15")
        invoice = self._invoice((0.03, None))
        item = self._items(payment.move_id)
        for writeoff in (self._write_off(item, {item: 50}, kind="stale_credit"),
                         self._write_off(invoice, kind="small_difference")):
            writeoff.action_undo()
            self.assertEqual((writeoff.state, writeoff.amount_undone), ("reversed", writeoff.amount_total))
        self.assertEqual((item.amount_residual, invoice.amount_residual), (-50, 0.03))
        self.assertBalances(oi=0, sd=0)

    # ------------------------------------------------------------------ what the wizard finds
    def _customer(self, name):
        return self.debtor.create({"name": name, "property_account_receivable_id": self.ar.id})

    def test_wizard_finds_what_the_kind_is_for(self):
        self.company.bad_debt_stale_credit_months = 24
        debt = self._invoice((1000, None))
        stale = self._payment(50, date="2023-01-15", partner=self._customer("Gone"))
        self._payment(70, date="2026-01-15", partner=stale.partner_id)
        self._payment(80, date="2026-01-15")  # what the debt takes of it is no rest
        rest = self._invoice((0.04, None), partner=self._customer("Nearly paid"))
        partners = debt.partner_id | stale.partner_id | rest.partner_id
        found = {
            "bad_debt": self._items(debt | rest), "stale_credit": self._items(stale.move_id),
            "small_difference": self._items(rest)}
        with Form(self.env["customer.bad.debt.writeoff.wizard"].with_user(self.approver).with_context(
                active_model="res.partner", active_ids=partners.ids)) as wizard:
            for kind in ("stale_credit", "bad_debt", "small_difference"):
                wizard.kind = kind
                self.assertEqual({line["move_line_id"] for line in wizard.line_ids._records}, set(found[kind].ids))
            self.assertIn(self.sd.code, wizard.entry_preview)
        writeoff = self.Writeoff.browse(wizard.record.action_write_off()["res_id"])
        self.assertEqual((writeoff.kind, writeoff.state, writeoff.amount_total), ("small_difference", "posted", 0.04))
