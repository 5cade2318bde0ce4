"""The steps of a run: read the ledger, forecast, decide, write. Numbers are the engine's, SQL is the
purchase model's and the profile's; numpy is imported here and only while a run works."""

import json

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models

from ..report.customer_churn_purchase import YEAR_DAYS
from .customer_churn_profile_refresh import COLUMNS
from .customer_churn_status_mixin import STATUS_CODES


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    def _analyse(self):
        """The whole of a run.

        :return: values of the run: its kind, counts and parameters
        """
        Purchase, Profile = self.env["customer.churn.purchase"], self.env["customer.churn.profile"]
        company, last = self.company_id, self._get_last_done(self.company_id)
        policies = self.env["customer.churn.policy"]._get_policies(company)
        described = self._describe(policies)
        forecaster = None if self._needs_fit(last, described) else self._load(last)
        full = forecaster is None
        customers = None if full else Purchase._get_changed_customers(company, last.read_at, last.date, self.date)
        log = Purchase._read_log(company, self.date, customers)
        if full:
            forecaster = self._fit(log, policies)
        history = log.history(self.date)
        written, events = Profile._refresh(self, self._decide(forecaster, history, policies), customers)
        return {
            "kind": "full" if full else "nightly",
            "customer_count": Profile.search_count([("company_id", "=", company.id)]),
            "read_count": len(history),
            "changed_count": written,
            "event_count": events,
            "parameters": forecaster.to_json(),
            "policies": described,
            "fit_date": self.date if full else last.fit_date,
        }

    def _needs_fit(self, last, described):
        """A fit is due when asked for, on the first night, a month after the last, or as policies changed."""
        return (
            self.kind == "full" or not last
            or self.date >= last.fit_date + relativedelta(months=1)
            or described != last.policies
        )

    def _describe(self, policies):
        """All of the policies that decides a status, as JSON: equal when nothing changed."""
        return json.dumps([[policy.id, policy.domain, vars(policy._to_engine())] for policy in policies])

    def _fit(self, log, policies):
        from .. import engine

        horizons = {YEAR_DAYS}.union(policies.mapped("near_days"), policies.mapped("far_days"))
        return engine.fit(log, self.date, horizons=tuple(sorted(horizons)))

    def _load(self, run):
        """The forecaster of an earlier run; None where it is of another version."""
        from .. import engine

        try:
            return engine.Forecaster.from_json(run.parameters)
        except ValueError:
            return None

    def _decide(self, forecaster, history, policies):
        """Forecast and status of each customer of `history` under the policy that is theirs.

        :return: dict of arrays, the columns of customer_churn_profile_refresh.COLUMNS
        """
        frame = self._assess(forecaster, history, policies)
        dates = {"first_purchase_date": "first_date", "last_purchase_date": "last_date",
                 "usual_gap_days": "gap_median", "gap_spread_days": "gap_spread"}
        frame["status"] = frame["status"].map({name: code for code, name in enumerate(STATUS_CODES)}).astype("i4")
        return {
            name: (frame.index if name == "partner_id" else frame[dates.get(name, name)]).to_numpy() for name in COLUMNS
        }

    def _assess(self, forecaster, history, policies):
        """`history` with the engine's answers, `policy_id` and `new_until` beside it, a row a customer."""
        import pandas as pd

        parts = []
        for policy, customers in policies._split(history.index):
            part = history.loc[customers]
            answer = forecaster.assess(part, self.date, policy._to_engine())
            new_until = part["first_date"] + pd.Timedelta(days=policy.new_days)
            parts.append(part.join(answer).assign(policy_id=policy.id or 0, new_until=new_until))
        return pd.concat(parts)

    @api.model
    def _replay(self, company, date):
        """What the statuses would have been on a past day, from what was known then; stores nothing.

        :param company: res.company record
        :param date: the last day that is known
        :return: pandas.DataFrame indexed by partner id: the engine's history and answers, `policy_id`
        """
        run = self.new(self._prepare_run_vals(company, fields.Date.to_date(date), full=True))
        policies = self.env["customer.churn.policy"]._get_policies(company, create=False)
        log = self.env["customer.churn.purchase"]._read_log(company, run.date)
        return run._assess(run._fit(log, policies), log.history(run.date), policies)
