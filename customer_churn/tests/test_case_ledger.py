from odoo.tests import tagged

from .common import TODAY, ChurnCommon, before, later


@tagged("post_install", "-at_install", "customer_churn")
class TestCaseLedger(ChurnCommon):
    """What the ledger answers, corrects and takes back."""

    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.policy = self.by_days()

    def dormant(self, partner):
        self.bought(partner, before(130), before(100), before(70))
        self.slept()
        self.night()
        return self.cases(partner)

    def won(self, case):
        return case.state, case.outcome, case.won_date, case.won_revenue

    # ------------------------------------------------------------------ booked late, or gone for a while
    def test_who_is_silent_in_spite_of_a_purchase_booked_late_keeps_the_case(self):
        case = self.dormant(self.anna)
        self.bought(self.anna, before(65))
        self.night(later(1))
        self.assertEqual((case.state, case.silent_since), ("open", before(65)))
        self.assertIn("stays open", case.message_ids[0].body)
        said = len(case.message_ids)
        self.night(later(2))
        self.assertEqual((self.cases(self.anna), len(case.message_ids)), (case, said))

    def test_a_false_alarm_by_a_late_booking_stays_open_when_a_person_opens_it_again(self):
        case = self.dormant(self.anna)
        self.bought(self.anna, before(10))
        self.night(later(1))
        self.assertEqual((case.outcome, case.silent_since), ("false_alarm", before(10)))
        case.action_reopen()
        self.night(later(2))
        self.assertEqual(case.state, "open")

    def test_a_false_alarm_by_a_late_booking_is_followed_by_a_new_case(self):
        case = self.dormant(self.anna)
        self.bought(self.anna, before(10))
        self.night(later(1))
        self.night(later(21))
        self.assertEqual(self.cases(self.anna).mapped("state"), ["closed", "open"])
        self.assertEqual(case.outcome, "false_alarm")

    def test_who_was_excluded_by_mistake_has_the_case_again(self):
        case = self.dormant(self.anna)
        run = self._exclude_for_a_night(self.anna, later(1))
        self.assertEqual((case.outcome, case.closed_run_id), ("false_alarm", run))
        self.night(later(2))
        self.assertEqual((self.cases(self.anna), case.state, case.closed_run_id.id), (case, "open", False))
        self.assertIn("Open again", case.message_ids[0].body)
        self.night(later(3))
        self.assertEqual((self.cases(self.anna), case.state), (case, "open"))

    def test_what_a_person_called_a_false_alarm_stays_closed(self):
        case = self.dormant(self.anna)
        case.action_close("false_alarm")
        self._exclude_for_a_night(self.anna, later(1))
        self.night(later(2))
        self.assertEqual((self.cases(self.anna), case.outcome), (case, "false_alarm"))

    def _exclude_for_a_night(self, partner, at):
        partner.churn_exclude = True
        run = self.night(at)
        partner.churn_exclude = False
        return run

    # ------------------------------------------------------------------ a win that is none
    def test_a_reversed_purchase_has_won_nothing_and_the_case_goes_on(self):
        case = self.dormant(self.anna)
        invoice = self.bought(self.anna, later(1), amount=500)
        self.night(later(1))
        self.assertEqual(self.won(case), ("closed", "won_back", later(1), 500))
        self.reversed(invoice, later(2))
        self.night(later(2))
        self.assertEqual(self.won(case), ("open", False, False, 0))
        self.assertIn("does not count any more", case.message_ids[0].body)
        self.bought(self.anna, later(5), amount=500)
        self.night(later(5))
        self.assertEqual(self.won(self.cases(self.anna)), ("closed", "won_back", later(5), 500))

    def test_its_owner_is_told(self):
        case = self.dormant(self.anna)
        invoice = self.bought(self.anna, later(1))
        self.night(later(1))
        self.reversed(invoice, later(2))
        mine = [("partner_ids", "in", self.seller.partner_id.ids)]
        told = self.env["mail.message"].search_count(mine)
        self.night(later(2))
        self.assertEqual(self.env["mail.message"].search_count(mine), told + 1)
        self.assertEqual(case.user_id, self.seller)

    def test_beside_a_newer_case_it_stays_closed_without_its_money(self):
        case = self.dormant(self.anna)
        invoice = self.bought(self.anna, later(1), amount=500)
        self.night(later(1))
        self.profile(self.anna).with_user(self.seller).action_open_case()
        newer = self.cases(self.anna) - case
        self.reversed(invoice, later(2))
        self.night(later(2))
        self.assertEqual(self.won(case), ("closed", "false_alarm", False, 0))
        self.assertEqual(newer.state, "open")

    # ------------------------------------------------------------------ the money
    def test_what_was_won_already_is_not_won_again(self):
        case = self.dormant(self.anna)
        self.bought(self.anna, later(1), amount=500)
        self.night(later(1))
        second = self.cases(self.anna)._open_all([{
            "company_id": self.company.id, "partner_id": self.anna.id, "opened_date": later(1),
            "trigger_status": "active", "user_id": self.seller.id}])
        self.bought(self.anna, later(4), amount=80)
        self.night(later(4))
        self.assertEqual(self.won(second), ("closed", "won_back", later(4), 80))
        self.assertEqual(case.won_revenue, 500)

    def test_what_was_bought_on_the_day_of_the_opening_but_before_it_is_not_won(self):
        self.bought(self.anna, TODAY, amount=300)
        self.night()
        self.profile(self.anna).with_user(self.seller).action_open_case()
        case = self.cases(self.anna)
        case.opened_date = TODAY
        self.night(later(1))
        self.assertEqual(case.state, "open")
        self.bought(self.anna, later(2), amount=80)
        self.night(later(2))
        self.assertEqual(self.won(case), ("closed", "won_back", later(2), 80))

    def test_credit_notes_that_outweigh_what_was_bought_leave_nothing_won_and_are_told(self):
        case = self.dormant(self.anna)
        self.bought(self.anna, later(1), amount=10)
        self.credited(self.anna, later(2), amount=300)
        self.night(later(3))
        self.assertEqual(self.won(case), ("closed", "won_back", later(1), 0))
        said = case.message_ids[0].body
        self.assertIn("10.00", said)
        self.assertIn("300.00", said)
        self.assertIn("outweigh", said)
