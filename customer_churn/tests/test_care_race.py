from contextlib import closing
from datetime import date

from odoo import SUPERUSER_ID, Command, api
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

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

    @mute_logger("odoo.sql_db")
    def test_a_night_that_began_before_the_first_was_written_does_nothing_again(self):
        plan, customer = self.committed()
        self.second.execute(SQL("SELECT count(*) FROM customer_care_treatment"))  # what it sees is of now
        first, second = (self.plans(cr).browse(plan) for cr in (self.first, self.second))
        first._treat_safely(DAY)
        self.first.commit()
        second._treat_safely(DAY)
        self.second.commit()
        with closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            plan = self.plans(cr).browse(plan)
            self.assertEqual(len(plan.treatment_ids), 1)
            self.assertEqual(plan.env["mail.activity"].search_count(
                [("res_model", "=", "res.partner"), ("res_id", "=", customer)]), 1)
            self.assertFalse(plan.error)

    def committed(self):
        """(plan, customer) that other transactions see: one customer at risk, one activity planned for it."""
        env = self.plans(self.first).env
        company = env.ref("base.main_company")
        customer = env["res.partner"].create({"name": "Raced"})
        profile = env["customer.churn.profile"].create({
            "company_id": company.id, "partner_id": customer.id, "status": "at_risk", "status_date": DAY,
            "last_purchase_date": DAY})
        steps = env["mail.activity.plan"].create({
            "name": "Raced", "res_model": "res.partner", "company_id": False, "template_ids": [
                Command.create({"activity_type_id": env.ref("mail.mail_activity_data_call").id})]})
        plan = env["customer.care.plan"].create({
            "name": "Raced", "company_id": company.id, "activity_plan_id": steps.id, "responsible": "user",
            "user_id": env.ref("base.user_admin").id, "domain": f"[('id', '=', {profile.id})]"})
        self.first.commit()
        self.addCleanup(self.delete, plan.id, profile.id, steps.id, customer.id)
        return plan.id, customer.id

    def delete(self, plan, profile, steps, customer):
        with closing(db_connect(self.env.cr.dbname).cursor()) as cleaning:
            env = self.plans(cleaning).env
            plan = env["customer.care.plan"].browse(plan)
            plan.treatment_ids.unlink()
            plan.unlink()
            env["mail.activity.plan"].browse(steps).unlink()
            env["customer.churn.profile"].browse(profile).unlink()
            env["res.partner"].browse(customer).unlink()
            cleaning.commit()
