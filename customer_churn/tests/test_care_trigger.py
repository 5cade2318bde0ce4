from datetime import date

from odoo.tests import tagged

from .common import before, day
from .common_care import CareCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestCareTriggers(CareCommon):
    def test_status_entered(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 70)
        self.night()
        at_risk, dormant = self.plan(), self.plan(status="dormant")
        self.care()
        self.assertEqual((self.met(at_risk), self.met(dormant)), (self.anna, self.bert))

    def test_days_in_status(self):
        self.silent(self.anna, 40)  # at risk since 10 days
        self.silent(self.bert, 34)  # since 4
        self.night(before(12))
        self.night()
        plan = self.plan(trigger="days_in_status", days=7)
        self.care()
        self.assertEqual(self.met(plan), self.anna)
        self.night(before(-3))
        self.care(before(-3))
        self.assertEqual(self.met(plan), self.anna | self.bert)

    def test_before_a_deadline(self):
        self.silent(self.anna, 50)
        self.silent(self.bert, 40)
        self.night()
        plan = self.plan(trigger="before_deadline", deadline="dormant", days=14)
        self.care()
        self.assertEqual(self.met(plan), self.anna)

    def test_anniversary_also_of_who_began_on_a_leap_day_and_after_missed_nights(self):
        self.bought(self.anna, "2024-02-29", "2025-02-20")
        self.bought(self.bert, "2023-12-30", "2024-12-20")
        self.night(day("2025-01-02"))
        plan = self.plan(trigger="anniversary", stop_on_purchase=False)
        self.care(day("2025-01-02"))
        self.assertEqual(self.met(plan), self.bert)
        self.night(day("2025-02-28"))
        self.care(day("2025-02-28"))
        self.care(day("2025-03-03"))
        self.assertEqual(self.met(plan), self.bert | self.anna)
        self.assertEqual(self.Treatment.search([("plan_id", "=", plan.id)]).mapped("occasion"), ["1", "1"])

    def test_no_contact_but_messages_and_activities_done_count_and_notes_do_not(self):
        for customer in self.anna | self.bert | self.cleo:
            self.bought(customer, before(400), before(5))
        self.night()
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.anna.id})
        contact.message_post(body="How are you?", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.bert.message_post(body="Just a note", subtype_xmlid="mail.mt_note")
        activity = self.cleo.activity_schedule("mail.mail_activity_data_call", user_id=self.env.uid)
        activity.action_done()
        plan = self.plan(trigger="no_contact", days=30)
        now = date.today()
        self.env["mail.message"].flush_model()
        self.care(now)
        self.assertEqual(self.met(plan), self.bert)

    def test_reason_recorded_by_reason_or_category_until_a_purchase(self):
        for customer in self.anna | self.bert | self.cleo:
            self.silent(customer, 70)
        self.night()
        price, service = self.reason("price"), self.reason("service")
        self.Answer._record([{"company_id": self.company.id, "partner_id": customer.id, "reason_id": reason.id}
                             for customer, reason in ((self.anna, price), (self.bert, service))])
        by_reason = self.plan(trigger="reason_recorded", reason_id=price.id)
        by_category = self.plan(trigger="reason_recorded", reason_category=service.category)
        self.care(date.today())
        self.assertEqual(self.met(by_reason), self.anna)
        self.assertEqual(self.met(by_category), self.bert)

    def test_the_list_says_when(self):
        said = {
            "A customer becomes: At Risk": {},
            "A customer has been for some days: Dormant, 7 days": {
                "trigger": "days_in_status", "status": "dormant", "days": 7},
            "A customer is about to become: Lost, 3 days": {
                "trigger": "before_deadline", "deadline": "lost", "days": 3},
            "The first purchase was some years ago today": {"trigger": "anniversary"},
            "Nobody has been in touch for some days: 60 days": {"trigger": "no_contact", "days": 60},
            "A reason was recorded: Price": {"trigger": "reason_recorded", "reason_category": "price"},
            "A reason was recorded: Poor Service": {
                "trigger": "reason_recorded", "reason_id": self.reason("service").id},
        }
        self.assertEqual([self.plan(**values).when for values in said.values()], list(said))

    def test_only_those_of_the_condition(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 41)
        self.night()
        plan = self.plan(domain=self.only(self.bert))
        self.assertEqual(plan.matching_count, 1)
        self.care()
        self.assertEqual(self.met(plan), self.bert)
