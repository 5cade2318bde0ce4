from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import MANAGER, USER, ChurnCommon, later


@tagged("post_install", "-at_install", "customer_churn")
class TestCaseOwner(ChurnCommon):
    """Who may own cases: the active internal users of the company with access to this app."""

    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days()
        self.clerk = self._user("churn_clerk", "base.group_user")
        self.portal = self._user("churn_portal", "base.group_portal")
        self.sister = self._create_company("Sister")
        self.stranger = self._user("churn_stranger", MANAGER, company=self.sister)
        self.archived = self._user("churn_archived", USER)
        self.archived.active = False
        self.strangers = self.clerk | self.portal | self.stranger | self.archived

    def test_a_salesperson_without_access_gets_no_case_but_the_fallback_does(self):
        self.company.churn_case_fallback_user_id = self.manager
        self.anna.user_id = self.clerk
        case = self.opened(self.anna)
        self.assertEqual(case.user_id, self.manager)
        self.assertNotIn(self.clerk.partner_id, case.message_partner_ids)

    def test_without_a_fallback_it_is_nobody_s_until_the_access_is_given(self):
        self.anna.user_id = self.clerk
        case = self.opened(self.anna)
        self.assertFalse(case.user_id)
        self.clerk.group_ids += self.env.ref(USER)
        self.night(later(1))
        self.assertEqual(case.user_id, self.clerk)

    def test_who_loses_the_access_loses_the_cases(self):
        case = self.opened(self.anna)
        self.company.churn_case_fallback_user_id = self.manager
        self.seller.group_ids -= self.env.ref(USER)
        self.night(later(1))
        self.assertEqual(case.user_id, self.manager)

    def test_nobody_else_is_made_the_owner_by_hand(self):
        case = self.opened(self.anna).with_user(self.manager)
        for user in self.strangers:
            with self.assertRaisesRegex((UserError, ValidationError), user.login), self.env.cr.savepoint():
                case.write({"user_id": user.id})
            self.assertEqual(case.user_id, self.seller)
            self.assertNotIn(user.partner_id, case.message_partner_ids)
        case.write({"user_id": self.other_seller.id})
        self.assertEqual(case.user_id, self.other_seller)

    def test_nobody_else_is_made_the_fallback(self):
        for user in self.strangers:
            with self.assertRaisesRegex(ValidationError, user.login), self.env.cr.savepoint():
                self.company.churn_case_fallback_user_id = user
        self.company.churn_case_fallback_user_id = self.other_seller
        self.assertEqual(self.company.churn_case_fallback_user_id, self.other_seller)

    def test_the_screens_offer_those_who_may(self):
        case = self.opened(self.anna)
        domains = (self.Case.fields_get(["user_id"])["user_id"]["domain"],
                   self.env["res.config.settings"].fields_get(["churn_case_fallback_user_id"])[
                       "churn_case_fallback_user_id"]["domain"])
        for domain in domains:
            offered = self.env["res.users"].search(safe_eval(domain, {"company_id": self.company.id}))
            self.assertEqual(offered, self.company._get_churn_users())
        self.assertIn(self.seller, self.company._get_churn_users())
        with Form(case.with_user(self.manager)) as form:
            form.user_id = self.other_seller

    # ------------------------------------------------------------------ the rule
    def test_without_a_salesperson_the_fallback_gets_the_case(self):
        self.assertFalse(self.opened(self.cleo).user_id)
        self.company.churn_case_fallback_user_id = self.manager
        self.night(later(1))
        self.assertEqual(self.cases(self.cleo).user_id, self.manager)

    def test_unassigned_cases_have_a_capacity_of_their_own(self):
        self.company.churn_case_capacity = 2
        self.silent(*self.customers(3), self.anna)
        self.assertEqual(self.night().case_count, 3)
        self.assertEqual(self.night(later(1)).case_count, 0)
        self.assertEqual(self.night(later(7)).case_count, 1)

    def test_an_archived_owner_is_replaced_and_the_new_one_told_once(self):
        ada, bo = self.customers(2)
        (ada | bo).user_id = self.seller
        self.silent(ada, bo)
        self.night()
        self.company.churn_case_fallback_user_id = self.manager
        self.seller.active = False
        told = self.env["mail.message"].search_count([("partner_ids", "in", self.manager.partner_id.ids)])
        self.night(later(1))
        self.assertEqual((self.cases(ada) | self.cases(bo)).user_id, self.manager)
        self.assertIn("Handed on", self.cases(ada).message_ids[0].body)
        messages = self.env["mail.message"].search([("partner_ids", "in", self.manager.partner_id.ids)])
        self.assertEqual(len(messages), told + 1)
        self.assertIn(ada.name, messages[0].body)
        self.assertIn(bo.name, messages[0].body)

    def test_an_owner_who_left_the_company_is_replaced(self):
        case = self.opened(self.anna)
        self.company.churn_case_fallback_user_id = self.manager
        self.seller.write({"company_ids": [(6, 0, self.sister.ids)], "company_id": self.sister.id})
        self.night(later(1))
        self.assertEqual(case.user_id, self.manager)

    def test_the_owner_follows_the_salesperson_unless_chosen_by_hand(self):
        case = self.opened(self.anna)
        for user in (self.seller, self.manager):
            case.activity_schedule("mail.mail_activity_data_todo", user_id=user.id)
        self.anna.user_id = self.other_seller
        self.night(later(1))
        self.assertEqual(case.user_id, self.other_seller)
        self.assertEqual(case.activity_ids.user_id, self.other_seller | self.manager)
        case.with_user(self.manager).user_id = self.manager
        self.anna.user_id = self.seller
        self.night(later(2))
        self.assertEqual(case.user_id, self.manager)
