from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .customer_churn_run import MANAGER
from .res_partner import USER

SATURDAY = 5


class ResCompany(models.Model):
    _inherit = "res.company"

    churn_share_unassigned = fields.Boolean(
        string="Salespeople See Customers Without a Salesperson", default=True,
    )
    churn_value_a_share = fields.Float(
        string="Value Class A Makes", required=True, default=0.7,
        help="Share of the money of a year that the customers of value class A make together.",
    )
    churn_value_b_share = fields.Float(
        string="Value Class B Makes", required=True, default=0.2,
        help="Share of the money of a year that the customers of value class B make together.",
    )
    churn_case_capacity = fields.Integer(
        string="New Cases per Person and Week", required=True, default=10,
        help="The analysis opens no more than so many a week for one owner, dearest first. 0: it opens none.",
    )
    churn_case_fallback_user_id = fields.Many2one(
        "res.users", string="Owner of Cases Without a Salesperson",
        domain=lambda self: self._churn_users_domain("id"),
        help="Where the customer has no salesperson at work, and no team whose leader is.",
    )
    churn_daily_summary = fields.Boolean(
        string="Daily Summary", default=True,
        help="One message a day and person with the customers that wait, dearest first. Everybody may switch it off in "
             "the own preferences.")

    churn_pool = fields.Boolean(
        string="Pool of Idle Customers", help="Customers whom nobody touches may be claimed by others.")
    churn_pool_days = fields.Integer(
        string="Days Untouched", required=True, default=60,
        help="Without a purchase, a message of a colleague, or an activity done, while at risk or dormant.")
    churn_pool_warn_days = fields.Integer(
        string="Warning Days", required=True, default=7, help="The owner is told so many days before. 0: not at all.")
    churn_pool_capacity = fields.Integer(
        string="Claims per Person and Week", required=True, default=5, help="0: nobody may claim.")
    churn_pool_lock_days = fields.Integer(
        string="Days of Lockout", required=True, default=30,
        help="So long the former owner may not claim the customer back.")
    churn_pool_unassign = fields.Boolean(
        string="Empty the Salesperson", help="The contact loses its salesperson too, and gets who claims it.")

    _churn_pool_days_positive = models.Constraint(
        "CHECK (churn_pool_days > churn_pool_warn_days AND churn_pool_warn_days >= 0 AND churn_pool_days <= 3650)",
        "The pool: the days untouched must be more than the warning days, and at most 3650; the warning days must not "
        "be negative.",
    )
    _churn_pool_claims_positive = models.Constraint(
        "CHECK (churn_pool_capacity >= 0 AND churn_pool_lock_days BETWEEN 0 AND 3650)",
        "The pool: claims per week and days of lockout must not be negative, and the days be at most 3650. Give 0 for "
        "none.",
    )
    _churn_case_capacity_positive = models.Constraint(
        "CHECK (churn_case_capacity >= 0)",
        "The number of new cases per person and week must not be negative. Give 0 to have none opened.",
    )

    def _get_working_day(self, day):
        """`day`, or the next one on which the company works: by its calendar if there is one, else no weekend."""
        self.ensure_one()
        calendar = self.resource_calendar_id if "resource_calendar_id" in self._fields else None
        if calendar:
            start = datetime.combine(day, time.min, tzinfo=ZoneInfo(calendar.tz or "UTC"))
            found = calendar.plan_days(1, start, compute_leaves=True)
            return found.date() if found else day
        return day + timedelta(days=max(7 - day.weekday(), 0)) if day.weekday() >= SATURDAY else day

    def _get_pool_date(self, date, idle_days):
        """When a customer comes into the pool whose owner is warned on `date`."""
        return fields.Date.add(date, days=max(self.churn_pool_warn_days, self.churn_pool_days - idle_days))

    @api.constrains("churn_value_a_share", "churn_value_b_share")
    def _check_churn_value_shares(self):
        for company in self:
            a, b = company._get_churn_value_shares()
            if not (a > 0 and b > 0 and a + b < 1):
                raise ValidationError(self.env._(
                    "%(company)s: the shares of value classes A and B must be above 0 %% and together below 100 %%. "
                    "Lower the larger one; what is left is class C.", company=company.name))

    # ------------------------------------------------------------------ who works here
    def _get_churn_users(self):
        """Who may own cases of the company: its active internal users of this app."""
        # sudo: depends on no reader
        users = self.env["res.users"].sudo().search([
            ("company_ids", "in", self.id), ("share", "=", False), ("all_group_ids", "in", self.env.ref(USER).id)])
        return users.with_env(self.env)

    @api.model
    def _churn_users_domain(self, company):
        """The same, to choose from on a screen. `company`: name of the field that has it"""
        group = self.env.ref(USER).id
        return f"[('company_ids', 'in', {company}), ('share', '=', False), ('all_group_ids', 'in', {group})]"

    def _check_churn_users(self, users):
        if strangers := users - self._get_churn_users():
            raise ValidationError(self.env._(
                "%(users)s cannot own cases of %(company)s: only active internal users of the company with access to "
                "Customer Retention can. Choose somebody else, or give the access first.",
                users=", ".join(strangers.mapped("name")), company=self.name))

    @api.constrains("churn_case_fallback_user_id")
    def _check_churn_case_fallback_user(self):
        for company in self:
            company._check_churn_users(company.churn_case_fallback_user_id)

    def _get_churn_value_shares(self):
        return self.churn_value_a_share, self.churn_value_b_share

    def _share_unassigned_customers(self, share):
        """Managers of this app decide it for their companies, who may not write these otherwise."""
        if not self.env.user.has_group(MANAGER) or self - self.env.user.company_ids:
            raise AccessError(self.env._(
                "Only managers of Customer Retention decide who gets the customers. Ask one of them."))
        # sudo: this one field; the right was checked above
        self.sudo().churn_share_unassigned = share
