from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, freeze_time, tagged

from .common_bad_debt import OFFICER, TODAY, BadDebtFixture


class BatchFixture(BadDebtFixture):
    """Debtors with one overdue invoice each, and the job that books what they owe."""

    @classmethod
    def _create_debtor(cls, name, **values):
        return cls.env["res.partner"].create({"name": name, "property_account_receivable_id": cls.ar.id, **values})

    @classmethod
    def _create_debtors(cls, count, invoices=1):
        """{debtor: invoices}"""
        debtors = {}
        for number in range(count):
            debtor = cls._create_debtor(f"Debtor {number}")
            moves = [cls._invoice((1000, cls.t15), partner=debtor, date="2025-05-01", post=False)
                     for _number in range(invoices)]
            debtors[debtor] = cls.env["account.move"].union(*moves)
        cls.env["account.move"].union(*debtors.values()).action_post()
        return debtors

    def _batch(self, user=None, **values):
        return self.env["customer.bad.debt.batch"].with_user(user or self.approver).create({
            "company_id": self.company.id, "date": "2026-11-20", "days_overdue_min": 365, **values})

    def _prepared(self, user=None, **values):
        batch = self._batch(user, **values)
        batch.action_prepare()
        return batch

    def _run_job(self):
        """All the chunks, without the commits in between."""
        for batch in self.env["customer.bad.debt.batch"].with_user(1).search([("state", "=", "posting")], order="id"):
            while batch._take_up():
                self.env.flush_all()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBadDebtBatch(BatchFixture, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_books()
        cls.debtors = cls._create_debtors(3)
        cls.anna, cls.bert, cls.cleo = cls.debtors

    def _customers(self, batch):
        return batch.writeoff_ids.partner_id.sorted("id")

    def _reasons(self, batch):
        return {skipped.move_id: skipped.reason for skipped in batch.skipped_ids}

    # ------------------------------------------------------------------ criteria
    def test_it_counts_while_criteria_are_typed(self):
        batch = self.env["customer.bad.debt.batch"].with_user(self.officer).new({
            "company_id": self.company.id, "date": "2026-11-20", "days_overdue_min": 365})
        self.assertEqual((batch.customer_count, batch.item_count, batch.amount_found), (3, 3, 3450))
        batch.partner_domain = [("id", "=", self.anna.id)]
        self.assertEqual((batch.customer_count, batch.item_count, batch.amount_found), (1, 1, 1150))
        batch.partner_domain = "[('no_such_field', '=', 1)]"
        self.assertEqual(batch.customer_count, 0)

    def test_days_overdue_count_to_the_date_of_the_write_off(self):
        self._invoice((100, None), partner=self.anna, date="2025-11-20")
        self._invoice((100, None), partner=self.anna, date="2025-11-21")
        self.assertEqual(self._batch(days_overdue_min=365).item_count, 4)
        self.assertEqual(self._batch(days_overdue_min=364).item_count, 5)
        self.assertEqual(self._batch(days_overdue_min=365, date="2026-11-19").item_count, 3)

    def test_amounts_count_for_the_customer_contacts_included(self):
        contact = self._create_debtor("Contact", parent_id=self.anna.id)
        self._invoice((50, None), partner=contact, date="2025-05-01")
        batch = self._prepared(amount_min=1200)
        self.assertEqual(self._customers(batch), self.anna)
        self.assertEqual(batch.writeoff_ids.amount_total, 1200)
        self.assertEqual(self._batch(amount_min=1200.01).customer_count, 0)
        self.assertEqual(self._customers(self._prepared(amount_max=1150)), self.bert | self.cleo)

    def test_status_and_reason_of_the_customer(self):
        profiles = self.env["customer.churn.profile"].create([
            {"company_id": self.company.id, "partner_id": partner.id, "status": status}
            for partner, status in ((self.anna, "lost"), (self.bert, "dormant"))])
        self.assertEqual(self._customers(self._prepared(self.officer, churn_status="lost")), self.anna)
        reason = self.env["customer.churn.reason"].search([
            ("is_child", "=", True), ("requires_competitor", "=", False)], limit=1)
        self.env["customer.churn.reason.answer"]._record([
            {"company_id": self.company.id, "partner_id": profiles[1].partner_id.id, "reason_id": reason.id}])
        batch = self._prepared(self.officer, reason_id=reason.root_id.id)
        self.assertEqual(self._customers(batch), self.bert)
        self.assertEqual(batch.writeoff_ids.reason_id, reason.root_id)

    def test_an_archived_customer_owes_money_too(self):
        self.anna.active = False
        self.assertIn(self.anna, self._customers(self._prepared()))

    def test_criteria_that_are_none_are_refused(self):
        for values in ({"partner_domain": "[('no_such_field', '=', 1)]"}, {"amount_min": 2, "amount_max": 1}):
            with self.assertRaises(ValidationError):
                self._batch(**values)
        with self.assertRaisesRegex(UserError, "no customer meets"):
            self._prepared(amount_min=10000)

    # ------------------------------------------------------------------ preparation
    def test_one_document_a_customer_with_what_the_batch_says(self):
        batch = self._prepared(self.officer, use_allowance=False, tax_relief="none")
        self.assertEqual(self._customers(batch), self.anna | self.bert | self.cleo)
        self.assertEqual(set(batch.writeoff_ids.mapped("state")), {"draft"})
        self.assertEqual(set(batch.writeoff_ids.mapped("amount_expense")), {1150})
        self.assertEqual(batch.writeoff_ids.mapped("use_allowance"), [False] * 3)
        self.assertEqual((batch.state, batch.writeoff_count, batch.amount_total), ("prepared", 3, 3450))

    def test_what_is_left_out_is_listed_with_the_reason(self):
        blocked = self.debtors[self.bert]
        blocked.payment_state = "blocked"
        self._items(self.debtors[self.cleo]).no_followup = True
        pending = self._prepare(self.debtors[self.anna])
        own = self._create_debtor("Owner of a credit")
        self._invoice((100, None), partner=own, date="2025-05-01")
        self._invoice((100, None), partner=own, date="2025-06-01", move_type="out_refund")
        left = self._create_debtor("Left")
        self._invoice((100, None), partner=left, date="2025-05-01")
        batch = self._prepared()
        self.assertEqual(self._customers(batch), left)
        reasons = self._reasons(batch)
        self.assertIn("disputed", reasons[blocked])
        self.assertIn("disputed", reasons[self.debtors[self.cleo]])
        self.assertIn(pending.name, reasons[self.debtors[self.anna]])
        self.assertEqual(len(reasons), 4)
        self.assertIn("credits settle all of it", batch.skipped_ids.filtered(lambda one: one.partner_id == own).reason)
        self.assertEqual(batch.skipped_ids.filtered(lambda one: one.partner_id == own).amount, 100)

    def test_preparing_again_keeps_what_was_asked_for(self):
        batch = self._prepared()
        kept = batch.writeoff_ids.filtered(lambda writeoff: writeoff.partner_id == self.anna)
        kept.action_submit()
        batch.partner_domain = [("id", "in", (self.anna | self.cleo).ids)]
        batch.action_prepare()
        self.assertEqual(self._customers(batch), self.anna | self.cleo)
        self.assertIn(kept, batch.writeoff_ids)
        self.assertFalse(batch.skipped_ids)

    # ------------------------------------------------------------------ rights and approval
    def test_who_may_do_what(self):
        with self.assertRaises(AccessError):
            self._batch(self._create_user("bookkeeper", "account.group_account_invoice"))
        batch = self._prepared(self.officer)
        for method in ("action_approve", "action_post"):
            with self.assertRaises(AccessError):
                getattr(batch, method)()
        with self.assertRaises(AccessError):
            batch.state = "posting"
        with self.assertRaises(AccessError):
            batch.skipped_ids.create({"batch_id": batch.id, "reason": "none"})

    def test_another_company_does_not_see_it(self):
        batch = self._prepared()
        other = self._create_company("Other")
        stranger = self._create_user("stranger", OFFICER)
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            batch.with_user(stranger).with_context(allowed_company_ids=other.ids).read(["name"])
        self.assertEqual(self._batch(company_id=self.company.id).customer_count, 3)
        with self.assertRaises(AccessError):
            self._batch(stranger).with_context(allowed_company_ids=other.ids).action_prepare()

    def test_above_the_limit_a_second_person_approves_all_or_some(self):
        self.company.bad_debt_approval_limit = 100
        batch = self._prepared()
        with self.assertRaisesRegex(UserError, "3 write-offs wait"):
            batch.action_post()
        batch.action_submit()
        self.assertEqual((batch.to_approve_count, batch.waiting_count), (3, 0))
        with self.assertRaisesRegex(AccessError, "second person"):
            batch.action_approve()
        second = self._create_user("second", "customer_churn.group_bad_debt_approver")
        single = batch.writeoff_ids.filtered(lambda writeoff: writeoff.partner_id == self.bert)
        single.with_user(second).action_approve()
        batch.action_post()
        self._run_job()
        self.assertEqual((single.state, batch.posted_count, batch.state), ("posted", 1, "prepared"))
        batch.with_user(second).action_approve()
        batch.action_post()
        self._run_job()
        self.assertEqual((batch.posted_count, batch.state), (3, "done"))

    def test_a_batch_stays_with_what_was_booked(self):
        batch = self._prepared()
        batch.action_post()
        self._run_job()
        with self.assertRaisesRegex(UserError, "stays with them"):
            batch.unlink()
        other = self._batch()
        self._invoice((5, None), partner=self.anna, date="2025-05-01")
        other.action_prepare()
        drafts = other.writeoff_ids
        other.unlink()
        self.assertFalse(drafts.exists())

    # ------------------------------------------------------------------ posting
    def _triggers(self):
        return self.env["ir.cron.trigger"].search_count([
            ("cron_id", "=", self.env.ref("customer_churn.ir_cron_customer_bad_debt_batch").id)])

    def test_the_job_books_all_of_it_in_the_name_of_who_asked(self):
        before = self._triggers()
        batch = self._prepared(self.officer)
        batch.with_user(self.approver).action_post()
        self.assertEqual((batch.state, self._triggers()), ("posting", before + 1))
        self.assertEqual(set(batch.writeoff_ids.mapped("state")), {"approved"})
        self._run_job()
        self.assertEqual((batch.state, batch.progress, batch.posted_count), ("done", 100, 3))
        self.assertEqual(batch.writeoff_ids.move_id.create_uid, self.approver)
        invoices = self.env["account.move"].union(*self.debtors.values())
        self.assertEqual(sum(invoices.mapped("amount_residual")), 0)
        self.assertEqual(sum(batch.writeoff_ids.move_id.line_ids.filtered(
            lambda line: line.account_id == self.bde).mapped("balance")), 3000)
        with self.assertRaisesRegex(UserError, "nothing to post"):
            batch.with_user(self.approver).action_post()

    def test_one_that_fails_does_not_keep_the_others(self):
        batch = self._prepared()
        self._payment(100, partner=self.bert, invoices=self.debtors[self.bert])
        batch.action_post()
        self._run_job()
        failed = batch.failed_ids
        self.assertEqual((batch.state, batch.posted_count, batch.failed_count), ("failed", 2, 1))
        self.assertEqual((failed.partner_id, failed.state, batch.progress), (self.bert, "failed", 100))
        self.assertIn("more than", failed.error)
        batch.action_post()
        self._run_job()
        self.assertEqual(batch.failed_count, 1)
        failed.line_ids.amount_currency = 1050
        self.assertEqual((failed.state, batch.failed_count, batch.state), ("draft", 0, "prepared"))
        batch.action_post()
        self._run_job()
        self.assertEqual((batch.state, failed.state, failed.error), ("done", "posted", False))
        self.assertEqual(len(self.env["account.move"].search([
            ("bad_debt_writeoff_id", "in", batch.writeoff_ids.ids)])), 3)

    def test_a_lock_date_counts_for_who_asked(self):
        batch = self._prepared()
        self.company.fiscalyear_lock_date = "2026-11-30"
        self.env["account.lock_exception"].create({
            "company_id": self.company.id, "user_id": self.approver.id, "fiscalyear_lock_date": False,
            "end_datetime": False})
        second = self._create_user("second", "customer_churn.group_bad_debt_approver")
        batch.with_user(second).action_post()
        self._run_job()
        self.assertEqual((batch.failed_count, batch.posted_count), (3, 0))
        batch.action_post()
        self._run_job()
        self.assertEqual((batch.failed_count, batch.posted_count), (0, 3))

    def test_rights_lost_meanwhile_are_lost(self):
        batch = self._prepared()
        batch.action_post()
        self.approver.group_ids -= self.env.ref("customer_churn.group_bad_debt_approver")
        self._run_job()
        batch = batch.with_user(self.officer)
        self.assertEqual((batch.failed_count, batch.posted_count), (3, 0))
        self.assertIn("may not post here any more", batch.failed_ids[0].error)

    def test_chunk_by_chunk_the_progress_moves(self):
        batch = self._prepared()
        batch.action_post()
        self.assertEqual((batch.progress, batch.posted_count), (0, 0))
        with patch("odoo.addons.customer_churn.models.customer_bad_debt_batch_process.CHUNK", 2):
            batch._take_up()
            self.env.invalidate_all()
            self.assertEqual((batch.state, batch.posted_count, round(batch.progress)), ("posting", 2, 67))
            self.assertEqual((batch._take_up(), batch._take_up()), (1, 0))
        self.env.invalidate_all()
        self.assertEqual((batch.state, batch.posted_count, batch.progress), ("done", 3, 100))

    # ------------------------------------------------------------------ what it costs, and what is noted
    def test_at_most_four_queries_an_invoice(self):
        debtors = self._create_debtors(8, invoices=10)
        batch = self._prepared(partner_domain=[("id", "in", [partner.id for partner in debtors])])
        batch.action_post()
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        batch.with_user(1)._process()
        self.env.cr.flush()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 4 * 80)
        self.assertEqual(batch.posted_count, 8)

    def test_each_invoice_notes_what_happened_to_it(self):
        batch = self._prepared()
        batch.action_post()
        self.env.flush_all()
        self.env.cr.precommit.run()
        invoices = self.env["account.move"].union(*self.debtors.values())
        before = invoices.message_ids
        self._run_job()
        self.env.cr.flush()
        for invoice in invoices:
            messages = invoice.message_ids - before
            self.assertFalse(messages.sudo().tracking_value_ids, "no word of paid")
            self.assertEqual(messages.subtype_id, self.env.ref("mail.mt_note"))
            self.assertEqual(len(messages.filtered(lambda message: "Written off" in (message.body or ""))), 1)
