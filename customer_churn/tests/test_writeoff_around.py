from unittest.mock import patch

from odoo.addons.account.models.account_move import AccountMove
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from .common_bad_debt import BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffAround(BadDebtCommon):
    """What users do around a write-off stays right, or is refused with the remedy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice((1000, cls.t15))

    def test_entry_is_not_reset_cancelled_or_deleted(self):
        writeoff = self._write_off(self.invoice)
        for method in ("button_draft", "button_cancel", "unlink"):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "Undo the write-off"):
                getattr(writeoff.move_id, method)()

    def test_hashed_entry_is_refused_in_our_words(self):
        self.bd_journal.restrict_mode_hash_table = True
        writeoff = self._write_off(self.invoice)
        with self.assertRaisesRegex(UserError, "Undo the write-off"):
            writeoff.move_id.button_draft()

    def test_reverse_entry_is_an_undo(self):
        writeoff = self._write_off(self.invoice)
        wizard = self.env["account.move.reversal"].with_user(self.approver).with_context(
            active_model="account.move", active_ids=writeoff.move_id.ids).create(
                {"date": "2026-11-22", "journal_id": self.bd_journal.id})
        wizard.reverse_moves()
        self.assertEqual(writeoff.state, "reversed")
        self.assertEqual(writeoff.reversal_move_id.date, self.day("2026-11-22"))
        self.assertEqual((self.invoice.amount_written_off, self.invoice.amount_residual), (0, 1150))
        self.assertBalances(bde=0, vat=-150)

    def test_invoice_is_not_reset_or_cancelled(self):
        writeoff = self._write_off(self.invoice)
        for method in ("button_draft", "button_cancel"):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "Undo the write-off first"):
                getattr(self.invoice, method)()
        writeoff.action_undo()
        self.invoice.button_draft()

    def test_credit_note_of_what_is_written_off(self):
        self._write_off(self.invoice)
        with self.assertRaisesRegex(UserError, "Undo the write-off first"):
            self.invoice._reverse_moves()

    def test_matching_taken_away_by_hand(self):
        writeoff = self._write_off(self.invoice)
        self._items(self.invoice).remove_move_reconcile()
        self.assertEqual(writeoff.state, "unmatched")
        self.assertEqual(writeoff.activity_ids.user_id, self.approver)
        self.assertEqual(self.invoice.amount_residual, 1150)
        writeoff.with_user(self.approver).action_rematch()
        self.assertEqual((writeoff.state, self.invoice.amount_residual), ("posted", 0))
        self.assertEqual(self.invoice.write_off_state, "full")
        self.assertFalse(writeoff.activity_ids)

    def test_unmatched_cash_basis_matched_again(self):
        invoice = self._invoice((1000, self.c15))
        writeoff = self._write_off(invoice)
        self._items(invoice).remove_move_reconcile()
        writeoff.action_rematch()
        self.assertBalances(trn=0, vat=-150, ar=1150)

    def test_unmatched_may_be_undone(self):
        writeoff = self._write_off(self.invoice)
        self._items(self.invoice).remove_move_reconcile()
        writeoff.action_undo()
        self.assertEqual((writeoff.state, self.invoice.amount_residual), ("reversed", 1150))
        self.assertBalances(ar=1150)

    def test_unmatched_and_paid_meanwhile(self):
        writeoff = self._write_off(self.invoice)
        self._items(self.invoice).remove_move_reconcile()
        self._payment(500, invoices=self.invoice)
        with self.assertRaisesRegex(UserError, "less is open"):
            writeoff.action_rematch()
        writeoff.action_undo()
        self.assertBalances(ar=650, bde=0, vat=-150)
        self.assertEqual(self.invoice.amount_residual, 650)

    def test_unmatched_is_no_credit_of_the_customer(self):
        """The counterpart of a write-off that lies open settles no other invoice."""
        writeoff = self._write_off(self.invoice)
        self._items(self.invoice).remove_move_reconcile()
        with self.assertRaisesRegex(UserError, "belongs to a write-off"):
            self._prepare(self._items(writeoff.move_id), kind="stale_credit")
        self.assertEqual(self._write_off(self._invoice((80, None))).amount_total, 80)
        writeoff.action_rematch()
        self.assertBalances(ar=0, bde=1080)

    def test_unmatched_of_one_of_two_invoices(self):
        invoices = self.invoice | self._invoice((80, None))
        writeoff = self._write_off(invoices)
        self._items(self.invoice).remove_move_reconcile()
        self.assertEqual((writeoff.state, invoices.mapped("amount_written_off")), ("unmatched", [0, 80]))
        writeoff.action_rematch()
        self.assertEqual(invoices.mapped("amount_written_off"), [1150, 80])

    def test_other_matchings_leave_documents_alone(self):
        payment = self._payment(150, invoices=self.invoice)
        writeoff = self._write_off(self.invoice)
        self._items(payment.move_id).matched_debit_ids.unlink()
        self.assertEqual((writeoff.state, self.invoice.amount_written_off), ("posted", 1000))
        self.assertEqual(self.invoice.write_off_state, "partial")

    def test_invoice_reset_while_a_document_waits(self):
        writeoff = self._prepare(self.invoice)
        writeoff.action_submit()
        self.invoice.button_draft()
        with self.assertRaisesRegex(UserError, "not posted"):
            writeoff.action_post()

    def test_credit_note_of_what_is_not_written_off_is_free(self):
        self.invoice._reverse_moves([{"invoice_date": self.day("2026-11-22")}], cancel=True)
        self.assertEqual(self.invoice.payment_state, "reversed")

    def test_customer_with_documents_is_not_deleted(self):
        self._prepare(self.invoice)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.debtor.unlink()

    def test_archived_customer(self):
        self.debtor.active = False
        self._write_off(self.invoice)
        self.assertBalances(ar=0)

    def test_merged_customers_keep_their_documents(self):
        writeoff = self._write_off(self.invoice)
        heir = self.env["res.partner"].create({"name": "Heir", "is_company": True})
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.debtor | heir).ids, heir)
        self.env.invalidate_all()
        self.assertEqual(writeoff.partner_id, heir)
        writeoff.action_undo()
        self.assertEqual(self.invoice.amount_residual, 1150)

    def test_merged_customers_post_what_was_prepared(self):
        other = self.debtor.create({"name": "Debtor Ltd", "property_account_receivable_id": self.ar.id})
        drafts = self._prepare(self.invoice) | self._prepare(self._invoice((50, None), partner=other))
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.debtor | other).ids, self.debtor)
        self.env.invalidate_all()
        self.assertEqual(drafts.partner_id, self.debtor)
        drafts.action_submit()
        drafts.action_post()
        self.assertBalances(ar=0)

    def test_deleted_documents(self):
        draft = self._prepare(self.invoice)
        draft.unlink()
        writeoff = self._write_off(self.invoice)
        with self.assertRaises(UserError):
            writeoff.unlink()

    def test_blocked_invoice_is_settled_all_the_same(self):
        self.invoice.action_toggle_block_payment()
        self._write_off(self.invoice)
        self.assertEqual(self.invoice.payment_state, "paid")

    def test_one_note_and_no_paid(self):
        self.env.flush_all()
        self.env.cr.precommit.run()
        before = self.invoice.message_ids
        writeoff = self._write_off(self.invoice)
        self.env.flush_all()
        self.env.cr.precommit.run()
        writeoff.action_undo()
        self.env.flush_all()
        self.env.cr.precommit.run()
        messages = self.invoice.message_ids - before
        self.assertNotIn(self.env.ref("account.mt_invoice_paid"), messages.subtype_id)
        self.assertEqual(len(messages.filtered(lambda message: "Written off" in (message.body or ""))), 1)
        self.assertFalse(messages.tracking_value_ids, "no word of paid")

    def test_not_even_below_the_total_is_it_paid(self):
        self._payment(150, invoices=self.invoice)
        self._write_off(self.invoice)
        content = self.invoice.invoice_payments_widget["content"]
        self.assertEqual({line["amount"]: bool(line["write_off"]) for line in content}, {150: False, 1000: True})
        report = self.env["ir.actions.report"]
        for told, word in ((True, "Written off on"), (False, "Closed on")):
            self.company.bad_debt_tell_customer = told
            html = report._render_qweb_html("account.report_invoice_with_payments", self.invoice.ids)[0].decode()
            self.assertEqual((html.count("Paid on"), html.count(word)), (1, 1))

    def test_other_apps_do_not_hear_of_a_payment(self):
        called = []
        self.patch(AccountMove, "_invoice_paid_hook", lambda moves: called.extend(moves.ids))
        self._write_off(self.invoice)
        self.assertNotIn(self.invoice.id, called)
        paid = self._invoice((10, None))
        self._payment(10, invoices=paid)
        self.assertIn(paid.id, called)

    def test_payment_of_a_recovery_is_not_reset(self):
        writeoff = self._write_off(self.invoice)
        recovery = self.Recovery.with_user(self.approver)._create_for(writeoff, 460, "2026-11-22")
        with self.assertRaisesRegex(UserError, "Undo the recovery first"):
            recovery.payment_id.action_draft()
        recovery.action_undo()
        recovery.payment_id.action_draft()

    def test_case_closes_and_opens_again(self):
        reason = self.env["customer.churn.reason"].search([("requires_competitor", "=", False)], limit=1)
        case = self.env["customer.churn.case"].sudo().create({
            "company_id": self.company.id, "partner_id": self.debtor.id, "opened_date": "2026-10-01"})
        writeoff = self._write_off(self.invoice, reason=reason)
        self.assertEqual((case.state, case.outcome, case.reason_id), ("closed", "written_off", reason))
        writeoff.action_undo()
        self.assertEqual((case.state, case.outcome), ("open", False))

    def test_small_differences_close_no_case(self):
        case = self.env["customer.churn.case"].sudo().create({
            "company_id": self.company.id, "partner_id": self.debtor.id, "opened_date": "2026-10-01"})
        self._write_off(self._invoice((0.03, None)), kind="small_difference")
        self.assertEqual(case.state, "open")

    def test_reasons_with_and_without_bad_debt(self):
        reason = self.env["customer.churn.reason"].search([("requires_competitor", "=", False)], limit=1)
        answer = self.env["customer.churn.reason.answer"].sudo().create({
            "company_id": self.company.id, "partner_id": self.debtor.id, "reason_id": reason.id})

        def of(has_bad_debt):
            return answer.search([("has_bad_debt", "=", has_bad_debt), ("partner_id", "=", self.debtor.id)])
        self.assertEqual((of(True), of(False)), (answer.browse(), answer))
        writeoff = self._write_off(self.invoice)
        self.assertEqual((of(True), of(False)), (answer, answer.browse()))
        self.assertTrue(answer.has_bad_debt)
        writeoff.action_undo()
        self.assertEqual((of(True), of(False)), (answer.browse(), answer))

    def test_posting_an_invoice_costs_nothing_more(self):
        invoice = self._invoice((1000, self.t15), post=False)
        self.env.flush_all()
        statements, execute = [], type(self.env.cr).execute

        def listen(cr, query, *args, **kwargs):
            statements.append(query.code if isinstance(query, SQL) else query)
            return execute(cr, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", listen):
            invoice.action_post()
            self.env.flush_all()
        self.assertTrue(statements)
        self.assertFalse([text for text in statements if "customer_bad_debt" in text])
