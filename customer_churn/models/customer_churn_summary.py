"""The daily summary: one message a person and day with what waits for them, dearest first, instead of a mail for
each activity and each case."""

from collections import defaultdict
from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import format_date, formatLang

SHOWN = 20  # customers in a message; the others are a number
AHEAD_DAYS = 7  # deadlines that are so near are told


class CustomerChurnSummary(models.Model):
    """Who was told on which day: nobody is told twice."""

    _name = "customer.churn.summary"
    _description = "Daily Summary"
    _order = "date desc, id desc"
    _rec_name = "user_id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    user_id = fields.Many2one("res.users", required=True, readonly=True, index=True, ondelete="cascade")
    date = fields.Date(required=True, readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)

    _told_uniq = models.Constraint("UNIQUE (company_id, user_id, date)", "This person was told already today.")

    @api.model
    def _send(self, company, date):
        """Tell everybody at work what waits for them on `date`.

        :return: the summaries sent
        """
        if not company.churn_daily_summary:
            return self.browse()
        told = self.search([("company_id", "=", company.id), ("date", "=", date)]).user_id
        at_work = self.env["customer.churn.case"]._get_at_work(company)
        users = (self.env["res.users"].browse(at_work) - told).filtered("churn_daily_summary")
        waiting = self._get_waiting(company, users, date)
        summaries = self.create([
            {"company_id": company.id, "user_id": user.id, "date": date, "customer_count": len(waiting[user])}
            for user in users if waiting[user]])
        for summary in summaries:
            summary._tell(waiting[summary.user_id])
        return summaries

    # ------------------------------------------------------------------ what waits
    @api.model
    def _get_waiting(self, company, users, date):
        """{user: {customer: what waits, one function a sentence, which takes the environment of the reader}}"""
        waiting = defaultdict(lambda: defaultdict(list))
        for source in (self._get_activities, self._get_new_cases, self._get_deadlines):
            for user, customer, say in source(company, users, date):
                waiting[user][customer].append(say)
        return waiting

    @api.model
    def _get_activities(self, company, users, date):
        """Activities due on `date` or late, of cases and of customers. Those of a contact of all companies are told
        once: by the company whose care plan it was, else by the user's own. What is in the pool is nobody's."""
        activities = self.env["mail.activity"].search([
            ("user_id", "in", users.ids), ("date_deadline", "<=", date),
            ("res_model", "in", ("customer.churn.case", "res.partner"))])
        for model, some in activities.grouped("res_model").items():
            records = self.env[model].browse(some.mapped("res_id")).exists()
            if model == "customer.churn.case":
                customers = {
                    case.id: case.partner_id for case in records if case.company_id == company and not case.pool_date}
            else:
                customers = {partner.id: partner.commercial_partner_id for partner in records}
                some = some.filtered(lambda activity: company == (
                    self.env["res.partner"].browse(activity.res_id).company_id
                    or activity.care_treatment_id.company_id or activity.user_id.company_id))
            for activity in some:
                if customer := customers.get(activity.res_id):
                    yield activity.user_id, customer, self._say_activity(activity, date)

    @api.model
    def _say_activity(self, activity, date):
        def say(env):
            name = activity.summary or activity.with_env(env).activity_type_id.name or ""
            if activity.date_deadline == date:
                return env._("%(activity)s: today", activity=name)
            return env._("%(activity)s: since %(date)s", activity=name, date=format_date(env, activity.date_deadline))
        return say

    @api.model
    def _get_new_cases(self, company, users, date):
        cases = self.env["customer.churn.case"].search([
            ("company_id", "=", company.id), ("user_id", "in", users.ids), ("state", "=", "open"),
            ("opened_date", "=", date), ("is_control", "=", False)])  # who is left alone waits for nobody
        return [(case.user_id, case.partner_id, lambda env: env._("New case")) for case in cases]

    @api.model
    def _get_deadlines(self, company, users, date):
        """Own customers, of whom there is no open case, that turn at risk or dormant within a few days."""
        near = [(">", date), ("<=", date + timedelta(days=AHEAD_DAYS))]
        profiles = self.env["customer.churn.profile"].search([
            ("company_id", "=", company.id), ("user_id", "in", users.ids), ("case_id", "=", False), "|", "&", "&",
            ("status", "in", ("new", "active")), *(("at_risk_date", *part) for part in near), "&", "&",
            ("status", "=", "at_risk"), *(("dormant_date", *part) for part in near)])
        return [(profile.user_id, profile.partner_id,
                 lambda env, profile=profile: profile.with_env(env).next_deadline or "") for profile in profiles]

    # ------------------------------------------------------------------ the message
    def _tell(self, waiting):
        """One message in the reader's language and by the way that the reader prefers. `waiting` {customer: says}"""
        self.ensure_one()
        env = self.with_user(self.user_id).with_company(self.company_id).with_context(
            lang=self.user_id.lang, tz=self.user_id.tz, allowed_company_ids=self.company_id.ids).env
        rows = self._prepare_rows(env, waiting)
        money = sum(row["at_stake"] for row in rows)
        body = env["ir.qweb"]._render("customer_churn.customer_churn_summary_message", {
            "rows": rows[:SHOWN], "base_url": self.get_base_url(), "more": max(len(rows) - SHOWN, 0),
            "money": formatLang(env, money, currency_obj=self.company_id.currency_id)})
        self.env["mail.thread"].with_context(lang=self.user_id.lang).message_notify(
            partner_ids=self.user_id.partner_id.ids, body=Markup(body),
            subject=env._("Your customers, %(date)s: %(count)s", date=format_date(env, self.date), count=len(rows)))

    def _prepare_rows(self, env, waiting):
        """What is said of each customer, dearest first; of who has no profile, only what waits."""
        customers = env["res.partner"].union(*waiting)
        profiles = env["customer.churn.profile"].search([
            ("company_id", "=", self.company_id.id), ("partner_id", "in", customers.ids)])
        found = {profile.partner_id.id: profile for profile in profiles}
        base_url = self.get_base_url()
        rows = []
        for customer, says in waiting.items():
            profile = found.get(customer.id, profiles.browse())
            rows.append({
                "name": customer.display_name, "profile": profile, "at_stake": profile.revenue_at_stake,
                "link": f"{base_url}/odoo/" + (
                    f"customer-retention/{profile.id}" if profile else f"res.partner/{customer.id}"),
                "waits": list(dict.fromkeys(filter(None, (say(env) for say in says)))),
                "money": profile and formatLang(env, profile.revenue_at_stake, currency_obj=profile.currency_id)})
        return sorted(rows, key=lambda row: -row["at_stake"])
