import time
from unittest.mock import patch

from odoo import Command
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common_bad_debt import APPROVER, TODAY
from .common_committed import CommittedBatch

PROCESS = "odoo.addons.customer_churn.models.customer_bad_debt_batch_process"


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBadDebtBatchCron(CommittedBatch):
    """Odoo's own scheduled action, from the button to its end: triggered, run, committed, in whose name."""

    def setUp(self):
        super().setUp()
        self.cron = self.env.ref("customer_churn.ir_cron_customer_bad_debt_batch")

    def _triggers(self):
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)])

    def _run_cron(self):
        """As the worker does it, on connections of its own."""
        self._commit()
        with mute_logger(PROCESS):
            self.cron.method_direct_trigger()
        self._commit()
        self._look()

    def test_from_the_button_to_the_end(self):
        before = self._triggers()
        self._post()
        self.assertEqual(self._triggers(), before + 1)
        with patch(f"{PROCESS}.CHUNK", 2):
            self._run_cron()
        self.assertBooked()
        self.assertEqual((self.batch.state, self._triggers()), ("done", 0))
        progress = self.env["ir.cron.progress"].search([("cron_id", "=", self.cron.id)], order="id desc", limit=1)
        self.assertEqual((progress.done, progress.remaining), (4, 0))  # three documents, and the end of the batch
        self.assertEqual(self.batch.writeoff_ids.move_id.create_uid, self.approver)

    def test_what_there_is_no_time_for_waits_for_the_next_look(self):
        self._post()
        cr = self._connect()
        cron, progress = self.cron.with_env(self.env(cr=cr))._add_progress()
        self._of(cr).with_context(
            **cron.env.context, cron_id=cron.id, cron_end_time=time.monotonic() - 1)._cron_process()
        self.assertEqual((progress.done, progress.remaining), (0, 4))
        self.assertBooked(failed=3)
        self._run_cron()
        self.assertBooked()

    def test_a_lock_exception_is_that_of_one_person(self):
        self.company.fiscalyear_lock_date = "2026-11-30"
        self.env["account.lock_exception"].create({
            "company_id": self.company.id, "user_id": self.approver.id, "fiscalyear_lock_date": False,
            "end_datetime": False})
        second = self._create_user(self._testMethodName, APPROVER)
        self.batch.with_user(second).action_post()
        self._run_cron()
        self.assertBooked(failed=3)
        self.assertIn("Global Lock Date", self.batch.failed_ids[0].error)
        self.batch.action_post()
        self._run_cron()
        self.assertBooked()
        self.assertEqual(set(self.batch.writeoff_ids.move_id.mapped("date")), {self.day("2026-11-20")})
        self.company.fiscalyear_lock_date = False
        self._commit()

    def test_whoever_asked_has_left(self):
        leaver = self._create_user(self._testMethodName, APPROVER)
        other = self._create_company("Another employer")
        group = self.env.ref(APPROVER)
        ways = {
            "archived": {"active": False}, "right lost": {"group_ids": [Command.unlink(group.id)]},
            "company lost": {"company_ids": [Command.set(other.ids)], "company_id": other.id}}
        back = {"active": True, "group_ids": [Command.link(group.id)],
                "company_ids": [Command.set(self.company.ids)], "company_id": self.company.id}
        for way, values in ways.items():
            with self.subTest(way=way):
                self.batch.with_user(leaver).action_post()
                leaver.write(values)
                self._run_cron()
                self.assertBooked(failed=3)
                self.assertEqual(self.batch.state, "failed")
                for writeoff in self.batch.failed_ids:
                    self.assertIn(f"{leaver.name} had asked to post it", writeoff.error)
                leaver.write(back)
        self.batch.with_user(leaver).action_post()
        leaver.unlink()
        self._run_cron()
        self.assertBooked(failed=3)
        self.assertIn("no user any more", self.batch.failed_ids[0].error)
        self.batch.action_post()
        self._run_cron()
        self.assertBooked()
        other.unlink()
        self._commit()

    def test_one_batch_that_fails_does_not_keep_the_next(self):
        other = self.batch.copy({"partner_domain": str([("id", "in", self.customers[2].ids)])})
        self.batch.partner_domain = str([("id", "in", self.customers[:2].ids)])
        (self.batch | other).action_prepare()
        second = self._create_user(self._testMethodName, APPROVER)
        self.batch.with_user(second).action_post()
        other.action_post()
        second.active = False
        self._run_cron()
        self.assertEqual((self.batch.state, self.batch.failed_count), ("failed", 2))
        self.assertEqual((other.state, other.writeoff_ids.state), ("done", "posted"))
        self.assertEqual(other.writeoff_ids.move_id.create_uid, self.approver)
