import json
import math

import babel.dates
from odoo import api, fields, models
from odoo.tools import babel_locale_parse, format_date, get_lang

DAYS_PER_MONTH = 365.25 / 12
HISTORY = 24  # fits, the last two years
TONES = {"auc": "primary", "fixed_auc": "warning", "naive_auc": "muted"}
REASON = [("short", "The ledger is too short"), ("one_sided", "All customers bought, or none did")]
SCORES = ("auc", "brier", "total_error", "value_error")
AUC = "Of two customers, one who bought and one who did not: how often the former was given the higher chance. " \
      "50 % is a coin."
BRIER = "The mean squared distance of the chances from what happened. 0 is perfect."
TOTAL = "Forecast against what happened, all customers together: +10 % means a tenth too many."


class CustomerChurnRecord(models.Model):
    """How the forecast did on this ledger: what it would have said `horizon_days` before a fit, from what was
    known then, against what came; beside it the best fixed number of days and `as last year`. Written by the
    run alone, for each fit a row a horizon."""

    _name = "customer.churn.record"
    _description = "Forecast Record"
    _order = "date desc, horizon_days, id"
    _rec_name = "date"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    run_id = fields.Many2one(
        "customer.churn.run", required=True, readonly=True, index=True, ondelete="cascade", check_company=True)
    date = fields.Date(required=True, readonly=True, help="The day of the fit: what came until then is known.")
    cut_date = fields.Date(string="Forecast Of", readonly=True, help="The past day that the forecast was made for.")
    horizon_days = fields.Integer(string="Days Ahead", required=True, readonly=True, aggregator=None)
    customer_count = fields.Integer(string="Customers", readonly=True, aggregator="avg", help="Above 25,000 a sample.")
    buyer_count = fields.Integer(string="Bought", readonly=True, aggregator="avg")
    reason = fields.Selection(REASON, string="What Is Missing", readonly=True)
    days_missing = fields.Integer(readonly=True, aggregator=None, help="Days of invoices that the ledger lacks.")
    beats_fixed_rule = fields.Boolean(
        string="Better Than Fixed Days", readonly=True,
        help="Whether the forecast told better than the best fixed number of days who buys again.")
    subject = fields.Char(compute="_compute_explanation", help="Which forecast was looked at, and what came.")
    explanation = fields.Text(compute="_compute_explanation")

    auc = fields.Float(string="Ranking (AUC)", readonly=True, aggregator="avg", help=AUC)
    brier = fields.Float(string="Brier Score", readonly=True, aggregator="avg", help=BRIER)
    total_error = fields.Float(string="Error of Purchases", readonly=True, aggregator="avg", help=TOTAL)
    value_error = fields.Float(string="Error of Revenue", readonly=True, aggregator="avg", help=TOTAL)

    fixed_days = fields.Integer(
        string="Best Fixed Days", readonly=True, aggregator=None,
        help="Who bought within so many days buys again: the number that told it best, chosen with hindsight.")
    fixed_auc = fields.Float(string="Fixed Days: AUC", readonly=True, aggregator="avg", help=AUC)
    fixed_brier = fields.Float(string="Fixed Days: Brier Score", readonly=True, aggregator="avg", help=BRIER)
    fixed_total_error = fields.Float(
        string="Fixed Days: Purchases", readonly=True, aggregator="avg", help=TOTAL)
    fixed_value_error = fields.Float(string="Fixed Days: Revenue", readonly=True, aggregator="avg", help=TOTAL)

    has_naive = fields.Boolean(readonly=True, help="Whether the ledger reaches back to the year before.")
    has_revenue = fields.Boolean(readonly=True, help="Whether more was invoiced than credited in these days.")
    naive_auc = fields.Float(string="As Last Year: AUC", readonly=True, aggregator="avg", help=AUC)
    naive_brier = fields.Float(string="As Last Year: Brier Score", readonly=True, aggregator="avg", help=BRIER)
    naive_total_error = fields.Float(
        string="As Last Year: Purchases", readonly=True, aggregator="avg", help=TOTAL)
    naive_value_error = fields.Float(string="As Last Year: Revenue", readonly=True, aggregator="avg", help=TOTAL)

    calibration = fields.Text(
        readonly=True, help="Ten groups by chance: predicted and actual share of buyers, and customers, as JSON.")
    calibration_chart = fields.Text(string="Predicted and Actual Share", compute="_compute_calibration_chart")
    history_chart = fields.Text(string="Ranking by Month", compute="_compute_history_chart")
    record_sentence = fields.Text(related="run_id.record_sentence")
    rule_sentence = fields.Text(related="run_id.rule_sentence")
    goes_by_days = fields.Boolean(related="run_id.goes_by_days")

    _horizon_uniq = models.Constraint(
        "UNIQUE (company_id, date, horizon_days)", "A fit has one record per horizon.")

    @api.depends("date", "horizon_days")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for record in self:
            record.display_name = self.env._(
                "%(date)s, %(days)s days ahead", date=format_date(self.env, record.date), days=record.horizon_days)

    # ------------------------------------------------------------------ what a run writes
    @api.model
    def _keep(self, run, horizons):
        """A row for each of the engine's `horizons`, instead of those of an earlier fit on that day, or of a clock
        that was ahead."""
        self.search([("company_id", "=", run.company_id.id), ("date", ">=", run.date)]).unlink()
        return self.create([self._prepare_vals(run, told) for told in horizons])

    @api.model
    def _prepare_vals(self, run, told):
        """Values of a row of `engine.look_back`; what it could not say stays empty."""
        vals = {
            "company_id": run.company_id.id, "run_id": run.id, "date": run.date, "cut_date": told["cut"],
            "horizon_days": told["horizon_days"], "days_missing": told["days_missing"],
            "reason": {None: False, "history too short": "short"}.get(told["why"], "one_sided"),
        }
        if told["days_missing"]:
            return vals
        fixed, naive = told["fixed_rule"], told["naive"]
        for prefix, scores in (("", told), ("fixed_", fixed), ("naive_", naive or {})):
            vals |= {prefix + name: scores.get(name) for name in SCORES}
        return vals | {
            "customer_count": told["customers"], "buyer_count": told["buyers"], "fixed_days": fixed["days"],
            "has_naive": bool(naive), "has_revenue": told["value_error"] is not None,
            "calibration": json.dumps(told["calibration"], allow_nan=False),
            "beats_fixed_rule": told["auc"] is not None and told["auc"] > fixed["auc"],
        }

    # ------------------------------------------------------------------ in words and pictures
    @api.depends(
        "reason", "days_missing", "beats_fixed_rule", "fixed_days", "cut_date", "customer_count", "buyer_count")
    @api.depends_context("lang")
    def _compute_explanation(self):
        for record in self:
            record.explanation = record._say()
            record.subject = record.reason != "short" and self.env._(
                "The forecast of %(date)s for the next %(days)s days. Customers: %(customers)s, buyers: %(buyers)s.",
                date=format_date(self.env, record.cut_date), days=record.horizon_days,
                customers=f"{record.customer_count:,}", buyers=f"{record.buyer_count:,}")

    def _say(self):
        if self.reason == "short":
            return self._say_missing(self.days_missing)
        if self.reason == "one_sided":
            return self.env._("All customers bought, or none did: there is nothing to rank.")
        if self.beats_fixed_rule:
            return self.env._("Better than the best fixed number of days (%(days)s).", days=self.fixed_days)
        return self.env._(
            "The best fixed number of days (%(days)s) told better who buys again.", days=self.fixed_days)

    @api.model
    def _say_missing(self, days):
        months = math.ceil(days / DAYS_PER_MONTH)
        if months <= 1:
            return self.env._("The ledger is too short: one more month of invoices is needed.")
        return self.env._(
            "The ledger is too short: %(months)s more months of invoices are needed.", months=months)

    @api.depends("calibration")
    @api.depends_context("lang")
    def _compute_calibration_chart(self):
        for record in self:
            groups = json.loads(record.calibration or "[]")
            record.calibration_chart = json.dumps(record._draw(groups) if groups else {})

    def _draw(self, groups):
        """The groups as dots beside the diagonal, on which a forecast lies that is right."""
        points = [{"x": group["predicted"], "y": group["actual"]} for group in groups]
        return {
            "type": "scatter",
            "datasets": [
                {"label": self.env._("Ten groups of customers"), "data": points, "tone": "primary", "dots": True},
                {"label": self.env._("A forecast that is right"), "data": [{"x": 0, "y": 0}, {"x": 1, "y": 1}],
                 "tone": "muted", "dashed": True},
            ],
            "x": {"title": self.env._("Predicted share of buyers"), "format": "percent", "max": 1},
            "y": {"title": self.env._("Actual share of buyers"), "format": "percent", "max": 1},
            "legend": True,
        }

    @api.depends("company_id", "horizon_days")
    @api.depends_context("lang")
    def _compute_history_chart(self):
        for record in self:
            past = self.search([
                ("company_id", "=", record.company_id.id), ("horizon_days", "=", record.horizon_days),
                ("buyer_count", ">", 0), ("date", "<=", record.date)], limit=HISTORY)[::-1]
            record.history_chart = json.dumps(record._draw_history(past) if len(past) > 1 else {
                "empty": self.env._("From the second fit on, the forecast is seen here beside the two rules.")})

    def _draw_history(self, past):
        """The ranking of the forecast beside that of the two rules, fit by fit."""
        labels = {"auc": self.env._("Forecast"), "fixed_auc": self.env._("Best Fixed Days"),
                  "naive_auc": self.env._("As Last Year")}
        locale = babel_locale_parse(get_lang(self.env).code)
        return {
            "type": "line",
            "labels": [babel.dates.format_skeleton("yMMM", record.date, locale=locale) for record in past],
            "datasets": [
                {"label": labels[name], "data": [record[name] or None for record in past], "tone": tone}
                for name, tone in TONES.items()
            ],
            "y": {"format": "percent", "max": 1}, "legend": True,
        }

    def action_open_run(self):
        self.ensure_one()
        return self.run_id.get_formview_action()
