"""A case changes hands: who had it is told no more of it, and what is planned goes along."""

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import USER, ChurnCommon, later


@tagged("post_install", "-at_install", "customer_churn")
class TestCaseHandover(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days(dormant_days=1000, lost_days=2000)
        self.case = self.opened(self.anna)
        self.case.message_subscribe(self.manager.partner_id.ids)
        for user in (self.seller, self.manager):
            self.case.activity_schedule("mail.mail_activity_data_call", user_id=user.id)

    def assertHanded(self, *users):
        """The case, the activities of who had it, and its messages are of these and of the manager who follows it."""
        self.env.invalidate_all()
        self.assertEqual(self.case.message_partner_ids, self.manager.partner_id.union(*(u.partner_id for u in users)))
        self.assertEqual(self.case.activity_ids.user_id, self.manager.union(*users))

    def test_by_the_night(self):
        self.assertHanded(self.seller)
        self.anna.user_id = self.other_seller
        self.night(later(1))
        self.assertEqual(self.case.user_id, self.other_seller)
        self.assertHanded(self.other_seller)

    def test_by_hand(self):
        self.case.with_user(self.seller).user_id = self.other_seller
        self.assertHanded(self.other_seller)

    def test_for_many_at_once_each_from_its_owner(self):
        self.silent(self.bert)
        self.night(later(1))
        bert = self.cases(self.bert)
        bert.message_subscribe(self.seller.partner_id.ids)  # who is no owner of this one, and follows it
        (self.case | bert).with_user(self.manager).user_id = self.manager
        self.assertEqual(self.case.message_partner_ids, self.manager.partner_id)
        self.assertEqual(bert.message_partner_ids, self.seller.partner_id)

    def test_by_the_pool(self):
        self.company.write({
            "churn_pool": True, "churn_pool_days": 30, "churn_pool_warn_days": 7, "churn_pool_capacity": 5})
        self.night(later(23))
        self.night(later(30))
        self.assertEqual((self.case.pool_date, self.case.message_partner_ids), (later(30), self.manager.partner_id))
        self.case.with_user(self.other_seller).action_claim()
        self.assertHanded(self.other_seller)

    def test_who_keeps_it_keeps_following(self):
        self.case.with_user(self.seller).write({"user_id": self.seller.id, "note": "Called"})
        self.assertHanded(self.seller)


@tagged("post_install", "-at_install", "customer_churn")
class TestCaseOfAnActivity(ChurnCommon):
    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_whoever_is_to_do_something_on_a_case_opens_it_until_it_is_done(self):
        self.with_salespeople()
        self.by_days()
        case, leader = self.opened(self.anna), self._user("churn_leader", USER)
        with self.assertRaises(AccessError):
            case.with_user(leader).read(["note"])
        activity = case.activity_schedule("mail.mail_activity_data_call", user_id=leader.id)
        self.env.invalidate_all()
        case.with_user(leader).note = "They want a better price"
        self.assertEqual(case.note, "They want a better price")
        activity.with_user(leader).action_done()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            case.with_user(leader).read(["note"])
