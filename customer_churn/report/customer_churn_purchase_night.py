"""What a night reads: all documents of those whose ledger changed, and of those of whom only days passed no more than
what left a window. Busy customers' documents lie all over the ledger, and one of them leaves almost every night."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from .customer_churn_purchase import YEAR_DAYS


class CustomerChurnPurchase(models.Model):
    _inherit = "customer.churn.purchase"

    @api.model
    def _get_changed_customers(self, company, since, last_date, at):
        """Ids of the customers to look at after a run on `last_date` that had seen all before `since`.

        :return: two sorted lists of commercial partner ids: those whose documents or master data changed, whose
            document's day came, or who are stale; and of all others those whose documents left the last or the
            previous twelve months, or whose deadline came (see `_get_due`)
        """
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT partner_id, bool_or(is_changed) FROM (
               SELECT partner_id, write_date >= %(since)s OR date > %(last_date)s AS is_changed
                 FROM (%(documents)s) document
                WHERE company_id = %(company)s AND (write_date >= %(since)s OR %(moved)s)
                UNION ALL SELECT commercial_partner_id, TRUE FROM res_partner
                           WHERE write_date >= %(since)s AND commercial_partner_id IS NOT NULL
                UNION ALL (%(due)s)) look GROUP BY partner_id ORDER BY partner_id""",
            documents=self._documents(), company=company.id, since=since, last_date=last_date,
            moved=self._within([(last_date, at), *self._get_left_days(last_date, at)], SQL("date")),
            due=self.env["customer.churn.profile"]._get_due(company, at),
        ))
        return ([customer for customer, is_changed in rows if is_changed],
                [customer for customer, is_changed in rows if not is_changed])

    @api.model
    def _get_left_days(self, last_date, at):
        """The days that left the last and the previous twelve months since `last_date`: pairs (after, until)."""
        return [(last_date - timedelta(days), at - timedelta(days)) for days in (YEAR_DAYS, 2 * YEAR_DAYS)]

    @api.model
    def _read_passed(self, company, last_date, at, customers):
        """The histories as of `at` of customers of whom nothing changed since `last_date`.

        :return: DataFrame like that of engine.PurchaseLog.history
        """
        import pandas as pd  # the web workers never load it

        from .. import binary_copy

        kinds = {
            "customer_id": "i4", "purchase_count": "i8", "first_date": "date", "last_date": "date", "gap_median": "f8",
            "gap_spread": "f8", "revenue_total": "f8", "revenue_12m": "f8", "revenue_previous_12m": "f8",
        }
        passed = self._passed_sql(company, self._get_left_days(last_date, at), at, customers)
        return pd.DataFrame(binary_copy.read(self.env.cr, passed, kinds)).set_index("customer_id")

    @api.model
    def _passed_sql(self, company, left, at, customers):
        """What the profiles say, but for the money that left the last or the previous twelve months, `left`."""
        known = self.with_context(customer_churn_customers=customers, customer_churn_days=left)._known(at, company)
        of_last, of_previous = (self._within([days], SQL("date")) for days in left)
        return SQL(
            """SELECT partner_id AS customer_id, purchase_count, first_purchase_date AS first_date,
                      last_purchase_date AS last_date, COALESCE(usual_gap_days, 'NaN') AS gap_median,
                      COALESCE(gap_spread_days, 'NaN') AS gap_spread, revenue_total,
                      revenue_12m::float8 - COALESCE(of_last, 0) AS revenue_12m,
                      revenue_previous_12m::float8 + COALESCE(of_last, 0) - COALESCE(of_previous, 0)
                          AS revenue_previous_12m
                 FROM customer_churn_profile LEFT JOIN (
                      SELECT partner_id, sum(amount) FILTER (WHERE %s) AS of_last,
                             sum(amount) FILTER (WHERE %s) AS of_previous
                        FROM (%s) known GROUP BY partner_id) moved USING (partner_id)
                WHERE company_id = %s AND partner_id = ANY(%s)""",
            of_last, of_previous, known, company.id, customers)
