"""Does a care plan work? Who was treated against who was left alone: figures a plan, worked out when read."""

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine.lift import Arm, compare_means, compare_shares, count_needed, judge

VERDICT = [
    ("works", "Works"),
    ("harms", "Does Harm"),
    ("no_difference", "Makes No Difference"),
    ("too_early", "Too Early to Say"),
    ("no_control", "Nobody Is Left Alone"),
]
SUMS = ("count", "bought", "bought_ss", "bought_sm", "mm", "revenue", "revenue_ss", "revenue_sm")


class CustomerCareResult(models.Model):
    """One row a plan. An occasion is measured when the ledger was looked at after its last day, whatever became of
    the treatment meanwhile: who was drawn to be left alone stays in that arm, who was to be treated in the other."""

    _name = "customer.care.result"
    _description = "Care Result"
    _auto = False
    _order = "company_id, plan_id"
    _rec_name = "plan_id"

    plan_id = fields.Many2one("customer.care.plan", string="Care Plan", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    measure_days = fields.Integer(related="plan_id.measure_days")
    treated_count = fields.Integer(string="Treated", readonly=True, help="Measured ones.")
    control_count = fields.Integer(string="Left Alone", readonly=True, help="Measured ones.")
    treated_bought = fields.Integer(string="Treated: Bought Again", readonly=True)
    control_bought = fields.Integer(string="Left Alone: Bought Again", readonly=True)
    treated_buyer_share = fields.Float(string="Treated: Share That Bought Again", readonly=True, aggregator="avg")
    control_buyer_share = fields.Float(string="Left Alone: Share That Bought Again", readonly=True, aggregator="avg")
    treated_revenue = fields.Monetary(string="Treated: Revenue Each", readonly=True, aggregator="avg")
    control_revenue = fields.Monetary(string="Left Alone: Revenue Each", readonly=True, aggregator="avg")
    waiting_count = fields.Integer(string="Not Measured Yet", readonly=True)
    anyway_count = fields.Integer(
        string="Treated Anyway", readonly=True,
        help="Drawn to be left alone, but somebody did something: they still count as left alone.")

    difference = fields.Float(compute="_compute_verdict", help="Share treated less share left alone.")
    difference_low = fields.Float(string="At Least", compute="_compute_verdict", help="95 % interval.")
    difference_high = fields.Float(string="At Most", compute="_compute_verdict", help="95 % interval.")
    revenue_difference = fields.Monetary(compute="_compute_verdict", help="A customer, treated less left alone.")
    revenue_difference_low = fields.Monetary(string="Revenue: At Least", compute="_compute_verdict")
    revenue_difference_high = fields.Monetary(string="Revenue: At Most", compute="_compute_verdict")
    revenue_gained = fields.Monetary(
        compute="_compute_verdict", help="Of all treated customers together, against having left them alone.")
    verdict = fields.Selection(VERDICT, compute="_compute_verdict")
    explanation = fields.Char(string="In Words", compute="_compute_verdict")

    # ------------------------------------------------------------------ figures
    @property
    def _table_query(self):
        return SQL(
            """SELECT p.id, p.id AS plan_id, p.company_id,
                      COALESCE(t.count, 0) AS treated_count, COALESCE(c.count, 0) AS control_count,
                      COALESCE(t.bought, 0) AS treated_bought, COALESCE(c.bought, 0) AS control_bought,
                      t.bought::float8 / t.count AS treated_buyer_share,
                      c.bought::float8 / c.count AS control_buyer_share,
                      t.revenue / t.count AS treated_revenue, c.revenue / c.count AS control_revenue,
                      COALESCE(w.waiting_count, 0) AS waiting_count, COALESCE(w.anyway_count, 0) AS anyway_count
                 FROM customer_care_plan p
                 LEFT JOIN (%(arms)s) t ON t.plan_id = p.id AND NOT t.is_control
                 LEFT JOIN (%(arms)s) c ON c.plan_id = p.id AND c.is_control
                 LEFT JOIN (SELECT plan_id, count(*) FILTER (WHERE NOT is_measured) AS waiting_count,
                                   count(*) FILTER (WHERE is_control AND treated_anyway_date IS NOT NULL)
                                       AS anyway_count
                              FROM (%(occasions)s) o GROUP BY plan_id) w ON w.plan_id = p.id
                WHERE w.plan_id IS NOT NULL OR p.active""",
            arms=self._arms_sql(), occasions=self._occasions_sql())

    @api.model
    def _occasions_sql(self):
        """Every occasion on which a customer met a plan: what it bought, and whether that is the last word."""
        return SQL(
            """SELECT t.plan_id, t.partner_id, t.is_control, t.treated_anyway_date,
                      (t.bought_date IS NOT NULL)::int AS bought, COALESCE(t.bought_revenue, 0) AS revenue,
                      t.date + p.measure_days < COALESCE(r.date, t.date) AS is_measured
                 FROM customer_care_treatment t JOIN customer_care_plan p ON p.id = t.plan_id
                 LEFT JOIN (SELECT company_id, max(date) AS date FROM customer_churn_run
                             WHERE state = 'done' GROUP BY company_id) r ON r.company_id = t.company_id""")

    @api.model
    def _arms_sql(self):
        """The measured occasions of a plan's two arms as the sums of `engine.lift.Arm`."""
        return SQL(
            """SELECT plan_id, is_control, sum(m)::int AS count, sum(m * m)::float8 AS mm,
                      sum(bought)::int AS bought, sum(bought * bought)::float8 AS bought_ss,
                      sum(bought * m)::float8 AS bought_sm, sum(revenue)::float8 AS revenue,
                      sum(revenue * revenue)::float8 AS revenue_ss, sum(revenue * m)::float8 AS revenue_sm
                 FROM (SELECT plan_id, is_control, partner_id, count(*) AS m, sum(bought) AS bought,
                              sum(revenue) AS revenue
                         FROM (%s) o WHERE is_measured GROUP BY plan_id, is_control, partner_id) customer
                GROUP BY plan_id, is_control""", self._occasions_sql())

    @api.model
    def _get_arms(self, ids):
        """{(plan id, is control): (Arm of buying, Arm of money)}"""
        self.env.flush_all()
        rows = self.env.execute_query_dict(SQL("SELECT * FROM (%s) arm WHERE plan_id = ANY(%s)", self._arms_sql(), ids))
        return {
            (row["plan_id"], row["is_control"]): tuple(
                Arm(row["count"], row[name], row[f"{name}_ss"], row[f"{name}_sm"], row["mm"])
                for name in ("bought", "revenue"))
            for row in rows}

    # ------------------------------------------------------------------ what they say
    @api.depends("treated_count", "control_count")
    @api.depends_context("lang")
    def _compute_verdict(self):
        found, nobody = self._get_arms(self.ids), (Arm(0, 0, 0, 0, 0),) * 2
        for result in self:
            [treated, treated_money], [control, control_money] = (
                found.get((result.id, is_control), nobody) for is_control in (False, True))
            shares = compare_shares(treated, control) or (0, 0, 0)
            money = compare_means(treated_money, control_money) or (0, 0, 0)
            result.difference, result.difference_low, result.difference_high = shares
            (result.revenue_difference, result.revenue_difference_low,
             result.revenue_difference_high) = money
            result.revenue_gained = money[0] * treated.count
            result.verdict = judge(treated, control)
            result.explanation = result._say(treated, control)

    def _say(self, treated, control):
        """The verdict as a plain sentence, in customers of a hundred."""
        low, high = self.difference_low, self.difference_high
        if self.verdict == "no_control" and not self.plan_id.control_share:
            return self.env._("Nobody is left alone: what the plan brings cannot be measured.")
        if not treated.count and not control.count:
            return self.env._("Nobody is measured yet: that takes %(days)s days each.", days=self.measure_days)
        if self.verdict in ("too_early", "no_control"):
            needed = count_needed(treated, control, self.plan_id.control_share / 100)
            return self.env._("Too early to say: %(count)s more needed.", count=f"{needed:,}")
        numbers = {"more": round(100 * abs(self.difference)), "low": round(100 * min(abs(low), abs(high))),
                   "high": round(100 * max(abs(low), abs(high)))}
        if self.verdict == "works":
            return self.env._(
                "Works: of 100 treated customers %(more)s more bought again than of 100 left alone "
                "(between %(low)s and %(high)s).", **numbers)
        if self.verdict == "harms":
            return self.env._(
                "Does harm: of 100 treated customers %(more)s fewer bought again than of 100 left alone "
                "(between %(low)s and %(high)s).", **numbers)
        return self.env._(
            "Makes no difference: of 100 treated customers at most %(gain)s more or %(loss)s fewer bought again than "
            "of 100 left alone.", gain=max(round(100 * high), 0), loss=max(round(-100 * low), 0))

    def action_open_treatments(self):
        """The occasions behind the figures."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_care_treatment_action")
        return {**action, "domain": [("plan_id", "=", self.plan_id.id)], "context": {"create": False}}
