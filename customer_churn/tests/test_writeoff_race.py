from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError, UserError
from odoo.tests import freeze_time, tagged
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

    def _look(self):
        self.cr.rollback()
        self.env.invalidate_all()
        entries = self.env["account.move"].search([("bad_debt_writeoff_id", "=", self.writeoff.id)])
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

    def test_post_against_payment(self):
        writeoff = self._writeoff_of(0)
        env = api.Environment(self.cursors[1], SUPERUSER_ID, {"allowed_company_ids": self.company.ids})
        payment = self._payment(1150, date="2026-11-01")
        self._commit()
        items = env["account.move.line"].browse((self._items(self.invoice) | self._items(payment.move_id)).ids)
        self.assertEqual(writeoff.state, "approved")
        items.reconcile()
        env.flush_all()
        self.assertRefusedAtOnce(writeoff.action_post, LockError)
        self.cursors[1].commit()
        self.cursors[0].rollback()
        writeoff.env.invalidate_all()
        self.assertRefusedAtOnce(writeoff.action_post, UserError)
        entries, residual, state = self._look()
        self.assertEqual((len(entries), residual, state), (0, 0, "approved"))

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
