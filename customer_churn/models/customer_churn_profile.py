from odoo import api, fields, models
from odoo.tools import SQL, format_date

STATUS = [
    ("new", "New"),
    ("active", "Active"),
    ("at_risk", "At Risk"),
    ("dormant", "Dormant"),
    ("lost", "Lost"),
]
DEADLINES = {"at_risk": "at_risk_date", "dormant": "dormant_date", "lost": "lost_date"}


class CustomerChurnProfile(models.Model):
    """What the ledger says of one customer of one company. Derived: written by the run alone, by one
    set-based statement (customer_churn_profile_refresh.py); for everybody else it is read-only."""

    _name = "customer.churn.profile"
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
    run_id = fields.Many2one("customer.churn.run", readonly=True, ondelete="set null")  # no index: see docs

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
    next_date = fields.Date(string="Next Deadline", compute="_compute_next_date", help="When the status changes next.")

    purchase_count = fields.Integer(string="Purchases", readonly=True, help="Days with at least one purchase.")
    first_purchase_date = fields.Date(string="First Purchase", readonly=True)
    last_purchase_date = fields.Date(string="Last Purchase", readonly=True, index=True)
    usual_gap_days = fields.Float(
        string="Usual Gap (Days)", digits=(16, 1), readonly=True, aggregator="avg",
        help="The median number of days between two purchases.",
    )
    gap_spread_days = fields.Float(
        string="Spread of the Gap (Days)", digits=(16, 1), readonly=True, aggregator="avg",
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
    expected_purchases = fields.Float(digits=(16, 1), readonly=True, help="In the next 365 days.")
    expected_revenue = fields.Monetary(readonly=True, help="In the next 365 days.")
    revenue_12m = fields.Monetary(string="Revenue of 12 Months", readonly=True)
    revenue_previous_12m = fields.Monetary(string="Revenue of the 12 Months Before", readonly=True)
    revenue_total = fields.Monetary(string="Total Revenue", readonly=True)
    revenue_at_stake = fields.Monetary(
        string="Revenue at Stake", readonly=True,
        help="What a year of this customer is worth, times the chance that no purchase comes.",
    )
    overdue_amount = fields.Monetary(
        string="Overdue", compute="_compute_overdue_amount", compute_sudo=True,  # salespeople read no journal items
        help="Open receivables past their due date, as of now.",
    )

    explanation = fields.Text(compute="_compute_explanation")
    is_stale = fields.Boolean(readonly=True, help="Documents moved to another customer: read again next night.")
    event_ids = fields.One2many("customer.churn.event", "profile_id", string="What Happened")
    event_count = fields.Integer(compute="_compute_event_count")

    # a constraint, no index alone: merging contacts looks for it before it moves rows
    _customer_uniq = models.Constraint(
        "UNIQUE (partner_id, company_id)", "A customer has one profile per company.",
    )
    _stale_idx = models.Index("(company_id) WHERE is_stale")

    # ------------------------------------------------------------------ computes
    @api.depends("status", "at_risk_date", "dormant_date", "lost_date")
    def _compute_next_date(self):
        today = fields.Date.context_today(self)
        for profile in self:
            profile.next_date = min(
                (profile[name] for name in DEADLINES.values() if profile[name] and profile[name] > today),
                default=False,
            )

    @api.depends("partner_id", "company_id")
    def _compute_overdue_amount(self):
        rows = self.env["account.move.line"]._read_group(
            [("account_type", "=", "asset_receivable"), ("parent_state", "=", "posted"), ("reconciled", "=", False),
             ("date_maturity", "<", fields.Date.context_today(self)),
             ("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids)],
            ["company_id", "partner_id"], ["amount_residual:sum"],
        )
        amounts = {(company, partner): amount for company, partner, amount in rows}
        for profile in self:
            profile.overdue_amount = max(amounts.get((profile.company_id, profile.partner_id), 0), 0)

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

    @api.depends("purchase_count", "usual_gap_days", "last_purchase_date", *DEADLINES.values())
    @api.depends_context("lang", "tz")
    def _compute_explanation(self):
        """Facts in the reader's language and as of the reader's day, so that no sentence goes stale."""
        today = fields.Date.context_today(self)
        for profile in self:
            facts = {"rhythm": profile._say_rhythm(), "silence": profile._say_silence(today)}
            if coming := profile._say_next(today):
                profile.explanation = self.env._("%(rhythm)s; %(silence)s. %(coming)s", **facts, coming=coming)
            else:
                profile.explanation = self.env._("%(rhythm)s; %(silence)s.", **facts)

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

    def _say_next(self, today):
        coming = [(self[name], status) for status, name in DEADLINES.items() if self[name] and self[name] > today]
        if not coming:
            return ""
        date, status = min(coming, key=lambda pair: pair[0])
        sentence = {
            "at_risk": self.env._("Turns at risk on %(date)s if no purchase comes."),
            "dormant": self.env._("Turns dormant on %(date)s if no purchase comes."),
            "lost": self.env._("Turns lost on %(date)s if no purchase comes."),
        }[status]
        return sentence % {"date": format_date(self.env, date)}

    # ------------------------------------------------------------------ buttons
    def action_open_partner(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "res.partner", "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }

    def action_schedule_activity(self):
        """The activity belongs to the customer: it outlives the profile, which is derived."""
        return self.partner_id._action_schedule_churn_activity()

    def action_open_invoices(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type"),
            "domain": [("move_type", "in", ("out_invoice", "out_refund", "out_receipt")), ("state", "=", "posted"),
                       ("company_id", "=", self.company_id.id), ("partner_id", "child_of", self.partner_id.id)],
            "context": {"create": False},
        }

    def action_open_purchases(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_purchase_action"),
            "domain": [("company_id", "=", self.company_id.id), ("partner_id", "=", self.partner_id.id)],
        }

    # ------------------------------------------------------------------ what is due
    @api.model
    def _get_due(self, company, at):
        """SQL of the customers whose status is no longer what their deadlines say on `at`, or that are stale."""
        return SQL(
            """SELECT p.partner_id FROM customer_churn_profile p
                 LEFT JOIN customer_churn_policy policy ON policy.id = p.policy_id
                WHERE p.company_id = %(company)s AND (
                      p.is_stale
                   OR (p.status IN ('new', 'active') AND p.at_risk_date <= %(at)s)
                   OR (p.status IN ('new', 'active', 'at_risk') AND p.dormant_date <= %(at)s)
                   OR (p.status <> 'lost' AND p.lost_date <= %(at)s)
                   OR (p.status = 'new' AND p.first_purchase_date + policy.new_days <= %(at)s))""",
            company=company.id, at=at,
        )
