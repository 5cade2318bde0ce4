from unittest.mock import patch

from odoo import fields
from odoo.tests import Form, tagged

from ..models.customer_churn_profile_timeline import TIMELINE_LIMIT
from .common import TODAY, ChurnCommon, before, day


@tagged("post_install", "-at_install", "customer_churn")
class TestProfileTimeline(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.with_salespeople()
        self.by_days()
        self.at(TODAY)

    def at(self, day):
        """People read on that day."""
        today = patch.object(fields.Date, "context_today", lambda *args: day)
        today.start()
        self.addCleanup(today.stop)

    def told(self, partner, user=None, limit=None, **context):
        """[(day, kind, text, amount, model of the document)]"""
        self.env.invalidate_all()
        profile = self.profile(partner).with_user(user or self.env.user).with_context(**context)
        [rows] = profile._get_timelines(limit).values()
        return [(row["date"], row["kind"], row["text"], row["amount"], row["res_model"]) for row in rows]

    def lived(self):
        """Anna bought twice, paid once late, turned at risk, said why, and bought again."""
        [first, _second] = self.bought(self.anna, before(60), before(40), amount=100)
        first.line_ids.date_maturity = before(50)
        self.paid(first, before(45))
        self.slept()
        self.night()
        case = self.cases(self.anna)
        case.with_user(self.seller).reason_id = self.reason("service")
        case.answer_ids.date = fields.Datetime.to_datetime(TODAY)
        self.bought(self.anna, day("2025-07-05"), amount=70)
        self.night(day("2025-07-06"))
        self.at(day("2025-07-06"))
        return case

    def test_everything_that_happened_newest_first(self):
        case = self.lived()
        self.assertEqual(case.outcome, "won_back")
        stake = case.revenue_at_stake
        rows = self.told(self.anna)
        name = self.env["account.move"].search(
            [("partner_id", "=", self.anna.id), ("invoice_date", "=", before(60))]).name
        self.assertEqual(rows, [
            (day("2025-07-06"), "case", "Case closed: Won Back", 70, "customer.churn.case"),
            (day("2025-07-05"), "status", "At Risk, now Active", None, None),
            (day("2025-07-05"), "purchase", "Bought", 70, "customer.churn.purchase"),
            (TODAY, "reason", f"Reason: {self.reason('service').display_name}", None,
             "customer.churn.reason.answer"),
            (TODAY, "case", f"Case opened, worked by {self.seller.name}", stake, "customer.churn.case"),
            *[row for row in rows if row[1] == "status" and row[0] == before(10)],
            (before(40), "purchase", "Bought", 100, "customer.churn.purchase"),
            (before(45), "payment", f"{name} paid 5 days late", 100, "account.move"),
            (before(60), "purchase", "Bought", 100, "customer.churn.purchase"),
        ])
        self.assertEqual(len(rows), 9)

    def test_a_salesperson_reads_it_without_the_documents_that_are_not_for_him(self):
        self.lived()
        rows = self.told(self.anna, self.seller)
        self.assertEqual(len(rows), 9)
        [late] = [row for row in rows if row[1] == "payment"]
        self.assertIsNone(late[4])

    def test_a_timeline_is_of_the_own_customer_only(self):
        self.lived()
        self.env.invalidate_all()
        self.assertFalse(self.profile(self.anna).with_user(self.other_seller)._get_timelines())
        Happening = self.env["customer.churn.happening"].with_user(self.other_seller)
        self.assertFalse(Happening._of(self.profile(self.anna)).search([]))
        self.assertFalse(Happening.search([]))

    def test_a_case_that_the_reader_may_not_see_is_left_out(self):
        self.lived()
        self.env["ir.rule"].create({
            "name": "No cases", "model_id": self.env["ir.model"]._get_id("customer.churn.case"),
            "groups": [], "domain_force": "[('user_id', '!=', user.id)]"})
        kinds = {row[1] for row in self.told(self.anna, self.seller)}
        self.assertEqual(kinds, {"status", "purchase", "reason", "payment"})

    def test_what_was_taken_back_did_not_happen(self):
        case = self.lived()
        case.answer_ids.action_undo()
        self.assertNotIn("reason", {row[1] for row in self.told(self.anna)})

    def test_the_newest_are_on_the_form_and_the_rest_a_click_away(self):
        self.anna.user_id = self.seller
        days = [before(3 * number + 1) for number in range(30)]
        self.bought(self.anna, *days, amount=5)
        self.night()
        self.env.invalidate_all()
        profile = self.profile(self.anna).with_user(self.seller)
        form = Form(profile)
        self.assertEqual(len(form.happening_ids), TIMELINE_LIMIT)
        action = profile.action_open_happenings()
        rows = self.env["customer.churn.happening"].with_user(self.seller).with_context(**action["context"])
        self.assertEqual(rows.search_count([]), 31)
        page = rows.search([], offset=20, limit=20)
        everything = rows.search([])
        self.assertEqual(everything[20:], page)
        self.assertEqual(everything[:TIMELINE_LIMIT].ids, [row.id for row in form.happening_ids._records]
                         if hasattr(form.happening_ids, "_records") else profile.happening_ids.ids)
        self.assertEqual(page.mapped("date"), sorted(page.mapped("date"), reverse=True))
        [(kind, count)] = rows._read_group([("kind", "=", "purchase")], ["kind"], ["__count"])
        self.assertEqual((kind, count), ("purchase", 30))

    def test_each_row_leads_to_its_document(self):
        self.lived()
        self.env.invalidate_all()
        profile = self.profile(self.anna)
        opened = {}
        for row in self.env["customer.churn.happening"]._of(profile).search([]):
            action = row.with_context(churn_happenings=[]).action_open_document()
            opened.setdefault(row.kind, action and action["res_model"])
        self.assertEqual(opened, {
            "case": "customer.churn.case", "status": False, "purchase": "customer.churn.purchase",
            "reason": "customer.churn.reason.answer", "payment": "account.move"})

    def test_other_addons_add_what_they_know(self):
        self.bought(self.anna, before(5))
        self.night()
        Profile = type(self.Profile)
        known = Profile._get_happenings

        def more(profiles, limit=None):
            return [*known(profiles, limit), *(
                {"customer": (profile.company_id.id, profile.partner_id.id), "date": before(1), "kind": "care",
                 "text": "Thanked"} for profile in profiles)]

        with patch.object(Profile, "_get_happenings", more):
            self.assertEqual(self.told(self.anna)[0], (before(1), "care", "Thanked", None, None))

    def test_what_a_credit_note_settled_was_not_paid_late(self):
        [invoice] = self.bought(self.anna, before(60), amount=100)
        invoice.line_ids.date_maturity = before(50)
        self.bought(self.anna, before(5))
        refund = self.credited(self.anna, before(10), amount=100)
        (invoice | refund).line_ids.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.night()
        self.assertNotIn("payment", {row[1] for row in self.told(self.anna)})

    def test_the_number_of_queries_does_not_grow(self):
        customers = self.customers(12)
        customers.user_id = self.seller
        for customer in customers:
            [first, _second] = self.bought(customer, before(60), before(40))
            first.line_ids.date_maturity = before(50)
            self.paid(first, before(45))
        self.night()
        profiles = self.Profile.search([("partner_id", "in", customers.ids)]).with_user(self.seller)

        def queries(count):
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(profiles[:count]._get_timelines()), count)
            return self.env.cr.sql_log_count - start

        queries(12)
        self.assertEqual(queries(12), queries(2))

    def test_it_speaks_the_reader_s_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"].search([("name", "=", "customer_churn")])._update_translations(["zh_CN"])
        self.lived()
        texts = {row[2] for row in self.told(self.anna, lang="zh_CN")}
        self.assertIn("已购买", texts)
        self.assertFalse([text for text in texts if text.isascii()])
