"""Which plan a customer meets where several would do: one a night, and nothing is planned twice."""

from odoo.tests import tagged

from .common import MANAGER, TODAY, before
from .common_care import CareCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestCareTurn(CareCommon):
    def setUp(self):
        super().setUp()
        self.template = self.create_letter()
        self.anna.email = "anna@example.com"
        self.silent(self.anna, 40)
        self.night()

    def letter(self, **values):
        return self.plan(activity_plan_id=False, mail_template_id=self.template.id, **values)

    def test_the_first_of_the_list_meets_the_customer_and_nothing_is_planned_twice(self):
        second, first = self.plan(sequence=20), self.plan(sequence=10)
        self.care()
        self.assertEqual((self.met(first), self.met(second)), (self.anna, self.anna.browse()))
        self.assertEqual(sorted(self.env["mail.activity"].search([
            ("res_model", "=", "res.partner"), ("res_id", "=", self.anna.id)]).mapped("summary")), ["Call", "Write"])

    def test_the_other_waits_until_the_last_step_is_due_and_done(self):
        first, second = self.plan(sequence=10), self.plan(sequence=20)
        treatment = self.care()
        self.night(before(-7))
        self.care(before(-7))  # the second step is due
        treatment.activity_ids[0].action_done()
        self.care(before(-8))  # and late
        self.assertFalse(self.met(second))
        treatment.activity_ids.action_done()
        self.care(before(-9))
        self.assertEqual((self.met(first), self.met(second)), (self.anna, self.anna))

    def test_nobody_waits_for_ever_for_what_nobody_does(self):
        first, second = self.plan(sequence=10, measure_days=60), self.plan(sequence=20)
        self.care()
        for days, met in ((60, self.anna.browse()), (61, self.anna)):
            self.care(before(-days))
            self.assertEqual((self.met(first), self.met(second)), (self.anna, met))

    def test_treated_and_left_alone_wait_alike(self):
        self.plan(sequence=10, control_share=100)
        second = self.plan(sequence=20)
        self.care()
        self.care(before(-7))
        self.assertFalse(self.met(second))
        self.care(before(-8))
        self.assertEqual(self.met(second), self.anna)

    def test_a_letter_does_not_wait_for_activities_but_for_another_night(self):
        self.plan(sequence=10)
        letter = self.letter(sequence=20)
        self.care()
        self.assertFalse(self.met(letter))
        self.care(before(-1))
        self.assertEqual(self.met(letter), self.anna)

    def test_what_a_person_said_is_followed_up_all_the_same(self):
        self.plan(sequence=10)
        reason = self.reason("price")
        follow_up = self.plan(sequence=20, trigger="reason_recorded", reason_id=reason.id)
        self.Answer._record([{
            "company_id": self.company.id, "partner_id": self.anna.id, "reason_id": reason.id}])
        self.env.cr.execute("UPDATE customer_churn_reason_answer SET date = %s", [TODAY])
        self.env.invalidate_all()
        self.care()
        self.assertFalse(self.met(follow_up))
        self.care(before(-1))
        self.assertEqual(self.met(follow_up), self.anna)

    def test_an_archived_plan_is_in_nobody_s_way(self):
        first, second = self.plan(sequence=10), self.plan(sequence=20)
        self.care()
        first.active = False
        self.care(before(-1))
        self.assertEqual(self.met(second), self.anna)

    def test_the_preview_leaves_out_whom_the_plans_before_it_take(self):
        self.silent(self.bert, 40)
        self.night()
        self.patch(type(self.Run), "_get_today", lambda *args: TODAY)
        self.plan(sequence=10, domain=self.only(self.anna))
        unused = self.plan(sequence=15, active=False)
        second = self.plan(sequence=20)
        manager = self._user("churn_manager", MANAGER)
        for plan, shown in ((unused, self.bert), (second, self.bert)):
            action = plan.with_user(manager).with_context(active_test=False).action_preview()
            self.assertEqual(self.Profile.search(action["domain"]).partner_id, shown)
        self.care()
        self.assertEqual(self.met(second), self.bert)
