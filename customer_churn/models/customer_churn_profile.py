from markupsafe import Markup
from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from .customer_churn_status_mixin import STATUS

VALUE_CLASS = [("a", "A"), ("b", "B"), ("c", "C")]
VALUE_CLASS_CODES = [code for code, _name in VALUE_CLASS]
DEADLINES = {"at_risk": "at_risk_date", "dormant": "dormant_date", "lost": "lost_date"}


class CustomerChurnProfile(models.Model):
    """What the ledger says of one customer of one company. Derived: written by the run alone, by one
    set-based statement (customer_churn_profile_refresh.py); for everybody else it is read-only."""

    _name = "customer.churn.profile"
    _inherit = "customer.churn.status.mixin"
    _description = "Customer Profile"
    _order = "revenue_at_stake desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson", store=True, index="btree_not_null")
    country_id = fields.Many2one(related="partner_id.country_id")
    active_partner = fields.Boolean(related="partner_id.active", string="Customer Is Active")
    policy_id = fields.Many2one("customer.churn.policy", readonly=True, index="btree_not_null", ondelete="set null")
    run_id = fields.Many2one(
        "customer.churn.run", compute="_compute_run_id", search="_search_run_id", compute_sudo=True)

    status = fields.Selection(STATUS, required=True, readonly=True, index=True, group_expand=True)
    status_date = fields.Date(string="Status Since", readonly=True)
    at_risk_date = fields.Date(
        string="Turns At Risk", readonly=True, help="The day on which the customer turns at risk if no purchase comes.",
    )
    dormant_date = fields.Date(
        string="Turns Dormant", readonly=True, help="The day on which the customer turns dormant if no purchase comes.",
    )
    lost_date = fields.Date(
        string="Turns Lost", readonly=True, help="The day on which the customer turns lost if no purchase comes.",
    )
    next_date = fields.Date(
        string="Date of the Next Deadline", compute="_compute_next_date",
        help="When the status changes next if no purchase comes.",
    )

    purchase_count = fields.Integer(string="Purchases", readonly=True, help="Days with at least one purchase.")
    first_purchase_date = fields.Date(string="First Purchase", readonly=True)
    last_purchase_date = fields.Date(string="Last Purchase", readonly=True, index=True)
    usual_gap_days = fields.Float(
        string="Usual Gap (Days)", readonly=True, aggregator="avg",
        help="The median number of days between two purchases.",
    )
    gap_spread_days = fields.Float(
        string="Spread of the Gap (Days)", readonly=True, aggregator="avg",
        help="The middle half of the gaps lies within so many days.",
    )

    forecast_date = fields.Date(
        readonly=True, help="The chances and amounts are of this day: nothing happened since but silence.",
    )
    alive_probability = fields.Float(
        string="Chance to Be Still a Customer", readonly=True, aggregator="avg",
    )
    purchase_probability = fields.Float(
        string="Chance of Buying Again", readonly=True, aggregator="avg",
        help="Chance of at least one purchase within the policy's near horizon (90 days, unless changed).",
    )
    expected_purchases = fields.Float(readonly=True, help="In the next 365 days.")
    expected_revenue = fields.Monetary(readonly=True, help="In the next 365 days.")
    revenue_12m = fields.Monetary(string="Revenue of 12 Months", readonly=True)
    revenue_previous_12m = fields.Monetary(string="Revenue of the 12 Months Before", readonly=True)
    revenue_total = fields.Monetary(string="Total Revenue", readonly=True)
    revenue_at_stake = fields.Monetary(
        string="Revenue at Stake", readonly=True,
        help="What a year of this customer is worth, times the chance that no purchase comes.",
    )
    value_class = fields.Selection(
        VALUE_CLASS, readonly=True,
        help="By money, the better of the last and the previous 12 months: the dearest customers, who together make "
             "the first share of it (70 %, unless changed), are A, the next (20 %) are B, all others C.",
    )
    rfm_score = fields.Char(
        string="RFM Score", size=3, readonly=True,
        help="Recency of the last purchase, frequency of purchases, total revenue: a digit each, from 1 (the lowest "
             "fifth of the customers) to 5 (the highest fifth).",
    )
    explanation = fields.Text(compute="_compute_explanation")
    rhythm = fields.Text(compute="_compute_rhythm", help="The usual gap between two purchases, and the silence since.")
    next_deadline = fields.Char(compute="_compute_next_deadline", help="What the status turns to next, and when.")
    is_stale = fields.Boolean(readonly=True, help="Documents moved to another customer: read again next night.")
    event_ids = fields.One2many("customer.churn.event", "profile_id", string="What Happened")
    event_count = fields.Integer(compute="_compute_event_count")

    # a constraint, no index alone: merging contacts looks for it before it moves rows
    _customer_uniq = models.Constraint(
        "UNIQUE (partner_id, company_id)", "A customer has one profile per company.",
    )
    _stale_idx = models.Index("(company_id) WHERE is_stale")

    # ------------------------------------------------------------------ computes
    @api.depends("company_id", "forecast_date")
    def _compute_run_id(self):
        """The last analysis of the forecast's day: if it was stored, PostgreSQL would look it up for every row."""
        runs = self.env["customer.churn.run"].search([
            ("company_id", "in", self.company_id.ids), ("date", "in", self.mapped("forecast_date")),
            ("state", "=", "done")], order="id")
        last = {(run.company_id, run.date): run for run in runs}
        for profile in self:
            profile.run_id = last.get((profile.company_id, profile.forecast_date))

    def _search_run_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: which days these runs were is no secret
        runs = self.env["customer.churn.run"].sudo().browse(filter(None, value)).exists()
        return Domain.OR([
            *(Domain([("company_id", "=", run.company_id.id), ("forecast_date", "=", run.date)]) for run in runs),
            *([Domain("forecast_date", "=", False)] if False in value else [])])

    @api.depends(*DEADLINES.values())
    @api.depends_context("tz")
    def _compute_next_date(self):
        for profile in self:
            profile.next_date = profile._get_next()[0]

    def _get_next(self):
        """The next deadline and the status that it brings, the last of several on one day; nothing for who is lost."""
        today = fields.Date.context_today(self)
        coming = [(self[name], status) for status, name in DEADLINES.items() if self[name] and self[name] > today]
        return min(reversed(coming), key=lambda pair: pair[0], default=(False, False))

    @api.depends("event_ids")
    def _compute_event_count(self):
        counts = dict(self.env["customer.churn.event"]._read_group(
            [("profile_id", "in", self.ids)], ["profile_id"], ["__count"],
        ))
        for profile in self:
            profile.event_count = counts.get(profile, 0)

    @api.depends("partner_id", "status")
    def _compute_display_name(self):
        for profile in self:
            profile.display_name = profile.partner_id.display_name

    @api.depends("purchase_count", "usual_gap_days", "last_purchase_date")
    @api.depends_context("lang", "tz")
    def _compute_rhythm(self):
        """Facts in the reader's language and as of the reader's day, so that no sentence goes stale."""
        today = fields.Date.context_today(self)
        for profile in self:
            profile.rhythm = self.env._(
                "%(rhythm)s; %(silence)s.", rhythm=profile._say_rhythm(), silence=profile._say_silence(today))

    @api.depends("rhythm", *DEADLINES.values())
    @api.depends_context("lang", "tz")
    def _compute_explanation(self):
        for profile in self:
            coming = profile._say_next()
            profile.explanation = self.env._(
                "%(rhythm)s %(coming)s", rhythm=profile.rhythm, coming=coming) if coming else profile.rhythm

    @api.depends(*DEADLINES.values())
    @api.depends_context("lang", "tz")
    def _compute_next_deadline(self):
        sentence = {
            "at_risk": self.env._("At risk on %(date)s"),
            "dormant": self.env._("Dormant on %(date)s"),
            "lost": self.env._("Lost on %(date)s"),
        }
        for profile in self:
            date, status = profile._get_next()
            profile.next_deadline = status and sentence[status] % {"date": format_date(self.env, date)}

    def _say_rhythm(self):
        gap = round(self.usual_gap_days)
        if self.purchase_count < 2:
            return self.env._("Bought once")
        if self.purchase_count == 2:
            return self.env._("Bought twice, one day apart") if gap == 1 else self.env._(
                "Bought twice, %(days)s days apart", days=gap)
        if gap <= 1:
            return self.env._("Buys every day as a rule")
        return self.env._("Buys every %(days)s days as a rule", days=gap)

    def _say_silence(self, today):
        days = (today - self.last_purchase_date).days if self.last_purchase_date else 0
        if days <= 0:
            return self.env._("bought today")
        if days == 1:
            return self.env._("silent for one day")
        return self.env._("silent for %(days)s days", days=days)

    def _say_next(self):
        date, status = self._get_next()
        if not status:
            return ""
        sentence = {
            "at_risk": self.env._("Turns at risk on %(date)s if no purchase comes."),
            "dormant": self.env._("Turns dormant on %(date)s if no purchase comes."),
            "lost": self.env._("Turns lost on %(date)s if no purchase comes."),
        }[status]
        return sentence % {"date": format_date(self.env, date)}

    # ------------------------------------------------------------------ an empty screen
    @api.model
    def get_empty_list_help(self, help_message):
        """Nothing analysed, nobody assigned and nobody at risk look alike: say which it is."""
        # sudo: whether an analysis was done is no secret, but only managers read the runs
        runs = self.env["customer.churn.run"].sudo()
        if not runs.search_count([("state", "=", "done"), ("company_id", "in", self.env.companies.ids)], limit=1):
            return super().get_empty_list_help(self._say_not_analysed())
        mine = [("user_id", "=", self.env.uid), ("company_id", "in", self.env.companies.ids)]
        if self.env.context.get("churn_mine") and not self.search_count(mine, limit=1):
            return super().get_empty_list_help(self._say_empty(
                self.env._("No customer is yours"),
                self.env._("A customer is yours when you are the salesperson on the contact.")))
        return super().get_empty_list_help(help_message)

    @api.model
    def _say_empty(self, title, text):
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (title, text)

    @api.model
    def _say_not_analysed(self):
        title = self.env._("No customer was analysed yet")
        if not self.env.user.has_group("customer_churn.group_customer_churn_manager"):
            return self._say_empty(title, self.env._(
                "Customers with a posted invoice appear here after the first analysis, which runs at night. "
                "A manager of Customer Retention can start it at once."))
        button = Markup('<p><a type="action" name="%s" class="btn btn-primary">%s</a></p>') % (
            "customer_churn.customer_churn_run_action_server", self.env._("Analyse Now"))
        return self._say_empty(title, self.env._(
            "Customers with a posted invoice appear here after the first analysis. It runs every night; "
            "you can start it at once.")) + button
