from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MANAGER, before, later
from .common_reason import FILE, ReasonCommon


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

    def test_a_manager_of_one_company_takes_nothing_back_in_another(self):
        sister = self._create_company("Sister")
        self.bought(self.anna, before(60), before(40), company=sister)
        self.night(company=sister)
        both = self.cases(self.bert) | self.cases(self.anna, sister)
        big = self._user("churn_big", MANAGER)
        big.company_ids += sister
        Wizard = self.env["customer.churn.reason.wizard"].with_user(big).with_context(
            active_model=both._name, active_ids=both.ids, allowed_company_ids=(self.company | sister).ids)
        Wizard.create({"reason_id": self.reason("service").id}).action_apply()
        answers = self.Answer.with_context(allowed_company_ids=(self.company | sister).ids).search([])
        mine = answers.filtered(lambda answer: answer.company_id == self.company)
        with self.assertRaisesRegex(UserError, "Sister"):
            mine.with_user(self.manager).with_context(allowed_company_ids=self.company.ids).action_undo()
        self.assertEqual(both.reason_id, self.reason("service"))
        mine.with_user(big).action_undo()
        self.env.invalidate_all()
        self.assertFalse(both.reason_id)

    def _wizard_of_both(self, profile, sister):
        Wizard = self.env["customer.churn.reason.wizard"].with_user(self.manager).with_context(
            active_model=profile._name, active_ids=profile.ids, allowed_company_ids=(self.company | sister).ids)
        return Wizard.create({"reason_id": self.reason("competitor").id, "competitor_id": self.rival.id})

    # ------------------------------------------------------------------ what the plans schedule
    def _plan(self, code, *steps, **values):
        todo = self.env.ref("mail.mail_activity_data_todo")
        plan = self.env["mail.activity.plan"].create({
            "name": code, "res_model": "customer.churn.case", "company_id": False,
            "template_ids": [(0, 0, {"activity_type_id": todo.id, "summary": step}) for step in steps], **values})
        self.reason(code).activity_plan_id = plan
        return plan

    def assertPlanned(self, record, *summaries):
        self.env.invalidate_all()
        self.assertEqual(sorted(record.activity_ids.mapped("summary")), sorted(summaries))

    def test_what_was_done_is_not_scheduled_again(self):
        self._plan("price", "Call", "Offer")
        case = self.cases(self.anna).with_user(self.seller)
        case.reason_id = self.reason("price")
        self.assertPlanned(case, "Call", "Offer")
        case.activity_ids.filtered(lambda activity: activity.summary == "Call").action_feedback()
        case.note = "typo"
        case.evidence = FILE
        self.assertPlanned(case, "Offer")
        case.reason_id = self.reason("service")
        self.assertPlanned(case)
        case.reason_id = self.reason("price")
        self.assertPlanned(case, "Offer")

    def test_in_a_new_case_it_is(self):
        self._plan("price", "Call")
        case = self.cases(self.anna)
        case.reason_id = self.reason("price")
        case.activity_ids.action_feedback()
        case.action_close("lost")
        self.profile(self.anna).with_user(self.seller).action_open_case()
        second = self.cases(self.anna) - case
        second.reason_id = self.reason("price")
        self.assertPlanned(second, "Call")

    def test_taking_back_restores_what_was_scheduled_before(self):
        self._plan("price", "Call", "Offer")
        self._plan("service", "Apologise")
        case = self.cases(self.anna)
        self._record(case, reason=self.reason("price"))
        case.activity_ids.filtered(lambda activity: activity.summary == "Call").action_feedback()
        answer = self._record(case, user=self.manager)
        self.assertPlanned(case, "Apologise")
        answer.with_user(self.manager).action_undo()
        self.assertPlanned(case, "Offer")
        self.assertEqual(case.activity_ids.user_id, self.seller)

    def test_a_closed_case_is_planned_nothing_for(self):
        self._plan("price", "Call")
        case = self.cases(self.anna)
        case.action_close("lost", self.reason("service"))
        case.with_user(self.seller).reason_id = self.reason("price")
        self.assertPlanned(case)
        self.assertReasons(self.anna, "price")

    def test_plans_that_are_archived_or_of_another_company_schedule_nothing(self):
        case = self.cases(self.anna)
        sister = self._create_company("Sister")
        for values, planned in (({"active": False}, []), ({"company_id": sister.id}, []),
                                ({"company_id": self.company.id}, ["Call"])):
            self._plan("price", "Call", **values)
            case.reason_id = self.reason("price")
            self.assertPlanned(case, *planned)
            case.reason_id = False
            self.assertPlanned(case)

    def test_who_has_no_access_is_planned_nothing_for(self):
        self._plan("price", "Call")
        clerk = self._user("churn_clerk", "base.group_user")
        case = self.cases(self.anna)
        case.user_id = False
        self.anna.user_id = clerk
        self._record(case, user=self.manager, reason=self.reason("price"))
        self.assertEqual(case.activity_ids.user_id, self.manager)

    # ------------------------------------------------------------------ what is in use
    def test_a_competitor_that_was_named_is_archived_not_deleted(self):
        self._record(self.cases(self.anna), reason=self.reason("competitor"), competitor_id=self.rival.id)
        self._record(self.cases(self.anna), reason=self.reason("service"))
        other = self.env["res.partner"].create({"name": "Other"})
        with self.assertRaisesRegex(UserError, "Rival: .*Archive"):
            (self.rival | other).unlink()
        other.unlink()
        self.rival.active = False

    @mute_logger("odoo.models.unlink")
    def test_a_plan_that_reasons_schedule_is_not_deleted(self):
        plan = self._plan("price", "Call").with_user(self.manager)
        self.reason("price").active = False
        with self.assertRaisesRegex(UserError, "price: .*Our Price Was Too High"):
            plan.unlink()
        self.reason("price").activity_plan_id = False
        plan.unlink()
        self.assertFalse(plan.exists())

    # ------------------------------------------------------------------ customers that become others
    def test_a_case_that_moves_takes_its_answers_along(self):
        self._plan("price", "Offer")
        self._plan("service", "Apologise")
        ada, firm = self.env["res.partner"].create([{"name": "Ada"}, {"name": "Firm", "is_company": True}])
        self.bought(ada, before(60), before(40))
        self.bought(firm, before(160), before(130))
        firm.user_id = self.manager
        self.night(later(1))
        case = self.cases(ada)
        case.reason_id = self.reason("price")
        ada.parent_id = firm
        self.night(later(2))
        self.assertEqual((case.partner_id, case.answer_ids.partner_id), (firm, firm))
        self.assertEqual(case.answer_ids.user_id, self.manager)
        self.assertEqual(self.profile(firm).reason_id, self.reason("price"))
        self.assertPlanned(case, "Offer")
        case.reason_id = self.reason("service")
        self.assertPlanned(case, "Apologise")

    def test_of_merged_customers_one_answer_stands(self):
        older, younger = self.cases(self.anna), self.cases(self.bert)
        older.reason_id = self.reason("price")
        younger.reason_id = self.reason("service")
        younger.note = "They said"
        self.merge(self.anna, self.bert, into=self.anna)
        for at in (None, later(1)):
            if at:
                self.night(at)
            self.assertEqual((older.state, younger.state), ("open", "closed"))
            self.assertEqual((older.reason_id, older.note), (self.reason("service"), "They said"))
            self.assertEqual(self.profile(self.anna).reason_id, self.reason("service"))
            answers = self.Answer.search([("partner_id", "=", self.anna.id)])
            self.assertEqual(answers.case_id, older)
            self.assertEqual(answers.filtered("is_current").mapped("reason_id.code"), ["service"])
            self.assertFalse(younger.reason_id)
        answers.filtered("is_current").action_undo()
        self.assertEqual((older.reason_id, older.note), (self.reason("service"), False))
