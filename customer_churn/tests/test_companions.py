"""Beside other apps, which the addon does not depend on: time off and sales teams."""

from datetime import date, timedelta

from odoo import Command
from odoo.tests import tagged

from .common import USER, ChurnCommon, later


@tagged("post_install", "-at_install", "-standard", "customer_churn_companions")
class TestCompanions(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days()
        self.leader = self._user("churn_leader", USER)
        self.team = self.env["crm.team"].create({
            "name": "North", "user_id": self.leader.id, "company_id": self.company.id,
            "crm_team_member_ids": [Command.create({"user_id": self.seller.id})]})

    def take_leave(self, user):
        """From yesterday to tomorrow: whoever looks at night finds him away too."""
        kind = self.env["hr.leave.type"].create({
            "name": "Holidays", "requires_allocation": False, "leave_validation_type": "no_validation"})
        employee = self.env["hr.employee"].create({
            "name": user.name, "user_id": user.id, "company_id": self.company.id})
        return self.env["hr.leave"].create({
            "employee_id": employee.id, "holiday_status_id": kind.id,
            "request_date_from": date.today() - timedelta(days=5), "request_date_to": date.today() + timedelta(days=5)})

    def test_whoever_is_on_leave_is_replaced_by_the_leader_who_is_told_and_back_again(self):
        case = self.opened(self.anna)
        self.assertEqual(case.user_id, self.seller)
        leave = self.take_leave(self.seller)
        self.night(later(1))
        self.assertEqual(case.user_id, self.leader)
        self.assertIn(self.leader.partner_id, case.message_partner_ids)
        self.assertTrue(self.env["mail.message"].search([
            ("partner_ids", "in", self.leader.partner_id.ids), ("message_type", "=", "user_notification")]))
        leave.action_refuse()
        self.night(later(2))
        self.assertEqual(case.user_id, self.seller)

    def test_a_new_case_goes_past_whoever_is_on_leave(self):
        self.take_leave(self.seller)
        self.assertEqual(self.opened(self.anna).user_id, self.leader)

    def test_the_leader_on_leave_leaves_it_to_the_fallback(self):
        self.company.churn_case_fallback_user_id = self.manager
        self.take_leave(self.seller)
        self.take_leave(self.leader)
        self.assertEqual(self.opened(self.anna).user_id, self.manager)

    def test_the_leader_of_a_team_that_is_no_more_gets_nothing(self):
        self.take_leave(self.seller)
        self.team.active = False
        self.assertFalse(self.opened(self.anna).user_id)

    def test_a_care_plan_asks_the_leader(self):
        plan = self.env["customer.care.plan"].create({
            "name": "Call", "company_id": self.company.id, "trigger": "status_entered", "status": "at_risk",
            "responsible": "team_leader", "quiet_days": False,
            "activity_plan_id": self.env["mail.activity.plan"].create({
                "name": "Steps", "res_model": "res.partner", "template_ids": [Command.create({
                    "activity_type_id": self.env.ref("mail.mail_activity_data_call").id, "summary": "Call"})]}).id})
        self.silent(self.anna, days=40)
        self.night()
        treatment = plan._care(self.company, later(0))
        self.assertEqual((treatment.partner_id, treatment.activity_ids.user_id), (self.anna, self.leader))
