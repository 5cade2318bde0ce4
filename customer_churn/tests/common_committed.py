"""Books that are committed, so that connections of their own can work on them at once; removed in the end."""

from freezegun.api import real_monotonic
from odoo import SUPERUSER_ID, api
from odoo.exceptions import LockError
from odoo.modules.registry import Registry
from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name
from odoo.tools import SQL, mute_logger

from .common_bad_debt import BadDebtFixture


class CommittedBooks(BadDebtFixture, BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.cr = db_connect(get_db_name()).cursor()
        cls.addClassCleanup(cls.cr.close)
        cls.env = api.Environment(cls.cr, SUPERUSER_ID, {"tracking_disable": True})
        cls._set_up_books()
        cls.debtors = cls.debtor
        cls.cr.commit()
        cls.addClassCleanup(cls._delete_books)

    @classmethod
    def _delete_books(cls):
        """The company goes with all that is its own, so that other tests find the database as it was."""
        cls.cr.rollback()
        company = cls.company.id
        for query in (
            SQL("UPDATE account_move SET bad_debt_writeoff_id = NULL WHERE company_id = %s", company),
            SQL("DELETE FROM account_lock_exception WHERE company_id = %s", company),
            SQL("DELETE FROM customer_bad_debt_recovery WHERE company_id = %s", company),
            SQL("DELETE FROM customer_bad_debt_writeoff_line WHERE company_id = %s", company),
            SQL("DELETE FROM customer_bad_debt_writeoff WHERE company_id = %s", company),
            SQL("DELETE FROM customer_bad_debt_batch WHERE company_id = %s", company),
            SQL("DELETE FROM account_partial_reconcile WHERE company_id = %s", company),
            SQL("UPDATE account_move SET origin_payment_id = NULL WHERE company_id = %s", company),
            SQL("DELETE FROM account_payment WHERE company_id = %s", company),
            SQL("DELETE FROM account_move WHERE company_id = %s", company),
        ):
            cls.cr.execute(query)
        cls.env.invalidate_all()
        cls.env["ir.cron.trigger"].search([
            ("cron_id", "=", cls.env.ref("customer_churn.ir_cron_customer_bad_debt_batch").id)]).unlink()
        users = cls.env["res.users"].with_context(active_test=False).search([("company_id", "=", company)])
        partners = cls.debtors | users.partner_id | cls.company.partner_id
        users.unlink()
        accounts = cls.env["account.account"].search([("company_ids", "in", company)])
        cls.company.write({name: False for name in cls.company._fields if name.startswith("bad_debt_") and (
            name.endswith(("journal_id", "account_id")))})
        for name in ("account.tax", "account.tax.group", "account.journal"):
            cls.env[name].with_context(active_test=False).search([("company_id", "=", company)]).unlink()
        cls.env["account.account.tag"].browse([tag.id for tag in cls.tags.values()]).unlink()
        cls.cr.execute(SQL("DELETE FROM res_company WHERE id = %s", company))
        cls.env.invalidate_all()
        partners.unlink()
        accounts.unlink()
        cls.cr.commit()

    def _connect(self):
        """One more connection, closed after the test."""
        cr = db_connect(get_db_name()).cursor()
        self.addCleanup(cr.close)
        return cr

    def assertRefusedAtOnce(self, call, error):
        started = real_monotonic()  # the clock of the test stands still
        with mute_logger("odoo.sql_db"), self.assertRaises(error) as refusal:
            call()
        self.assertLess(real_monotonic() - started, 1.0)
        if error is LockError:
            self.assertIn("Try again in a m", str(refusal.exception))

    def _commit(self):
        """What the other connections are to see."""
        transaction = self.env.cr
        transaction.commit()


class CommittedBatch(CommittedBooks):
    """A batch of three customers with one invoice each."""

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
