import json

from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from ..models.customer_churn_run import LOCK_CLASS
from .common import MANAGER, TODAY, USER, ChurnCommon, before

STEPS = "customer_churn.onboarding_onboarding_action_churn"
MINE = "customer_churn.customer_churn_profile_action_mine"

SEEN_ONE = "Customers with a status: 1. Seen for the first time: 1. Changes of status: 0."


@tagged("post_install", "-at_install", "customer_churn")
class TestFirstRun(ChurnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls._user("churn_manager", MANAGER)
        cls.seller = cls._user("churn_seller", USER)

    def _page(self, user=None, company=None):
        self.env.invalidate_all()
        page = self.env.ref("customer_churn.onboarding_onboarding_churn")
        return page.with_user(user or self.manager).with_company(company or self.company)

    def _step(self, name, user=None):
        step = self.env.ref(f"customer_churn.onboarding_onboarding_step_churn_{name}")
        return step.with_user(user or self.manager).with_company(self.company)

    def _wizard(self, user=None, **values):
        return self.env["customer.churn.salespeople.wizard"].with_user(user or self.manager).create(values)

    def _asked(self, user=None):
        action = self.Run.with_user(user or self.manager).action_run()
        return self.Run.browse(action["res_id"])

    def _the_scheduled_action_has_run(self):
        with self.enter_registry_test_mode():
            self.env.ref("customer_churn.ir_cron_customer_churn_run").method_direct_trigger()
        self.env.invalidate_all()

    def _failed(self):
        """A limit that no form lets through."""
        self.bought(self.anna, before(5))
        self.Policy._get_policies(self.company)
        self.env.cr.execute(
            "UPDATE customer_churn_policy SET share_exponent = 7 WHERE company_id = %s", [self.company.id])
        self.env.invalidate_all()
        self._the_scheduled_action_has_run()

    def _notices(self, user):
        self.env.cr.precommit.run()
        channel = json.dumps([self.env.cr.dbname, "res.partner", user.partner_id.id], separators=(",", ":"))
        notices = self.env["bus.bus"].search([("channel", "=", channel)], order="id").mapped("message")
        return [notice["payload"] for notice in map(json.loads, notices) if notice["type"] == "simple_notification"]

    def assertOpens(self, xmlid, user):
        action = self.env["onboarding.onboarding"].with_user(user).with_company(self.company).action_open_churn()
        self.assertEqual(action["id"], self.env.ref(xmlid).id)

    def assertTicked(self, *names, company=None):
        steps = self._page(company=company).step_ids
        done = steps.filtered(lambda step: step.current_step_state != "not_done")
        self.assertEqual(done, steps.browse([self._step(name).id for name in names]))

    # ------------------------------------------------------------------ steps
    def test_the_app_opens_on_the_steps_for_managers_until_all_are_done(self):
        self.bought(self.anna, before(5))
        self.assertOpens(STEPS, self.manager)
        self.assertTicked()
        self.night()
        self.assertTicked("analyse")
        self._step("limits").action_open_churn_step()
        self.assertTicked("analyse", "limits")
        self.assertOpens(STEPS, self.manager)
        self._wizard(share="managers").action_apply()
        self.assertTicked("analyse", "limits", "salespeople")
        self.assertFalse(self.company.churn_share_unassigned)
        self.assertOpens(MINE, self.manager)

    def test_the_app_opens_on_the_own_customers_for_salespeople(self):
        self.assertOpens(MINE, self.seller)

    def test_closed_steps_stay_closed_in_this_company_only(self):
        self._page().action_close_churn()
        self.assertOpens(MINE, self.manager)
        sister = self._create_company("Sister")
        self.manager.company_ids |= sister
        action = self.env["onboarding.onboarding"].with_user(self.manager).with_company(sister).action_open_churn()
        self.assertEqual(action["id"], self.env.ref(STEPS).id)

    def test_a_run_ticks_the_step_of_its_own_company_only(self):
        sister = self._create_company("Sister")
        self.manager.company_ids |= sister
        self.bought(self.anna, before(5), company=sister)
        self.night(company=sister)
        self.assertTicked()
        self.assertTicked("analyse", company=sister)

    def test_a_run_that_finds_nobody_ticks_nothing(self):
        self.night()
        self.assertTicked()

    def test_a_failed_run_ticks_nothing(self):
        run = self._asked()
        self._failed()
        self.assertEqual(run.state, "failed")
        self.assertTicked()

    def test_a_salesperson_neither_starts_nor_finishes_a_step(self):
        self._step("limits").action_open_churn_step()
        for act in (
            self._step("analyse", self.seller).action_open_churn_step,
            self._step("limits", self.seller).action_open_step_churn_limits,
            self._page(self.seller).action_close_churn,
            lambda: self._wizard(self.seller, share="managers"),
            lambda: self.company.with_user(self.seller)._share_unassigned_customers(False),
            self.Run.with_user(self.seller).action_run,
        ):
            with self.assertRaises(AccessError):
                act()
        self.assertTrue(self.company.churn_share_unassigned)

    def test_the_customers_without_a_salesperson_are_counted_and_opened_as_contacts(self):
        self.anna.user_id = self.seller
        for customer in (self.anna, self.bert, self.cleo):
            self.bought(customer, before(5))
        self.night()
        wizard = self._wizard()
        self.assertEqual((wizard.assigned_count, wizard.unassigned_count, wizard.share), (1, 2, "all"))
        action = wizard.action_open_unassigned()
        self.assertEqual(self.env["res.partner"].search(safe_eval(action["domain"])), self.bert | self.cleo)

    def test_analyse_now_works_for_managers_from_every_place(self):
        link = self.env.ref("customer_churn.customer_churn_run_action_server")
        action = link.with_user(self.manager).with_company(self.company).run()
        run = self.Run.browse(action["res_id"])
        self.assertEqual((run.company_id, run.state), (self.company, "running"))
        with self.assertRaises(AccessError):
            link.with_user(self.seller).run()
        header = call_kw(self.Run.with_user(self.manager), "action_run", [[]], {})
        self.assertEqual(header["res_id"], run.id)

    # ------------------------------------------------------------------ progress
    def test_a_run_waits_then_works_then_is_done(self):
        self.bought(self.anna, before(5))
        run = self._asked()
        self.assertEqual(run.stage, "waiting")
        self.assertIn("starts within a minute", run.explanation)
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_CLASS, self.company.id))
            run.invalidate_recordset()
            self.assertEqual(run.stage, "working")
            self.assertIn("being read", run.explanation)
            other.rollback()
        self._the_scheduled_action_has_run()
        self.assertEqual(run.stage, "done")
        self.assertEqual(run.explanation, SEEN_ONE)

    def test_a_run_that_waits_for_long_says_where_to_look(self):
        run = self._asked()
        self.env.cr.execute(
            "UPDATE customer_churn_run SET create_date = create_date - interval '10 minutes' WHERE id = %s", [run.id])
        run.invalidate_recordset()
        self.assertIn("busy", run.explanation)
        self.env.ref("customer_churn.ir_cron_customer_churn_run").active = False
        run.invalidate_recordset()
        self.assertIn("switched off", run.explanation)

    def test_a_company_without_invoices_gets_a_sentence(self):
        self.assertIn("No posted customer invoice", self._page().churn_explanation)
        self.bought(self.anna, before(5))
        self.assertIn("Posted customer invoices of Purveyor: 1", self._page().churn_explanation)
        run = self.night(company=self._create_company("Empty"))
        self.assertIn("No posted customer invoice of Empty", run.explanation)

    def test_the_forecast_is_told_in_words(self):
        self.bought(self.anna, before(5))
        self.bought(self.bert, before(50), before(30))
        facts = self.night().forecast_facts
        self.assertIn("Customers: 2, of whom 1 bought once.", facts)
        self.assertRegex(facts, r"buys again: \d+ % within 90 days, \d+ % within 365 days")
        self.assertIn("come back: not yet, the ledger reaches back too little; from", facts)

    def test_the_forecast_tells_the_past_days_that_it_learned_from(self):
        self.bought(self.anna, before(250))
        self.bought(self.bert, before(240), before(40))
        facts = self.night().forecast_facts
        self.assertIn("come back: learned from how the forecast did on", facts)
        self.assertIn("season: not yet", facts)

    def test_the_settings_say_what_was_found_and_when_the_next_night_is(self):
        self.bought(self.anna, before(5))
        run = self.night()
        cron = self.env.ref("customer_churn.ir_cron_customer_churn_run")
        settings = self.env["res.config.settings"].with_company(self.company).create({})
        self.assertEqual((settings.churn_last_run_id, settings.churn_next_run), (run, cron.nextcall))
        self.assertEqual(settings.churn_counts, "New: 1, Active: 0, At Risk: 0, Dormant: 0, Lost: 0")
        self.assertEqual(settings.churn_unassigned_count, 1)

    # ------------------------------------------------------------------ the notice
    def test_whoever_asked_is_told_once_with_the_counts(self):
        self.bought(self.anna, before(5))
        colleague = self._user("churn_colleague", MANAGER)
        bystander = self._user("churn_bystander", MANAGER)
        run = self._asked()
        self.assertEqual(self._asked(colleague), run)
        self._the_scheduled_action_has_run()
        for user in (self.manager, colleague):
            self.assertEqual(self._notices(user), [{
                "type": "success", "sticky": True, "title": "Purveyor: the analysis is done",
                "message": SEEN_ONE,
            }])
        self.assertEqual(self._notices(bystander), [])

    def test_nobody_is_told_of_a_night_that_nobody_asked_for(self):
        self.bought(self.anna, before(5))
        self.night()
        self.assertEqual(self._notices(self.manager), [])

    def test_of_several_companies_only_the_last_notice_stays(self):
        sister = self._create_company("Sister")
        self.manager.company_ids |= sister
        self.Run.with_user(self.manager).with_context(allowed_company_ids=(self.company | sister).ids).action_run()
        self._the_scheduled_action_has_run()
        self.assertEqual([notice["sticky"] for notice in self._notices(self.manager)], [False, True])

    def test_a_failure_is_told_by_its_first_line_and_the_remedy(self):
        self._asked()
        self._failed()
        [notice] = self._notices(self.manager)
        self.assertEqual((notice["type"], notice["sticky"]), ("danger", True))
        self.assertIn("Policy All customers, Share Exponent: the number is out of range", notice["message"])
        self.assertIn("Press Analyse Now to try again", notice["message"])
        self.assertNotIn("Traceback", notice["message"])

    # ------------------------------------------------------------------ size
    def test_the_page_costs_the_same_for_300_customers_as_for_10(self):
        def cost(count):
            company = self._create_company(f"Of {count}")
            self.in_the_ledger([(customer.id, before(9), 5) for customer in self.customers(count)], company)
            self.night(company=company)
            self.manager.company_ids |= company
            page = self._page(company=company)
            start = self.env.cr.sql_log_count
            page.read(["churn_stage", "churn_explanation", "churn_counts", "current_onboarding_state"])
            return self.env.cr.sql_log_count - start

        cost(3)
        self.assertEqual(cost(10), cost(300))

    def test_the_list_of_runs_costs_the_same_for_30_as_for_5(self):
        def cost(count):
            values = {"company_id": self.company.id, "date": TODAY, "state": "done", "customer_count": 3}
            self.Run.create([values] * count)
            self.env.flush_all()
            self.env.invalidate_all()
            runs = self.Run.with_user(self.manager).search([("company_id", "=", self.company.id)])
            start = self.env.cr.sql_log_count
            runs.read(["stage", "explanation", "forecast_facts"])
            return self.env.cr.sql_log_count - start

        cost(5)
        self.assertEqual(cost(5), cost(30))
