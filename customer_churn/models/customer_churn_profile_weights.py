"""What moved a customer's chance most, in words: the stored weights beside the figures they come from. The
average customer is that of the company's last analysis, whose forecast the weights are of."""

import json
from itertools import accumulate, pairwise
from math import exp, log

from odoo import api, fields, models
from odoo.tools import format_amount, format_date

from ..engine.average import Average

WEIGHTS = {fact: f"{fact}_weight" for fact in ("count", "gap", "silence", "value")}
TOLD = 3  # facts
NEGLIGIBLE = 0.1  # of the log-odds: the odds are moved by less than a tenth
MOST = 500.0  # of the log-odds: its exponential is finite
LEAST = 1e-15  # of the chance: its log-odds are finite


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    count_weight = fields.Float(
        string="Weight of the Purchases", readonly=True, aggregator=None,
        help="How far the number of purchases moves the log-odds of the chance, against the average customer.",
    )
    gap_weight = fields.Float(
        string="Weight of the Gap", readonly=True, aggregator=None,
        help="How far the mean gap between purchases moves the log-odds of the chance, against the average customer.",
    )
    silence_weight = fields.Float(
        string="Weight of the Silence", readonly=True, aggregator=None,
        help="How far the silence moves the log-odds of the chance, against the average customer at the same pace.",
    )
    value_weight = fields.Float(
        string="Weight of the Value", readonly=True, aggregator=None,
        help="How far the net value of a purchase moves the log-odds of the chance, against the usual value.",
    )
    weight_title = fields.Char(compute="_compute_weight_lines")
    weight_lines = fields.Text(
        string="What Moved the Chance", compute="_compute_weight_lines",
        help="The three facts that moved the chance most from that of the average customer to this one's. In the order "
             "of purchases, gap, silence, and value, the percentage points add up.",
    )

    @api.depends("purchase_probability", "forecast_date", *WEIGHTS.values())
    @api.depends_context("lang")
    def _compute_weight_lines(self):
        learned = {company: self._get_average(company) for company in self.company_id}
        for profile in self:
            average, usual = learned[profile.company_id]
            weights = {fact: profile[name] for fact, name in WEIGHTS.items()} if average else {}
            told = sorted((fact for fact in weights if abs(weights[fact]) >= NEGLIGIBLE),
                          key=lambda fact: -abs(weights[fact]))[:TOLD]
            start, points = profile._get_points(weights)
            if round(100 * start) == round(100 * profile.purchase_probability):
                told = []  # there is no difference to explain
            profile.weight_title = profile._say_average(start) if told else False
            profile.weight_lines = "\n".join(
                profile._say_weight(fact, weights[fact], points[fact], average, usual) for fact in told) or False

    @api.model
    def _get_average(self, company):
        """(average customer, usual net value of a purchase) of the last analysis; None, 0 where there is none."""
        # sudo: salespeople read no runs, but whom their customers are compared with
        run = self.env["customer.churn.run"].sudo()._get_last_done(company)
        learned = json.loads(run.parameters or "{}")
        return (Average(**learned["average"]), learned["outlook"]["unit"]) if "average" in learned else (None, 0)

    def _get_points(self, weights):
        """(the average customer's chance, {fact: what it adds}), step by step in the order that the weights are of."""
        chance = min(max(self.purchase_probability, LEAST), 1 - LEAST)
        line = log(chance / (1 - chance)) - sum(weights.values())
        chances = [1 / (1 + exp(-max(total, -MOST))) for total in accumulate(weights.values(), initial=line)]
        added = (after - before for before, after in pairwise(chances))
        return chances[0], dict(zip(weights, added, strict=True))

    # ------------------------------------------------------------------ in words
    def _say_average(self, average):
        return self.env._(
            "%(chance)s %% chance of buying again; a customer with average figures has %(average)s %%. What made the "
            "difference, as of %(date)s:",
            chance=round(100 * self.purchase_probability), average=round(100 * average),
            date=format_date(self.env, self.forecast_date))

    def _say_weight(self, fact, weight, points, average, usual):
        return self.env._(
            "%(arrow)s %(fact)s: %(effect)s", arrow="↑" if weight > 0 else "↓",
            fact=self._say_fact(fact, average, usual), effect=self._say_effect(weight > 0, abs(round(100 * points))))

    def _say_effect(self, raises, points):
        if not points:
            return self.env._("raises it by less than one percentage point") if raises else self.env._(
                "lowers it by less than one percentage point")
        if points == 1:
            return self.env._("raises it by one percentage point") if raises else self.env._(
                "lowers it by one percentage point")
        return self.env._("raises it by %(points)s percentage points", points=points) if raises else self.env._(
            "lowers it by %(points)s percentage points", points=points)

    def _say_fact(self, fact, average, usual):
        if fact == "count":
            return self._say_count(average.x + 1)
        if fact == "gap":
            return self._say_gap(self._say_days(average.gap))
        if fact == "silence":
            return self._say_silence_against(average)
        return self.env._(
            "%(value)s a purchase (usual: %(usual)s)", usual=format_amount(self.env, usual, self.currency_id),
            value=format_amount(self.env, self.revenue_total / self.purchase_count, self.currency_id))

    def _say_count(self, average):
        if self.purchase_count == 1:
            return self.env._("One purchase (average customer: %(average)s)", average=average)
        return self.env._(
            "%(count)s purchases (average customer: %(average)s)", count=self.purchase_count, average=average)

    def _say_gap(self, average):
        """The mean, which the forecast knows; beside two purchases it is the gap, and no rhythm."""
        said = self._say_rhythm() if self.purchase_count == 2 else self.env._(
            "On average %(days)s between purchases", days=self._say_days(self._get_mean_gap()))
        return self.env._("%(said)s (average customer: %(average)s)", said=said, average=average)

    def _say_silence_against(self, average):
        days = (self.forecast_date - self.last_purchase_date).days
        said = self.env._("Silent for %(days)s", days=self._say_days(days)) if days else self.env._(
            "Silent for less than a day")
        if self.purchase_count == 1:
            return self.env._(
                "%(said)s (average customer: %(average)s)", said=said, average=self._say_days(average.silence))
        return self.env._(
            "%(said)s (average customer at this pace: %(average)s)", said=said,
            average=self._say_days(average.silence_at(self._get_mean_gap())))

    def _get_mean_gap(self):
        return (self.last_purchase_date - self.first_purchase_date).days / (self.purchase_count - 1)

    def _say_days(self, days):
        days = round(days)
        return self.env._("one day") if days == 1 else self.env._("%(days)s days", days=days)
