"""The steps of a run: read the ledger, forecast, decide, write. Numbers are the engine's, SQL is the
purchase model's and the profile's; numpy is imported here and only while a run works."""

from dateutil.relativedelta import relativedelta
from odoo import api, models

from .customer_churn_profile_refresh import COLUMNS, STATUS_CODES

YEAR_DAYS = 365


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    def _analyse(self):
        """The whole of a run.

        :return: values of the run: its kind, counts, parameters, and until when it has seen the ledger
        """
        Purchase, Profile = self.env["customer.churn.purchase"], self.env["customer.churn.profile"]
        company, last = self.company_id, self._get_last_done()
        read_at = Purchase._read_watermark()
        policies = self.env["customer.churn.policy"]._get_policies(company)
        full = self._needs_fit(last, policies)
        customers = None if full else Purchase._get_changed_customers(company, last.read_at, last.date, self.date)
        log = Purchase._read_log(company, self.date, customers)
        forecaster = self._fit(log, policies) if full else self._load(last)
        history = log.history(self.date)
        written, events = Profile._refresh(self, self._decide(forecaster, history, policies), customers)
        return {
            "kind": "full" if full else "nightly",
            "customer_count": Profile.search_count([("company_id", "=", company.id)]),
            "read_count": len(history),
            "changed_count": written,
            "event_count": events,
            "parameters": forecaster.to_json(),
            "fit_date": self.date if full else last.fit_date,
            "read_at": read_at,
        }

    def _needs_fit(self, last, policies):
        """A fit is due when asked for, on the first night, a month after the last, or as policies changed."""
        return (
            self.kind == "full" or not last
            or self.date >= last.fit_date + relativedelta(months=1)
            or max(policies.mapped("write_date")) >= last.read_at and self.date > last.date
        )

    def _fit(self, log, policies):
        from .. import engine

        horizons = {YEAR_DAYS}.union(policies.mapped("near_days"), policies.mapped("far_days"))
        return engine.fit(log, self.date, horizons=tuple(sorted(horizons)))

    def _load(self, run):
        from .. import engine

        return engine.Forecaster.from_json(run.parameters)

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
            parts.append(part.join(answer).assign(policy_id=policy.id, new_until=new_until))
        return pd.concat(parts)

    @api.model
    def _replay(self, company, date):
        """What the statuses would have been on a past day, from what was known then; stores nothing.

        :param company: res.company record
        :param date: the last day that is known
        :return: pandas.DataFrame indexed by partner id: the engine's history and answers, `policy_id`
        """
        run = self.new({**self._prepare_run_vals(company, date, full=True)})
        policies = self.env["customer.churn.policy"]._get_policies(company)
        log = self.env["customer.churn.purchase"]._read_log(company, run.date)
        return run._assess(run._fit(log, policies), log.history(run.date), policies)
