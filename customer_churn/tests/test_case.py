from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import CheckViolation

from .common import MANAGER, TODAY, ChurnCommon, before, later


@tagged("post_install", "-at_install", "customer_churn")
class TestCase(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.policy = self.by_days()

    # ------------------------------------------------------------------ opening
    def test_a_night_opens_a_case_for_who_turned_at_risk_or_dormant(self):
        self.silent(self.anna)
        self.silent(self.bert, days=70)
        self.silent(self.cleo, days=5)
        run = self.night()
        self.assertEqual(run.case_count, 2)
        case = self.cases(self.anna)
        self.assertEqual(
            (case.state, case.trigger_status, case.opened_date, case.silent_since, case.user_id, case.run_id),
            ("open", "at_risk", TODAY, before(40), self.seller, run))
        self.assertEqual(case.revenue_at_stake, self.profile(self.anna).revenue_at_stake)
        self.assertEqual(case.value_class, self.profile(self.anna).value_class)
        self.assertEqual(self.cases(self.bert).trigger_status, "dormant")
        self.assertFalse(self.cases(self.cleo))
        self.assertEqual(self.profile(self.anna).case_id, case)
        self.assertEqual(self.anna.churn_case_ids, case)

    def test_the_case_says_why_and_its_owner_follows_it_without_a_mail(self):
        mails = self.env["mail.mail"].sudo().search_count([])
        case = self.opened(self.anna)
        self.assertIn("silent for", case.message_ids[0].body)
        self.assertEqual(case.message_partner_ids, self.seller.partner_id)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails)

    def test_a_second_run_of_the_night_opens_nothing(self):
        case = self.opened(self.anna)
        for full in (False, True):
            self.assertEqual(self.night(full=full).case_count, 0)
        self.assertEqual(self.cases(self.anna), case)

    def test_a_policy_says_for_which_status_cases_open(self):
        self.policy.case_at_risk = False
        self.silent(self.anna)
        self.silent(self.bert, days=70)
        self.night()
        self.assertFalse(self.cases(self.anna))
        self.assertTrue(self.cases(self.bert))

    def test_the_dearest_come_first_within_the_weekly_capacity(self):
        self.company.churn_case_capacity = 2
        cheap, dear, dearer = self.customers(3)
        for partner, amount in ((cheap, 10), (dear, 500), (dearer, 900)):
            partner.user_id = self.seller
            self.silent(partner, amount=amount)
        self.silent(self.bert, amount=1)
        self.assertEqual(self.night().case_count, 3)  # Monday; the other seller's one counts apart
        self.assertFalse(self.cases(cheap))
        self.assertTrue(self.cases(dear) and self.cases(dearer) and self.cases(self.bert))
        self.assertEqual(self.night(later(6)).case_count, 0)  # Sunday
        self.assertEqual(self.night(later(7)).case_count, 1)
        self.assertTrue(self.cases(cheap))

    def test_with_a_capacity_of_0_nothing_opens_and_a_negative_one_is_refused(self):
        self.company.churn_case_capacity = 0
        self.assertFalse(self.opened(self.anna))
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self.company.churn_case_capacity = -1
            self.env.flush_all()

    def test_who_stays_in_a_status_gets_no_second_case_but_a_worse_status_does(self):
        case = self.opened(self.anna)
        case.action_close("false_alarm")
        case.closed_date = TODAY
        self.night(later(1))
        self.assertEqual(self.cases(self.anna), case)
        self.night(later(20))  # dormant
        self.assertEqual(self.cases(self.anna).mapped("trigger_status"), ["at_risk", "dormant"])

    def test_who_was_given_up_is_left_alone_until_a_purchase(self):
        case = self.opened(self.anna)
        case.action_close("lost")
        case.closed_date = TODAY
        self.night(later(20))
        self.assertEqual(self.cases(self.anna), case)
        self.bought(self.anna, later(21))
        self.night(later(21))
        self.night(later(21 + 30))
        self.assertEqual(len(self.cases(self.anna)), 2)

    def test_cases_are_found_by_status_and_customers_by_case(self):
        case = self.opened(self.anna)
        self.bought(self.cleo, before(5))
        self.night(later(1))
        self.assertEqual(self.Case.search([("customer_status", "=", "at_risk")]), case)
        self.assertFalse(self.Case.search([("customer_status", "=", "dormant")]))
        mine = [("company_id", "=", self.company.id)]
        self.assertEqual(self.Profile.search([*mine, ("case_id", "!=", False)]).partner_id, self.anna)
        self.assertEqual(self.Profile.search([*mine, ("case_id", "=", False)]).partner_id, self.cleo)

    # ------------------------------------------------------------------ what the ledger closes
    def test_a_purchase_closes_the_case_as_won_back_with_its_money(self):
        case = self.opened(self.anna)
        case.activity_schedule("mail.mail_activity_data_todo", user_id=self.seller.id)
        self.bought(self.anna, later(3), amount=250)
        self.credited(self.anna, later(4), amount=50)
        self.night(later(5))
        self.assertEqual(
            (case.state, case.outcome, case.closed_date, case.won_date, case.won_revenue),
            ("closed", "won_back", later(5), later(3), 200))
        self.assertIn("Won back", case.message_ids[0].body)
        self.assertFalse(case.activity_ids)
        self.assertFalse(self.profile(self.anna).case_id)

    def test_what_was_bought_before_the_opening_and_booked_late_is_a_false_alarm(self):
        case = self.opened(self.anna)
        self.bought(self.anna, before(10))
        self.night(later(1))
        self.assertEqual((case.outcome, case.won_revenue), ("false_alarm", 0))
        self.assertIn("booked only later", case.message_ids[0].body)

    def test_without_any_purchase_left_the_case_is_a_false_alarm(self):
        case = self.opened(self.anna)
        self.anna.churn_exclude = True
        self.night(later(1))
        self.assertEqual(case.outcome, "false_alarm")
        self.assertIn("excluded", case.message_ids[0].body)

    # ------------------------------------------------------------------ what people close
    def test_a_person_closes_as_false_alarm_or_lost_and_nothing_else(self):
        case = self.opened(self.anna).with_user(self.seller)
        for outcome in ("won_back", "written_off", "sold", False, ["lost"]):
            with self.assertRaises(UserError):
                case.action_close(outcome)
            with self.assertRaises(UserError):
                case.with_context(churn_outcome=outcome).action_close_as()
        for reason in ("price", 987_654_321, True, self.Case._fields, [1, 2], self.anna):
            with self.assertRaisesRegex(UserError, "is no reason"):
                case.action_close("lost", reason)
        case.action_close("lost", self.reason("service"))
        self.assertEqual((case.state, case.outcome, case.reason_id), ("closed", "lost", self.reason("service")))
        with self.assertRaisesRegex(UserError, "Anna"):
            case.action_close("lost")

    def test_of_several_one_closed_refuses_all(self):
        self.silent(self.anna, self.cleo)
        self.night()
        cases = self.cases(self.anna) | self.cases(self.cleo)
        self.cases(self.cleo).action_close("lost")
        with self.assertRaisesRegex(UserError, "Cleo"):
            cases.action_close("lost")
        self.assertEqual(self.cases(self.anna).state, "open")

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_nobody_writes_what_became_of_a_case(self):
        case = self.opened(self.anna)
        for user in (self.seller, self.manager):
            mine = case.with_user(user)
            for values in ({"state": "closed"}, {"outcome": "won_back"}, {"won_revenue": 5}, {"opened_date": TODAY},
                           {"partner_id": self.cleo.id}, {"note": "x", "closed_date": TODAY}):
                with self.assertRaises(AccessError):
                    mine.write(values)
            with self.assertRaises(AccessError):
                mine.create({"partner_id": self.cleo.id, "company_id": self.company.id, "opened_date": TODAY})
            with self.assertRaises(AccessError):
                mine.unlink()
        case.with_user(self.seller).write({"note": "Called"})
        self.assertEqual(case.note, "Called")
        with self.assertRaises(UserError):
            case.with_user(self.seller).action_close("lost", "price")
        self.assertEqual(case.state, "open")

    def test_only_managers_leave_a_case_alone_to_measure_and_the_history_says_so(self):
        case = self.opened(self.anna).with_context(
            tracking_disable=False, mail_notrack=False, mail_create_nolog=False)
        with self.assertRaisesRegex(AccessError, "Only managers"):
            case.with_user(self.seller).is_control = True
        self.flush_tracking()
        said = len(case.message_ids)
        case.with_user(self.manager).is_control = True
        self.flush_tracking()
        self.assertTrue(case.is_control)
        self.assertEqual(len(case.message_ids), said + 1)
        self.assertEqual(case.message_ids[0].sudo().tracking_value_ids.field_id.name, "is_control")

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.invalidate_all()

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_who_works_a_case_reopens_it_but_not_beside_an_open_case(self):
        case = self.opened(self.anna)
        case.action_close("false_alarm")
        case.closed_date = TODAY
        with self.assertRaises(AccessError):
            case.with_user(self.other_seller).action_reopen()
        self.anna.user_id = self.other_seller  # who has the customer now sees the closed cases of before
        case.with_user(self.other_seller).action_reopen()
        self.assertEqual((case.state, case.outcome, case.closed_date), ("open", False, False))
        with self.assertRaisesRegex(UserError, "Anna"):
            case.action_reopen()
        case.action_close("false_alarm")
        self.profile(self.anna).with_user(self.other_seller).action_open_case()
        with self.assertRaisesRegex(UserError, "Anna"):
            case.with_user(self.manager).action_reopen()

    def test_a_won_back_case_reopened_is_closed_again_while_the_purchase_counts(self):
        case = self.opened(self.anna)
        invoice = self.bought(self.anna, later(1))
        self.night(later(1))
        case.action_reopen()
        self.night(later(2))
        self.assertEqual(case.outcome, "won_back")
        case.action_reopen()
        self.reversed(invoice, later(3))
        self.night(later(3))
        self.assertEqual(case.state, "open")

    # ------------------------------------------------------------------ by hand
    def test_a_case_is_opened_by_hand_once(self):
        self.bought(self.anna, before(5))
        self.night()
        profile = self.profile(self.anna).with_user(self.seller)
        action = profile.action_open_case()
        case = self.cases(self.anna)
        self.assertEqual((action["res_id"], case.user_id, case.trigger_status), (case.id, self.seller, "new"))
        self.assertEqual(profile.action_open_case()["res_id"], case.id)
        self.assertEqual(self.cases(self.anna), case)

    def test_cases_opened_by_hand_use_up_no_capacity(self):
        self.company.churn_case_capacity = 0
        self.bought(self.cleo, before(5))
        self.silent(self.anna)
        self.company.churn_case_fallback_user_id = self.seller
        self.night()
        self.profile(self.cleo).with_user(self.seller).action_open_case()
        self.cases(self.cleo).opened_date = TODAY
        self.company.churn_case_capacity = 1
        self.assertEqual(self.night().case_count, 1)
        self.assertEqual(self.cases(self.anna).user_id, self.seller)

    def test_a_colleague_works_on_with_the_case_of_an_unassigned_customer(self):
        self.company.churn_case_capacity = 0
        self.silent(self.cleo)
        self.night()
        profile = self.profile(self.cleo)
        profile.with_user(self.seller).action_open_case()
        case = self.cases(self.cleo)
        self.assertEqual(case.user_id, self.seller)
        mine = profile.with_user(self.other_seller)
        self.assertEqual((mine.case_id, mine.case_count), (case, 1))
        self.assertEqual(mine.action_open_case()["res_id"], case.id)
        wizard = self.env["customer.churn.reason.wizard"].with_user(self.other_seller).with_context(
            active_model=mine._name, active_ids=mine.ids).create({"reason_id": self.reason("price").id})
        wizard.action_apply()
        self.assertEqual(case.reason_id, self.reason("price"))
        self.company.churn_share_unassigned = False
        self.assertFalse(self.Case.with_user(self.other_seller).search([]))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_nobody_opens_a_case_of_another_s_customer(self):
        self.bought(self.bert, before(5))
        self.night()
        with self.assertRaises(AccessError):
            self.profile(self.bert).with_user(self.seller).action_open_case()

    # ------------------------------------------------------------------ customers that become others
    def test_of_merged_customers_the_older_case_goes_on(self):
        older = self.opened(self.anna)
        self.silent(self.cleo)
        self.night(later(1))
        younger = self.cases(self.cleo)
        self.merge(self.anna, self.cleo, into=self.cleo)
        self.assertEqual(older.partner_id | younger.partner_id, self.cleo)
        self.assertEqual((older.state, younger.state, younger.outcome), ("open", "closed", "false_alarm"))
        self.assertIn(f"data-oe-id=\"{older.id}\"", younger.message_ids[0].body)
        self.night(later(2))
        self.assertEqual(self.cases(self.cleo), older | younger)

    def test_the_only_case_moves_along_when_customers_are_merged(self):
        case = self.opened(self.anna)
        self.bought(self.cleo, before(60))
        self.merge(self.anna, self.cleo, into=self.cleo)
        self.night(later(1))
        self.assertEqual((case.partner_id, case.state), (self.cleo, "open"))

    def test_a_customer_that_becomes_a_contact_takes_the_case_along(self):
        ada = self.env["res.partner"].create({"name": "Ada"})
        case = self.opened(ada)
        self.silent(self.cleo, days=45)
        ada.parent_id = self.cleo
        self.night(later(1))
        self.assertEqual((case.partner_id, case.state), (self.cleo, "open"))
        self.assertEqual(len(self.cases(self.cleo)), 1)

    def test_its_case_is_closed_where_the_company_has_one(self):
        ada = self.env["res.partner"].create({"name": "Ada"})
        self.silent(self.cleo)
        case = self.opened(ada)
        ada.parent_id = self.cleo
        self.night(later(1))
        self.assertEqual((case.partner_id, case.outcome), (ada, "false_alarm"))
        self.assertEqual(self.cases(self.cleo).state, "open")

    def test_a_contact_given_to_another_company_leaves_the_case_with_its_ledger(self):
        case = self.opened(self.anna)
        sister = self._create_company("Sister")
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET company_id = %s WHERE id = %s", [sister.id, self.anna.id])
        self.env.invalidate_all()
        self.night(later(1))
        self.assertEqual((case.state, case.company_id, case.user_id), ("open", self.company, self.seller))
        case.with_user(self.seller).action_close("lost", self.reason("moved_away"))
        self.assertEqual((case.outcome, self.profile(self.anna).reason_id), ("lost", self.reason("moved_away")))

    # ------------------------------------------------------------------ who sees what
    def _seen(self, user):
        self.env.invalidate_all()
        return self.Case.with_user(user).search([]).partner_id

    def test_a_salesperson_sees_own_cases_and_customers_and_unassigned_ones(self):
        self.silent(self.anna, self.bert, self.cleo)
        self.night()
        self.assertEqual(self._seen(self.seller), self.anna | self.cleo)
        self.assertEqual(self._seen(self.manager), self.anna | self.bert | self.cleo)
        self.company.churn_share_unassigned = False
        self.assertEqual(self._seen(self.seller), self.anna)
        self.cases(self.bert).user_id = self.seller
        self.assertEqual(self._seen(self.seller), self.anna | self.bert)
        self.assertEqual(self._seen(self.other_seller), self.bert)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_others_see_no_case(self):
        case = self.opened(self.anna)
        sister = self._create_company("Sister")
        stranger = self._user("churn_stranger", MANAGER, company=sister)
        for user in (self._user("churn_clerk", "base.group_user"), self._user("churn_portal", "base.group_portal")):
            with self.assertRaises(AccessError):
                self.Case.with_user(user).search([])
        elsewhere = case.with_user(stranger).with_context(allowed_company_ids=sister.ids)
        self.assertFalse(elsewhere.search([]))
        with self.assertRaises(AccessError):
            elsewhere.action_close("lost")

    # ------------------------------------------------------------------ many
    def test_a_night_has_as_many_queries_for_30_new_cases_as_for_3(self):
        self.company.churn_case_capacity = 1000
        customers = self.customers(40)
        customers.user_id = self.seller
        self.in_the_ledger([(c.id, before(d), 100) for c in customers[:2] for d in (50, 31)])
        self.night()

        def count(silent, at):
            self.in_the_ledger([(c.id, before(d, at), 100) for c in silent for d in (50, 31)])
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(self.Run._run(self.company, date=at).case_count, len(silent))
            return self.env.cr.sql_log_count - start

        count(customers[2:4], later(1))
        self.assertEqual(count(customers[4:7], later(2)), count(customers[7:37], later(3)))
