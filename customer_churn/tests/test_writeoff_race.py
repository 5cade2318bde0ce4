import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError, UserError
from odoo.modules.registry import DummyRLock, Registry
from odoo.sql_db import db_connect
from odoo.tests import freeze_time, get_db_name, tagged
from odoo.tools import mute_logger
from psycopg2 import OperationalError
from psycopg2.errors import SerializationFailure

from .common_bad_debt import TODAY
from .common_committed import CommittedBooks


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestWriteoffRace(CommittedBooks):
    """Two connections of their own on what a third one has committed: never a double booking, an answer at once."""

    def setUp(self):
        super().setUp()
        type(self).debtor = self.debtor.copy({"name": self._testMethodName})
        type(self).debtors |= self.debtor
        self.debtor.property_account_receivable_id = self.ar
        self.invoice = self._invoice((1000, self.t15))
        self.writeoff = self._prepare(self.invoice)
        self.writeoff.action_submit()
        self._commit()
        self.cursors = [self._connect() for _number in range(2)]

    def _writeoff_of(self, number):
        env = api.Environment(self.cursors[number], self.approver.id, {"allowed_company_ids": self.company.ids})
        return env["customer.bad.debt.writeoff"].browse(self.writeoff.id)

    def _recoveries_of(self, writeoff):
        return writeoff.env["customer.bad.debt.recovery"]

    def _race(self, *calls):
        """At the same moment, each in a thread and a connection of its own; {number: what refused it, or None}."""
        start, came_to = threading.Barrier(len(calls)), {}

        def run(number, call):
            with db_connect(get_db_name()).cursor() as cr:
                env = api.Environment(cr, self.approver.id, {"allowed_company_ids": self.company.ids})
                try:
                    start.wait(30)
                    call(env)
                    transaction = cr
                    transaction.commit()
                    came_to[number] = None
                except (UserError, OperationalError) as refusal:
                    cr.rollback()
                    came_to[number] = refusal

        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(calls)]
        # whoever runs the tests holds the lock of the registry, as long as they run
        with mute_logger("odoo.sql_db"), patch.object(Registry, "_lock", DummyRLock()):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertEqual(len(came_to), len(calls), "every call has an answer")
        return came_to

    def _look(self):
        self.cr.rollback()
        self.env.invalidate_all()
        entries = self.env["account.move"].search([
            ("company_id", "=", self.company.id), ("bad_debt_writeoff_id.partner_id", "=", self.debtor.id)])
        return entries, self.invoice.amount_residual, self.writeoff.state

    def test_two_posts_at_once(self):
        first, second = self._writeoff_of(0), self._writeoff_of(1)
        self.assertEqual(second.state, "approved")  # what the second sees is of now
        first.action_post()
        self.assertRefusedAtOnce(second.action_post, LockError)
        self.cursors[0].commit()
        self.assertRefusedAtOnce(second.action_post, SerializationFailure)
        self.cursors[1].rollback()
        second.env.invalidate_all()
        self.assertRefusedAtOnce(second.action_post, UserError)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (1, 0, "posted"))

    def assertTooLate(self, writeoff):
        """The second connection settles the invoice while the first would write it off."""
        self.assertRefusedAtOnce(writeoff.action_post, LockError)
        self.cursors[0].rollback()
        self.cursors[1].commit()
        writeoff.env.invalidate_all()
        self.assertRefusedAtOnce(writeoff.action_post, UserError)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (0, 0, "approved"))

    def test_post_against_payment(self):
        writeoff = self._writeoff_of(0)
        env = api.Environment(self.cursors[1], SUPERUSER_ID, {"allowed_company_ids": self.company.ids})
        payment = self._payment(1150, date="2026-11-01")
        self._commit()
        items = env["account.move.line"].browse((self._items(self.invoice) | self._items(payment.move_id)).ids)
        self.assertEqual(writeoff.state, "approved")
        items.reconcile()
        env.flush_all()
        self.assertTooLate(writeoff)

    def test_post_against_undo(self):
        self._writeoff_of(0).action_post()
        self.cursors[0].commit()
        first, second = self._writeoff_of(0), self._writeoff_of(1)
        first.env.invalidate_all()
        self.assertEqual(second.state, "posted")
        first.action_undo()
        self.assertRefusedAtOnce(second.action_undo, LockError)
        self.assertRefusedAtOnce(second.action_post, LockError)
        self.cursors[0].commit()
        self.cursors[1].rollback()
        second.env.invalidate_all()
        self.assertRefusedAtOnce(second.action_undo, UserError)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (2, 1150, "reversed"))

    def test_two_recoveries_at_once(self):
        self._writeoff_of(0).action_post()
        self.cursors[0].commit()
        first, second = self._writeoff_of(0), self._writeoff_of(1)
        first.env.invalidate_all()
        self.assertEqual(second.state, "posted")
        first.env["customer.bad.debt.recovery"]._create_for(first)
        self.assertRefusedAtOnce(lambda: second.env["customer.bad.debt.recovery"]._create_for(second), LockError)
        self.cursors[0].commit()
        self.cursors[1].rollback()
        second.env.invalidate_all()
        self.assertRefusedAtOnce(lambda: second.env["customer.bad.debt.recovery"]._create_for(second), UserError)
        self.assertEqual(self._look()[2], "recovered")

    def test_undo_against_recovery(self):
        self._writeoff_of(0).action_post()
        self.cursors[0].commit()
        first, second = self._writeoff_of(0), self._writeoff_of(1)
        first.env.invalidate_all()
        self.assertEqual(second.state, "posted")
        first.action_undo()
        self.assertRefusedAtOnce(lambda: self._recoveries_of(second)._create_for(second), LockError)
        self.cursors[0].commit()
        self.cursors[1].rollback()
        second.env.invalidate_all()
        self.assertRefusedAtOnce(lambda: self._recoveries_of(second)._create_for(second), UserError)
        self.assertEqual(self._look()[1:], (1150, "reversed"))

    def test_two_recoveries_of_one_payment(self):
        """Of two write-offs of a customer: the money is there once."""
        self._writeoff_of(0).action_post()
        self.cursors[0].commit()
        other = self._write_off(self._invoice((200, None)))
        payment = self._payment(230, date="2026-11-21")
        self._commit()
        first, second = self._writeoff_of(0), self._writeoff_of(1).browse(other.id)
        self.assertEqual((first.state, second.state), ("posted", "posted"))

        def recover(writeoff):
            return self._recoveries_of(writeoff)._create_for(
                writeoff, payment=writeoff.env["account.payment"].browse(payment.id))

        recover(first)
        self.assertRefusedAtOnce(lambda: recover(second), LockError)
        self.cursors[0].commit()
        self.cursors[1].rollback()
        second.env.invalidate_all()
        self.assertRefusedAtOnce(lambda: recover(second), UserError)
        self._look()
        self.assertEqual((self.writeoff.amount_recovered, other.amount_recovered), (230, 0))
        self.assertTrue(self._items(payment.move_id).reconciled)

    def test_two_documents_of_one_item(self):
        """Prepared at the same moment: the second need not wait to be refused."""
        invoice = self._invoice((100, None))
        self._commit()
        items = [self._writeoff_of(number).env["account.move.line"].browse(self._items(invoice).id)
                 for number in range(2)]
        self.assertEqual([item.amount_residual for item in items], [100, 100])

        def prepare(item):
            return item.env["customer.bad.debt.writeoff"]._create_for(item, "2026-11-20")

        first = prepare(items[0])
        self.assertRefusedAtOnce(lambda: prepare(items[1]), LockError)
        self.cursors[0].commit()
        self.cursors[1].rollback()
        items[1].env.invalidate_all()
        self.assertRefusedAtOnce(lambda: prepare(items[1]), UserError)
        self._look()
        self.assertEqual(self.env["customer.bad.debt.writeoff.line"].search([
            ("move_id", "=", invoice.id)]).writeoff_id.ids, first.ids)

    def test_post_against_credit_note(self):
        writeoff = self._writeoff_of(0)
        self.assertEqual(writeoff.state, "approved")
        env = api.Environment(self.cursors[1], SUPERUSER_ID, {"allowed_company_ids": self.company.ids})
        note = env["account.move"].browse(self.invoice.id)._reverse_moves([{
            "date": self.day("2026-11-21"), "invoice_date": self.day("2026-11-21")}])
        note.action_post()
        env.flush_all()
        self.assertTooLate(writeoff)

    # ------------------------------------------------------------------ threads
    def test_two_posts_in_threads(self):
        def post(env):
            env["customer.bad.debt.writeoff"].browse(self.writeoff.id).action_post()
        came_to = self._race(post, post, post)
        self.assertEqual(list(came_to.values()).count(None), 1, came_to)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (1, 0, "posted"))

    def test_post_and_payment_in_threads(self):
        payment = self._payment(1150, date="2026-11-01")
        self._commit()
        items = (self._items(self.invoice) | self._items(payment.move_id)).ids
        self._race(
            lambda env: env["customer.bad.debt.writeoff"].browse(self.writeoff.id).action_post(),
            lambda env: env["account.move.line"].browse(items).reconcile())
        entries, residual, state = self._look()
        self.assertEqual(residual, 0)
        self.assertEqual(len(self._items(self.invoice).matched_credit_ids), 1, "settled once")
        self.assertEqual((len(entries), state), (0, "approved") if self._items(payment.move_id).reconciled else (
            1, "posted"))

    def test_undo_and_recovery_in_threads(self):
        self._writeoff_of(0).action_post()
        self.cursors[0].commit()
        came_to = self._race(
            lambda env: env["customer.bad.debt.writeoff"].browse(self.writeoff.id).action_undo(),
            lambda env: env["customer.bad.debt.recovery"]._create_for(
                env["customer.bad.debt.writeoff"].browse(self.writeoff.id)))
        self.assertEqual(list(came_to.values()).count(None), 1, came_to)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (2, 1150, "reversed") if came_to[0] is None else (
            2, 0, "recovered"))
