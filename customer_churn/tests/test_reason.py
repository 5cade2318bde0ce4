from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from .common import TODAY, before
from .common_reason import FILE, ReasonCommon


@tagged("post_install", "-at_install", "customer_churn")
class TestReason(ReasonCommon):
    # ------------------------------------------------------------------ the tree
    def test_three_roots_and_one_for_the_rest_are_shipped_in_two_levels(self):
        roots = self.env["customer.churn.reason"].search([("parent_id", "=", False)])
        self.assertEqual(roots.mapped("code"), ["unmet_need", "competitor", "customer_distress", "other"])
        self.assertTrue(all(roots.mapped("child_ids")))
        self.assertFalse(roots.child_ids.child_ids)
        self.assertEqual(set(self.reason("competitor").child_ids.mapped("requires_competitor")), {True})
        self.assertTrue(self.reason("unknown").activity_plan_id.template_ids)

    def test_reasons_have_two_levels_and_codes_of_their_own(self):
        with self.assertRaisesRegex(ValidationError, "two levels"):
            self.reason("unmet_need").parent_id = self.reason("other")
        with self.assertRaisesRegex(ValidationError, "two levels"):
            self.env["customer.churn.reason"].create(
                {"name": "Third", "code": "third", "parent_id": self.reason("service").id})
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self.env["customer.churn.reason"].create({"name": "Again", "code": "service"})

    def test_a_used_reason_is_archived_not_deleted(self):
        self._record(self.profile(self.anna))
        with self.assertRaisesRegex(UserError, "Poor Service"):
            self.reason("service").unlink()
        with self.assertRaisesRegex(UserError, "Needs Not Met"):
            self.reason("unmet_need").unlink()
        self.reason("delivery").unlink()
        self.reason("service").active = False
        self.assertReasons(self.anna, "service")

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_only_managers_keep_the_tree(self):
        with self.assertRaises(AccessError):
            self.reason("service").with_user(self.seller).avoidable = False
        self.reason("service").with_user(self.manager).avoidable = False
        self.env["mail.activity.plan"].with_user(self.manager).create(
            {"name": "Visit", "res_model": "customer.churn.case"})

    # ------------------------------------------------------------------ one customer
    def test_a_reason_stands_on_profile_event_and_case(self):
        answer = self._record(self.profile(self.anna), note="Never called back", evidence=FILE, evidence_name="a.txt")
        self.assertReasons(self.anna, "service")
        case = self.cases(self.anna)
        self.assertEqual((case.note, case.evidence_name, bool(case.evidence)), ("Never called back", "a.txt", True))
        self.assertEqual((answer.author_id, answer.case_id, answer.status, answer.is_current),
                         (self.seller, case, "at_risk", True))
        self.assertEqual(answer.revenue_at_stake, self.profile(self.anna).revenue_at_stake)
        self.assertEqual(answer.avoidable_share, 1)

    def test_a_customer_without_a_case_is_answered_for_too(self):
        self._record(self.profile(self.cleo))
        self.assertReasons(self.cleo, "service")
        self.assertFalse(self.cases(self.cleo))

    def test_a_changed_reason_keeps_its_history(self):
        self._record(self.profile(self.anna))
        self._record(self.cases(self.anna), reason=self.reason("price"))
        self.assertReasons(self.anna, "price")
        answers = self.profile(self.anna).answer_ids
        self.assertEqual(answers.mapped("reason_id.code"), ["price", "service"])
        self.assertEqual(answers.mapped("is_current"), [True, False])

    def test_a_reason_written_on_the_case_is_an_answer_as_well(self):
        case = self.cases(self.anna).with_user(self.seller)
        case.write({"reason_id": self.reason("quality").id, "evidence": FILE, "evidence_name": "b.txt"})
        self.assertReasons(self.anna, "quality")
        self.assertEqual((len(case.answer_ids), case.evidence_name), (1, "b.txt"))
        case.reason_id = False
        self.assertReasons(self.anna, False)
        self.assertEqual(len(case.answer_ids), 2)

    def test_the_evidence_stays_when_the_reason_changes_and_goes_when_it_is_cleared(self):
        case = self.cases(self.anna).with_user(self.seller)
        self._record(case, evidence=FILE, evidence_name="a.txt")
        self._record(case, reason=self.reason("price"))
        case.note = "And late"
        self.env.invalidate_all()
        self.assertEqual((case.evidence_name, case.evidence.decode()), ("a.txt", FILE))
        case.evidence = False
        self.env.invalidate_all()
        self.assertFalse(case.evidence)
        self.assertEqual(case.note, "And late")

    def test_a_reason_that_needs_a_competitor_is_refused_without_one_by_name(self):
        reason = self.reason("competitor_price")
        for act in (
            lambda: self._record(self.profile(self.anna), reason=reason),
            lambda: self.cases(self.anna).with_user(self.seller).write({"reason_id": reason.id}),
            lambda: self.cases(self.anna).with_user(self.seller).action_close("lost", reason),
        ):
            with self.assertRaisesRegex(UserError, "Anna.*Better Price"):
                act()
        self.assertReasons(self.anna, False)
        self.assertEqual(self.cases(self.anna).state, "open")
        self._record(self.profile(self.anna), reason=reason, competitor_id=self.rival.id)
        self.assertReasons(self.anna, "competitor_price")
        self.assertEqual(self.cases(self.anna).competitor_id, self.rival)

    def test_nobody_is_the_own_competitor(self):
        with self.assertRaisesRegex(UserError, "Anna"):
            self._record(self.profile(self.anna), reason=self.reason("competitor"), competitor_id=self.anna.id)

    def test_not_known_yet_schedules_asking_in_the_owner_s_language(self):
        case = self.cases(self.anna)
        self._record(self.profile(self.anna), reason=self.reason("unknown"))
        self.assertEqual(case.activity_ids.mapped(lambda a: (a.user_id, a.summary)),
                         [(self.seller, "Ask the customer why")])
        self._record(self.profile(self.cleo), reason=self.reason("unknown"))
        self.assertEqual(self.cleo.activity_ids.user_id, self.seller)

    def test_who_knows_the_reason_need_not_ask_any_more(self):
        case = self.cases(self.anna)
        self._record(case, reason=self.reason("unknown"))
        self._record(case, reason=self.reason("unknown"), note="Asked, no answer")
        self.assertEqual(len(case.activity_ids), 1)
        case.activity_schedule("mail.mail_activity_data_todo", user_id=self.seller.id, summary="Visit")
        self._record(case, reason=self.reason("price"))
        self.assertEqual(case.activity_ids.mapped("summary"), ["Visit"])

    def test_the_form_asks_more_exactly_and_for_the_competitor(self):
        Wizard = self.env["customer.churn.reason.wizard"].with_user(self.seller).with_context(
            active_model="customer.churn.profile", active_ids=self.profile(self.anna).ids)
        with Form(Wizard) as form:
            form.root_id = self.reason("competitor")
            form.detail_id = self.reason("competitor_price")
            form.competitor_id = self.rival
            form.root_id = self.reason("unmet_need")
            self.assertFalse(form.detail_id)
        form.record.action_apply()
        self.assertReasons(self.anna, "unmet_need")

    # ------------------------------------------------------------------ many
    def test_one_reason_for_many_and_taken_back_as_a_whole(self):
        before_it = self._record(self.cases(self.anna), reason=self.reason("price"), note="First")
        answer = self._record(self.profile(self.anna) | self.profile(self.cleo), note="All of them", evidence=FILE)
        self.assertReasons(self.anna, "service")
        self.assertReasons(self.cleo, "service")
        answer.with_user(self.seller).action_undo()
        self.assertReasons(self.anna, "price")
        self.assertReasons(self.cleo, False)
        self.assertEqual((self.cases(self.anna).note, self.cases(self.anna).evidence), ("First", False))
        self.assertTrue(before_it.is_current)
        with self.assertRaisesRegex(UserError, "already"):
            answer.action_undo()

    def test_what_was_answered_again_since_is_not_taken_back(self):
        answer = self._record(self.profile(self.anna) | self.profile(self.cleo))
        self._record(self.profile(self.cleo), reason=self.reason("price"))
        with self.assertRaisesRegex(UserError, "Cleo"):
            answer.action_undo()
        self.assertReasons(self.anna, "service")
        self.assertReasons(self.cleo, "price")

    def test_only_the_author_or_a_manager_takes_back(self):
        answer = self._record(self.profile(self.anna), user=self.manager)
        with self.assertRaises(UserError):
            answer.with_user(self.seller).action_undo()
        answer.with_user(self.manager).action_undo()
        self.assertReasons(self.anna, False)

    def test_taking_back_removes_what_was_scheduled(self):
        answer = self._record(self.profile(self.anna), reason=self.reason("unknown"))
        answer.action_undo()
        self.assertFalse(self.cases(self.anna).activity_ids)

    def test_a_reason_per_customer(self):
        wizard = self._wizard(self.anna | self.cleo, per_row=True)
        first, second = wizard.line_ids
        first.write({"reason_id": self.reason("competitor").id, "competitor_id": self.rival.id})
        second.reason_id = self.reason("price")
        wizard.action_apply()
        self.assertReasons(self.anna, "competitor")
        self.assertReasons(self.cleo, "price")

    def test_one_row_that_lacks_its_competitor_refuses_all_by_name(self):
        wizard = self._wizard(self.anna | self.cleo, per_row=True)
        wizard.line_ids[0].reason_id = self.reason("price")
        wizard.line_ids[1].reason_id = self.reason("competitor")
        with self.assertRaisesRegex(UserError, "Cleo"), self.env.cr.savepoint():
            wizard.action_apply()
        self.assertReasons(self.anna, False)

    def test_customers_of_another_salesperson_are_refused_by_name(self):
        for records in (self.profile(self.anna) | self.profile(self.bert), self.cases(self.bert), self.bert):
            with self.assertRaisesRegex(UserError, "Bert.*Nothing was recorded"):
                self._wizard(records)
        wizard = self._wizard(self.anna)
        wizard.line_ids.create({
            "wizard_id": wizard.id, "company_id": self.company.id, "partner_id": self.bert.id})
        with self.assertRaisesRegex(UserError, "Bert"), self.env.cr.savepoint():
            wizard.action_apply()
        self.assertReasons(self.anna, False)

    def test_customers_of_another_company_are_refused(self):
        sister = self._create_company("Sister")
        self.bought(self.anna, before(60), before(40), company=sister)
        self.night(company=sister)
        with self.assertRaisesRegex(UserError, "Anna"):
            self._wizard(self.profile(self.anna, sister))
        wizard = self._wizard(self.anna)
        wizard.line_ids.company_id = sister
        with self.assertRaisesRegex(UserError, "Anna"):
            wizard.action_apply()

    def test_the_owner_of_a_case_answers_for_somebody_else_s_customer(self):
        case = self.cases(self.bert)
        case.user_id = self.seller
        mine = case.with_user(self.seller)
        self.env.invalidate_all()
        self.assertIn("silent for", mine.explanation)
        self.assertEqual(mine.action_open_profile()["res_model"], "customer.churn.profile")
        answer = self._record(mine)
        self.assertReasons(self.bert, "service")
        stake = self.profile(self.bert).revenue_at_stake
        self.assertEqual((answer.status, answer.revenue_at_stake), ("at_risk", stake))
        self.assertEqual(self.Answer.with_user(self.seller).search([]), answer)

    def test_nothing_chosen_is_nothing_recorded(self):
        with self.assertRaisesRegex(UserError, "Choose one"):
            self._wizard(self.anna | self.cleo, per_row=True).action_apply()

    def test_who_never_bought_is_refused_by_name(self):
        with self.assertRaisesRegex(UserError, "Rival"):
            self._wizard(self.rival)

    def test_a_contact_answers_for_its_customer(self):
        buyer = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self._record(buyer)
        self.assertReasons(self.anna, "service")

    def test_many_answers_cost_as_many_queries_as_few(self):
        customers = self.customers(33)
        customers.user_id = self.seller
        self.in_the_ledger([(c.id, before(d), 100) for c in customers for d in (50, 31)])
        self.company.churn_case_capacity = 100
        self.slept()
        self.night(full=True)

        def count(partners):
            wizard = self._wizard(partners, user=self.manager)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            wizard.action_apply()
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        count(customers[:2])
        self.assertLessEqual(count(customers[6:33]), count(customers[3:6]) + 2)

    # ------------------------------------------------------------------ closing with a reason
    def _close(self, cases, **values):
        self.env["customer.churn.case.close"].with_user(self.seller).create(
            {"case_ids": [(6, 0, cases.ids)], **values}).action_apply()
        self.env.invalidate_all()

    def test_the_close_wizard_records_the_reason_and_closes(self):
        case = self.cases(self.anna)
        self._close(case, outcome="lost", root_id=self.reason("competitor").id, competitor_id=self.rival.id, note="Bye")
        self.assertEqual(
            (case.state, case.outcome, case.competitor_id, case.note), ("closed", "lost", self.rival, "Bye"))
        self.assertReasons(self.anna, "competitor")
        with self.assertRaisesRegex(UserError, "Anna"), self.env.cr.savepoint():
            self._close(case, outcome="lost", root_id=self.reason("other").id)
        self.assertReasons(self.anna, "competitor")

    def test_the_close_wizard_refuses_in_words_what_only_the_ledger_and_the_books_say(self):
        case = self.cases(self.anna)
        for outcome, words in (("won_back", "the ledger says it"), ("written_off", "debt is written off"),
                               ("sold", "sold is no outcome")):
            with self.assertRaisesRegex(UserError, words):
                self._close(case, outcome=outcome)
            wizard = self.env["customer.churn.case.close"].create({"case_ids": [(6, 0, case.ids)]})
            with self.assertRaisesRegex(UserError, words):
                wizard.outcome = outcome
        self.assertEqual(case.state, "open")

    def test_closing_without_a_reason_keeps_the_note_and_the_evidence(self):
        case = self.cases(self.anna)
        case.reason_id = self.reason("price")
        self._close(case, outcome="false_alarm", note="they told me", evidence=FILE, evidence_name="a.txt")
        self.assertEqual(
            (case.outcome, case.reason_id, case.note, case.evidence_name),
            ("false_alarm", self.reason("price"), "they told me", "a.txt"))
        self.assertReasons(self.anna, "price")

    # ------------------------------------------------------------------ what nobody touches
    @mute_logger("odoo.addons.base.models.ir_model")
    def test_answers_and_events_are_written_by_nobody(self):
        answer = self._record(self.profile(self.anna))
        event = self.profile(self.anna).event_ids[:1]
        for user in (self.seller, self.manager):
            with self.assertRaises(AccessError):
                answer.with_user(user).write({"reason_id": self.reason("price").id})
            with self.assertRaises(AccessError):
                answer.with_user(user).unlink()
            with self.assertRaises(AccessError):
                answer.with_user(user).create({"partner_id": self.anna.id, "company_id": self.company.id})
            with self.assertRaises(UserError):
                event.with_user(user).write({"reason_id": self.reason("price").id})

    def test_a_salesperson_sees_the_answers_of_own_customers(self):
        self._record(self.profile(self.anna) | self.profile(self.bert), user=self.manager)
        self.assertEqual(self.Answer.with_user(self.seller).search([]).partner_id, self.anna)

    def test_a_profile_that_is_made_again_has_its_reason_back(self):
        self._record(self.profile(self.anna))
        self.anna.churn_exclude = True
        self.night()
        self.anna.churn_exclude = False
        self.night()
        self.assertEqual(self.profile(self.anna).reason_id, self.reason("service"))

    def test_a_night_changes_no_reason(self):
        self._record(self.profile(self.anna))
        self.night(TODAY.replace(month=7, day=20))
        self.assertEqual(self.profile(self.anna).reason_id, self.reason("service"))
