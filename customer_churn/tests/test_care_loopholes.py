"""What would make the figures of care plans untrue, or a night stumble."""

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import MANAGER, TODAY, USER, before
from .common_care import CareCommon


class LoopholeCommon(CareCommon):
    def silent_all(self):
        for customer in self.anna | self.bert | self.cleo:
            self.silent(customer, 40)
        self.night()

    def earlier(self, minutes=1):
        """The treatments began a while ago: a test is one moment."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE customer_care_treatment SET create_date = create_date - %s * interval '1 minute'", [minutes])
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "customer_churn")
class TestCareControlGroup(LoopholeCommon):
    def setUp(self):
        super().setUp()
        self.silent_all()

    def control(self, **values):
        self.plan(control_share=100, **values)
        treatments = self.care()
        self.earlier()
        return {customer: treatments.filtered(lambda t, c=customer: t.partner_id == c)
                for customer in self.anna | self.bert | self.cleo}

    def test_only_managers_say_by_hand_that_a_case_is_of_the_control_group(self):
        self.profile(self.anna).action_open_case()
        self.control()
        case = self.cases(self.anna)
        with self.assertRaisesRegex(AccessError, "managers"), self.env.cr.savepoint():
            case.with_user(self.seller).is_control = False
        self.assertTrue(case.is_control)
        case.with_user(self._user("churn_manager", MANAGER)).is_control = False
        self.assertFalse(case.is_control)

    def test_what_is_done_for_a_contact_or_on_a_later_case_is_counted_too(self):
        contact = self.env["res.partner"].create({"name": "Contact", "parent_id": self.anna.id})
        control = self.control()
        self.profile(self.bert).action_open_case()
        contact.with_user(self.seller).message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.cases(self.bert).activity_schedule("mail.mail_activity_data_call", user_id=self.seller.id)
        self.care(before(-1))
        self.assertEqual([bool(control[c].treated_anyway_date) for c in (self.anna, self.bert, self.cleo)],
                         [True, True, False])

    def test_what_was_planned_before_and_is_done_after_the_draw_is_counted_too(self):
        planned, done = (customer.activity_schedule("mail.mail_activity_data_call", user_id=self.seller.id)
                         for customer in (self.anna, self.bert))
        control = self.control()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_activity SET create_date = create_date - interval '1 day' WHERE id = ANY(%s)",
            [(planned | done).ids])
        self.env.invalidate_all()
        done.with_user(self.seller).action_done()
        self.care(before(-1))
        self.assertEqual([bool(control[c].treated_anyway_date) for c in (self.anna, self.bert)], [False, True])

    def test_what_is_done_after_the_days_that_are_measured_is_not_counted(self):
        control = self.control(measure_days=10)
        self.earlier(minutes=12 * 24 * 60)
        self.anna.activity_schedule("mail.mail_activity_data_call", user_id=self.seller.id)
        self.care(before(-1))
        self.assertFalse(control[self.anna].treated_anyway_date)

    def test_a_case_that_is_opened_later_says_so_too(self):
        self.control()
        self.profile(self.anna).action_open_case()
        self.care(before(-1))
        self.assertTrue(self.cases(self.anna).is_control)
        self.cases(self.anna).with_user(self._user("churn_manager", MANAGER)).is_control = False
        self.care(before(-2))
        self.assertFalse(self.cases(self.anna).is_control)

    def test_a_case_is_worked_again_when_the_days_that_are_measured_are_over(self):
        self.profile(self.anna).action_open_case()
        self.profile(self.bert).action_open_case()
        drawn, chosen = self.cases(self.anna), self.cases(self.bert)
        chosen.with_user(self._user("churn_manager", MANAGER)).is_control = True
        self.control(measure_days=10)
        self.assertEqual((drawn.control_until, chosen.control_until), (before(-10), False))
        self.care(before(-10))
        self.assertTrue(drawn.is_control and chosen.is_control)
        self.care(before(-11))
        self.assertEqual((drawn.is_control, chosen.is_control), (False, True))
        self.assertIn("Left alone no longer", drawn.message_ids[0].body)
        drawn.with_user(self.env["res.users"].search([("login", "=", "churn_manager")])).is_control = True
        self.care(before(-12))
        self.assertTrue(drawn.is_control)

    def test_who_is_merged_with_a_treated_customer_was_treated_anyway(self):
        control = self.control()[self.anna]
        treated = self.Treatment.search([("partner_id", "=", self.bert.id)])
        self.env.cr.execute(
            "UPDATE customer_care_treatment SET is_control = FALSE, state = 'open' WHERE id = %s", [treated.id])
        self.env.invalidate_all()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.anna | self.bert).ids, self.anna)
        self.env.invalidate_all()
        self.assertFalse(treated.exists())
        self.assertEqual((control.is_control, control.treated_anyway_date), (True, TODAY))

    def test_a_plan_that_met_customers_is_archived_and_not_deleted(self):
        self.control()
        manager = self._user("churn_manager", MANAGER)
        plan = self.Plan.search([("company_id", "=", self.company.id)]).with_user(manager)
        with self.assertRaisesRegex(UserError, "Plan.*[Aa]rchive"), self.env.cr.savepoint():
            plan.unlink()
        self.plan(name="Never used").with_user(manager).unlink()


@tagged("post_install", "-at_install", "customer_churn")
class TestCareOptOut(LoopholeCommon):
    def setUp(self):
        super().setUp()
        self.template = self.create_letter()
        for customer in self.anna | self.bert | self.cleo:
            customer.email = f"{customer.name.lower()}@example.com"
        self.silent_all()

    def test_stops_when_opted_out_if_the_plan_says_so_and_what_waits_is_not_sent(self):
        self.plan(stop_on_opt_out=True, mail_template_id=self.template.id)
        treatments = self.care()
        self.env["mail.blacklist"]._add(self.anna.email)
        self.care(before(-1))
        states = {t.partner_id: (t.state, t.stop_reason, len(t.activity_ids)) for t in treatments}
        self.assertEqual(states, {
            self.anna: ("stopped", "opted_out", 0), self.bert: ("open", False, 2), self.cleo: ("open", False, 2)})
        mails = self.env["mail.mail"].search([("subject", "like", "Dear ")])
        self.assertEqual({mail.recipient_ids: mail.state for mail in mails}, {
            self.anna: "cancel", self.bert: "outgoing", self.cleo: "outgoing"})

    def test_is_not_met_by_a_plan_that_stops_then(self):
        self.env["mail.blacklist"]._add(self.anna.email)
        strict, other = self.plan(stop_on_opt_out=True), self.plan()
        self.care()
        self.assertEqual((self.met(strict), self.met(other)),
                         (self.bert | self.cleo, self.anna))

    def test_who_cannot_be_reached_and_has_nobody_to_call_is_not_counted_as_treated(self):
        self.anna.write({"email": False, "user_id": False})
        self.bert.write({"message_bounce": 2, "user_id": False})
        self.cleo.user_id = False
        self.night(before(-1))
        plan = self.plan(activity_plan_id=False, mail_template_id=self.template.id)
        self.care(before(-1))
        self.assertEqual(self.met(plan), self.cleo)
        self.company.churn_case_fallback_user_id = self.leader
        self.care(before(-1))
        self.assertEqual(self.met(plan), self.anna | self.bert | self.cleo)


@tagged("post_install", "-at_install", "customer_churn")
class TestCareStumbles(LoopholeCommon):
    def test_two_customers_become_contacts_of_a_third(self):
        self.silent_all()
        self.plan()
        (self.care() - self.Treatment.search([("partner_id", "=", self.cleo.id)])).mapped("state")
        self.Treatment.search([("partner_id", "=", self.cleo.id)]).unlink()
        (self.anna | self.bert).write({"parent_id": self.cleo.id, "is_company": False})
        self.env.flush_all()
        self.care(before(-1))
        self.assertEqual(len(self.Treatment.search([("partner_id", "=", self.cleo.id)])), 1)

    def test_one_company_that_fails_does_not_stop_the_others(self):
        self.silent_all()
        plan = self.plan()
        broken = self._create_company("Broken")
        look_after = type(self.Treatment)._look_after

        def stumble(model, company, date):
            if company == broken:
                raise ValueError("stumbled")
            return look_after(model, company, date)

        self.patch(type(self.Treatment), "_look_after", stumble)
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **values: 600)
        self.patch(type(self.Run), "_get_today", lambda *args: TODAY)
        self.env["res.company"].search([]).filtered(lambda c: c not in (self.company, broken)).active = True
        with self.assertLogs("odoo.addons.customer_churn.models.customer_care_plan_night", "ERROR"):
            self.Plan._cron_care()
        self.assertEqual(self.met(plan), self.anna | self.bert | self.cleo)

    def test_a_condition_is_tried_out_under_the_rights_of_who_writes_it(self):
        with self.assertRaisesRegex(ValidationError, "Bad.*not one on customers"), self.env.cr.savepoint():
            self.plan(name="Bad", domain="[('partner_id.churn_profile_id', 'any', [('gone', '=', 1)])]")
        with self.assertRaisesRegex(ValidationError, "Bad.*not one on customers.*abc"), self.env.cr.savepoint():
            self.plan(name="Bad", domain="[('purchase_count', '=', 'abc')]")
        values = {"name": "Bad", "company_id": self.company.id, "activity_plan_id": self.steps.id,
                  "domain": "[('partner_id.invoice_ids.amount_total', '>', 3)]"}
        manager = self._user("churn_manager", MANAGER)
        with self.assertRaisesRegex(ValidationError, "Bad.*not one on customers"), self.env.cr.savepoint():
            self.Plan.with_user(manager).create(dict(values))
        with self.assertRaisesRegex(ValidationError, "Bad.*not one on customers"), self.env.cr.savepoint():
            self.Plan.with_user(manager).sudo().create(dict(values))

    def test_late_activities_go_to_the_next_who_is_at_work(self):
        self.silent_all()
        self.company.churn_case_fallback_user_id = self.leader
        gone = self._user("churn_gone", USER)
        self.plan(escalate_after_days=3, escalate_user_id=gone.id)
        treatment = self.care()[0]
        gone.active = False
        self.care(before(-4))
        self.assertEqual(treatment.activity_ids.sorted("date_deadline")[0].user_id, self.leader)

    def test_an_activity_plan_that_was_emptied_since_is_told_and_nobody_counts_as_treated(self):
        self.silent_all()
        plan = self.plan()
        self.steps.template_ids.unlink()
        self.Plan._care(self.company, TODAY)
        self.assertIn("Steps has no activity", plan.error)
        self.assertFalse(self.met(plan))

    def test_a_step_of_somebody_who_left_is_for_the_responsible(self):
        self.silent_all()
        gone = self._user("churn_gone", USER)
        self.steps.template_ids[0].write({"responsible_type": "other", "responsible_id": gone.id})
        plan = self.plan(domain=self.only(self.anna))
        self.assertEqual(self.care().activity_ids.user_id, gone | self.seller)
        plan.active = gone.active = False
        self.plan(domain=self.only(self.bert))
        self.assertEqual(self.care(before(-1)).activity_ids.user_id, self.seller)

    def test_activities_that_somebody_took_away_are_not_done(self):
        self.silent_all()
        self.plan()
        treatments = {t.partner_id: t for t in self.care()}
        treatments[self.anna].activity_ids.unlink()
        treatments[self.bert].activity_ids.action_done()
        self.care(before(-1))
        self.assertEqual({c: (t.state, t.stop_reason) for c, t in treatments.items()}, {
            self.anna: ("stopped", "removed"), self.bert: ("done", False), self.cleo: ("open", False)})

    def test_the_preview_is_for_managers_who_need_no_rights_in_accounting(self):
        invoices = self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        invoices[0].action_toggle_block_payment()
        self.patch(type(self.Run), "_get_today", lambda *args: TODAY)
        plan = self.plan(stop_on_dispute=True)
        manager = self._user("churn_manager", MANAGER)
        action = plan.with_user(manager).action_preview()
        self.assertEqual(self.Profile.with_user(manager).search(action["domain"]).partner_id, self.bert)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.with_user(self.seller).action_preview()

    def test_the_preview_says_how_many_are_left_alone(self):
        self.silent_all()
        self.patch(type(self.Run), "_get_today", lambda *args: TODAY)
        plan = self.plan()
        self.assertIn("3, of whom 0 left alone", plan.action_preview()["name"])
        plan.active = False
        self.assertIn("3, of whom 3 left alone", self.plan(control_share=100).action_preview()["name"])

    def test_a_holiday_of_the_company_is_no_working_day(self):
        calendar = self.company.resource_calendar_id
        self.assertTrue(calendar)
        self.env["resource.calendar.leaves"].create({
            "name": "Closed", "calendar_id": calendar.id, "company_id": self.company.id,
            "date_from": "2025-06-30 00:00:00", "date_to": "2025-07-02 23:00:00"})
        calendar.tz = "UTC"
        self.silent_all()
        self.plan(quiet_days=True)
        self.assertEqual(sorted(set(self.care().activity_ids.mapped("date_deadline"))), [before(-3), before(-7)])

    def test_the_copy_is_of_the_company_at_hand_and_not_in_use(self):
        other = self._create_company("Other")
        plan = self.plan()
        copied = plan.with_context(allowed_company_ids=(other | self.company).ids).copy()
        self.assertEqual((copied.company_id, plan.company_id), (other, self.company))
        self.assertEqual((copied.active, plan.active), (False, True), "it would meet the same customers again")

    def test_a_type_of_activity_for_cases_only_serves_no_contact(self):
        kind = self.env["mail.activity.type"].create({"name": "On cases", "res_model": "customer.churn.case"})
        steps = self.env["mail.activity.plan"].create({
            "name": "Steps", "res_model": "customer.churn.case", "company_id": False,
            "template_ids": [Command.create({"activity_type_id": kind.id, "summary": "Look"})]})
        self.silent_all()
        self.profile(self.anna).action_open_case()
        self.plan(activity_plan_id=steps.id)
        found = {t.partner_id: t.activity_ids.activity_type_id for t in self.care()}
        todo = self.env.ref("mail.mail_activity_data_todo")
        self.assertEqual(found, {self.anna: kind, self.bert: todo, self.cleo: todo})

    def test_case_and_profile_lead_to_the_care(self):
        self.silent_all()
        self.profile(self.anna).action_open_case()
        self.plan()
        treatment = self.care().filtered(lambda t: t.partner_id == self.anna)
        for record in (self.cases(self.anna), self.profile(self.anna)):
            record = record.with_user(self.seller)
            self.assertEqual(record.care_count, 1)
            self.assertEqual(self.Treatment.search(record.action_open_care()["domain"]), treatment)
