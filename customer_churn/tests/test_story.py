"""Sixty nights on the published CDNOW log: purchases arrive, cases open and close, activities fall due, are done or go
to somebody else, some customers are left alone. At the end every figure equals a replay that shares nothing with the
addon but what the profiles said each night."""

import csv
import gzip
import hashlib
from collections import Counter
from datetime import date, timedelta

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL, file_open

from .common import USER, ChurnCommon

FIRST_NIGHT, NIGHTS = date(1998, 5, 2), 60
CAPACITY, CARE_CAPACITY, CONTROL, MEASURED, ESCALATED = 7, 5, 25, 30, 3
STEPS = (("Call", 1), ("Write", 8))
SNAPSHOT = """SELECT partner_id, id, status, status_date, last_purchase_date, revenue_at_stake, user_id
                FROM customer_churn_profile WHERE company_id = %s"""


class Replay:
    """The same sixty nights on plain Python objects. `documents` [(customer, day, amount)]"""

    def __init__(self, documents, plan, leader, diligent):
        self.documents, self.plan, self.leader, self.diligent = documents, plan, leader, diligent
        self.cases, self.care, self.met = [], [], set()

    def night(self, today, profiles):
        self.documents_known = [row for row in self.documents if row[1] <= today]
        self._close_cases(today, profiles)
        self._open_cases(today, profiles)
        self._look_after(today)
        self._treat(today, profiles)

    def _bought(self, customer, since, until):
        rows = [row for row in self.documents_known if row[0] == customer and since <= row[1] <= until]
        days = [day for _customer, day, amount in rows if amount > 0]
        return (min(days), round(sum(row[2] for row in rows), 2)) if days else (None, 0)

    def _get_case(self, customer):
        return next((case for case in self.cases if case["customer"] == customer and not case["outcome"]), None)

    def _close_cases(self, today, profiles):
        for case in self.cases:
            last = profiles[case["customer"]].last_purchase_date
            if not case["outcome"] and last > case["silent_since"]:
                case["outcome"], case["closed"] = "won_back", today
                case["won"] = self._bought(case["customer"], case["opened"], today)
                for care in self.care:
                    if care["case"] is case:
                        care["activities"] = [a for a in care["activities"] if a["done"]]

    def _open_cases(self, today, profiles):
        monday, room = today - timedelta(days=today.weekday()), Counter()
        for case in self.cases:
            room[case["owner"]] += case["opened"] >= monday
        for profile in sorted(profiles.values(), key=lambda p: (-p.revenue_at_stake, p.id)):
            met = any(case["customer"] == profile.partner_id and (
                not case["outcome"] or case["opened"] >= profile.status_date) for case in self.cases)
            if profile.status in ("at_risk", "dormant") and not met and room[profile.user_id] < CAPACITY:
                room[profile.user_id] += 1
                self.cases.append({
                    "customer": profile.partner_id, "owner": profile.user_id, "opened": today, "outcome": None,
                    "silent_since": profile.last_purchase_date, "won": (None, 0)})

    def _look_after(self, today):
        for care in self.care:
            care["bought"] = self._bought(care["customer"], care["date"], min(
                care["date"] + timedelta(days=MEASURED), today))
            if care["state"] == "open":
                if care["bought"][0] or (care["case"] and care["case"]["outcome"]):
                    care["state"] = "stopped"
                    care["activities"] = [a for a in care["activities"] if a["done"]]
                elif all(activity["done"] for activity in care["activities"]):
                    care["state"] = "done"
            for activity in care["activities"]:
                late = activity["due"] + timedelta(days=ESCALATED) < today
                if late and not activity["done"] and not activity["escalated"]:
                    activity["user"], activity["escalated"] = self.leader, True

    def _treat(self, today, profiles):
        monday, room = today - timedelta(days=today.weekday()), Counter()
        for care in self.care:
            room[care["user"]] += care["date"] >= monday and not care["is_control"]
        for profile in sorted(profiles.values(), key=lambda p: (-p.revenue_at_stake, p.id)):
            occasion = f"at_risk:{profile.last_purchase_date}"
            key = f"{self.plan}:{profile.partner_id}:{occasion}"
            if profile.status != "at_risk" or key in self.met or room[profile.user_id] >= CARE_CAPACITY:
                continue
            self.met.add(key)
            is_control = int(hashlib.md5(key.encode()).hexdigest()[:8], 16) / 2**32 * 100 < CONTROL
            room[profile.user_id] += not is_control
            self.care.append({
                "customer": profile.partner_id, "user": profile.user_id, "date": today, "is_control": is_control,
                "state": "control" if is_control else "open", "case": self._get_case(profile.partner_id),
                "bought": (None, 0), "activities": [] if is_control else [
                    {"step": step, "due": today + timedelta(days=days), "user": profile.user_id, "done": False,
                     "escalated": False} for step, days in STEPS]})

    def day(self, today):
        """Some people do what is due; the leader never gets to it."""
        for care in self.care:
            for activity in care["activities"]:
                if activity["user"] in self.diligent and activity["due"] <= today:
                    activity["done"] = True


@tagged("post_install", "-at_install", "customer_churn")
class TestStory(ChurnCommon):
    test_sequence = -1  # the longest of all begins first, so that no process is left alone with it

    def setUp(self):
        super().setUp()
        self.company.write({"churn_case_capacity": CAPACITY, "churn_daily_summary": True})
        self.sellers = [self._user(f"story_{number}", USER) for number in range(4)]
        self.leader = self._user("story_leader", USER)
        with file_open("customer_churn/demo/cdnow_sample.csv.gz", "rb") as packed, gzip.open(packed, "rt") as text:
            rows = list(csv.DictReader(text))
        numbers = sorted({row["customer_id"] for row in rows})
        customers = self.customers(len(numbers), "CDNOW")
        for place, seller in enumerate(self.sellers):
            self.env["res.partner"].browse(customers.ids[place::4]).user_id = seller
        ids = dict(zip(numbers, customers.ids, strict=True))
        self.documents = [
            (ids[row["customer_id"]], date.fromisoformat(row["date"]),
             float(row["amount"]) * (1 if row["type"] == "invoice" else -1)) for row in rows]
        self.plan = self.env["customer.care.plan"].create({
            "name": "First aid", "company_id": self.company.id, "trigger": "status_entered", "status": "at_risk",
            "capacity_per_week": CARE_CAPACITY, "control_share": CONTROL, "measure_days": MEASURED,
            "escalate_after_days": ESCALATED, "escalate_user_id": self.leader.id, "quiet_days": False,
            "activity_plan_id": self.env["mail.activity.plan"].create({
                "name": "Steps", "res_model": "res.partner", "company_id": False, "template_ids": [
                    Command.create({"activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                                    "summary": step, "delay_count": days, "delay_from": "after_plan_date"})
                    for step, days in STEPS]}).id})

    def test_sixty_nights(self):
        diligent = self.sellers[0] | self.sellers[1]
        replay = Replay(self.documents, self.plan.id, self.leader.id, set(diligent.ids))
        self.in_the_ledger([row for row in self.documents if row[1] < FIRST_NIGHT])
        self.env.cr.execute("ANALYZE account_move, res_partner")  # as the database would have by itself overnight
        for number in range(NIGHTS):
            today = FIRST_NIGHT + timedelta(days=number)
            if arrived := [row for row in self.documents if row[1] == today]:
                self.in_the_ledger(arrived)
            run = self.night(today)
            if not number:
                self.assertEqual(run.case_count, CAPACITY * len(self.sellers))
            self.plan._care(self.company, today)
            self.assertFalse(self.plan.error)
            replay.night(today, self.snapshot())
            self.do_what_is_due(diligent, today)
            replay.day(today)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertCases(replay)
        self.assertCare(replay)
        self.assertLift(replay)
        self.assertSummaries()

    def snapshot(self):
        self.env.flush_all()
        self.env.cr.execute(SQL(SNAPSHOT, self.company.id))
        names = [column.name for column in self.env.cr.description]
        return {row[0]: type("Profile", (), dict(zip(names, row, strict=True))) for row in self.env.cr.fetchall()}

    def do_what_is_due(self, users, today):
        self.env["mail.activity"].search([
            ("user_id", "in", users.ids), ("date_deadline", "<=", today),
            ("care_treatment_id", "!=", False)]).action_done()

    def assertCases(self, replay):
        found = self.Case.search([("company_id", "=", self.company.id)]).mapped(lambda case: (
            case.partner_id.id, case.user_id.id, case.opened_date, case.outcome or None, case.won_date or None,
            round(case.won_revenue, 2)))
        expected = [(case["customer"], case["owner"], case["opened"], case["outcome"], *case["won"])
                    for case in replay.cases]
        self.assertEqual(sorted(found, key=str), sorted(expected, key=str))
        self.assertGreater(sum(case["outcome"] == "won_back" for case in replay.cases), 5)

    def assertCare(self, replay):
        treatments = self.env["customer.care.treatment"].with_context(active_test=False).search([
            ("plan_id", "=", self.plan.id)])
        found = treatments.mapped(lambda care: (
            care.partner_id.id, care.user_id.id, care.date, care.is_control, care.state, care.bought_date or None,
            round(care.bought_revenue, 2),
            sorted((a.summary, a.date_deadline, a.user_id.id, not a.active, bool(a.care_escalated_from_id))
                   for a in care.activity_ids)))
        expected = [
            (care["customer"], care["user"], care["date"], care["is_control"], care["state"], *care["bought"],
             sorted((a["step"], a["due"], a["user"], a["done"], a["escalated"]) for a in care["activities"]))
            for care in replay.care]
        self.assertEqual(sorted(found, key=str), sorted(expected, key=str))
        self.assertEqual({care["state"] for care in replay.care}, {"open", "done", "stopped", "control"})
        self.assertTrue(any(a["escalated"] for care in replay.care for a in care["activities"]))

    def assertLift(self, replay):
        last = FIRST_NIGHT + timedelta(days=NIGHTS - 1)
        arms = {is_control: [care["bought"] for care in replay.care if care["is_control"] is is_control
                             and care["date"] + timedelta(days=MEASURED) < last] for is_control in (False, True)}
        result = self.env["customer.care.result"].browse(self.plan.id)
        self.assertEqual(
            (result.treated_count, result.treated_bought, result.control_count, result.control_bought),
            (len(arms[False]), sum(bool(day) for day, _money in arms[False]),
             len(arms[True]), sum(bool(day) for day, _money in arms[True])))
        means = [sum(money for _day, money in arm) / len(arm) for arm in arms.values()]
        self.assertAlmostEqual(result.treated_revenue, means[0], places=2)
        self.assertAlmostEqual(result.control_revenue, means[1], places=2)
        shares = [sum(bool(day) for day, _money in arm) / len(arm) for arm in arms.values()]
        self.assertAlmostEqual(result.difference, shares[0] - shares[1], places=9)

    def assertSummaries(self):
        """One message a person and day at most."""
        summaries = self.env["customer.churn.summary"].search([("company_id", "=", self.company.id)])
        self.assertLessEqual(len(summaries), NIGHTS * 5)
        self.assertGreater(len(summaries), NIGHTS)
