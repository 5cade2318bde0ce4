"""What was known of a customer on past days, as a picture: the chance of buying again month by month."""

import json
import logging
import subprocess

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.tools import SQL, format_date, formatLang

from .. import engine_process
from .customer_churn_month import get_month_ends
from .customer_churn_profile import DEADLINES

_logger = logging.getLogger(__name__)

DEADLINE_MONTHS = 6  # a deadline that is further away would only press the picture together
TONES = {"at_risk": "warning", "dormant": "primary", "lost": "muted"}


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    @api.readonly
    def get_chance_chart(self):
        """The JSON of `churn_chart` (chart_field.js): the chance at each of the last month ends and on the day of
        the last analysis, from what was known then, as today's forecaster judges it; purchases and deadlines.

        Asked for by the tab that shows it: the numbers are worked out by a process of its own.
        """
        self.ensure_one()
        self.check_access("read")
        try:
            chances, missing = self._ask_chances()
        except subprocess.SubprocessError:
            _logger.exception("chances of profile %s", self.id)
            chances, missing = {}, self.env._("The chances could not be worked out. Try again later.")
        labels = dict(self._fields["status"]._description_selection(self.env))
        chart = {
            "type": "line", "legend": True, "empty": missing, "datasets": [],
            "x": {"format": "date"}, "y": {"format": "percent", "max": 1},
        }
        if chances:
            chart["datasets"] = [
                {"label": self._fields["purchase_probability"]._description_string(self.env), "tone": "info",
                 "data": [{"x": date, "y": chance} for date, chance in chances.items()]},
                {"label": self.env._("Purchase"), "tone": "success", "dots": True,
                 "data": self._get_purchase_points(fields.Date.to_date(min(chances)).replace(day=1))},
                *({"label": labels[status], "tone": TONES[status], "dashed": True, "data": points}
                  for status, points in self._get_deadline_points(min(chances), max(chances))),
            ]
        return json.dumps(chart)

    def _ask_chances(self):
        """({day: chance}, what is said where there is none)"""
        # sudo: only the forecast's parameters and day are read, for whoever may see the profile
        run = self.env["customer.churn.run"].sudo()._get_last_done(self.company_id)
        horizon = self.policy_id.near_days or self.env["customer.churn.policy"].new({}).near_days
        if horizon not in run._get_horizons():
            return {}, self.env._("The chances over time are shown from the next analysis on.")
        days = {run.date, *get_month_ends(run.date)}
        self.env.flush_all()
        return engine_process.ask(
            self.env, {"task": "chances", "parameters": run.parameters, "horizon_days": horizon},
            self._known_on(sorted(days)),
        ), False

    def _known_on(self, days):
        """SQL of this customer's documents as they were known on each of the days `at`."""
        return SQL(
            """SELECT day.at, known.partner_id AS customer_id, known.date, known.amount
                 FROM unnest(%s::date[]) day (at), LATERAL (%s) known""",
            days, self._get_purchases()._known(SQL("day.at"), self.company_id),
        )

    def _get_purchase_points(self, since):
        purchases = self._get_purchases().search_fetch([
            ("company_id", "=", self.company_id.id), ("partner_id", "=", self.partner_id.id), ("date", ">=", since),
        ], ["date", "amount"], order="date")
        return [{"x": fields.Date.to_string(purchase.date), "y": 0,
                 "label": formatLang(self.env, purchase.amount, currency_obj=self.currency_id)}
                for purchase in purchases]

    def _get_deadline_points(self, since, until):
        """(status, the two ends of a line) of the deadlines that lie in the picture."""
        furthest = fields.Date.to_date(until) + relativedelta(months=DEADLINE_MONTHS)
        for status, name in DEADLINES.items():
            if self[name] and fields.Date.to_date(since) <= self[name] <= furthest:
                point = {"x": fields.Date.to_string(self[name]), "label": format_date(self.env, self[name])}
                yield status, [{**point, "y": 0}, {**point, "y": 1}]
