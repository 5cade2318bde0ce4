from datetime import date

from odoo import SUPERUSER_ID, api
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged

DAY = date(2025, 6, 30)


@tagged("post_install", "-at_install", "customer_churn")
class TestCareRace(TransactionCase):
    """Two nights of a company at once: transactions of their own."""

    def setUp(self):
        super().setUp()
        self.first, self.second = (db_connect(self.env.cr.dbname).cursor() for _number in range(2))
        self.addCleanup(self.second.close)
        self.addCleanup(self.first.close)

    def plans(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["customer.care.plan"]

    def test_the_second_night_does_nothing_while_the_first_works(self):
        company = self.env.ref("base.main_company")
        first, second = self.plans(self.first), self.plans(self.second)
        self.assertTrue(first._try_lock(company))
        self.assertFalse(second._try_lock(company))
        self.assertFalse(second._care(company.with_env(second.env), DAY))
        self.first.rollback()
        self.assertTrue(second._try_lock(company))
        self.second.rollback()

    def test_another_company_is_free(self):
        first, second = self.plans(self.first), self.plans(self.second)
        self.assertTrue(first._try_lock(self.env.ref("base.main_company")))
        self.assertTrue(second._try_lock(second.env["res.company"].browse(987_654)))
        self.second.rollback()
        self.first.rollback()
