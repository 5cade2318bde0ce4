from odoo.tests import tagged

from .common import TODAY, before
from .common_care import CareCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestCareMessage(CareCommon):
    def setUp(self):
        super().setUp()
        self.template = self.create_letter()
        for customer in self.anna | self.bert | self.cleo:
            customer.email = f"{customer.name.lower()}@example.com"
            self.silent(customer, 40)
        self.night()

    def letters(self, **values):
        plan = self.plan(activity_plan_id=False, mail_template_id=self.template.id, **values)
        self.care()
        treatments = self.Treatment.search([("plan_id", "=", plan.id)])
        return {customer: treatments.filtered(lambda t, c=customer: t.partner_id == c)
                for customer in self.anna | self.bert | self.cleo}

    def mails(self, customer):
        return self.env["mail.mail"].search([("model", "=", "res.partner"), ("res_id", "in", customer.ids)])

    def test_one_mail_waits_in_the_queue_and_is_logged_on_the_customer(self):
        treatment = self.letters()[self.anna]
        mail = self.mails(self.anna)
        self.assertEqual((mail.state, mail.subject), ("outgoing", "Dear Anna"))
        self.assertEqual(mail.recipient_ids, self.anna)
        self.assertEqual(treatment.mail_message_id, mail.mail_message_id)
        self.assertIn(mail.mail_message_id, self.anna.message_ids)
        self.assertEqual(treatment.state, "done")
        self.care(before(-1))
        self.assertEqual(len(self.mails(self.anna)), 1)

    def test_who_opted_out_gets_none_and_is_not_counted(self):
        self.env["mail.blacklist"]._add(self.anna.email)
        letters = self.letters()
        self.assertFalse(letters[self.anna])
        self.assertFalse(self.mails(self.anna))
        self.assertTrue(self.mails(self.bert))

    def test_who_opted_out_still_gets_the_activities_of_a_plan_with_both(self):
        self.env["mail.blacklist"]._add(self.anna.email)
        self.plan(mail_template_id=self.template.id)
        treatment = self.care().filtered(lambda t: t.partner_id == self.anna)
        self.assertEqual(sorted(treatment.activity_ids.mapped("summary")), ["Call", "Write"])
        self.assertFalse(self.mails(self.anna))

    def test_no_address_and_mails_that_come_back_become_an_activity(self):
        self.anna.email = False
        self.bert.message_bounce = 1
        self.cleo.email = "not an address"
        letters = self.letters()
        for customer, text in ((self.anna, "No e-mail address"), (self.bert, "E-mails come back"),
                               (self.cleo, "No e-mail address")):
            activity = letters[customer].activity_ids
            self.assertIn(text, activity.summary)
            self.assertEqual((activity.user_id, activity.date_deadline), (self.seller, TODAY))
            self.assertEqual(letters[customer].state, "open")
            self.assertFalse(self.mails(customer))

    def test_in_the_language_of_the_customer_also_where_the_template_does_not_say(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.template.with_context(lang="zh_CN").subject = "尊敬的 {{ object.name }}"
        self.anna.lang = "zh_CN"
        self.letters()
        self.assertEqual(self.mails(self.anna).subject, "尊敬的 Anna")
        self.assertEqual(self.mails(self.bert).subject, "Dear Bert")

    def test_the_same_words_to_the_same_address_are_sent_once_and_nobody_is_to_call_instead(self):
        self.template.subject = "Dear customer"
        self.anna.email = self.bert.email = "office@example.com"
        letters = self.letters()
        mails = self.env["mail.mail"].search([("subject", "=", "Dear customer")])
        self.assertEqual(sorted(mails.mapped("state")), ["cancel", "outgoing", "outgoing"])
        for treatment in letters.values():
            self.assertEqual((treatment.state, len(treatment.activity_ids)), ("done", 0))

    def test_who_is_left_alone_gets_no_mail(self):
        letters = self.letters(control_share=100)
        self.assertTrue(letters[self.anna].is_control)
        self.assertFalse(self.mails(self.anna | self.bert))

    def test_a_mail_is_no_contact_by_people_and_no_storm(self):
        customers = self.customers(60)
        customers.email = "many@example.com"
        customers.user_id = self.seller
        for customer in customers:
            self.silent(customer, 40)
        self.night()
        self.letters(capacity_per_week=20)
        self.assertEqual(len(self.env["mail.mail"].search([("subject", "like", "Dear ")])), 20)
