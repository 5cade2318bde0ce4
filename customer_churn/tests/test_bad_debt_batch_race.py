from threading import Thread
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError, UserError
from odoo.modules.registry import DummyRLock, Registry
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, get_db_name, tagged
from odoo.tools import SQL, mute_logger
from psycopg2 import Error, OperationalError

from .common_bad_debt import APPROVER, TODAY
from .common_committed import CommittedBatch

PROCESS = "odoo.addons.customer_churn.models.customer_bad_debt_batch_process"


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBadDebtBatchRace(CommittedBatch):
    """The job on a connection of its own, with real commits, against all that may come in between."""

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
        # the lock is held by whoever loads the registry and runs the tests, as Odoo's own tests do it
        with patch(f"{PROCESS}.CHUNK", 1), patch.object(Registry, "_lock", DummyRLock()):
            threads = [Thread(target=self._of(cr)._cron_process) for cr in connections]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
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
        job = self._of(self._connect())
        job._process()
        second.env.cr.rollback()
        self.assertRefusedAtOnce(second.action_post, LockError)  # a chunk is booked and not committed yet
        job.env.cr.rollback()
        self._run_job()
        self.assertBooked()

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

    def test_killed_between_posting_and_matching_the_entries(self):
        self._post()
        job = self._of(self._connect())
        with patch.object(type(self.Writeoff), "_match", lambda *args: self._kill(job.env.cr)), \
                mute_logger("odoo.sql_db", PROCESS), self.assertRaises(Error):
            job._process()
        self.assertBooked(failed=3)
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
