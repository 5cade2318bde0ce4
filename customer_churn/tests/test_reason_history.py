from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_reason import ReasonCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestReasonHistory(ReasonCommon):
    """What was answered stands as it was given, and comes back as it was."""

    # ------------------------------------------------------------------ today's rule does not judge yesterday's answer
    def test_an_answer_comes_back_that_would_be_refused_today(self):
        self._record(self.cases(self.anna), reason=self.reason("price"), note="First")
        answer = self._record(self.profile(self.anna) | self.profile(self.cleo))
        self.reason("price").requires_competitor = True
        answer.with_user(self.seller).action_undo()
        self.assertReasons(self.anna, "price")
        self.assertReasons(self.cleo, False)
        case = self.cases(self.anna).with_user(self.seller)
        case.note = "Second"
        self.env.invalidate_all()
        self.assertEqual((case.note, case.reason_id, len(case.answer_ids)), ("Second", self.reason("price"), 3))
        with self.assertRaisesRegex(UserError, "Anna.*Price"), self.env.cr.savepoint():
            case.write({"reason_id": self.reason("service").id, "competitor_id": False})
            case.reason_id = self.reason("price")

    def test_a_competitor_that_is_merged_into_the_customer_is_none_any_more(self):
        self._record(self.cases(self.anna), reason=self.reason("competitor"), competitor_id=self.rival.id)
        answer = self._record(self.cases(self.anna), reason=self.reason("service"))
        self._record(self.cases(self.bert), reason=self.reason("competitor"), competitor_id=self.rival.id,
                     user=self.manager)
        self.merge(self.anna, self.rival, into=self.anna)
        self.assertFalse(self.cases(self.anna).answer_ids.competitor_id)
        answer.with_user(self.seller).action_undo()
        self.assertReasons(self.anna, "competitor")
        case = self.cases(self.anna).with_user(self.seller)
        case.note = "Who was it?"
        self.assertEqual((case.note, case.competitor_id.id), ("Who was it?", False))
        self.assertEqual(self.cases(self.bert).competitor_id, self.anna)

    def test_the_case_of_who_was_merged_with_the_competitor_says_so(self):
        case = self.cases(self.anna)
        self._record(case, reason=self.reason("competitor"), competitor_id=self.rival.id)
        self.merge(self.anna, self.rival, into=self.anna)
        self.assertEqual((case.reason_id, case.competitor_id.id), (self.reason("competitor"), False))
        self.assertIn("was merged", case.message_ids[0].body)

    # ------------------------------------------------------------------ other companies
    def test_a_competitor_of_another_company_is_refused_with_a_case_and_without(self):
        sister = self._create_company("Sister")
        self.manager.company_ids += sister
        self.rival.company_id = sister
        for profile in (self.profile(self.bert), self.profile(self.cleo)):
            with self.assertRaisesRegex(UserError, f"{profile.partner_id.name}.*Rival.*Sister"):
                self._wizard_of_both(profile, sister).action_apply()
        with self.assertRaisesRegex(UserError, "Bert.*Rival.*Sister"), self.env.cr.savepoint():
            self.cases(self.bert).with_user(self.manager).with_context(
                allowed_company_ids=(self.company | sister).ids).competitor_id = self.rival
        self.assertFalse(self.Answer.search([]))
        self.rival.company_id = self.company
        self._record(self.profile(self.cleo), user=self.manager, competitor_id=self.rival.id)
        self.assertEqual(self.Answer.search([]).competitor_id, self.rival)

    def _wizard_of_both(self, profile, sister):
        Wizard = self.env["customer.churn.reason.wizard"].with_user(self.manager).with_context(
            active_model=profile._name, active_ids=profile.ids, allowed_company_ids=(self.company | sister).ids)
        return Wizard.create({"reason_id": self.reason("competitor").id, "competitor_id": self.rival.id})
