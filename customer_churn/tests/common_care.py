"""Customers who go silent by fixed days, a salesperson, and an activity plan of two steps."""

from odoo import Command

from .common import TODAY, USER, ChurnCommon, before


class CareCommon(ChurnCommon):
    """Customers by fixed days of silence: at risk after 30, dormant after 60, lost after 120."""

    def setUp(self):
        super().setUp()
        self.company.churn_daily_summary = False
        self.Plan, self.Treatment = self.env["customer.care.plan"], self.env["customer.care.treatment"]
        self.by_days(case_at_risk=False, case_dormant=False)
        self.seller = self._user("churn_seller", USER, email="seller@example.com")
        self.leader = self._user("churn_leader", USER, email="leader@example.com")
        (self.anna | self.bert | self.cleo).user_id = self.seller
        self.steps = self.env["mail.activity.plan"].create({
            "name": "Steps", "res_model": "res.partner", "company_id": False, "template_ids": [
                Command.create({"activity_type_id": self.env.ref("mail.mail_activity_data_call").id,
                                "summary": "Call", "delay_count": 0, "delay_from": "after_plan_date"}),
                Command.create({"activity_type_id": self.env.ref("mail.mail_activity_data_email").id,
                                "summary": "Write", "delay_count": 7, "delay_from": "after_plan_date"})]})

    def plan(self, **values):
        return self.Plan.create({
            "name": "Plan", "company_id": self.company.id, "trigger": "status_entered", "status": "at_risk",
            "activity_plan_id": self.steps.id, "quiet_days": False, **values})

    def create_letter(self):
        return self.env["mail.template"].create({
            "name": "Letter", "model_id": self.env["ir.model"]._get_id("res.partner"),
            "subject": "Dear {{ object.name }}", "body_html": "<p>We miss you</p>",
            "partner_to": "{{ object.id }}", "email_from": "shop@example.com"})

    def only(self, customer):
        return f"[('partner_id', '=', {customer.id})]"

    def silent(self, customer, days, amount=100, at=TODAY):
        """A customer whose last purchase was so many days ago."""
        return self.bought(customer, before(days + 40, at), before(days, at), amount=amount)

    def care(self, at=TODAY):
        treatments = self.Plan._care(self.company, at)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self.Plan.with_context(active_test=False).search([("error", "!=", False)]).mapped("error"))
        return treatments

    def met(self, plan):
        return self.Treatment.search([("plan_id", "=", plan.id)], order="id").partner_id
