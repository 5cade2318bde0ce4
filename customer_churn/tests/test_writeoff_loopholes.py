from odoo.exceptions import RedirectWarning, UserError, ValidationError
from odoo.tests import Form, tagged

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffLoopholes(BadDebtCommon):
    """Ways around the buttons, and input that no screen would send."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice((1000, cls.t15))

    def _recover(self, writeoff, *args, **values):
        return self.Recovery.with_user(self.approver)._create_for(writeoff, *args, **values)

    # ------------------------------------------------------------------ the money of a recovery
    def test_payment_of_a_recovery_stays_with_it(self):
        """Whichever way somebody takes the payment away, the debt booked again would stand open for ever."""
        writeoff = self._write_off(self.invoice)
        payment = self._payment(460, date="2026-11-21")
        recovery = self._recover(writeoff, payment=payment)
        debt = self._items(recovery.move_id)
        for name, take_away in {
                "entry reset": payment.move_id.button_draft, "entry cancelled": payment.move_id.button_cancel,
                "rejected": payment.action_reject, "deleted": payment.unlink,
                "unmatched": debt.remove_move_reconcile,
                "reversed": lambda: payment.move_id._reverse_moves(cancel=True)}.items():
            with self.subTest(name), self.assertRaisesRegex(UserError, "Undo the recovery first"):
                take_away()
        self.assertTrue(debt.reconciled)
        recovery.action_undo()
        payment.move_id.button_draft()
        self.assertEqual(payment.move_id.state, "draft")

    def test_customer_who_got_a_parent_company_pays_after_all(self):
        person = self.env["res.partner"].create({"name": "Person", "property_account_receivable_id": self.ar.id})
        writeoff = self._write_off(self._invoice((100, self.t15), partner=person))
        person.parent_id = self.debtor
        self._recover(writeoff, 46)
        self._recover(writeoff, payment=self._payment(23, partner=person, date="2026-11-21"))
        self.assertEqual(writeoff.amount_recovered, 69)
        writeoff.action_undo()
        self.assertEqual(writeoff.amount_undone, 46)

    # ------------------------------------------------------------------ input that is none
    def test_dates_that_are_none(self):
        items = self._items(self.invoice)
        for date in ("soon", "2026-13-01", 5):
            with self.subTest(date), self.assertRaisesRegex(ValidationError, "is no date"):
                self._prepare(items, date=date)
        writeoff = self._prepare(items, date=None)
        self.assertEqual(str(writeoff.date), "2026-11-23")
        writeoff.action_submit()
        writeoff.action_post()
        recovery = self._recover(writeoff, 460)
        for call in (writeoff.action_undo, writeoff.action_claim_relief, recovery.action_undo,
                     lambda date: self._recover(writeoff, 1, date)):
            with self.assertRaisesRegex(ValidationError, "is no date"):
                call("soon")

    def test_kinds_that_are_none(self):
        for kind in ("gift", None):
            with self.subTest(kind), self.assertRaisesRegex(ValidationError, "no kind of write-off.*small_difference"):
                self._prepare(self.invoice, kind=kind)

    def test_amounts_that_round_to_nothing(self):
        with self.assertRaisesRegex(ValidationError, "above zero"):
            self._prepare(self.invoice, {self._items(self.invoice): 1e-9})
        writeoff = self._write_off(self.invoice)
        for amount in (0.001, "5", float("inf")):
            with self.subTest(amount), self.assertRaisesRegex(UserError, "above zero"):
                self._recover(writeoff, amount)

    def test_copy_is_an_empty_draft(self):
        copy = self._write_off(self.invoice).copy()
        self.assertEqual((copy.state, copy.line_ids.ids, copy.move_id.id), ("draft", [], False))
        with self.assertRaisesRegex(UserError, "no items"):
            copy.action_submit()

    # ------------------------------------------------------------------ settings that changed meanwhile
    def test_settings_taken_away_before_the_undo(self):
        writeoff = self._write_off(self.invoice)
        recovery = self._recover(writeoff, 460)
        self.company.bad_debt_journal_id = False
        for record in (recovery, writeoff):
            with self.assertRaisesRegex(RedirectWarning, "is missing"):
                record.action_undo()
        self.assertEqual((writeoff.state, recovery.state), ("partially_recovered", "posted"))

    def test_settings_taken_away_before_the_claim(self):
        self.company.bad_debt_relief_months = 6
        writeoff = self._write_off(self.invoice, date="2026-10-30")
        self.company.bad_debt_expense_account_id = False
        with self.assertRaisesRegex(RedirectWarning, "is missing"):
            writeoff.action_claim_relief()

    # ------------------------------------------------------------------ what the screens show
    def test_preview_knows_what_netting_takes_from_which_part(self):
        """A credit note that is matched first gives back its own tax, not a share of each."""
        invoice = self._invoice((100, self.t15), (33.33, self.t7))
        self._payment(30)
        self._invoice((10, self.t15), move_type="out_refund", date="2026-06-02")
        writeoff = self._prepare(invoice)
        shown = [(line["account_id"], line["balance"]) for line in writeoff._preview()]
        writeoff.action_submit()
        writeoff.action_post()
        self.assertEqual(shown, [(line.account_id.id, line.balance) for line in writeoff.move_id.line_ids.sorted("id")])
        self.assertEqual(writeoff.amount_total, 109.16)

    def test_wizard_without_a_date_shows_no_entry(self):
        wizard = Form(self.env["customer.bad.debt.writeoff.wizard"].with_user(self.approver).with_context(
            active_model="account.move", active_ids=self.invoice.ids))
        self.assertIn("1,150", wizard.entry_preview)
        wizard.date = False
        self.assertFalse(wizard.entry_preview)
        wizard.date = "2026-11-20"
        self.assertIn("1,150", wizard.entry_preview)

    def test_document_without_a_date_shows_no_entry(self):
        with Form(self._prepare(self.invoice)) as writeoff:
            writeoff.date = False
            self.assertFalse(writeoff.entry_preview)
            writeoff.date = "2026-11-20"
            self.assertIn("1,150", writeoff.entry_preview)

    def test_days_beyond_the_calendar(self):
        with Form(self.env["customer.bad.debt.batch"].with_user(self.officer)) as batch:
            batch.days_overdue_min = 999999999
            self.assertEqual(batch.customer_count, 0)
            batch.days_overdue_min = 365
        batch.record.days_overdue_min = 999999
        with self.assertRaisesRegex(ValidationError, "Give fewer"):
            batch.record.action_prepare()
