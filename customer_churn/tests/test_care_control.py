import hashlib

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import MANAGER, before
from .common_care import CareCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestCareControl(CareCommon):
    def test_the_draw_is_a_fixed_rule_with_the_right_share(self):
        plan = self.plan(control_share=10)
        draws = [int(hashlib.md5(f"{plan.id}:{customer}:at_risk".encode()).hexdigest()[:8], 16) / 2**32 * 100
                 for customer in range(10_000)]
        self.assertAlmostEqual(sum(draw < 10 for draw in draws) / 10_000, 0.1, delta=0.012)
        rows = self.env.execute_query(SQL(
            "SELECT %s FROM generate_series(0, 9999) n", plan._draw_sql(SQL("n"), SQL("'at_risk'"))))
        self.assertEqual([round(float(draw), 4) for [draw] in rows], [round(draw, 4) for draw in draws])

    def drawn(self, share, count=40):
        customers = self.customers(count)
        customers.user_id = self.seller
        for customer in customers:
            self.silent(customer, 40)
        self.night()
        plan = self.plan(control_share=share, capacity_per_week=1000)
        self.care()
        return plan, self.Treatment.search([("plan_id", "=", plan.id)])

    def test_who_is_left_alone_gets_nothing_and_is_hidden_from_nobody(self):
        _plan, treatments = self.drawn(30)
        control = treatments.filtered("is_control")
        self.assertEqual(len(treatments), 40)
        self.assertTrue(2 <= len(control) <= 25)
        self.assertEqual(set(control.mapped("state")), {"control"})
        self.assertFalse(control.activity_ids)
        self.assertTrue(all((treatments - control).mapped("activity_ids")))
        self.assertEqual(len(self.Treatment.with_user(self.seller).search([("is_control", "=", True)])), len(control))

    def test_everybody_and_nobody(self):
        self.assertTrue(all(self.drawn(100, 5)[1].mapped("is_control")))

    def test_the_case_says_so(self):
        self.silent(self.anna, 40)
        self.night()
        self.profile(self.anna).action_open_case()
        self.plan(control_share=100)
        self.care()
        self.assertTrue(self.cases(self.anna).is_control)

    def test_those_left_alone_take_no_capacity_and_are_drawn_among_the_same(self):
        customers = self.customers(30)
        customers.user_id = self.seller
        for place, customer in enumerate(customers):
            self.silent(customer, 40, amount=1000 - place)
        self.night()
        plan = self.plan(control_share=40, capacity_per_week=5)
        self.care()
        treatments = self.Treatment.search([("plan_id", "=", plan.id)], order="revenue_at_stake DESC, id")
        self.assertEqual(len(treatments.filtered(lambda t: not t.is_control)), 5)
        self.assertEqual(treatments.partner_id, customers[:len(treatments)])
        self.assertFalse(treatments[-1].is_control)

    def test_who_is_treated_all_the_same_is_counted_as_such_and_stays_in_the_group(self):
        _plan, treatments = self.drawn(100, 4)
        planned, written, noted, _alone = treatments
        self.env.cr.execute("UPDATE customer_care_treatment SET create_date = create_date - interval '1 minute'")
        self.env.invalidate_all()
        planned.partner_id.activity_schedule("mail.mail_activity_data_call", user_id=self.seller.id)
        written.partner_id.with_user(self.seller).message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment")
        noted.partner_id.with_user(self.seller).message_post(body="A note", subtype_xmlid="mail.mt_note")
        self.care(before(-1))
        self.assertEqual(treatments.filtered("treated_anyway_date"), planned | written)
        self.assertTrue(all(treatments.mapped("is_control")))

    def test_nobody_moves_a_customer_out_of_the_group(self):
        _plan, treatments = self.drawn(100, 1)
        manager = self._user("churn_manager", MANAGER)
        for user in (self.seller, manager):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                treatments.with_user(user).write({"is_control": False})
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                treatments.with_user(user).unlink()
