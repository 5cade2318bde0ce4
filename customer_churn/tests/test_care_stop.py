"""What becomes of care that is under way."""

from datetime import timedelta

from odoo.tests import tagged

from .common import TODAY, before
from .common_care import CareCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestCareStop(CareCommon):
    def test_what_is_late_goes_to_somebody_else_once(self):
        self.silent(self.anna, 40)
        self.night()
        treatment = self.plan(escalate_after_days=3, escalate_user_id=self.leader.id) and self.care()
        call, write = treatment.activity_ids.sorted("date_deadline")
        self.care(before(-3))
        self.assertEqual(call.user_id, self.seller)
        self.care(before(-4))
        self.assertEqual((call.user_id, call.care_escalated_from_id), (self.leader, self.seller))
        self.assertEqual(write.user_id, self.seller)
        self.assertIn("left it undone", self.anna.message_ids[0].body)
        call.user_id = self.seller
        self.care(before(-5))
        self.assertEqual(call.user_id, self.seller)

    def test_done_when_nothing_is_planned_any_more(self):
        self.silent(self.anna, 40)
        self.night()
        treatment = self.plan() and self.care()
        treatment.activity_ids[0].action_done()
        self.care(before(-1))
        self.assertEqual(treatment.state, "open")
        treatment.activity_ids.action_done()
        self.care(before(-2))
        self.assertEqual(treatment.state, "done")

    def stopped(self, treatment, at=TODAY + timedelta(days=1)):
        self.care(at)
        return treatment.state, treatment.stop_reason, len(treatment.activity_ids)

    def test_stops_when_bought_again(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        plans = self.plan(domain=self.only(self.anna)), self.plan(domain=self.only(self.bert), stop_on_purchase=False)
        self.care()
        treatment, kept = (self.Treatment.search([("plan_id", "=", plan.id)]) for plan in plans)
        for customer in self.anna | self.bert:
            self.bought(customer, before(-1), amount=70)
        self.night(before(-1))
        self.assertEqual(self.stopped(treatment), ("stopped", "bought", 0))
        self.assertEqual((kept.state, len(kept.activity_ids)), ("open", 2))
        self.assertEqual((treatment.bought_date, treatment.bought_revenue), (before(-1), 70))

    def test_stops_when_the_case_is_closed_or_the_plan_archived(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        self.profile(self.anna).action_open_case()
        plan = self.plan()
        treatments = self.care()
        anna, bert = (treatments.filtered(lambda t, c=c: t.partner_id == c) for c in (self.anna, self.bert))
        self.cases(self.anna).action_close("false_alarm")
        self.assertEqual(self.stopped(anna), ("stopped", "case_closed", 0))
        self.assertEqual(bert.state, "open")
        plan.active = False
        self.assertEqual(self.stopped(bert), ("stopped", "plan", 0))

    def test_not_while_invoices_are_disputed_if_the_plan_says_so(self):
        invoices = self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        careful, other = self.plan(stop_on_dispute=True), self.plan()
        invoices[0].action_toggle_block_payment()
        self.assertEqual(self.Run._get_held_partners(self.company), self.anna)
        self.care()
        self.assertEqual((self.met(careful), self.met(other)), (self.bert, self.anna))
        self.env["account.move"].search([("partner_id", "=", self.bert.id)], limit=1).action_toggle_block_payment()
        self.assertEqual(self.stopped(self.Treatment.search([("plan_id", "=", careful.id)])), ("stopped", "dispute", 0))
