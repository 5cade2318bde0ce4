"""How many customers each status had at the end of each month: kept by the runs, and for the months before the first
run, or that no run saw the end of, worked out from the ledger afterwards."""

import logging
from datetime import timedelta

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models

from .customer_churn_status_mixin import STATUS, STATUS_CODES

_logger = logging.getLogger(__name__)

MONTHS = 24


def get_month_ends(until):
    """The last `MONTHS` ends of months that are not after the day `until`, newest first."""
    after = (until + timedelta(days=1)).replace(day=1)
    return [after - relativedelta(months=back) - timedelta(days=1) for back in range(MONTHS)]


class CustomerChurnMonth(models.Model):
    """What the statuses were at the end of a month: counts, no customers. Five rows a month, written together."""

    _name = "customer.churn.month"
    _inherit = "customer.churn.status.mixin"
    _description = "Customers by Status at the End of a Month"
    _order = "date desc, status, id"
    _rec_name = "date"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(string="Month", required=True, readonly=True, help="The last day of the month.")
    status = fields.Selection(STATUS, required=True, readonly=True)
    customer_count = fields.Integer(string="Customers", readonly=True)
    revenue_12m = fields.Monetary(
        string="Revenue of 12 Months", readonly=True, help="Of these customers, in the 12 months before.")
    is_replayed = fields.Boolean(
        string="Worked Out Afterwards", readonly=True,
        help="From what the ledger knew on that day, by the limits and the forecast of the day on which it was worked "
             "out. Other rows were kept by the analysis of that day.")

    _month_uniq = models.Constraint(
        "UNIQUE (company_id, date, status)", "A status is counted once for the end of a month.")

    # ------------------------------------------------------------------ the nights
    @api.model
    def _keep(self, run):
        """Count the profiles of a run, if its day is the last one of a month."""
        if run.date == get_month_ends(run.date)[0]:
            groups = self.env["customer.churn.profile"]._read_group(
                [("company_id", "=", run.company_id.id)], ["status"], ["__count", "revenue_12m:sum"])
            self._write_counts(run.company_id, run.date, {status: counts for status, *counts in groups})

    @api.model
    def _write_counts(self, company, date, counts, replayed=False):
        """The five rows of a month, anew: `counts` {status: (customers, revenue of 12 months)}."""
        self.search([("company_id", "=", company.id), ("date", "=", date)]).unlink()
        self.create([{
            "company_id": company.id, "date": date, "status": status, "is_replayed": replayed,
            "customer_count": customers, "revenue_12m": revenue,
        } for status in STATUS_CODES for customers, revenue in [counts.get(status, (0, 0))]])

    # ------------------------------------------------------------------ the past
    @api.model
    def _fill_missing(self):
        """Count the months that no run saw the end of, each in a transaction of its own: killed or out of time, the
        scheduled action goes on where it was. A run that is asked for meanwhile comes first; a company whose month
        fails waits."""
        cron, failed = self.env["ir.cron"], self.env["res.company"]
        missing = self._get_missing()
        cron._commit_progress(remaining=len(missing))
        for company, date in missing:
            filled = company not in failed and self._try_to_fill(company, date)
            failed |= self.env["res.company"] if filled else company
            time_left = cron._commit_progress(1)
            if filled and (not time_left or self.env["customer.churn.run"]._is_asked_for()):
                break  # never after a failure alone: it would be the first to come again, and no other would get on

    @api.model
    def _get_missing(self):
        """Pairs (company, end of a month) that nobody counted, newest first: from a company's first purchase on, as
        far back as the charts reach, up to its last analysis."""
        firsts = dict(self.env["customer.churn.profile"]._read_group(
            [("company_id.active", "=", True)], ["company_id"], ["first_purchase_date:min"]))
        kept = {(month.company_id, month.date) for month in self.search([("company_id", "in", [c.id for c in firsts])])}
        return [
            (company, date)
            for company, first in firsts.items() for run in self.env["customer.churn.run"]._get_last_done(company)
            for date in get_month_ends(run.date) if date >= first and (company, date) not in kept
        ]

    @api.model
    def _try_to_fill(self, company, date):
        try:
            with self.env.cr.savepoint():
                self.with_company(company).with_context(allowed_company_ids=company.ids)._fill(company, date)
        except Exception:  # whatever it is, the other companies and the nights go on
            _logger.exception("%s: the customers by status on %s could not be counted", company.name, date)
            return False
        return True

    @api.model
    def _fill(self, company, date):
        """Count one past month; nothing where the next run has to learn first, as the limits were changed."""
        run = self.env["customer.churn.run"]._get_last_done(company)
        policies = self.env["customer.churn.policy"]._get_policies(company, create=False)
        forecaster = run._load(run)
        if not forecaster or run._describe(policies) != run.policies:
            return
        history = self.env["customer.churn.purchase"]._read_log(company, date).history(date)
        history["status"] = None
        for policy, customers in policies._split(history.index):
            table = forecaster.classify(history.loc[customers], date, policy._to_engine())
            history.loc[customers, "status"] = table.status
        sums = history.groupby("status").revenue_12m.agg(["size", "sum"]).itertuples()
        self._write_counts(
            company, date, {status: (int(size), float(money)) for status, size, money in sums}, replayed=True)
