from threading import Thread
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError, UserError
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, get_db_name, tagged
from odoo.tools import SQL, mute_logger
from psycopg2 import OperationalError

from .common_bad_debt import APPROVER, TODAY
from .common_committed import CommittedBooks

PROCESS = "odoo.addons.customer_churn.models.customer_bad_debt_batch_process"


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBadDebtBatchRace(CommittedBooks):
    """The job on a connection of its own, with real commits, against all that may come in between."""

    def setUp(self):
        super().setUp()
        self.customers = self.env["res.partner"].create([
            {"name": f"{self._testMethodName} {number}", "property_account_receivable_id": self.ar.id}
            for number in range(3)])
        type(self).debtors |= self.customers
        self.invoices = self.env["account.move"].union(*(
            self._invoice((1000, self.t15), partner=customer, date="2025-05-01") for customer in self.customers))
        self.batch = self.env["customer.bad.debt.batch"].with_user(self.approver).create({
            "company_id": self.company.id, "date": "2026-11-20",
            "partner_domain": str([("id", "in", self.customers.ids)])})
        self.batch.action_prepare()
        self._commit()

    def _post(self):
        """An approver has asked for it."""
        self.batch.action_post()
        self._commit()

    def _of(self, cr, user=None):
        """The batch as another connection sees it; the job's own without a user."""
        context = {"allowed_company_ids": self.company.ids} if user else {}
        return api.Environment(cr, user.id if user else SUPERUSER_ID, context)["customer.bad.debt.batch"].browse(
            self.batch.id)

    def _run_job(self):
        cr = self._connect()
        self._of(cr)._cron_process()
        cr.close()

    def _look(self):
        self.cr.rollback()
        self.env.invalidate_all()

    def assertBooked(self, *, failed=0):
        """From the ledger: each invoice given up once or open, each entry that of one document."""
        self._look()
        writeoffs = self.batch.writeoff_ids
        posted = writeoffs.filtered(lambda writeoff: writeoff.state == "posted")
        self.assertEqual((len(posted), len(writeoffs) - len(posted)), (3 - failed, failed))
        entries = self.env["account.move"].search([("bad_debt_writeoff_id", "in", writeoffs.ids)])
        self.assertEqual(entries, posted.move_id.sorted(entries._order))
        self.assertEqual(len(posted.move_id), len(posted))
        items = self._items(self.invoices)
        for item in items:
            given_up = item.matched_credit_ids.credit_move_id.move_id & entries
            booked = item.partner_id in posted.partner_id
            self.assertEqual((len(given_up), item.reconciled), (1, True) if booked else (0, item.reconciled))

    # ------------------------------------------------------------------ two at once
    def test_two_jobs_take_turns(self):
        self._post()
        with patch(f"{PROCESS}.CHUNK", 1):
            first, second = self._of(self._connect()), self._of(self._connect())
            self.assertEqual(first._process(), 1)
            self.assertEqual(second._process(), 0)  # does not wait, and books nothing
            first.env.cr.commit()
            second.env.cr.rollback()
            self.assertEqual(second._process(), 1)
            second.env.cr.commit()
            self._run_job()
        self.assertBooked()
        self.assertEqual(self.batch.state, "done")

    def test_two_jobs_at_once_in_threads(self):
        self._post()
        connections = [db_connect(get_db_name()).cursor() for _number in range(2)]
        with patch(f"{PROCESS}.CHUNK", 1):
            threads = [Thread(target=self._of(cr)._cron_process) for cr in connections]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for cr in connections:
                cr.close()
            self._run_job()  # what one left because the other was at it
        self.assertBooked()
        self.assertEqual(self.batch.state, "done")

    def test_two_approvers_at_once(self):
        self.company.bad_debt_approval_limit = 1
        self.batch.action_submit()
        self._commit()
        people = [self._create_user(f"{self._testMethodName}_{number}", APPROVER) for number in range(2)]
        self._commit()
        first, second = (self._of(self._connect(), user) for user in people)
        self.assertEqual(second.to_approve_count, 3)
        first.action_approve()
        self.assertRefusedAtOnce(second.action_approve, LockError)
        first.env.cr.commit()
        second.env.cr.rollback()
        second.env.invalidate_all()
        second.action_approve()  # nothing is left to approve
        second.env.cr.commit()
        self._look()
        self.assertEqual(self.batch.writeoff_ids.approved_by_id, people[0])
        self.company.bad_debt_approval_limit = 1000000
        self._post()
        self.assertRefusedAtOnce(lambda: self._hold(second.action_post), LockError)
        self._run_job()
        self.assertBooked()

    def _hold(self, call):
        """While the job has booked a chunk that is not committed yet."""
        job = self._of(self._connect())
        job._process()
        try:
            call()
        finally:
            job.env.cr.rollback()

    def test_prepared_twice_at_once(self):
        first, second = (self._of(self._connect(), self.approver) for _number in range(2))
        self.assertEqual(second.state, "prepared")
        first.action_prepare()
        self.assertRefusedAtOnce(second.action_prepare, LockError)
        first.env.cr.commit()
        self._look()
        self.assertEqual(len(self.batch.writeoff_ids), 3)

    # ------------------------------------------------------------------ what others do meanwhile
    def test_against_a_payment(self):
        payment = self._payment(1150, partner=self.customers[0], date="2026-11-01")
        self._post()
        other = api.Environment(self._connect(), SUPERUSER_ID, {"allowed_company_ids": self.company.ids})
        items = self._items(self.invoices[0]) | self._items(payment.move_id)
        items.with_env(other).reconcile()
        other.flush_all()
        self._run_job()
        self.assertBooked(failed=1)
        failed = self.batch.failed_ids
        self.assertEqual((self.batch.state, failed.partner_id), ("failed", self.customers[0]))
        self.assertIn("Busy", failed.error)
        other.cr.commit()
        self._look()
        self._post()
        self._run_job()
        self.assertBooked(failed=1)
        self.assertIn("it is settled", failed.error)

    def test_against_an_undo_of_the_same_customer(self):
        earlier = self._invoice((100, None), partner=self.customers[1], date="2026-06-01")
        writeoff = self._write_off(earlier)
        self._post()
        other = api.Environment(self._connect(), self.approver.id, {"allowed_company_ids": self.company.ids})
        writeoff.with_env(other).action_undo()
        self._run_job()
        self.assertBooked(failed=1)
        self.assertEqual(self.batch.failed_ids.partner_id, self.customers[1])
        self.assertIn("Busy", self.batch.failed_ids.error)
        other.cr.commit()
        self._look()
        self._post()
        self._run_job()
        self.assertBooked()
        self.assertEqual((writeoff.state, earlier.amount_residual), ("reversed", 100))

    def test_undo_of_a_document_while_the_job_is_at_others(self):
        self._post()
        with patch(f"{PROCESS}.CHUNK", 1):
            job = self._of(self._connect())
            job._take_up()
            job.env.cr.commit()
            self._look()
            done = self.batch.writeoff_ids.filtered(lambda writeoff: writeoff.state == "posted")
            job._process()
            done.action_undo()
            self._commit()
            job.env.cr.commit()
            self._run_job()
        self._look()
        self.assertEqual(sorted(self.batch.writeoff_ids.mapped("state")), ["posted", "posted", "reversed"])
        self.assertEqual((self.batch.state, done.line_ids.move_id.amount_residual), ("done", 1150))

    # ------------------------------------------------------------------ killed
    def _kill(self, cr):
        """The server's end of the connection dies, as it does with the process."""
        cr.execute("SELECT pg_backend_pid()")
        [[process]] = cr.fetchall()
        self.cr.execute(SQL("SELECT pg_terminate_backend(%s, 5000)", process))
        with mute_logger("odoo.sql_db"), self.assertRaises(OperationalError):
            cr.execute("SELECT 1")

    def test_killed_before_the_commit_of_a_chunk(self):
        self._post()
        job = self._of(self._connect())
        self.assertEqual(job._process(), 3)
        job.env.flush_all()
        self.assertEqual(set(job.writeoff_ids.mapped("state")), {"posted"})
        self._kill(job.env.cr)
        self.assertBooked(failed=3)
        self.assertEqual((self.batch.state, self.batch.waiting_count), ("posting", 3))
        self._run_job()
        self.assertBooked()

    def test_killed_between_creating_and_posting_the_entries(self):
        self._post()
        job = self._of(self._connect())
        writeoffs = job._in_the_name_of_who_asked(job.writeoff_ids)
        writeoffs._lock()
        with patch.object(type(self.env["account.move"]), "_post", lambda moves, soft=True: self._kill(job.env.cr)), \
                self.assertRaises(OperationalError):
            writeoffs._create_entries([writeoff._build() for writeoff in writeoffs])
        self.assertBooked(failed=3)
        self.assertFalse(self.env["account.move"].search([("bad_debt_writeoff_id", "in", writeoffs.ids)]))
        self._run_job()
        self.assertBooked()

    def test_killed_between_chunks(self):
        self._post()
        with patch(f"{PROCESS}.CHUNK", 1):
            job = self._of(self._connect())
            job._take_up()
            job.env.cr.commit()
            self._kill(job.env.cr)
            self.assertBooked(failed=2)
            self.assertEqual((self.batch.state, round(self.batch.progress)), ("posting", 33))
            with self.assertRaisesRegex(UserError, "is being booked"):
                self.batch.writeoff_ids.filtered(lambda writeoff: writeoff.state == "approved")[0].write(
                    {"date": "2026-11-19"})
            self.cr.rollback()
            self._run_job()
        self.assertBooked()
        self.assertEqual(self.batch.state, "done")
