from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import MANAGER, TODAY, before
from .common_care import CareCommon


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
        with self.assertRaisesRegex(ValidationError, "Bad plan: it does nothing"), self.env.cr.savepoint():
            self.Plan.create({"name": "Bad plan"})  # as by RPC, where what is not said is not asked
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
        clerk = self._user("churn_clerk", "base.group_user")
        self.assertRefused("churn_clerk.*cannot work with its customers", responsible="user", user_id=clerk.id)
        self.assertRefused("churn_clerk.*cannot work with its customers", escalate_user_id=clerk.id)
        self.assertRefused("is needed for this trigger", trigger="no_contact", days=0)
        self.assertRefused("is needed for this trigger", trigger="days_in_status", days=-4)
        self.assertRefused("say which reason", trigger="reason_recorded")
        for days in (0, 10**9):
            self.assertRefused("measure 1 to 3650", measure_days=days)
        for days in (-1, 10**9):
            self.assertRefused("escalate after 1 to 3650", escalate_after_days=days)
        self.assertRefused("is needed for this trigger", trigger="no_contact", days=10**9)

    def test_a_condition_that_nobody_meets_unless_the_plan_is_unused_or_nobody_was_analysed(self):
        nobody = "[('partner_id.name', '=', 'Nobody')]"
        self.plan(domain=nobody).active = False
        self.silent(self.anna, 40)
        self.night()
        self.assertRefused("Bad plan: none of today's customers meets", domain=nobody)
        unused = self.plan(name="Unused", domain=nobody, active=False)
        with self.assertRaisesRegex(ValidationError, "Unused: none of today's customers"), self.env.cr.savepoint():
            unused.active = True
        self.plan(domain=self.only(self.anna))

    def test_the_live_count_survives_what_is_typed(self):
        self.silent(self.anna, 40)
        self.night()
        manager = self._user("churn_manager", MANAGER)
        with Form(self.Plan.with_user(manager)) as form:
            form.name, form.activity_plan_id = "Typed", self.steps
            for domain in ("[('purchase_count', '=', 'abc')]", "[('partner_id.invoice_ids.amount_total', '>', 3)]",
                           "[('last_purchase_date', '<', 'foo')]", "[('status', '='"):
                form.domain = domain
                self.assertEqual(form.matching_count, 0)
            form.domain = "[('last_purchase_date', '<', '2025-06-01')]"
            self.assertEqual(form.matching_count, 1)

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

    def test_the_shipped_activity_plans_speak_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"].search([("name", "=", "customer_churn")])._update_translations(["zh_CN"])
        for code in ("first_aid", "win_back", "call", "ask_why"):
            steps = self.env.ref(f"customer_churn.mail_activity_plan_{code}").with_context(lang="zh_CN")
            self.assertEqual(steps.with_context(lang="en_US").display_name, steps.name)
            self.assertRegex(steps.display_name, "[\u4e00-\u9fff]")
            self.assertFalse(any(steps.template_ids.mapped("summary")), "the type of activity is shown, translated")
            steps.name = "Ours"
            self.assertEqual(steps.display_name, "Ours")

    def test_shipped_plans_do_nothing_until_chosen(self):
        shipped = self.Plan.with_context(active_test=False).search([
            ("id", "in", self.env["ir.model.data"].search([
                ("module", "=", "customer_churn"), ("model", "=", "customer.care.plan")]).mapped("res_id"))])
        self.assertEqual(len(shipped), 8)
        self.assertFalse(any(shipped.mapped("active")))
        for plan in shipped:
            plan.active = True
            plan._choose(TODAY)

    def test_a_company_has_the_shipped_plans_from_its_first_analysis_on(self):
        shipped = self.env.ref("customer_churn.customer_care_plan_first_aid").sudo()
        plans = self.Plan.with_context(active_test=False)
        own = [("company_id", "=", self.company.id)]
        self.silent(self.anna, 40)
        self.night()
        self.assertEqual(plans.search_count(own), 8)
        first = plans.search([*own, ("name", "=", shipped.name)])
        self.assertFalse(first.active, "nothing is done until somebody chooses it")
        self.assertEqual(first.activity_plan_id, shipped.activity_plan_id)
        first.unlink()
        self.night(before(-1))
        self.assertFalse(plans.search([*own, ("name", "=", shipped.name)]), "what was removed stays so")
