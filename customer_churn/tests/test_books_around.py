from unittest.mock import patch

from freezegun import freeze_time
from odoo import Command
from odoo.addons.account.models.account_move import AccountMove
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_books import BooksCommon


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksAround(BooksCommon):
    """What users do around a write-off stays right, or is refused with the remedy."""

    def state(self, writeoff):
        self.env.flush_all()
        self.env.invalidate_all()
        return writeoff.state

    # ------------------------------------------------------------------ the entry and the invoice
    def test_reverse_entry(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        wizard = self.env["account.move.reversal"].with_user(self.approver).with_context(
            active_model="account.move", active_ids=writeoff.move_id.ids).create({
                "date": "2026-11-22", "journal_id": self.journal.id})
        wizard.reverse_moves()
        self.assertEqual(self.state(writeoff), "reversed")
        self.assertEqual((invoice.amount_residual, invoice.payment_state), (1150, "not_paid"))
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (0, "none"))
        self.assertLedger(ar=1150, bde=0, vat=-150)
        self.assertTags(REFUND_TAX=0, REFUND_BASE=0)

    def test_the_entry_is_not_reset_cancelled_or_deleted(self):
        writeoff = self.write_off(self.inv((1000, self.t15)))
        move = writeoff.move_id.with_env(self.env)
        for method in ("button_draft", "button_cancel", "unlink"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(move, method)()
        self.assertEqual((self.state(writeoff), move.state), ("posted", "posted"))

    def test_the_invoice_is_not_reset_or_cancelled(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        for method in ("button_draft", "button_cancel"):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "[Uu]ndo"):
                getattr(invoice, method)()
        writeoff.action_undo()
        invoice.button_draft()
        self.assertEqual(invoice.state, "draft")

    def test_an_invoice_with_a_pending_document(self):
        """Reset while a document waits: posting it refuses the draft by name."""
        invoice = self.inv((1000, self.t15))
        writeoff = self.prepare(invoice)
        writeoff.action_submit()
        try:
            invoice.button_draft()
        except UserError:
            return
        with self.assertRaises(UserError):
            writeoff.with_user(self.approver).action_post()

    def test_credit_note_afterwards(self):
        invoice = self.inv((1000, self.t15))
        self.write_off(invoice)
        wizard = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids).create({
                "date": "2026-11-22", "journal_id": invoice.journal_id.id})
        with self.assertRaisesRegex(UserError, "[Uu]ndo"):
            wizard.reverse_moves()
        self.assertEqual(invoice.amount_residual, 0)

    def test_modify_an_untouched_invoice_is_free(self):
        invoice = self.inv((1000, self.t15))
        invoice._reverse_moves([{"invoice_date": "2026-11-22"}], cancel=True)
        self.assertEqual(invoice.payment_state, "reversed")

    # ------------------------------------------------------------------ matching undone by hand
    def test_unmatched_and_matched_again(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.due(invoice).remove_move_reconcile()
        self.assertEqual(self.state(writeoff), "unmatched")
        self.assertEqual(invoice.amount_residual, 1150)
        self.assertEqual((invoice.amount_written_off, invoice.write_off_state), (0, "none"))
        self.assertTrue(writeoff.activity_ids.filtered(lambda activity: activity.user_id == self.approver))
        writeoff.action_rematch()
        self.assertEqual(self.state(writeoff), "posted")
        self.assertEqual((invoice.amount_residual, invoice.amount_written_off, invoice.write_off_state),
                         (0, 1150, "full"))
        self.assertLedger(ar=0, bde=1000)

    def test_paid_while_unmatched(self):
        """Matched again where a payment took the place: refused, not matched with something else."""
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.due(invoice).remove_move_reconcile()
        self.pay(1150, on="2026-11-22", invoice=invoice)
        with self.assertRaises(UserError):
            writeoff.action_rematch()
        self.assertEqual(self.state(writeoff), "unmatched")
        writeoff.action_undo()
        self.assertLedger(ar=0, bde=0, vat=-150)
        self.assertEqual(invoice.amount_residual, 0)

    def test_unmatched_is_no_credit_of_the_customer(self):
        """The counterpart of a write-off that lies open settles no other invoice."""
        invoice, other = self.inv((100, None)), self.inv((80, None))
        writeoff = self.write_off(invoice)
        self.due(invoice).remove_move_reconcile()
        with self.assertRaises(UserError):
            self.prepare(self.due(writeoff.move_id), kind="stale_credit")
        self.assertEqual(self.write_off(other).amount_total, 80)
        writeoff.action_rematch()
        self.assertLedger(ar=0, bde=180)

    def test_unmatched_of_two_invoices(self):
        invoices = self.inv((100, None)) | self.inv((80, None))
        writeoff = self.write_off(invoices)
        self.due(invoices[0]).remove_move_reconcile()
        self.assertEqual(self.state(writeoff), "unmatched")
        self.assertEqual(invoices.mapped("amount_written_off"), [0, 80])
        writeoff.action_rematch()
        self.assertEqual(invoices.mapped("amount_written_off"), [100, 80])

    def test_undo_while_unmatched(self):
        invoice = self.inv((1000, self.t15))
        writeoff = self.write_off(invoice)
        self.due(invoice).remove_move_reconcile()
        writeoff.action_undo()
        self.assertEqual(self.state(writeoff), "reversed")
        self.assertLedger(ar=1150, bde=0, vat=-150)
        self.assertTrue(all(self.due(writeoff.move_id | writeoff.reversal_move_id).mapped("reconciled")))

    def test_other_matches_leave_documents_alone(self):
        invoice = self.inv((1000, self.t15))
        payment = self.pay(150, invoice=invoice)
        writeoff = self.write_off(invoice)
        partial = (self.due(payment.move_id)).matched_debit_ids
        partial.unlink()
        self.assertEqual(self.state(writeoff), "posted")
        self.assertEqual(invoice.amount_written_off, 1000)
        self.assertEqual(invoice.write_off_state, "partial")

    # ------------------------------------------------------------------ said rightly
    def test_chatter_says_written_off(self):
        invoice = self.inv((1000, self.t15)).with_context(tracking_disable=False, mail_notrack=False)
        self.env.flush_all()
        self.env.cr.precommit.run()
        before = invoice.message_ids
        calls = []

        def hook(moves):
            calls.append(moves)

        with patch.object(AccountMove, "_invoice_paid_hook", hook):
            self.write_off(invoice)
            self.env.cr.precommit.run()
        new = invoice.message_ids - before
        paid = self.env.ref("account.mt_invoice_paid")
        self.assertNotIn(paid, new.subtype_id)
        self.assertEqual(len(new.filtered(lambda message: "ritten off" in (message.body or ""))), 1)
        self.assertFalse([move for moves in calls for move in moves if move == invoice])

    def test_a_payment_is_still_a_payment(self):
        invoice = self.inv((1000, self.t15))
        calls = []

        def hook(moves):
            calls.extend(moves)

        with patch.object(AccountMove, "_invoice_paid_hook", hook):
            self.pay(1150, invoice=invoice)
        self.assertIn(invoice, calls)

    def test_payment_on_its_way(self):
        invoice = self.inv((1000, self.t15))
        with patch.object(AccountMove, "_get_invoice_in_payment_state", lambda move: "in_payment"):
            self.pay(1150, invoice=invoice)
            if invoice.payment_state == "in_payment":
                with self.assertRaisesRegex(UserError, invoice.name):
                    self.prepare(invoice)

    def test_blocked(self):
        invoice = self.inv((1000, self.t15))
        invoice.action_toggle_block_payment()
        self.assertEqual(invoice.payment_state, "blocked")
        self.write_off(invoice)
        self.assertEqual((invoice.payment_state, invoice.amount_residual), ("paid", 0))

    # ------------------------------------------------------------------ customers come and go
    def test_archived_customer(self):
        invoice = self.inv((1000, self.t15))
        self.partner.active = False
        self.assertEqual(self.write_off(invoice).state, "posted")

    def test_merged_customers(self):
        other = self.env["res.partner"].create({"name": "Defaulter Ltd", "is_company": True})
        first = self.write_off(self.inv((100, None)))
        second = self.prepare(self.inv((50, None), partner=other))
        third = self.prepare(self.inv((50, None)))
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.partner | other).ids, self.partner, extra_checks=False)
        self.env.invalidate_all()
        documents = (first | second | third)
        self.assertEqual(documents.partner_id, self.partner)
        third.action_submit()
        third.with_user(self.approver).action_post()
        second.action_submit()
        second.with_user(self.approver).action_post()
        self.assertEqual(self.balance(self.ar), 0)
        first.with_user(self.approver).action_undo()
        self.assertEqual(self.balance(self.ar), 100)

    def test_the_customer_is_not_deleted(self):
        self.prepare(self.inv((100, None)))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.partner.unlink()
            self.env.flush_all()

    # ------------------------------------------------------------------ the case
    def test_case_is_closed_and_opened_again(self):
        reason = self.env.ref("customer_churn.customer_churn_reason_price")
        case = self.env["customer.churn.case"].sudo().create({
            "company_id": self.company.id, "partner_id": self.partner.id, "opened_date": "2026-09-01",
            "trigger_status": "lost", "silent_since": "2026-05-01"})
        writeoff = self.write_off(self.inv((1000, self.t15)), reason=reason)
        self.env.invalidate_all()
        self.assertEqual((case.state, case.outcome, case.reason_id), ("closed", "written_off", reason))
        self.assertEqual(writeoff.reason_id, reason)
        writeoff.action_undo()
        self.env.invalidate_all()
        self.assertEqual((case.state, case.outcome), ("open", False))

    def test_small_differences_close_no_case(self):
        case = self.env["customer.churn.case"].sudo().create({
            "company_id": self.company.id, "partner_id": self.partner.id, "opened_date": "2026-09-01",
            "trigger_status": "lost", "silent_since": "2026-05-01"})
        self.write_off(self.inv((0.03, None)), kind="small_difference")
        self.env.invalidate_all()
        self.assertEqual(case.state, "open")

    # ------------------------------------------------------------------ branches and cost
    def test_branch(self):
        branch = self.env["res.company"].create({
            "name": "Branch", "parent_id": self.company.id, "currency_id": self.company.currency_id.id})
        self.cr.precommit.run()
        people = self.officer | self.approver
        people.write({"company_ids": [Command.link(branch.id)]})
        self.env.user.company_ids |= branch
        invoice = self.inv((1000, self.t15), company_id=branch.id)
        self.assertEqual(invoice.company_id, branch)
        writeoff = self.Writeoff.with_user(self.officer).with_context(
            allowed_company_ids=[branch.id, self.company.id])._create_for(
            self.due(invoice).with_user(self.officer), invoice.date.replace(month=11, day=20))
        writeoff.action_submit()
        writeoff.with_user(self.approver).action_post()
        self.assertEqual((writeoff.company_id, writeoff.move_id.company_id), (branch, branch))
        self.assertEqual(invoice.amount_residual, 0)

    def test_posting_an_invoice_costs_nothing_more(self):
        for name in ("amount_written_off", "write_off_state", "bad_debt_writeoff_id"):
            field = self.env["account.move"]._fields[name]
            self.assertTrue(field.store and not field.compute, name)
        self.env.cr.execute("""
            SELECT column_name, column_default FROM information_schema.columns
             WHERE table_name = 'account_move' AND column_name IN ('amount_written_off', 'write_off_state')""")
        self.assertEqual(len(self.env.cr.fetchall()), 2)
