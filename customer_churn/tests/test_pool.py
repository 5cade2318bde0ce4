from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import CheckViolation

from .common import TODAY, USER, ChurnCommon, before


def later(days):
    return TODAY + timedelta(days=days)


@tagged("post_install", "-at_install", "customer_churn")
class TestPool(ChurnCommon):
    """Anna is silent for 40 days and at risk since ten; her case is opened today."""

    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days(dormant_days=1000, lost_days=2000)
        self.company.write({"churn_pool": True, "churn_pool_days": 30, "churn_pool_warn_days": 7})
        self.Move = self.env["customer.churn.pool.move"]
        self.bought(self.anna, before(60), before(40), amount=900)
        self.slept()
        self.night()
        self.case = self.cases(self.anna)

    def moves(self, partner=None):
        self.env.invalidate_all()
        moves = self.Move.search([("partner_id", "=", (partner or self.anna).id)], order="id")
        return [(move.kind, move.date, move.from_user_id, move.to_user_id) for move in moves]

    def told(self, user):
        return self.env["mail.message"].search([
            ("message_type", "=", "user_notification"), ("partner_ids", "in", user.partner_id.ids),
            ("subject", "like", "pool")])

    def touched(self, record, on, user=None, **values):
        message = record.with_user(user or self.seller).message_post(body="Hello", message_type="comment", **values)
        message.sudo().date = datetime.combine(on, datetime.min.time())
        return message

    def at(self, day):
        """Users act on that day."""
        today = patch.object(fields.Date, "context_today", lambda *args: day)
        today.start()
        self.addCleanup(today.stop)

    def pooled(self):
        self.night(later(23))
        self.night(later(30))
        self.assertEqual(self.case.pool_date, later(30))
        self.env.invalidate_all()

    # ------------------------------------------------------------------ the night
    def test_it_is_off_by_default(self):
        self.assertFalse(self.env["res.company"].create({"name": "New"}).churn_pool)
        self.company.churn_pool = False
        self.night(later(400))
        self.assertEqual((self.moves(), self.case.pool_date), ([], False))

    def test_the_owner_is_warned_and_loses_the_case_a_week_later(self):
        self.night(later(22))
        self.assertFalse(self.moves())
        self.night(later(23))
        warned = ("warned", later(23), self.seller, self.env["res.users"])
        self.assertEqual(self.moves(), [warned])
        self.assertIn("Anna", self.told(self.seller).body)
        self.assertIn("untouched for 23 days", self.told(self.seller).body)
        self.assertIn("07/30/2025", self.told(self.seller).body)
        self.night(later(29))
        self.assertEqual((self.moves(), self.case.user_id), ([warned], self.seller))
        self.night(later(30))
        self.assertEqual(self.moves(), [warned, ("pooled", later(30), self.seller, self.env["res.users"])])
        self.assertEqual((self.case.user_id.id, self.case.pool_date, self.case.state), (False, later(30), "open"))
        self.assertIn(
            f"nobody got in touch for 30 days. It was with {self.seller.name}.", self.case.message_ids[0].body)
        self.assertEqual(self.anna.user_id, self.seller)

    def test_the_same_night_again_does_nothing_and_the_next_leaves_it_there(self):
        self.pooled()
        moves, messages = self.moves(), len(self.case.message_ids)
        for night in (later(30), later(31), later(45)):
            self.night(night, full=True)
        self.assertEqual((self.moves(), len(self.case.message_ids)), (moves, messages))
        self.assertFalse(self.case.user_id)
        self.assertEqual(len(self.told(self.seller)), 1)

    def test_one_notification_for_all_customers_of_a_salesperson(self):
        others = self.customers(3)
        others.user_id = self.seller
        for customer, amount in zip(others, (100, 5000, 300), strict=True):
            self.bought(customer, before(60), before(40), amount=amount)
        self.bought(self.bert, before(60), before(40))
        self.night()
        self.night(later(23))
        [notice] = self.told(self.seller)
        self.assertIn(": 4", notice.subject)
        places = [notice.body.index(name) for name in ("Customer 1<", "Anna", "Customer 2<", "Customer 0<")]
        self.assertEqual(places, sorted(places))
        self.assertEqual(len(self.told(self.other_seller)), 1)

    def test_a_touch_keeps_the_customer(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        for record in (self.anna, contact, self.case):
            with self.subTest(touched=record), self.env.cr.savepoint() as savepoint:
                self.touched(record, later(10))
                self.night(later(23))
                self.assertFalse(self.moves())
                self.night(later(33))
                self.assertEqual([move[0] for move in self.moves()], ["warned"])
                savepoint.rollback()

    def test_a_touch_after_the_warning_starts_the_count_again(self):
        self.night(later(23))
        self.touched(self.anna, later(25))
        self.night(later(30))
        self.night(later(47))
        self.assertFalse(self.case.pool_date)
        self.night(later(48))
        self.assertEqual([move[:2] for move in self.moves()], [("warned", later(23)), ("warned", later(48))])
        self.night(later(55))
        self.assertEqual(self.case.pool_date, later(55))

    def test_an_activity_done_is_a_touch_and_one_planned_is_none(self):
        activity = self.case.activity_schedule("mail.mail_activity_data_todo", user_id=self.seller.id)
        with self.env.cr.savepoint() as savepoint:
            activity.with_user(self.seller).action_feedback(feedback="Called")
            self.case.message_ids[0].date = datetime.combine(later(10), datetime.min.time())
            self.night(later(23))
            self.assertFalse(self.moves())
            savepoint.rollback()
        self.night(later(23))
        self.assertTrue(self.moves())

    def test_what_a_customer_writes_or_the_system_logs_is_no_touch(self):
        self.touched(self.anna, later(10), self.env.user, author_id=self.anna.id)
        self.case._message_log(body="Something changed")
        self.case.message_ids[0].date = datetime.combine(later(10), datetime.min.time())
        self.night(later(23))
        self.assertTrue(self.moves())

    def test_a_purchase_is_a_touch(self):
        self.bought(self.anna, later(5))
        for night in (later(6), later(23), later(30)):
            self.night(night)
        self.assertEqual((self.case.outcome, self.moves()), ("won_back", []))

    def test_a_customer_without_a_case_gets_one_in_the_pool(self):
        self.company.churn_case_capacity = 0
        self.bought(self.bert, before(60), before(40))
        self.night()
        self.assertFalse(self.cases(self.bert))
        self.night(later(13))  # at risk since day -10
        self.night(later(20))
        case = self.cases(self.bert)
        self.assertEqual((case.pool_date, case.user_id.id, case.state), (later(20), False, "open"))

    def test_nobody_takes_who_is_nobody_s_left_alone_or_given_up(self):
        self.bought(self.bert, before(60), before(40))
        self.bought(self.cleo, before(60), before(40))
        self.night()
        self.assertFalse(self.cases(self.cleo).user_id)
        self.cases(self.bert).is_control = True
        self.at(TODAY)
        self.case.action_close("lost")
        self.night(later(200))
        self.assertFalse(self.Move.search([("company_id", "=", self.company.id)]))

    def test_without_a_warning_where_none_is_wanted(self):
        self.company.churn_pool_warn_days = 0
        self.night(later(29))
        self.assertFalse(self.moves())
        self.night(later(30))
        self.assertEqual([move[0] for move in self.moves()], ["pooled"])

    def test_who_was_idle_before_it_was_switched_on_is_warned_first(self):
        self.company.churn_pool = False
        self.night(later(100))
        self.company.churn_pool = True
        self.night(later(101))
        self.assertEqual([move[0] for move in self.moves()], ["warned"])
        self.night(later(107))
        self.assertFalse(self.case.pool_date)
        self.night(later(108))
        self.assertTrue(self.case.pool_date)

    def test_limits_that_make_no_sense_are_refused(self):
        for values in ({"churn_pool_days": 7}, {"churn_pool_warn_days": -1}, {"churn_pool_capacity": -1},
                       {"churn_pool_lock_days": -1}, {"churn_pool_days": 10**9}, {"churn_pool_lock_days": 10**9}):
            with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.company.write(values)
                self.env.flush_all()

    def test_a_night_asks_the_same_number_of_questions_for_many(self):
        self.company.churn_case_capacity = 1000

        def queries(count, start):
            customers = self.customers(count, f"From {start}")
            customers.user_id = self.seller
            for customer in customers:
                self.bought(customer, before(60, start), before(40, start))
            for days in (0, 23):
                self.night(start + timedelta(days=days))
            run = self.Run.create(
                {"company_id": self.company.id, "date": start + timedelta(days=30), "kind": "nightly"})
            self.env.flush_all()
            self.env.invalidate_all()
            asked = self.env.cr.sql_log_count
            self.Case._fill_pool(run)
            self.env.flush_all()
            asked = self.env.cr.sql_log_count - asked
            pooled = self.Case.search([("partner_id", "in", customers.ids), ("pool_date", "=", run.date)])
            self.assertEqual(len(pooled), count)
            self.Case.search([("state", "=", "open")]).action_close("lost")
            return asked

        queries(2, TODAY)
        few = queries(4, later(100))
        self.assertEqual(queries(20, later(200)), few)

    # ------------------------------------------------------------------ claiming
    def test_a_colleague_sees_and_claims_it(self):
        self.assertFalse(self.case.with_user(self.other_seller).has_access("read"))
        self.assertFalse(self.profile(self.anna).with_user(self.other_seller).has_access("read"))
        self.pooled()
        self.company.churn_share_unassigned = False
        for user in (self.seller, self.other_seller):
            self.assertTrue(self.case.with_user(user).has_access("read"))
            self.assertTrue(self.profile(self.anna).with_user(user).has_access("read"))
            self.assertIn(self.profile(self.anna), self.Profile.with_user(user).search([]))
        activity = self.case.activity_schedule("mail.mail_activity_data_todo", user_id=self.seller.id)
        self.at(later(31))
        action = self.case.with_user(self.other_seller).action_claim()
        self.assertEqual(action["res_id"], self.case.id)
        self.assertEqual((self.case.user_id, self.case.pool_date), (self.other_seller, False))
        self.assertEqual(self.moves()[-1], ("claimed", later(31), self.env["res.users"], self.other_seller))
        self.assertIn("Claimed from the pool by churn_other_seller", self.case.message_ids[0].body)
        self.assertIn(self.other_seller.partner_id, self.case.message_partner_ids)
        self.assertEqual(activity.user_id, self.other_seller)
        self.assertTrue(self.case.with_user(self.other_seller).has_access("write"))
        self.assertTrue(self.profile(self.anna).with_user(self.other_seller).has_access("read"))
        self.night(later(32))
        self.assertEqual(self.case.user_id, self.other_seller)

    def test_the_contact_follows_where_the_settings_say_so(self):
        self.company.churn_pool_unassign = True
        self.pooled()
        self.assertFalse(self.anna.user_id)
        self.at(later(31))
        self.case.with_user(self.other_seller).action_claim()
        self.assertEqual(self.anna.user_id, self.other_seller)

    def test_the_former_owner_waits(self):
        self.pooled()
        self.at(later(59))
        with self.assertRaisesRegex(UserError, "Anna was yours until 07/30/2025.*08/29/2025"):
            self.case.with_user(self.seller).action_claim()
        self.at(later(60))
        self.case.with_user(self.seller).action_claim()
        self.assertEqual(self.case.user_id, self.seller)

    def test_so_many_a_week(self):
        self.company.churn_pool_capacity = 2
        others = self.customers(2)
        others.user_id = self.seller
        for customer in others:
            self.bought(customer, before(60), before(40))
        self.night()
        self.pooled()
        first, second = (self.cases(customer).with_user(self.other_seller) for customer in others)
        self.at(later(30))  # Wednesday
        first.action_claim()
        second.action_claim()
        self.at(later(34))  # Sunday
        with self.assertRaisesRegex(UserError, "claimed 2 customers this week.*08/04/2025"):
            self.case.with_user(self.other_seller).action_claim()
        self.at(later(35))
        self.case.with_user(self.other_seller).action_claim()

    def test_what_is_not_in_the_pool_is_not_claimed(self):
        self.pooled()
        third = self._user("churn_third_seller", USER)
        self.at(later(31))
        self.case.with_user(self.other_seller).action_claim()
        with self.assertRaises(AccessError):
            self.case.with_user(third).action_claim()
        with self.assertRaisesRegex(UserError, "Anna is not in the pool any more: churn_other_seller"):
            self.case.with_user(self.manager).action_claim()
        self.case.with_user(self.other_seller).action_close("lost")
        with self.assertRaisesRegex(UserError, "Anna is not in the pool"):
            self.case.with_user(self.manager).action_claim()

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_nobody_gets_round_the_claim(self):
        self.pooled()
        clerk = self._user("churn_clerk", "base.group_user")
        stranger = self._user("churn_stranger", USER, self._create_company("Sister"))
        for user in (clerk, stranger):
            with self.assertRaises(AccessError):
                self.case.with_user(user).action_claim()
        for user in (self.seller, self.other_seller):
            case = self.case.with_user(user)
            with self.assertRaisesRegex(UserError, "Anna: in the pool. Claim the case first"):
                case.user_id = user
            with self.assertRaisesRegex(UserError, "Anna: in the pool. Claim the case first"):
                case.action_close("lost")
            with self.assertRaises(UserError):
                case.pool_date = False
        self.assertFalse(self.case.user_id)
        self.assertEqual(self.case.state, "open")

    # ------------------------------------------------------------------ out of the pool in other ways
    def test_a_manager_gives_it_back(self):
        self.pooled()
        self.at(later(31))
        self.case.with_user(self.manager).user_id = self.seller
        self.assertEqual(self.moves()[-1], ("returned", later(31), self.env["res.users"], self.seller))
        self.assertFalse(self.case.pool_date)
        self.night(later(32))
        self.assertEqual(self.case.user_id, self.seller)
        self.night(later(60))
        self.assertEqual(self.moves()[-1][:2], ("warned", later(60)))

    def test_a_purchase_takes_it_out(self):
        self.pooled()
        self.bought(self.anna, later(31))
        self.at(later(32))
        self.night(later(32))
        self.assertEqual((self.case.outcome, self.case.pool_date), ("won_back", False))
        self.assertEqual(self.moves()[-1], ("returned", later(32), self.env["res.users"], self.env["res.users"]))

    def test_moves_are_a_record(self):
        self.pooled()
        move = self.Move.search([("partner_id", "=", self.anna.id)], limit=1)
        with self.assertRaises(UserError):
            move.date = TODAY
        with self.assertRaises(UserError):
            move.unlink()
        self.assertFalse(move.with_user(self.other_seller).has_access("read"))
        self.assertTrue(move.with_user(self.seller).has_access("read"))
        self.assertTrue(move.with_user(self.manager).has_access("read"))
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            self.Move.with_user(self.manager).create({
                "company_id": self.company.id, "kind": "claimed", "date": TODAY})

    def test_the_timeline_tells_of_it(self):
        self.pooled()
        [rows] = self.profile(self.anna)._get_timelines().values()
        self.assertEqual([row["text"] for row in rows if row["kind"] == "pool"], [
            f"Into the pool, from {self.seller.name}",
            f"{self.seller.name} was warned: into the pool unless somebody gets in touch"])
