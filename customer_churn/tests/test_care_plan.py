import hashlib
from datetime import date, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import MANAGER, TODAY, USER, ChurnCommon, before, day


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

    def test_only_those_of_the_condition(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 41)
        self.night()
        plan = self.plan(domain=f"[('partner_id', '=', {self.bert.id})]")
        self.assertEqual(plan.matching_count, 1)
        self.care()
        self.assertEqual(self.met(plan), self.bert)


@tagged("post_install", "-at_install", "customer_churn")
class TestCareNight(CareCommon):
    def test_activities_of_the_plan_for_the_responsible_without_a_mail(self):
        self.silent(self.anna, 40)
        self.night()
        mails = self.env["mail.mail"].search_count([])
        treatment = self.plan() and self.care()
        found = treatment.activity_ids.mapped(lambda a: (a.summary, a.date_deadline, a.user_id, a.res_id))
        self.assertEqual(sorted(found), [
            ("Call", TODAY, self.seller, self.anna.id), ("Write", before(-7), self.seller, self.anna.id)])
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_activities_are_planned_on_the_open_case(self):
        self.silent(self.anna, 40)
        self.night()
        self.profile(self.anna).action_open_case()
        self.plan()
        treatment = self.care()
        self.assertEqual(treatment.case_id, self.cases(self.anna))
        self.assertEqual(set(treatment.activity_ids.mapped("res_model")), {"customer.churn.case"})

    def test_once_on_an_occasion_and_again_on_the_next(self):
        self.silent(self.anna, 40)
        self.night()
        plan = self.plan()
        self.assertEqual(len(self.care()), 1)
        self.assertFalse(self.care())
        self.night(before(-5), full=True)
        self.assertFalse(self.care(before(-5)))
        self.bought(self.anna, before(-10))
        self.night(before(-10))
        self.night(before(-45))
        self.assertEqual(len(self.care(before(-45))), 1)
        self.assertEqual(len(self.Treatment.search([("plan_id", "=", plan.id)])), 2)

    def test_dearest_first_within_the_capacity_of_a_person_and_week(self):
        monday = date(2025, 6, 30)
        dear = self.customers(5)
        for place, customer in enumerate(dear):
            self.silent(customer, 40, amount=1000 - place)
            customer.user_id = self.seller if place < 4 else self.leader
        self.night()
        plan = self.plan(capacity_per_week=2)
        self.care(monday)
        self.assertEqual(self.met(plan), dear[0] | dear[1] | dear[4])
        self.night(monday + timedelta(days=6))
        self.assertFalse(self.care(monday + timedelta(days=6)))
        self.night(monday + timedelta(days=7))
        self.care(monday + timedelta(days=7))
        self.assertEqual(self.met(plan), dear[0] | dear[1] | dear[4] | dear[2] | dear[3])

    def test_the_preview_is_the_night_and_changes_nothing(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        plan = self.plan(capacity_per_week=1)
        with patch.object(type(self.Run), "_get_today", lambda *args: TODAY):
            shown = self.Profile.search(plan.action_preview()["domain"]).partner_id
        self.assertFalse(self.met(plan))
        self.care()
        self.assertEqual(self.met(plan), shown)

    def test_no_activity_is_due_on_a_day_off(self):
        friday = date(2025, 7, 4)
        self.silent(self.anna, 40, at=friday + timedelta(days=1))
        self.night(friday + timedelta(days=1))
        treatment = self.plan(quiet_days=True) and self.care(friday + timedelta(days=1))
        self.assertEqual(sorted(treatment.activity_ids.mapped("date_deadline")), [date(2025, 7, 7), date(2025, 7, 14)])

    def test_responsible(self):
        self.silent(self.anna, 40)
        self.silent(self.cleo, 40)
        self.cleo.user_id = False
        self.company.churn_case_fallback_user_id = self.leader
        self.night()
        by_salesperson = self.plan(responsible="salesperson")
        by_colleague = self.plan(responsible="user", user_id=self.leader.id)
        self.care()
        found = {(t.plan_id, t.partner_id): t.user_id for t in self.Treatment.search([])}
        self.assertEqual(found, {
            (by_salesperson, self.anna): self.seller, (by_salesperson, self.cleo): self.leader,
            (by_colleague, self.anna): self.leader, (by_colleague, self.cleo): self.leader})

    def test_nobody_responsible_means_no_activity_is_lost_in_the_void(self):
        self.silent(self.anna, 40)
        self.anna.user_id = False
        self.night()
        self.plan()
        self.assertFalse(self.care())
        self.company.churn_case_fallback_user_id = self.leader
        self.assertEqual(self.care().user_id, self.leader)

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
        self.night()
        kept, treatment = self.plan(stop_on_purchase=False), self.plan()
        self.care()
        treatment, kept = (self.Treatment.search([("plan_id", "=", plan.id)]) for plan in (treatment, kept))
        self.bought(self.anna, before(-1), amount=70)
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
        self.assertEqual((self.met(careful), self.met(other)), (self.bert, self.anna | self.bert))
        self.env["account.move"].search([("partner_id", "=", self.bert.id)], limit=1).action_toggle_block_payment()
        self.assertEqual(self.stopped(self.Treatment.search([("plan_id", "=", careful.id)])), ("stopped", "dispute", 0))

    def test_a_failing_plan_is_told_and_the_others_go_on(self):
        self.silent(self.anna, 40)
        self.night()
        bad, good = self.plan(sequence=1), self.plan(sequence=2)
        self.env.flush_all()
        self.env.cr.execute("UPDATE customer_care_plan SET domain = '[(''gone'', ''='', 1)]' WHERE id = %s", [bad.id])
        bad.invalidate_recordset()
        self.Plan._care(self.company, TODAY)
        self.assertIn("gone", bad.error)
        self.assertEqual(self.met(good), self.anna)
        bad.domain = False
        self.Plan._care(self.company, TODAY)
        self.assertFalse(bad.error)
        self.assertEqual(self.met(bad), self.anna)

    def test_a_night_that_ends_early_leaves_whole_plans_and_the_next_goes_on(self):
        self.silent(self.anna, 40)
        self.night()
        plans = self.plan(sequence=1), self.plan(sequence=2)
        left = iter([600, 600, 0] + [600] * 1000)  # the company's care and its first plan, then time is up
        steps = [self.Plan._get_steps(self.company)]
        with patch.object(type(self.Plan), "_get_steps", lambda *args: steps.pop() if steps else []), \
                patch.object(type(self.Run), "_get_today", lambda *args: TODAY), \
                patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(left)):
            self.Plan._cron_care()
        self.assertEqual([self.met(plan) for plan in plans], [self.anna, self.anna.browse()])
        self.care()
        self.assertEqual([self.met(plan) for plan in plans], [self.anna, self.anna])
        self.assertEqual(self.Treatment.search_count([("partner_id", "=", self.anna.id)]), 2)

    def test_merged_customers_keep_one_care_an_occasion(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        self.plan()
        treatments = self.care()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge((self.anna | self.bert).ids, self.anna)
        self.env.invalidate_all()
        self.assertEqual(treatments.exists().partner_id, self.anna)
        self.assertEqual(len(treatments.exists()), 1)
        self.assertEqual(len(self.env["mail.activity"].search([("res_id", "=", self.anna.id),
                                                               ("res_model", "=", "res.partner")])), 2)

    def test_queries_do_not_grow_with_the_customers(self):
        def count(number):
            customers = self.customers(number, prefix=f"Many {number}")
            customers.user_id = self.seller
            for customer in customers:
                self.silent(customer, 40)
            self.night()
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            self.Plan._care(self.company, TODAY)
            self.env.flush_all()
            return self.cr.sql_log_count - start
        self.plan(capacity_per_week=1000)
        count(2)
        few = count(4)
        self.assertLessEqual(count(30), few + 4)


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


@tagged("post_install", "-at_install", "customer_churn")
class TestCareRefused(CareCommon):
    def assertRefused(self, text, **values):
        with self.assertRaisesRegex(ValidationError, text), self.env.cr.savepoint():
            self.plan(name="Bad plan", **values)

    def test_by_name_with_the_remedy(self):
        template = self.env["mail.template"].create({
            "name": "For users", "model_id": self.env["ir.model"]._get_id("res.users")})
        empty = self.env["mail.activity.plan"].create({"name": "Empty", "res_model": "res.partner"})
        other = self.env["mail.activity.plan"].create({"name": "Other", "res_model": "account.move"})
        self.assertRefused("Bad plan: it does nothing", activity_plan_id=False)
        self.assertRefused("For users is written for another", mail_template_id=template.id)
        self.assertRefused("Empty has no activity", activity_plan_id=empty.id)
        self.assertRefused("Other is for another", activity_plan_id=other.id)
        for capacity in (0, -3):
            self.assertRefused("Give at least 1", capacity_per_week=capacity)
        for share in (-1, 100.5):
            self.assertRefused("Give 0 to 100", control_share=share)
        self.assertRefused("condition is not one on customers", domain="[('nothing', '=', 1)]")
        self.assertRefused("condition is not one on customers", domain="no domain")
        self.assertRefused("say which colleague", responsible="user")
        self.assertRefused("is needed for this trigger", trigger="no_contact", days=0)
        self.assertRefused("is needed for this trigger", trigger="days_in_status", days=-4)
        self.assertRefused("say which reason", trigger="reason_recorded")
        self.assertRefused("measure at least", measure_days=0)

    def test_rights(self):
        plan = self.plan()
        manager = self._user("churn_manager", MANAGER)
        plan.with_user(manager).name = "Another"
        plan.with_user(self.seller).read(["name"])
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            plan.with_user(self.seller).name = "Mine"
        other = self._create_company("Other")
        with self.assertRaises(AccessError):
            plan.with_user(self._user("churn_foreign", MANAGER, company=other)).read(["name"])
        portal = self._user("churn_portal", "base.group_portal")
        for model in ("customer.care.plan", "customer.care.treatment", "customer.care.result"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])

    def test_the_care_of_others_is_not_shown_to_a_salesperson(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.bert.user_id = self.leader
        self.night()
        self.plan()
        self.care()
        self.assertEqual(self.Treatment.with_user(self.seller).search([]).partner_id, self.anna)

    def test_shipped_plans_do_nothing_until_chosen(self):
        shipped = self.Plan.with_context(active_test=False).search([
            ("id", "in", self.env["ir.model.data"].search([
                ("module", "=", "customer_churn"), ("model", "=", "customer.care.plan")]).mapped("res_id"))])
        self.assertEqual(len(shipped), 8)
        self.assertFalse(any(shipped.mapped("active")))
        for plan in shipped:
            plan.active = True
            plan._choose(TODAY)
