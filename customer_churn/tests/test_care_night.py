from datetime import date, datetime, time, timedelta
from unittest.mock import patch

from odoo.tests import freeze_time, tagged

from .common import TODAY, before
from .common_care import CareCommon


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

    def test_it_stands_in_what_happened(self):
        self.silent(self.anna, 40)
        self.night()
        plan = self.plan(name="First aid")
        self.care()
        seen = self.profile(self.anna).with_user(self.seller)._get_happenings()
        rows = [row for row in seen if row["kind"] == "care"]
        self.assertEqual([(row["date"], row["text"]) for row in rows], [(TODAY, "First aid: Under Way")])
        self.assertEqual(rows[0]["res_id"], self.Treatment.search([("plan_id", "=", plan.id)]).id)

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

    def test_the_preview_is_of_the_coming_night_and_not_of_today(self):
        for customer, amount in ((self.anna, 200), (self.bert, 100)):
            self.silent(customer, 40, amount)
        self.night()
        plan = self.plan(capacity_per_week=1)
        self.care()
        self.assertEqual(self.met(plan), self.anna)
        for days, shown in ((0, self.env["res.partner"]), (7, self.bert)):
            self.env.ref("customer_churn.ir_cron_customer_care").nextcall = datetime.combine(before(-days), time(3, 17))
            with freeze_time(TODAY):
                self.assertEqual(self.Profile.search(plan.action_preview()["domain"]).partner_id, shown)

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
        self.care()
        by_salesperson.active = False
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

    def test_a_failing_plan_is_told_and_the_others_go_on(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        bad, good = self.plan(sequence=1), self.plan(sequence=2, domain=self.only(self.anna))
        self.env.flush_all()
        self.env.cr.execute("UPDATE customer_care_plan SET domain = '[(''gone'', ''='', 1)]' WHERE id = %s", [bad.id])
        bad.invalidate_recordset()
        self.Plan._care(self.company, TODAY)
        self.assertIn("gone", bad.error)
        self.assertEqual(self.met(good), self.anna)
        bad.domain = False
        self.Plan._care(self.company, TODAY)
        self.assertFalse(bad.error)
        self.assertEqual(self.met(bad), self.bert)

    def test_a_night_that_ends_early_leaves_whole_plans_and_the_next_goes_on(self):
        self.silent(self.anna, 40)
        self.silent(self.bert, 40)
        self.night()
        plans = [self.plan(domain=self.only(customer)) for customer in (self.anna, self.bert)]
        left = iter([600, 600, 0] + [600] * 1000)  # the company's care and its first plan, then time is up
        steps = [self.Plan._get_steps(self.company)]
        with patch.object(type(self.Plan), "_get_steps", lambda *args: steps.pop() if steps else []), \
                patch.object(type(self.Run), "_get_today", lambda *args: TODAY), \
                patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(left)):
            self.Plan._cron_care()
        self.assertEqual([self.met(plan) for plan in plans], [self.anna, self.anna.browse()])
        self.care()
        self.assertEqual([self.met(plan) for plan in plans], [self.anna, self.bert])
        self.assertEqual(self.Treatment.search_count([("company_id", "=", self.company.id)]), 2)

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
