import random
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tests import tagged
from psycopg2.errors import SerializationFailure, UniqueViolation

from .common import PROFILE_COLUMNS, TODAY, ChurnCommon, before

LEDGER_COLUMNS = [name for name in PROFILE_COLUMNS if name != "status_date"]


@tagged("post_install", "-at_install", "customer_churn")
class TestRun(ChurnCommon):
    def _ledger(self, count=30, seed=7, since=900):
        """Customers that buy at random until they stop."""
        chance, customers = random.Random(seed), self.customers(count)
        rows = []
        for customer in customers:
            at, gap = chance.randrange(400, since), chance.choice((7, 20, 45, 90))
            stop = chance.choice((0, 0, 0, 100, 300))
            while at > stop:
                rows.append((customer.id, before(at), chance.randrange(1000, 50000) / 100))
                at -= chance.randrange(1, 2 * gap)
        self.in_the_ledger(rows)
        return customers

    def _by_days(self, **values):
        return self.Policy.create({
            "name": "Days", "company_id": self.company.id, "rule": "days", "at_risk_days": 30, "dormant_days": 60,
            "lost_days": 120, "new_days": 10, "single_rule": "same", **values})

    # ------------------------------------------------------------------ nights
    def test_the_first_run_is_full_and_the_second_is_not(self):
        self._ledger()
        run = self.night()
        self.assertEqual((run.kind, run.customer_count), ("full", 30))
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "nightly")

    def test_a_second_run_on_a_day_changes_nothing(self):
        self._ledger()
        self.night()
        stored, events = self.stored(), self.Event.search_count([("company_id", "=", self.company.id)])
        for full in (False, True):
            run = self.night(full=full)
            self.assertEqual((run.changed_count, run.event_count), (0, 0))
            self.assertEqual(self.stored(), stored)
        self.assertEqual(self.Event.search_count([("company_id", "=", self.company.id)]), events)

    def test_a_status_turns_on_exactly_its_deadline(self):
        self._by_days()
        self.bought(self.anna, before(40), before(20))
        self.slept()
        self.night()
        self.assertStatus(self.anna, "active")
        deadline = self.profile(self.anna).at_risk_date
        self.night(deadline - timedelta(days=1))
        self.assertStatus(self.anna, "active")
        self.night(deadline)
        self.assertStatus(self.anna, "at_risk")
        self.assertEqual(self.events(self.anna)[-1], (deadline, "active", "at_risk"))

    def test_after_missed_nights_the_event_is_dated_at_the_deadline(self):
        self._by_days()
        self.bought(self.anna, before(40), before(20))
        self.slept()
        self.night()
        deadline = self.profile(self.anna).at_risk_date
        self.night(deadline + timedelta(days=9))
        self.assertEqual(self.events(self.anna)[-1], (deadline, "active", "at_risk"))
        self.assertEqual(self.profile(self.anna).status_date, deadline)

    def test_a_customer_that_buys_again_is_active_that_night_by_one_event(self):
        self._by_days()
        self.bought(self.anna, before(200), before(150))
        self.slept()
        self.night()
        self.assertStatus(self.anna, "lost")
        count = len(self.events(self.anna))
        self.bought(self.anna, TODAY + timedelta(days=1))
        self.night(TODAY + timedelta(days=1))
        self.assertStatus(self.anna, "active")
        self.assertEqual(self.events(self.anna)[count:], [(TODAY + timedelta(days=1), "lost", "active")])

    def test_reversing_all_purchases_removes_the_profile_and_keeps_the_events(self):
        invoice = self.bought(self.anna, before(20))
        self.bought(self.bert, before(20))
        self.night()
        events = self.events(self.anna)
        self.reversed(invoice, TODAY + timedelta(days=1))
        self.night(TODAY + timedelta(days=1))
        self.assertFalse(self.profile(self.anna))
        self.assertTrue(self.profile(self.bert))
        self.assertTrue(events)
        self.assertEqual(self.events(self.anna), events)

    def test_a_night_reads_only_those_of_whom_something_changed(self):
        self._by_days(at_risk_days=3000, dormant_days=3000, lost_days=3000, new_days=0)
        self.in_the_ledger([(c.id, before(d), 50) for c in self.customers(40) for d in (200, 30)])
        self.night()
        self.bought(self.anna, TODAY + timedelta(days=1))
        run = self.night(TODAY + timedelta(days=1))
        self.assertEqual((run.kind, run.read_count), ("nightly", 1))

    def test_a_night_has_as_many_queries_for_60_changed_customers_as_for_6(self):
        customers = self._ledger(80)
        self.night()

        def count(changed, at):
            self.in_the_ledger([(customer.id, at, 50) for customer in customers[:changed]])
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(self.Run._run(self.company, date=at).kind, "nightly")
            return self.env.cr.sql_log_count - start

        count(1, TODAY + timedelta(days=1))
        self.assertEqual(count(6, TODAY + timedelta(days=2)), count(60, TODAY + timedelta(days=3)))

    def test_nightly_runs_say_what_a_full_run_says_of_everybody(self):
        customers = self._ledger(40)
        contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": customers[0].id})
        self.bought(contact, before(2))
        self.night()
        chance, at = random.Random(3), TODAY
        for _night in range(5):
            at += timedelta(days=chance.randrange(1, 5))
            changed = self.env["res.partner"].browse(chance.sample(customers.ids, 6))
            new = self.bought(changed[0], at, amount=chance.randrange(1, 999))
            self.bought(changed[1], at - timedelta(days=chance.randrange(1, 300)), amount=55)
            self.credited(changed[2], at, amount=12)
            changed[3].churn_exclude = not changed[3].churn_exclude
            if chance.random() < 0.5:
                self.reversed(new, at)
            contact.parent_id = changed[5]  # with what it bought before the last night
            contact = self.env["res.partner"].create({"name": "Buyer", "parent_id": changed[4].id})
            self.bought(contact, at - timedelta(days=2))
            run = self.night(at)
            self.assertEqual(run.kind, "nightly")
            self.assertLess(run.read_count, 40)
            nightly = self.stored(LEDGER_COLUMNS)
            same = run._load(run)
            with patch.object(type(self.Run), "_fit", lambda *args, same=same: same):
                self.night(at, full=True)
            self.assertEqual(self.stored(LEDGER_COLUMNS), nightly)

    # ------------------------------------------------------------------ what goes wrong
    def test_a_failing_run_leaves_nothing_half_and_tells_the_managers_once(self):
        self._ledger(5)
        self.night()
        stored = self.stored()
        manager = self._user("churn_boss", "customer_churn.group_customer_churn_manager")
        self.bought(self.anna, TODAY)
        refresh = type(self.Profile)._refresh

        def refresh_and_fail(*args, **kwargs):
            refresh(*args, **kwargs)
            raise ValueError("no disk left")

        for _attempt in range(2):
            with patch.object(type(self.Profile), "_refresh", refresh_and_fail):
                run = self.Run._run(self.company, date=TODAY)
            self.assertEqual(run.state, "failed")
            self.assertIn("no disk left", run.error)
        self.assertEqual(self.stored(), stored)
        activities = self.env["mail.activity"].search(
            [("res_model", "=", "customer.churn.run"), ("user_id", "=", manager.id)])
        self.assertEqual(len(activities), 1)
        self.assertEqual(self.Run._run(self.company, date=TODAY).state, "done")
        self.assertStatus(self.anna, "new")
        self.assertFalse(activities.exists(), "what is mended needs nobody any more")

    def test_a_second_run_at_once_says_so_and_stops(self):
        lock = "SELECT pg_advisory_xact_lock(%s, %s)"
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute(lock, (0x63687572, self.company.id))
            with self.assertRaisesRegex(UserError, "under way"):
                self.Run._run(self.company, date=TODAY)
            other.rollback()
        self.assertEqual(self.Run._run(self.company, date=TODAY).state, "done")

    def test_what_another_transaction_was_the_reason_of_is_tried_again(self):
        self.bought(self.anna, before(10))
        asked = self.Run.create({"company_id": self.company.id, "date": TODAY})
        real, tries = type(self.Run)._analyse, []

        def analyse(run):
            tries.append(run)
            if len(tries) < 3:
                raise (SerializationFailure, UniqueViolation)[len(tries) - 1]("somebody else was here")
            return real(run)

        with patch.object(type(self.Run), "_analyse", analyse), patch.object(self.env.cr, "rollback"):
            asked._take_up()
        self.assertEqual((asked.state, len(tries)), ("done", 3))

    def test_the_end_of_a_run_is_written_before_anybody_is_told(self):
        """Where a manager wrote the row meanwhile this is where it shows, and all can still be tried again."""
        states = []

        def tell(run):
            run.env.cr.execute("SELECT state FROM customer_churn_run WHERE id = %s", [run.id])
            states.extend(run.env.cr.fetchone())

        with patch.object(type(self.Run), "_tell", tell):
            self.night()
        self.assertEqual(states, ["done"])

    def test_a_run_does_not_wait_for_ever_for_the_rows_of_a_user(self):
        self.bought(self.anna, before(10))
        self.night()
        self.env.cr.execute("SHOW lock_timeout")
        self.assertEqual(self.env.cr.fetchone(), ("20s",))

    def test_a_run_asked_for_days_ago_is_done_as_of_today(self):
        asked = self.Run.create({"company_id": self.company.id, "date": before(8)})
        with patch.object(type(self.Run), "_get_today", lambda run, company: TODAY):
            asked._take_up()
        self.assertEqual((asked.state, asked.date), ("done", TODAY))

    def test_a_clock_that_was_set_back_does_not_undo_what_is_known(self):
        self.night()
        with patch.object(type(self.Run), "_get_today", lambda run, company: before(2)):
            self.assertEqual(self.Run._run(self.company).date, TODAY)

    def test_a_clock_that_was_years_ahead_is_made_good_by_the_next_night(self):
        self.bought(self.anna, before(5), before(10), before(15))
        self.night(TODAY + timedelta(days=3650))
        self.assertStatus(self.anna, "lost")
        with patch.object(type(self.Run), "_get_today", lambda run, company: TODAY):
            run = self.Run._run(self.company)
            self.assertEqual((run.date, run.kind, run.state), (TODAY, "full", "done"), run.error)
            self.assertEqual(self.Run._run(self.company).kind, "nightly")
        self.assertStatus(self.anna, "new")
        self.assertEqual(self.profile(self.anna).status_date, TODAY)

    def test_who_asks_for_a_run_finds_limits(self):
        """They are there before the first run is over, so that nobody makes others meanwhile."""
        self.assertFalse(self.Policy.search([("company_id", "=", self.company.id)]))
        self.Run._ask_for_runs(self.company)
        self.assertEqual(len(self.Policy.search([("company_id", "=", self.company.id)])), 1)

    def test_a_waiting_run_becomes_a_full_one_when_that_is_asked_for(self):
        self.night()
        waiting = self.Run.create({"company_id": self.company.id, "date": TODAY})
        self.assertEqual(self.Run._ask_for_runs(self.company, full=True), waiting)
        self.assertEqual(waiting.kind, "full")

    def test_a_change_that_is_not_committed_yet_lies_after_the_watermark(self):
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT now() AT TIME ZONE 'UTC'")
            [begun] = other.fetchone()
            self.assertLessEqual(self.Purchase._read_watermark(), begun)

    def test_an_earlier_date_is_refused(self):
        self.night()
        with self.assertRaisesRegex(UserError, "would undo"):
            self.Run._run(self.company, date=before(1))

    def test_the_cron_takes_up_a_killed_run_and_does_every_company(self):
        other = self._create_company("Other")
        self.bought(self.anna, before(10))
        self.bought(self.anna, before(10), company=other)
        killed = self.Run.create({"company_id": self.company.id, "date": TODAY, "state": "running"})
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 100), \
                patch.object(type(self.Run), "_get_today", lambda run, company: TODAY):
            self.Run._cron_run()
        self.assertEqual(killed.state, "done", killed.error)
        runs = self.Run.sudo().search([("company_id", "in", (self.company | other).ids)])
        self.assertEqual(runs.mapped("state"), ["done", "done"])
        self.assertTrue(self.profile(self.anna))
        self.assertTrue(self.Profile.sudo().with_context(allowed_company_ids=other.ids).search(
            [("partner_id", "=", self.anna.id), ("company_id", "=", other.id)]))

    def test_one_company_s_failure_lets_the_others_go_on(self):
        other = self._create_company("Other")
        real = type(self.Run)._analyse

        def analyse(run):
            if run.company_id == self.company:
                raise ValueError("broken")
            return real(run)

        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 100), \
                patch.object(type(self.Run), "_analyse", analyse):
            self.Run._cron_run()
        states = {run.company_id: run.state for run in self.Run.sudo().search(
            [("company_id", "in", (self.company | other).ids)])}
        self.assertEqual(states, {self.company: "failed", other: "done"})

    # ------------------------------------------------------------------ policies
    def test_a_policy_that_was_changed_archived_or_deleted_leads_to_a_fit(self):
        self._ledger(5)
        self.night()
        segment = self.Policy.create({
            "name": "Wholesale", "company_id": self.company.id, "domain": "[('is_company', '=', True)]", "sequence": 1})
        self.assertEqual(self.night(TODAY).kind, "full")
        self.assertEqual(self.profile(self.Profile.search([], limit=1).partner_id).policy_id, segment)
        segment.near_days = 60
        self.assertEqual(self.night(TODAY).kind, "full")
        segment.active = False
        self.assertEqual(self.night(TODAY).kind, "full")
        self.assertFalse(self.Profile.search([("policy_id", "=", segment.id)]))
        segment.unlink()
        self.assertEqual(self.night(TODAY).kind, "nightly")

    def test_a_forecaster_of_another_version_leads_to_a_fit(self):
        run = self.night()
        run.parameters = '{"format": 0}'
        self.assertEqual(self.night(TODAY + timedelta(days=1)).kind, "full")

    # ------------------------------------------------------------------ what happened stays
    def test_a_customer_that_was_excluded_for_a_while_keeps_its_history(self):
        self._by_days()
        self.bought(self.anna, before(200))
        self.night()
        events = self.events(self.anna)
        self.anna.churn_exclude = True
        self.night(TODAY + timedelta(days=1))
        self.assertFalse(self.profile(self.anna))
        self.anna.churn_exclude = False
        self.night(TODAY + timedelta(days=2))
        self.assertEqual(self.events(self.anna), events)
        self.assertEqual(len(self.profile(self.anna).event_ids), len(events))
        self.assertEqual(self.profile(self.anna).status_date, events[-1][0])

    def test_a_salesperson_who_changed_while_a_run_was_at_work_is_found_by_the_next(self):
        self.bought(self.anna, before(10))
        self.night()
        user = self._user("churn_seller", "customer_churn.group_customer_churn_user")
        self.env.cr.execute("UPDATE res_partner SET user_id = %s WHERE id = %s", [user.id, self.anna.id])
        self.env.invalidate_all()
        self.night(full=True)
        self.assertEqual(self.profile(self.anna).user_id, user)

    def test_what_is_known_of_a_merged_customer_is_seen_by_the_salesperson_of_the_other(self):
        old, new = (self._user(f"churn_{name}", "customer_churn.group_customer_churn_user") for name in ("old", "new"))
        self.anna.user_id, self.bert.user_id = old, new
        self.bought(self.anna, before(10))
        self.night()
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.anna | self.bert).ids, self.bert, extra_checks=False)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.profile(self.bert).user_id, new)
        self.assertEqual(self.Event.search([("partner_id", "=", self.bert.id)]).user_id, new)

    def test_events_outlive_the_contact(self):
        invoice = self.bought(self.anna, before(20))
        self.night()
        event = self.Event.search([("partner_id", "=", self.anna.id)])
        invoice.button_draft()
        invoice.unlink()
        self.anna.unlink()
        self.assertTrue(event.exists())

    # ------------------------------------------------------------------ size
    def test_a_run_has_as_many_queries_for_200_customers_as_for_10(self):
        def count(customers):
            company = self._create_company(f"Of {customers}")
            company.churn_case_capacity = 0  # some cases or none is another number: see test_case.py
            self.in_the_ledger(
                [(c.id, before(d), 50) for c in self.customers(customers) for d in (400, 200, 30)], company)
            self.Policy.create({"name": "All", "company_id": company.id})
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(self.Run._run(company.with_env(self.env), date=TODAY).state, "done")
            return self.env.cr.sql_log_count - start

        count(3)
        self.assertEqual(count(10), count(200))

    def test_an_empty_company_has_a_run_and_no_profile(self):
        run = self.night()
        self.assertEqual((run.customer_count, run.event_count), (0, 0))
        self.night(TODAY + timedelta(days=1))

    def test_ten_years_of_history_count(self):
        self.in_the_ledger([(self.anna.id, before(30 * n), 10) for n in range(122)])
        self.night()
        profile = self.profile(self.anna)
        self.assertEqual((profile.purchase_count, profile.revenue_total), (122, 1220))
        self.assertEqual((profile.first_purchase_date, profile.last_purchase_date), (before(30 * 121), TODAY))

    # ------------------------------------------------------------------ days
    def test_a_replay_says_what_a_run_on_that_day_said_and_stores_nothing(self):
        self._ledger()
        past = before(60)
        self.night(past)
        then = {partner: row["status"] for partner, row in self.stored().items()}
        self.night()
        stored, runs = self.stored(), self.Run.search_count([])
        replayed = self.Run._replay(self.company, past)
        self.assertEqual(dict(replayed["status"]), then)
        self.assertFalse(self.Run._replay(self._create_company("Other"), past).size)
        self.assertEqual(self.stored(), stored)
        self.assertEqual(self.Run.search_count([]), runs)

    def test_a_replay_gives_each_customer_the_policy_that_a_run_gives(self):
        self.anna.ref = "W"
        self.bought(self.anna, before(20))
        self.bought(self.bert, before(20))
        everybody = self.Policy.create({"name": "Everybody", "company_id": self.company.id})
        segment = self.Policy.create({
            "name": "Wholesale", "company_id": self.company.id, "domain": "[('ref', '=', 'W')]", "sequence": 2000})
        self.night()
        replayed = self.Run._replay(self.company, TODAY)
        for customer, policy in ((self.anna, segment), (self.bert, everybody)):
            self.assertEqual(self.profile(customer).policy_id, policy)
            self.assertEqual(replayed.policy_id[customer.id], policy.id)

    def test_the_company_s_time_zone_decides_the_day(self):
        self.company.partner_id.tz = "Pacific/Kiritimati"
        east = self.Run._get_today(self.company)
        self.company.partner_id.tz = "Pacific/Honolulu"
        self.assertEqual((east - self.Run._get_today(self.company)).days, 1)
