from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import format_date

from .common import TODAY, ChurnCommon, before


@tagged("post_install", "-at_install", "customer_churn")
class TestProfile(ChurnCommon):
    def _explained(self, partner, at=TODAY):
        profile = self.profile(partner)
        profile.invalidate_recordset()
        with patch.object(fields.Date, "context_today", lambda *args: at):
            return profile.explanation

    def test_one_purchase_claims_no_rhythm(self):
        self.bought(self.anna, before(10))
        self.night()
        sentence = self._explained(self.anna)
        self.assertTrue(sentence.startswith("Bought once; silent for 10 days."), sentence)
        self.assertNotIn("every", sentence)

    def test_two_purchases_are_said_to_be_two(self):
        self.bought(self.anna, before(31), before(10))
        self.bought(self.bert, before(11), before(10))
        self.night()
        self.assertIn("Bought twice, 21 days apart", self._explained(self.anna))
        self.assertIn("Bought twice, one day apart", self._explained(self.bert))

    def test_many_purchases_have_a_rhythm(self):
        self.bought(self.anna, *[before(1 + 21 * n) for n in range(5)])
        self.bought(self.bert, *[before(n) for n in range(5)])
        self.night()
        self.assertIn("Buys every 21 days as a rule; silent for one day.", self._explained(self.anna))
        self.assertIn("Buys every day as a rule; bought today.", self._explained(self.bert))

    def test_the_next_deadline_is_said(self):
        self.Policy.create({"name": "Days", "company_id": self.company.id, "rule": "days", "new_days": 1})
        self.bought(self.anna, before(20), before(10))
        self.night()
        profile = self.profile(self.anna)
        self.assertIn("Turns at risk on", self._explained(self.anna))
        self.assertIn("Turns dormant on", self._explained(self.anna, profile.at_risk_date))
        self.assertNotIn("Turns", self._explained(self.anna, profile.lost_date + timedelta(days=1)))

    def test_of_two_deadlines_on_one_day_the_last_is_said(self):
        self.Policy.create({
            "name": "Days", "company_id": self.company.id, "rule": "days", "at_risk_days": 15, "dormant_days": 40,
            "lost_days": 40, "new_days": 1})
        self.bought(self.anna, before(50), before(20))
        self.night()
        self.assertStatus(self.anna, "at_risk")
        self.assertIn("Turns lost on", self._explained(self.anna))

    def test_a_reader_of_chinese_reads_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.Policy.create({"name": "Days", "company_id": self.company.id, "rule": "days", "new_days": 1})
        self.bought(self.anna, *[before(10 + 21 * n) for n in range(5)])
        self.night()
        at_risk = self.profile(self.anna).at_risk_date
        with patch.object(fields.Date, "context_today", lambda *args: TODAY):
            explained = self.profile(self.anna).with_context(lang="zh_CN").explanation
        date = format_date(self.env, at_risk, lang_code="zh_CN")
        self.assertEqual(explained, f"通常每 21 天购买一次；已 10 天未购买。若无购买，将于 {date} 转为流失预警。")

    def test_partners_show_and_find_their_profile(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.bought(self.anna, before(5))
        self.night()
        profile = self.profile(self.anna)
        self.env.invalidate_all()
        for partner in (self.anna, contact):
            self.assertEqual(partner.churn_profile_id, profile)
            self.assertEqual(partner.churn_status, profile.status)
            self.assertEqual(partner.churn_last_purchase_date, before(5))
        self.assertFalse(self.bert.churn_status)
        mine = [("id", "in", (self.anna | self.bert | contact).ids)]

        def found(*condition):
            return self.env["res.partner"].search([*mine, condition])

        self.assertEqual(found("churn_status", "=", profile.status), self.anna | contact)
        self.assertEqual(found("churn_status", "!=", profile.status), self.bert)
        self.assertEqual(found("churn_status", "in", [profile.status, "lost"]), self.anna | contact)
        self.assertEqual(found("churn_status", "not in", [profile.status]), self.bert)
        self.assertEqual(found("churn_status", "=", False), self.bert)
        self.assertEqual(found("churn_status", "!=", False), self.anna | contact)
        self.assertEqual(found("churn_last_purchase_date", "<", TODAY), self.anna | contact)

    def test_partners_group_by_the_status_in_the_current_company(self):
        other = self._create_company("Other")
        self.bought(self.anna, before(5))
        self.bought(self.bert, before(5), company=other)
        self.night()
        self.night(company=other)
        mine = [("id", "in", (self.anna | self.bert).ids)]
        for company, customer in ((self.company, self.anna), (other, self.bert)):
            Partner = self.env["res.partner"].with_context(allowed_company_ids=company.ids)
            status = Partner.browse(customer.id).churn_status
            self.assertTrue(status)
            self.assertEqual(
                dict(Partner._read_group(mine, ["churn_status"], ["__count"])), {status: 1, False: 1})

    def test_contacts_and_archived_customers_lead_to_the_customer_s_profile(self):
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": self.anna.id})
        self.bought(self.anna, before(5))
        self.night()
        profile = self.profile(self.anna)
        self.anna.active = False
        self.env.invalidate_all()
        for partner in (self.anna, contact):
            action = partner.action_open_churn_profile()
            self.assertEqual((action["res_model"], action["res_id"]), (profile._name, profile.id))

    def test_the_next_deadline_names_status_and_day(self):
        self.Policy.create({"name": "Days", "company_id": self.company.id, "rule": "days", "new_days": 1})
        self.bought(self.anna, before(20), before(10))
        self.night()
        profile = self.profile(self.anna)
        for at, field, word in ((TODAY, "at_risk_date", "At risk on"),
                                (profile.at_risk_date, "dormant_date", "Dormant on")):
            profile.invalidate_recordset()
            with patch.object(fields.Date, "context_today", lambda *args, at=at: at):
                self.assertEqual(profile.next_date, profile[field])
                self.assertEqual(profile.next_deadline, f"{word} {format_date(self.env, profile[field])}")
        profile.invalidate_recordset()
        with patch.object(fields.Date, "context_today", lambda *args: profile.lost_date):
            self.assertEqual((profile.next_date, profile.next_deadline), (False, False))

    def test_statuses_stand_in_the_order_of_life(self):
        life = ["new", "active", "at_risk", "dormant", "lost"]
        customers = self.customers(5)
        profiles = self.Profile.create([
            {"company_id": self.company.id, "partner_id": customer.id, "status": status}
            for customer, status in zip(customers, ("lost", "active", "new", "dormant", "at_risk"), strict=True)])
        self.Event.create([
            {"company_id": self.company.id, "partner_id": profile.partner_id.id, "date": TODAY,
             "new_status": profile.status} for profile in profiles])
        for model, field in ((self.Profile, "status"), (self.Event, "new_status"),
                             (self.env["res.partner"], "churn_status")):
            mine = [("id" if model._name == "res.partner" else "partner_id", "in", customers.ids)]
            groups = [status for [status] in model._read_group(mine, [field])]
            self.assertEqual(groups, life, model)
            groups = [status for [status] in model._read_group(mine, [field], order=f"{field} desc")]
            self.assertEqual(groups, life[::-1], model)
            [rows] = model._read_grouping_sets(mine, [[field]], ["__count"], order=field)
            self.assertEqual([status for status, _count in rows], life, model)
            self.assertEqual(model.search(mine, order=field).mapped(field), life, model)

    def test_an_empty_screen_says_why_it_is_empty(self):
        seller = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        manager = self._user("churn_boss", "customer_churn.group_customer_churn_manager")
        action = self.env.ref("customer_churn.customer_churn_profile_action_mine")

        def said(user):
            # sudo: like the web client, which loads actions that nobody may read
            return action.with_user(user).sudo().read(["help", "res_model", "context"])[0]["help"]

        self.assertIn("No customer was analysed yet", said(seller))
        self.assertNotIn("Analyse Now", said(seller))
        self.assertIn("Analyse Now", said(manager))
        self.bought(self.anna, before(5))
        self.night()
        self.assertIn("No customer is yours", said(seller))
        self.anna.user_id = seller
        self.assertIn("None of your customers is going silent", said(seller))

    def test_events_are_for_ever(self):
        self.bought(self.anna, before(5))
        self.night()
        event = self.Event.search([("partner_id", "=", self.anna.id)])
        manager = self._user("churn_boss", "customer_churn.group_customer_churn_manager")
        with self.assertRaises(UserError):
            event.new_status = "lost"
        for act in (lambda e: e.write({"new_status": "lost"}), lambda e: e.unlink()):
            with self.assertRaises(UserError):  # or AccessError, which is one
                act(event.with_user(manager))
        with self.assertRaises(UserError):
            event.unlink()

    def test_an_event_opens_the_profile_and_without_one_the_customer(self):
        self.bought(self.anna, before(5))
        self.night()
        event = self.Event.search([("partner_id", "=", self.anna.id)])
        action = event.action_open_profile()
        self.assertEqual((action["res_model"], action["res_id"]), (self.Profile._name, event.profile_id.id))
        self.Profile.search([("partner_id", "=", self.anna.id)]).unlink()
        self.env.invalidate_all()
        action = event.action_open_profile()
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", self.anna.id))

    def test_a_customer_has_one_profile_per_company(self):
        self.bought(self.anna, before(5))
        self.night()
        self.night(TODAY + timedelta(days=1), full=True)
        self.assertEqual(len(self.profile(self.anna)), 1)
