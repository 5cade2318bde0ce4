from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ChurnCommon, before

MODELS = ("customer.churn.profile", "customer.churn.event", "customer.churn.purchase")


@tagged("post_install", "-at_install", "customer_churn")
class TestSecurity(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.sister = self._create_company("Sister")
        for customer in (self.anna, self.bert, self.cleo):
            self.bought(customer, before(5))
            self.bought(customer, before(5), company=self.sister)
        self.night()
        self.night(company=self.sister)
        self.env.invalidate_all()

    def _seen(self, user, model):
        return self.env[model].with_user(user).search([]).partner_id

    def test_whoever_may_duplicate_a_contact_still_may(self):
        clerk = self._user("churn_clerk_copy", "base.group_user,base.group_partner_manager")
        self.anna.churn_exclude = True
        copy = self.anna.with_user(clerk).copy()
        self.assertFalse(copy.sudo().churn_exclude)

    def test_a_salesperson_sees_own_and_unassigned_customers(self):
        for model in MODELS:
            self.assertEqual(self._seen(self.seller, model), self.anna | self.cleo, model)

    def test_a_salesperson_sees_unassigned_customers_only_if_the_settings_say_so(self):
        self.company.churn_share_unassigned = False
        for model in MODELS:
            self.assertEqual(self._seen(self.seller, model), self.anna, model)

    def test_nobody_sees_another_company(self):
        for user in (self.seller, self.manager):
            for model in MODELS:
                self.assertEqual(self.env[model].with_user(user).search([]).company_id, self.company, model)
        self.assertEqual(self.env["customer.churn.run"].with_user(self.manager).search([]).company_id, self.company)

    def test_a_manager_sees_every_customer(self):
        for model in MODELS:
            self.assertEqual(self._seen(self.manager, model), self.anna | self.bert | self.cleo, model)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_nobody_writes_what_is_derived(self):
        for user in (self.seller, self.manager):
            for model in (*MODELS, "customer.churn.run"):
                Model = self.env[model].with_user(user)
                record = self.env[model].search([("company_id", "=", self.company.id)], limit=1).with_user(user)
                for act in (lambda: Model.create({"company_id": self.company.id}), lambda: record.unlink(),  # noqa: B023
                            lambda: record.write({"company_id": self.sister.id})):  # noqa: B023
                    with self.assertRaises(UserError if model == "customer.churn.event" else AccessError, msg=model):
                        act()

    def test_an_analysis_is_started_by_managers_only(self):
        with self.assertRaises(AccessError):
            self.env["customer.churn.run"].with_user(self.seller).action_run()
        action = self.env["customer.churn.run"].with_user(self.manager).action_run()
        run = self.env["customer.churn.run"].browse(action["res_id"])
        self.assertEqual((run.state, run.kind, run.company_id), ("running", "full", self.company))

    def test_a_salesperson_does_not_see_the_status_of_another_s_customer_on_the_contact(self):
        self.assertFalse(self.bert.with_user(self.seller).churn_status)
        self.assertTrue(self.anna.with_user(self.seller).churn_status)
        self.assertFalse(self.env["res.partner"].with_user(self.seller).search(
            [("id", "=", self.bert.id), ("churn_status", "!=", False)]))

    def test_only_managers_say_which_cases_are_left_alone(self):
        [case] = self.env["customer.churn.case"]._open_all([{
            "company_id": self.company.id, "partner_id": self.anna.id, "user_id": self.seller.id,
            "opened_date": before(0), "trigger_status": "at_risk"}])
        with self.assertRaisesRegex(AccessError, "Only managers decide which cases are left alone"):
            case.with_user(self.seller).is_control = True
        case.with_user(self.manager).is_control = True
        self.assertTrue(case.is_control)

    def test_the_owner_of_a_case_reads_the_customer_while_it_is_open(self):
        self.assertFalse(self.profile(self.bert).with_user(self.seller).has_access("read"))
        [case] = self.env["customer.churn.case"]._open_all([{
            "company_id": self.company.id, "partner_id": self.bert.id, "user_id": self.seller.id,
            "opened_date": before(0), "trigger_status": "at_risk"}])
        self.env.invalidate_all()
        theirs = self.Profile.with_user(self.seller).search([("partner_id", "=", self.bert.id)])
        self.assertEqual(theirs, self.profile(self.bert))
        self.assertFalse(self.profile(self.bert, self.sister).with_user(self.seller).has_access("read"))
        case._close("lost")
        self.env.invalidate_all()
        self.assertFalse(self.profile(self.bert).with_user(self.seller).has_access("read"))
        self.assertFalse(self.Profile.with_user(self.seller).search([("partner_id", "=", self.bert.id)]))

    def test_whoever_shares_a_customer_sees_the_case_that_a_colleague_works(self):
        self.env["customer.churn.case"]._open_all([{
            "company_id": self.company.id, "partner_id": self.cleo.id, "user_id": self.other_seller.id,
            "opened_date": before(0), "trigger_status": "at_risk"}])
        self.env.invalidate_all()
        for user in (self.manager, self.seller):
            self.assertEqual(self.profile(self.cleo).with_user(user).case_id.user_id, self.other_seller)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_only_managers_exclude_customers(self):
        with self.assertRaises(AccessError):
            self.anna.with_user(self.seller).churn_exclude = True
        self.anna.with_user(self.manager).sudo(False).read(["churn_exclude"])

    def test_a_manager_decides_for_own_companies_only(self):
        wizard = self.env["customer.churn.salespeople.wizard"].with_user(self.manager)
        with self.assertRaises(AccessError):
            wizard.create({"company_id": self.sister.id, "share": "managers"}).action_apply()
        self.assertTrue(self.sister.churn_share_unassigned)

    def test_an_accountant_resets_an_invoice_of_a_customer_that_is_out_of_sight(self):
        clerk = self._user("churn_clerk", "account.group_account_invoice")
        invoice = self.bought(self.anna, before(3))
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET company_id = %s WHERE id = %s", [self.sister.id, self.anna.id])
        self.env.invalidate_all()
        invoice.with_user(clerk).button_draft()
        stale = self.env["customer.churn.profile"].sudo().search([("is_stale", "=", True)])
        self.assertEqual((stale.partner_id, stale.company_id), (self.anna, self.company))

    def test_a_salesperson_schedules_an_activity_on_an_own_customer(self):
        action = self.anna.with_user(self.seller).churn_profile_id.action_schedule_activity()
        self.env["mail.activity.schedule"].with_user(self.seller).with_context(**action["context"]).create({
            "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id, "summary": "Ask why",
        }).action_schedule_activities()
        self.assertEqual(self.anna.activity_ids.user_id, self.seller)

    def test_a_salesperson_configures_nothing_and_opens_no_report_of_managers(self):
        for model in ("policy", "reason"):
            self.assertFalse(self.env[f"customer.churn.{model}"].with_user(self.seller).has_access("write"), model)
            self.assertTrue(self.env[f"customer.churn.{model}"].with_user(self.manager).has_access("write"), model)
        for model in ("run", "record", "month"):
            self.assertFalse(self.env[f"customer.churn.{model}"].with_user(self.seller).has_access("read"), model)
            self.assertTrue(self.env[f"customer.churn.{model}"].with_user(self.manager).has_access("read"), model)
        self.env.invalidate_all()
        seen = self.env["ir.ui.menu"].with_user(self.seller)._visible_menu_ids()
        for menu in ("configuration_menu", "pool_move_menu", "run_menu", "record_menu", "month_menu"):
            self.assertNotIn(self.env.ref(f"customer_churn.customer_churn_{menu}").id, seen, menu)
        self.assertIn(self.env.ref("customer_churn.customer_churn_case_pool_menu").id, seen)

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_others_see_nothing(self):
        clerk = self._user("churn_clerk", "base.group_user")
        portal = self._user("churn_portal", "base.group_portal")
        self.assertNotIn("churn_status", self.env["res.partner"].with_user(clerk).fields_get())
        with self.assertRaises(AccessError):
            self.anna.with_user(clerk).read(["churn_status"])
        for user in (clerk, portal):
            for model in (name for name in self.env.registry if name.startswith("customer.churn.")):
                with self.subTest(model=model), self.assertRaises(AccessError):
                    self.env[model].with_user(user).check_access("read")
