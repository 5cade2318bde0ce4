"""The steps of a run: read the ledger, forecast, decide, write. Numbers are the engine's, SQL is the
purchase model's and the profile's; numpy is imported here and only while a run works."""

import json

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models

from ..engine import FORMAT
from ..report.customer_churn_purchase import YEAR_DAYS
from .customer_churn_profile_refresh import COLUMNS
from .customer_churn_status_mixin import STATUS_CODES


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    def _analyse(self):
        """The whole of a run.

        :return: values of the run: its kind, counts and parameters
        """
        Profile, company = self.env["customer.churn.profile"], self.company_id
        last = self._get_last_done(company)
        policies = self.env["customer.churn.policy"]._get_policies(company)
        described = self._describe(policies)
        self.env["customer.care.plan"]._take_over_shipped(company, is_new=not last)
        forecaster, limits = self._recall(last, described)
        full = forecaster is None
        customers, passed = (None, []) if full else self.env["customer.churn.purchase"]._get_changed_customers(
            company, last.read_at, last.date, self.date)
        ever_known, documents, log = self._read_ledger(customers)
        history = self._add_passed(log.history(self.date), last, passed)
        if full:
            [forecaster, record], limits = self._learn(log, policies, ever_known), self._fit_limits(history)
        decided = self._decide(forecaster, history.join(limits.rate(history)), policies)
        written, events = Profile._refresh(self, decided, customers)
        self.env["customer.churn.month"]._keep(self)
        self._look_at_product_lines(documents, log, policies, full)
        return {
            "kind": "full" if full else "nightly",
            "customer_count": Profile.search_count([("company_id", "=", company.id)]),
            "read_count": len(history),
            "changed_count": written,
            "event_count": events,
            "case_count": self.env["customer.churn.case"]._follow_up(self),
            "parameters": forecaster.to_json(),
            "value_limits": limits.to_json(),
            "policies": described,
            "fit_date": self.date if full else last.fit_date,
            **(self._keep_record(record) if full else last._get_quality()),
        }

    def _read_ledger(self, customers=None):
        """What is known of `customers`, None for all: the documents known on some day of the year before the run (a
        night does not look back), those known on its own, and these as engine.PurchaseLog."""
        Purchase = self.env["customer.churn.purchase"]
        since = self.date - relativedelta(days=YEAR_DAYS) if customers is None else None
        ever_known = Purchase._read_documents(self.company_id, self.date, customers, since)
        documents = Purchase._among(ever_known, self.date)
        return ever_known, documents, Purchase._to_log(documents)

    def _add_passed(self, history, last, passed):
        """`history` with that of the customers `passed`, of whom only days passed since the run `last`."""
        if not passed:
            return history
        import pandas as pd

        read = self.env["customer.churn.purchase"]._read_passed(self.company_id, last.date, self.date, passed)
        return pd.concat([history, read])

    def _recall(self, last, described):
        """Forecaster and limits of value of the last run; None, None where a fit is due."""
        if self._needs_fit(last, described):
            return None, None
        learned = self._load(last), self._load_limits(last)
        return learned if all(learned) else (None, None)

    def _needs_fit(self, last, described):
        """A fit is due when asked for, on the first night, a month after the last, or as settings changed."""
        return (
            self.kind == "full" or not last or self.date < last.date
            or self.date >= last.fit_date + relativedelta(months=1)
            or described != last.policies
        )

    def _describe(self, policies):
        """All of the settings that decides a status or a class, as JSON: equal when nothing changed."""
        described = [[policy.id, policy.domain, vars(policy._to_engine())] for policy in policies]
        return json.dumps([*described, self.company_id._get_churn_value_shares()])

    def _fit(self, log, policies):
        from .. import engine

        horizons = {YEAR_DAYS}.union(policies.mapped("near_days"), policies.mapped("far_days"))
        return engine.fit(log, self.date, horizons=tuple(sorted(horizons)))

    def _get_horizons(self):
        """The horizons that can be asked for: none before the first analysis, nor after an upgrade until the next."""
        learned = json.loads(self.parameters or "{}")
        return learned["horizons"] if learned.get("format") == FORMAT else []

    def _load(self, run):
        """The forecaster of an earlier run; None where it is of another version."""
        from .. import engine

        try:
            return engine.Forecaster.from_json(run.parameters)
        except ValueError:
            return None

    def _fit_limits(self, history):
        from .. import engine

        return engine.fit_value(history, *self.company_id._get_churn_value_shares())

    def _load_limits(self, run):
        """The limits of value of an earlier run; None where they are of another version."""
        from .. import engine

        try:
            return engine.ValueLimits.from_json(run.value_limits)
        except ValueError:
            return None

    def _decide(self, forecaster, history, policies):
        """Forecast and status of each customer of `history`, beside its value, under the policy that is theirs.

        :return: dict of arrays, the columns of customer_churn_profile_refresh.COLUMNS
        """
        frame = self._assess(forecaster, history, policies)
        dates = {"first_purchase_date": "first_date", "last_purchase_date": "last_date",
                 "usual_gap_days": "gap_median", "gap_spread_days": "gap_spread"}
        frame["status"] = frame["status"].map({name: code for code, name in enumerate(STATUS_CODES)}).astype("i4")
        frame["value_class"] = frame["value_class"].cat.codes
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
        ever_known, _documents, log = run._read_ledger()
        history = log.history(run.date)
        value = run._fit_limits(history).rate(history)
        return run._assess(run._learn(log, policies, ever_known)[0], history.join(value), policies)
