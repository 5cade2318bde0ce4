from contextlib import closing

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger
from psycopg2.errors import LockNotAvailable, SerializationFailure

from .common import TODAY, USER


@tagged("post_install", "-at_install", "customer_churn")
class TestPoolRace(TransactionCase):
    """Two people, each in a transaction of his own, claim what is in the pool at once."""

    def setUp(self):
        super().setUp()
        company, self.customers = self.env.ref("base.main_company").id, [
            self.env.ref("base.main_partner").id, self.env.ref("base.partner_root").id]
        with closing(db_connect(self.env.cr.dbname).cursor()) as cleaning:
            env = api.Environment(cleaning, SUPERUSER_ID, {"no_reset_password": True})
            racer = env["res.users"].create({
                "name": "Racer", "login": "churn_racer", "group_ids": [Command.link(env.ref(USER).id)]})
            self.people = [racer.id, env.ref("base.user_admin").id]
            self.ids = env["customer.churn.case"].create([
                {"company_id": company, "partner_id": customer, "opened_date": TODAY, "trigger_status": "at_risk",
                 "silent_since": TODAY, "pool_date": TODAY} for customer in self.customers]).ids
            cleaning.commit()
        self.addCleanup(self._delete)
        self.first, self.second = (db_connect(self.env.cr.dbname).cursor() for _number in range(2))
        self.addCleanup(self.first.close)
        self.addCleanup(self.second.close)

    def _delete(self):
        with closing(db_connect(self.env.cr.dbname).cursor()) as cleaning:
            cleaning.execute(SQL("DELETE FROM customer_churn_pool_move WHERE case_id = ANY(%s)", self.ids))
            env = api.Environment(cleaning, SUPERUSER_ID, {})
            env["customer.churn.case"].browse(self.ids).unlink()
            racer = env["res.users"].browse(self.people[0])
            partner = racer.partner_id
            racer.unlink()
            partner.unlink()
            cleaning.commit()

    def _claim(self, cr, person, place=0):
        api.Environment(cr, self.people[person], {})["customer.churn.case"].browse(self.ids[place]).action_claim()

    @mute_logger("odoo.sql_db")
    def test_the_second_waits_is_started_again_and_told_by_name(self):
        self.second.execute(SQL("SELECT count(*) FROM customer_churn_case"))  # what it sees is of now
        self._claim(self.first, 0)
        with self.assertRaises(LockNotAvailable), self.second.savepoint():
            self.second.execute(SQL("SET LOCAL lock_timeout = '200ms'"))
            self._claim(self.second, 1)
        self.first.commit()
        with self.assertRaises(SerializationFailure):  # which has the server start the request again
            self._claim(self.second, 1)
        self.second.rollback()
        with self.assertRaisesRegex(UserError, "is not in the pool any more: Racer works the case now"):
            self._claim(self.second, 1)

    @mute_logger("odoo.sql_db")
    def test_two_claims_of_one_person_are_counted_one_after_the_other(self):
        self.second.execute(SQL("SELECT count(*) FROM customer_churn_case"))
        self._claim(self.first, 1, 0)
        self.first.commit()
        with self.assertRaises(SerializationFailure):
            self._claim(self.second, 1, 1)
        self.second.rollback()
        self._claim(self.second, 1, 1)
        self.second.rollback()
