"""What a run knows of how the forecast did so far: looked back at each fit, carried by the nights after it."""

import json

from odoo import api, fields, models
from odoo.tools import format_date

from ..engine import FORMAT
from .customer_churn_record import SCORES

SHOWN = 100  # customers: fewer are told as they are, more as so many of 100
MATURE_MONTHS = 18  # of ledger, from which on fixed days may be found to be better


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    record_ids = fields.One2many("customer.churn.record", "run_id", string="Forecast Record")
    quality = fields.Text(readonly=True, help="What became of those called lost, and what decides statuses, as JSON.")
    quality_auc = fields.Float(
        string="Ranking (AUC)", readonly=True, aggregator="avg", help="Of the near horizon, at the last fit.")
    quality_brier = fields.Float(string="Brier Score", readonly=True, aggregator="avg")
    quality_total_error = fields.Float(string="Error of Purchases", readonly=True, aggregator="avg")
    quality_value_error = fields.Float(string="Error of Revenue", readonly=True, aggregator="avg")
    record_sentence = fields.Text(
        string="How the Forecast Did", compute="_compute_record_sentence",
        help="What became of the customers that were called lost, dormant and at risk.")
    rule_sentence = fields.Text(
        string="What Decides the Status", compute="_compute_record_sentence",
        help="The forecast, or fixed days of silence where these were better on this ledger.")
    goes_by_days = fields.Boolean(compute="_compute_record_sentence", help="Whether fixed days decide statuses.")

    # ------------------------------------------------------------------ at a fit
    def _learn(self, log, policies, ever_known):
        """(forecaster, its record): fitted on `log`, with fixed days where the record speaks for them.

        The policy for all others stands for the company: one fit a past day is what a run can afford. A segment with
        other horizons has a contest of its own on the same day. The forecasts of then are made from what was known
        then, reversed since or not: of `ever_known`.
        """
        from dataclasses import replace

        from .. import engine

        *segments, company = [policy._to_engine() for policy in policies]
        Purchase = self.env["customer.churn.purchase"]
        record = engine.look_back(
            log, self.date, company, segments, lambda day: Purchase._to_log(Purchase._among(ever_known, day)))
        return replace(self._fit(log, policies), fixed_days=record["fixed_days"]), record

    def _keep_record(self, record):
        """Store the record of this run's fit.

        :return: values of the run
        """
        self.env["customer.churn.record"]._keep(self, record["horizons"])
        near = record["horizons"][0]
        kept = {
            "cut": record["cut"], "called": record["called"], "contest": record["contest"],
            "days_missing": near["days_missing"],
        }
        return {
            "quality": json.dumps(kept, allow_nan=False),
            **{f"quality_{name}": near.get(name) for name in SCORES},
        }

    def _get_quality(self):
        """What the nights after a fit carry on of its record: values of a run."""
        return {name: self[name] for name in ("quality", *(f"quality_{score}" for score in SCORES))}

    def _get_fixed_days(self, policy):
        """Days of silence of dormant and lost that decide a policy's statuses since this run; empty where the forecast
        does."""
        learned = json.loads(self.parameters or "{}")
        known = learned["fixed_days"] if learned.get("format") == FORMAT else []
        pair = [policy.near_days, policy.far_days]
        return next((row[2:] for row in known if row[:2] == pair), [])

    # ------------------------------------------------------------------ in words
    @api.depends("quality")
    @api.depends_context("lang")
    def _compute_record_sentence(self):
        for run in self:
            quality = json.loads(run.quality) if run.quality else None
            run.record_sentence = quality and run._say_record(quality)
            run.rule_sentence = quality and run._say_rule(quality["contest"])
            run.goes_by_days = bool(quality and quality["contest"] and quality["contest"]["fixed_days"])

    def _say_record(self, quality):
        if not quality["called"]:
            return self.env["customer.churn.record"]._say_missing(quality["days_missing"])
        date = format_date(self.env, quality["cut"])
        words = {"lost": self.env._("lost"), "dormant": self.env._("dormant"), "at_risk": self.env._("at risk")}
        called = {words[status]: told for status, told in quality["called"].items() if told["customers"]}
        if not called:
            return self.env._("Nobody was called at risk, dormant or lost on %(date)s.", date=date)
        said = [] if quality["called"]["lost"]["customers"] else [
            self.env._("Nobody was called lost on %(date)s.", date=date)]
        first, *others = [word for word in words.values() if word in called]
        return "\n".join([
            *said, self._say_called(called[first], status=first, date=date),
            *(self._say_called_too(called[status], status=status) for status in others)])

    def _say_called(self, told, **values):
        count, silent = self._of_a_hundred(told)
        if count == 1 and silent:
            return self.env._("One customer was called %(status)s on %(date)s, and has not bought since.", **values)
        if count == 1:
            return self.env._("One customer was called %(status)s on %(date)s, and has bought since.", **values)
        if silent == 1:
            return self.env._(
                "Of %(count)s customers called %(status)s on %(date)s, one has not bought since.",
                count=count, **values)
        return self.env._(
            "Of %(count)s customers called %(status)s on %(date)s, %(silent)s have not bought since.",
            count=count, silent=silent, **values)

    def _say_called_too(self, told, **values):
        """The same after the first sentence, shorter."""
        count, silent = self._of_a_hundred(told)
        if count == 1 and silent:
            return self.env._("One was called %(status)s, and has not.", **values)
        if count == 1:
            return self.env._("One was called %(status)s, and has.", **values)
        if silent == 1:
            return self.env._("Of %(count)s called %(status)s, one has not.", count=count, **values)
        return self.env._(
            "Of %(count)s called %(status)s, %(silent)s have not.", count=count, silent=silent, **values)

    @api.model
    def _of_a_hundred(self, told):
        """(customers, how many of them are silent), of 100 where there are more."""
        count, silent = told["customers"], told["silent"]
        return (count, silent) if count < SHOWN else (SHOWN, round(SHOWN * silent / count))

    def _say_rule(self, contest):
        if not contest:
            return self.env._(
                "Statuses go by the policies. Fixed days were not tried against the forecast yet: that takes a ledger "
                "of %(months)s months, enough customers who bought and who did not, and a policy that goes by the "
                "forecast and looks no further ahead than a year.", months=MATURE_MONTHS)
        shares = {"ours": round(100 * contest["right"]), "theirs": round(100 * contest["fixed_right"])}
        return "\n".join((self._say_winner(contest, shares), self._say_opponent(contest)))

    def _say_winner(self, contest, shares):
        if contest["fixed_days"]:
            return self._say_fixed_days(contest["fixed_days"]) + "\n" + self.env._(
                "Of 100 statuses of then, the forecast told %(ours)s right, fixed days %(theirs)s.", **shares)
        if contest.get("chosen_on") and contest["fixed_f1"] >= contest["f1"]:
            return self.env._(
                "Statuses go by the forecast, which does not beat fixed days in everything: of 100 statuses of then it "
                "told %(ours)s right, fixed days %(theirs)s, but these found the rarer statuses better.", **shares)
        if contest.get("chosen_on") and contest["fixed_right"] > contest["right"]:
            return self.env._(
                "Statuses go by the forecast, which does not beat fixed days in everything: of 100 statuses of then it "
                "told %(ours)s right, fixed days %(theirs)s, but it found the rarer statuses better.", **shares)
        return self.env._(
            "Statuses go by the forecast: of 100 statuses of then it told %(ours)s right, the best fixed days "
            "%(theirs)s.", **shares)

    def _say_opponent(self, contest):
        dormant, lost = contest["best_days"]
        if contest.get("chosen_on"):
            return self.env._(
                "The fixed days, %(dormant)s until dormant and %(lost)s until lost, are those that told best in the "
                "time before, from %(date)s on. Each fit looks again.",
                dormant=dormant, lost=lost, date=format_date(self.env, contest["chosen_on"]))
        return self.env._(
            "The fixed days, %(dormant)s until dormant and %(lost)s until lost, were chosen with hindsight, as the "
            "ledger is too young to try them on an earlier time: they decide only where they are surely better. Each "
            "fit looks again.", dormant=dormant, lost=lost)

    @api.model
    def _say_fixed_days(self, days):
        """That fixed days decide, if there are any."""
        if not days:
            return ""
        dormant, lost = days
        if dormant == lost:
            return self.env._(
                "The forecast does not beat fixed days on this ledger, so these decide statuses: lost after "
                "%(lost)s days of silence. Chances stay the forecast's.", lost=lost)
        return self.env._(
            "The forecast does not beat fixed days on this ledger, so these decide statuses: dormant after "
            "%(dormant)s days of silence, lost after %(lost)s. Chances stay the forecast's.",
            dormant=dormant, lost=lost)

    def action_open_record(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_record_action")
        return {**action, "domain": [("company_id", "=", self.company_id.id)]}
