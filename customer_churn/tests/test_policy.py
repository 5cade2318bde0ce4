import dataclasses

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..engine.policy import Policy
from .common import ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn")
class TestPolicy(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.policy = self.Policy.create({"name": "Everybody", "company_id": self.company.id})

    def _segment(self, **values):
        return self.Policy.create(
            {"name": "Wholesale", "company_id": self.company.id, "domain": "[('ref', '=', 'W')]", **values})

    def assertRefused(self, message, **values):
        with self.assertRaisesRegex(ValidationError, message), self.env.cr.savepoint():
            self.policy.write(values)

    def test_every_field_of_the_engine_s_policy_is_here_with_its_default(self):
        for field in dataclasses.fields(Policy):
            self.assertIn(field.name, self.Policy._fields)
            self.assertEqual(self.policy[field.name], field.default, field.name)
        self.assertEqual(self.policy._to_engine(), Policy())

    def test_limits_that_contradict_each_other_are_refused_by_name(self):
        for field, limits in (
            ("Near Horizon", {"near_days": 0}),
            ("Far Horizon", {"near_days": 90, "far_days": 90}),
            ("Active From", {"active_chance": 0.6, "dormant_chance": 0.5}),
            ("Dormant From", {"dormant_chance": 1.5}),
            ("At Risk After", {"at_risk_days": 100, "dormant_days": 90}),
            ("Never At Risk Before", {"floor_days": 30, "ceiling_days": 20}),
        ):
            with self.subTest(field):
                self.assertRefused(f"Everybody, {field}", **limits)

    def test_a_domain_that_is_none_is_refused(self):
        first = self.Policy.create({"name": "First", "company_id": self.company.id, "sequence": 1,
                                    "domain": "[('id', '=', 0)]"})
        for domain in (
            "nonsense", "[('name', '=']", "[('no_such_field', '=', 1)]", "[('total_invoiced', '>', 100)]",
            "[('color', '>', 'abc')]", "[('user_id', '=', uid)]",
        ):
            with mute_logger("odoo.sql_db"), self.assertRaisesRegex(ValidationError, "First: its condition"):
                first.domain = domain

    def test_two_policies_for_everybody_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "exactly one policy"):
            self.Policy.create({"name": "Second", "company_id": self.company.id})

    def test_a_policy_for_nobody_else_is_refused(self):
        segment = self._segment()
        self.assertRefused("exactly one policy", domain="[('active', '=', True)]")
        self.assertRefused("exactly one policy", active=False)
        self.assertRefused("exactly one policy", company_id=self._create_company("Other").id)
        with self.assertRaisesRegex(ValidationError, "exactly one policy"), self.env.cr.savepoint():
            self.policy.unlink()
        (segment | self.policy).unlink()
        self.assertEqual(len(self.Policy._get_policies(self.company)), 1)

    def test_a_segment_comes_before_the_policy_for_all_others_wherever_it_stands(self):
        segment = self._segment()
        self.assertEqual(self.Policy._get_policies(self.company), segment | self.policy)
        segment.sequence = 2000
        self.assertEqual(self.Policy._get_policies(self.company), segment | self.policy)

    def test_a_condition_reaches_no_further_than_the_rights_of_its_author(self):
        boss = self._user("churn_boss", "customer_churn.group_customer_churn_manager")
        segment = self._segment().with_user(boss)
        with self.assertRaisesRegex(ValidationError, "you may look up"):
            segment.domain = "[('invoice_ids.amount_total', '>', 1000)]"

    def test_a_copy_does_not_take_the_place_of_the_policy_for_all_others(self):
        copy = self.policy.copy()
        self.assertEqual((copy.name, copy.active), ("Everybody (copy)", False))
        self.assertTrue(self._segment().copy().active)

    def test_a_condition_that_takes_everybody_is_none(self):
        for domain in ("[ ]", "[(1, '=', 1)]"):
            with self.assertRaisesRegex(ValidationError, "exactly one policy"), self.env.cr.savepoint():
                self._segment(domain=domain)

    def test_a_condition_on_the_status_is_refused_by_whatever_way(self):
        for domain in (
            "[('churn_status', '=', 'lost')]", "[('parent_id.churn_status', '=', 'lost')]",
            "[('commercial_partner_id', 'any', [('churn_status', '=', 'lost')])]",
            "['!', ('child_ids.churn_profile_id.status', '=', 'lost')]",
        ):
            with self.assertRaisesRegex(ValidationError, "not the other way round"), self.env.cr.savepoint():
                self._segment(domain=domain)

    def test_of_two_conditions_that_broke_each_can_be_mended(self):
        """As when the addon is gone that a field of them came from."""
        first, second = self._segment(), self._segment(name="Retail")
        self.env.cr.execute("UPDATE customer_churn_policy SET domain = '[(''gone'', ''='', 1)]' WHERE id IN %s",
                            [tuple((first | second).ids)])
        self.env.invalidate_all()
        first.domain = "[('ref', '=', 'W')]"
        second.active = False
        self.assertEqual(self.Policy._get_policies(self.company), first | self.policy)

    def test_a_company_goes_with_its_policies(self):
        company = self._create_company("Short-lived")
        policy = self.Policy._get_policies(company)
        self.env["account.journal"].search([("company_id", "=", company.id)]).unlink()
        self.env.cr.execute("DELETE FROM res_company WHERE id = %s", [company.id])
        self.env.invalidate_all()
        self.assertFalse(policy.exists())

    def test_a_salesperson_reads_policies_with_their_preview(self):
        self.bought(self.anna, before(20))
        self.night()
        seller = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        self.assertTrue(self.policy.with_user(seller).read(["preview"])[0]["preview"])

    def test_segments_have_their_own_policies(self):
        wholesale = self._segment(rule="days", at_risk_days=10, dormant_days=12, lost_days=15, new_days=1)
        self.anna.ref = "W"
        for customer in (self.anna, self.bert):
            self.bought(customer, before(60), before(40), before(20))
        self.night()
        self.assertEqual(self.profile(self.anna).policy_id, wholesale)
        self.assertEqual(self.profile(self.bert).policy_id, self.policy)
        self.assertStatus(self.anna, "lost")
        self.assertNotEqual(self.profile(self.bert).status, "lost")

    def test_the_preview_before_the_first_run_says_so(self):
        self.assertIn("Analyse the ledger first", self.policy.preview)

    def test_the_preview_counts_what_the_run_stored(self):
        customers = self.customers(20)
        self.in_the_ledger([
            (c.id, before(d), 80) for n, c in enumerate(customers) for d in range(n * 25, 700, 20 + n)])
        self.night()
        stored = [row["status"] for row in self.stored().values()]
        self.assertGreater(len(set(stored)), 1)
        self.assertEqual(self.policy._ask_engine()["counts"], {s: stored.count(s) for s in set(stored)})
        self.policy.invalidate_recordset()
        self.assertIn(f"Lost: {stored.count('lost')}", self.policy.preview)

    def test_the_preview_says_what_is_wrong_while_somebody_types_and_saving_is_refused(self):
        self.bought(self.anna, before(20))
        self.night()
        with Form(self.policy) as form:
            self.assertTrue(form.is_counted)
            form.near_days = 0
            self.assertIn("Near Horizon (Days): give at least one day", form.preview)
            self.assertFalse(form.is_counted)
            with self.assertRaisesRegex(ValidationError, "Near Horizon"):
                form.save()
            form.near_days = 90

    def test_the_form_shows_today_beside_what_the_limits_would_give(self):
        self.bought(self.anna, before(100), before(70), before(40))
        self.night()
        with Form(self.policy) as form:
            form.rule = "days"
            form.at_risk_days, form.dormant_days, form.lost_days, form.new_days = 10, 20, 30, 0
            self.assertEqual(form.lost_count, 1)
            self.assertIn("Lost: 1", form.preview)
            self.assertIn("Lost: 0", form.as_stored)

    def test_the_automatic_policy_has_a_name_in_every_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["customer_churn"], ["zh_CN"])
        company = self._create_company("Second")
        policy = self.Policy.with_context(lang="zh_CN")._get_policies(company)
        self.assertEqual(policy.name, "全部客户")
        self.assertEqual(policy.with_context(lang="en_US").name, "All customers")

    def test_the_list_counts_the_customers_of_all_policies_by_one_query(self):
        self.bought(self.anna, before(20))
        self.night()
        self.Policy.create([{"name": f"Segment {n}", "company_id": self.company.id, "sequence": n,
                             "domain": f"[('ref', '=', 'S{n}')]"} for n in range(9)])
        self.env.flush_all()
        self.env.invalidate_all()
        policies = self.Policy.search([("company_id", "=", self.company.id)])
        with self.assertQueryCount(1):
            counts = policies.mapped("customer_count")
        self.assertEqual(counts, [0] * 9 + [1])

    def test_a_new_policy_with_a_condition_comes_before_the_automatic_one(self):
        company = self._create_company("Second")
        automatic = self.Policy._get_policies(company)
        with Form(self.Policy.with_company(company)) as form:
            form.name, form.domain = "Wholesale", "[('ref', '=', 'W')]"
        self.assertEqual(self.Policy._get_policies(company), form.record + automatic)

    def test_the_preview_leaves_out_whom_an_earlier_policy_of_the_same_sequence_takes(self):
        self.anna.ref = "W"
        for customer in (self.anna, self.bert):
            self.bought(customer, before(20))
        self.night()
        first = self.Policy.create({"name": "First", "company_id": self.company.id, "sequence": 7,
                                    "domain": "[('ref', '=', 'W')]"})
        second = first.copy({"name": "Second"})
        self.assertEqual(sum(first._ask_engine()["counts"].values()), 1)
        self.assertEqual(sum(second._ask_engine()["counts"].values()), 0)
