from contextlib import closing

from odoo import SUPERUSER_ID, api
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger
from psycopg2.errors import LockNotAvailable

from .common import TODAY


@tagged("post_install", "-at_install", "customer_churn")
class TestCaseRace(TransactionCase):
    """Two transactions of their own, on the company and a contact that are there before any test."""

    def setUp(self):
        super().setUp()
        self.first, self.second = (db_connect(self.env.cr.dbname).cursor() for _number in range(2))
        self.addCleanup(self.second.close)
        self.addCleanup(self.first.close)
        self.vals = {
            "company_id": self.env.ref("base.main_company").id, "partner_id": self.env.ref("base.main_partner").id,
            "opened_date": TODAY, "trigger_status": "at_risk", "silent_since": TODAY}

    def _open(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["customer.churn.case"]._open_all([dict(self.vals)])

    @mute_logger("odoo.sql_db")
    def test_the_second_waits_for_the_first(self):
        self.assertTrue(self._open(self.first))
        self.second.execute(SQL("SET LOCAL lock_timeout = '200ms'"))
        with self.assertRaises(LockNotAvailable):
            self._open(self.second)
        self.second.rollback()
        self.first.rollback()
        self.assertTrue(self._open(self.second))
        self.second.rollback()

    @mute_logger("odoo.sql_db")
    def test_the_second_opens_nothing_after_the_first_and_keeps_the_rest(self):
        self.second.execute(SQL("SELECT count(*) FROM customer_churn_case"))  # what it sees is of now
        case = self._open(self.first)
        self.first.commit()
        self.addCleanup(self._delete, case.id)
        other = {**self.vals, "partner_id": self.env.ref("base.partner_root").id}
        Case = api.Environment(self.second, SUPERUSER_ID, {})["customer.churn.case"]
        opened = Case._open_all([dict(self.vals), other])
        self.assertEqual(opened.partner_id.ids, [other["partner_id"]])
        self.second.rollback()

    def _delete(self, case):
        with closing(db_connect(self.env.cr.dbname).cursor()) as cleaning:
            api.Environment(cleaning, SUPERUSER_ID, {})["customer.churn.case"].browse(case).unlink()
            cleaning.commit()
