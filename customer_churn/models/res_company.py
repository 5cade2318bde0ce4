from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .customer_churn_run import MANAGER

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
        "res.users", string="Owner of Cases Without a Salesperson", domain="[('share', '=', False)]",
        help="Where the customer has no salesperson at work, and no team whose leader is.",
    )
    churn_daily_summary = fields.Boolean(
        string="Daily Summary", default=True,
        help="One message a day and person with the customers that wait, dearest first. Everybody may switch it off in "
             "the own preferences.")

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

    @api.constrains("churn_value_a_share", "churn_value_b_share")
    def _check_churn_value_shares(self):
        for company in self:
            a, b = company._get_churn_value_shares()
            if not (a > 0 and b > 0 and a + b < 1):
                raise ValidationError(self.env._(
                    "%(company)s: the shares of value classes A and B must be above 0 %% and together below 100 %%. "
                    "Lower the larger one; what is left is class C.", company=company.name))

    def _get_churn_value_shares(self):
        return self.churn_value_a_share, self.churn_value_b_share

    def _share_unassigned_customers(self, share):
        """Managers of this app decide it for their companies, who may not write these otherwise."""
        if not self.env.user.has_group(MANAGER) or self - self.env.user.company_ids:
            raise AccessError(self.env._(
                "Only managers of Customer Retention decide who gets the customers. Ask one of them."))
        # sudo: this one field; the right was checked above
        self.sudo().churn_share_unassigned = share
