"""What a purchase is: the only place of the product that knows.

The way of a document: a *source* (one SELECT a kind of document, glue addons append theirs) says its
company, partner, day, money and from which day on it is void. `_documents` rolls contacts up to the
customer they belong to now. `_known` is what somebody who looked on a given day would have counted.
"""

from odoo import api, fields, models
from odoo.sql_db import db_connect
from odoo.tools import SQL

YEAR_DAYS = 365


class CustomerChurnPurchase(models.Model):
    _name = "customer.churn.purchase"
    _description = "Purchase"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(readonly=True)
    amount = fields.Monetary(string="Revenue", readonly=True, help="Net of tax, in the company's currency.")

    # ------------------------------------------------------------------ the rule
    @api.model
    def _get_purchase_sources(self):
        """One SELECT a kind of document, with the columns `id`, `company_id`, `partner_id` (the document's
        own, contact or not), `date`, `amount` (float, company currency and rounded as that, net of tax; > 0
        buys, else only money), `void_date` (counts no more from that day on; NULL = it does) and `write_date`.

        :rtype: list[SQL]
        """
        return [self._get_invoice_source()]

    @api.model
    def _get_invoice_source(self):
        """Posted customer invoices, receipts and credit notes. What is not posted is void from its first
        day, so that a change of state is seen by its `write_date`. What was bought and never paid was bought:
        the credit note of a write-off is none of these."""
        return SQL(
            """
            SELECT m.id, m.company_id, m.partner_id, m.invoice_date AS date,
                   m.amount_untaxed_signed::float8 AS amount,
                   CASE WHEN m.state = 'posted' THEN v.void_date ELSE m.invoice_date END AS void_date,
                   m.write_date
              FROM account_move m
              LEFT JOIN (%s) v ON v.move_id = m.id
             WHERE m.move_type IN ('out_invoice', 'out_refund', 'out_receipt') AND m.bad_debt_writeoff_id IS NULL
               AND %s
            """,
            self._get_reversed_moves(), self._narrow("m", date="invoice_date"),
        )

    @api.model
    def _get_reversed_moves(self):
        """Both sides of a full reversal, void as soon as both exist. One reversal voids one document: a
        second one of the same invoice stays as money. A reversal that was itself reversed voids nothing,
        and neither does one for another customer. OFFSET 0 has each original looked up: PostgreSQL would
        rather read the whole ledger for them."""
        return SQL(
            """
            SELECT DISTINCT ON (side.move_id) side.move_id, pair.void_date
              FROM (SELECT DISTINCT ON (o.id) o.id AS origin_id, r.id AS reversal_id,
                           GREATEST(COALESCE(r.invoice_date, r.date), o.invoice_date) AS void_date
                      FROM account_move r,
                           LATERAL (SELECT id, state, partner_id, currency_id, amount_total, invoice_date
                                      FROM account_move WHERE id = r.reversed_entry_id OFFSET 0) o
                     WHERE r.reversed_entry_id IS NOT NULL AND r.bad_debt_writeoff_id IS NULL
                       AND r.state = 'posted' AND o.state = 'posted'
                       AND r.currency_id = o.currency_id AND r.amount_total = o.amount_total
                       AND %(same_origin)s
                       AND NOT EXISTS (
                            SELECT FROM account_move u WHERE u.reversed_entry_id = r.id AND u.state = 'posted'
                               AND u.currency_id = r.currency_id AND u.amount_total = r.amount_total
                               AND %(same_undoing)s)
                       AND %(narrowed)s
                     ORDER BY o.id, r.invoice_date, r.id) pair,
                   LATERAL (VALUES (pair.origin_id), (pair.reversal_id)) side (move_id)
             ORDER BY side.move_id, pair.void_date
            """,
            same_origin=self._is_same_customer("r", "o"), same_undoing=self._is_same_customer("u", "r"),
            narrowed=self._narrow_reversals(),
        )

    @api.model
    def _narrow_reversals(self):
        """Condition on the reversals `r` that decide about the documents asked for: of those of some days all
        reversals of the same original, whenever they were."""
        if not self.env.context.get("customer_churn_days"):
            return self._narrow("r")
        return SQL(
            """%s AND r.reversed_entry_id IN (
                      SELECT unnest(ARRAY[d.id, d.reversed_entry_id]) FROM account_move d WHERE %s)""",
            self.with_context(customer_churn_days=None, customer_churn_customers=None)._narrow("r"),
            self._narrow("d", date="invoice_date"))

    @api.model
    def _is_same_customer(self, one, other):
        """Condition that two documents, by the aliases of their tables, are of one customer, contact or not."""
        one, other = SQL.identifier(one, "partner_id"), SQL.identifier(other, "partner_id")
        return SQL(
            """(%(one)s = %(other)s OR EXISTS (
                    SELECT FROM res_partner p JOIN res_partner q USING (commercial_partner_id)
                     WHERE p.id = %(one)s AND q.id = %(other)s))""", one=one, other=other)

    @api.model
    def _narrow(self, alias, date=None):
        """Condition of a source on the table `alias`: it has a partner, and is of the company and of the
        customers in the context where only these are read. An index on `partner_id` then serves, or where only
        some days are asked for (`_within`) one on `date`, the column of the document's day."""
        partner = SQL.identifier(alias, "partner_id")
        conditions = [SQL("%s IS NOT NULL", partner)]
        if company_id := self.env.context.get("customer_churn_company"):
            conditions.append(SQL("%s = %s", SQL.identifier(alias, "company_id"), company_id))
        customers = self.env.context.get("customer_churn_customers")
        if date and (days := self.env.context.get("customer_churn_days")):
            conditions.append(self._within(days, SQL.identifier(alias, date)))
        elif customers is not None:
            # an array is made once; PostgreSQL joins a subquery, where it expects few rows by going through it for each
            conditions.append(SQL(
                "%s = ANY(ARRAY(SELECT id FROM res_partner WHERE commercial_partner_id = ANY(%s)))",
                partner, list(customers)))
        return SQL(" AND ").join(conditions)

    @api.model
    def _within(self, days, date):
        """Condition that the column `date` (SQL) lies in one of `days`, pairs (after, until)."""
        return SQL("(%s)", SQL(" OR ").join(
            SQL("(%s > %s::date AND %s <= %s::date)", date, after, date, until) for after, until in days))

    @api.model
    def _documents(self):
        """All documents, rolled up to the customer that their partner belongs to today."""
        numbered = [
            SQL("SELECT id::bigint * %s + %s AS id, company_id, partner_id, date, amount, void_date, write_date"
                " FROM (%s) source", len(sources), index, source)
            for sources in [self._get_purchase_sources()]
            for index, source in enumerate(sources)
        ]
        customers = self.env.context.get("customer_churn_customers")
        return SQL(
            """SELECT d.id, d.company_id, p.commercial_partner_id AS partner_id, d.date, d.amount, d.void_date,
                      d.write_date
                 FROM (%s) d JOIN res_partner p ON p.id = d.partner_id AND %s""",
            SQL(" UNION ALL ").join(numbered),
            SQL("TRUE") if customers is None else SQL("p.commercial_partner_id = ANY(%s)", list(customers)),
        )

    @api.model
    def _known(self, at, company=None, since=None):
        """Documents that count for who looks on the day `at`.

        :param date at: last day that is known
        :param company: res.company record, or None for all
        :param date since: with what counted on a day from this one on, and is void by now
        """
        return SQL(
            """SELECT id, company_id, partner_id, date, COALESCE(amount, 0) AS amount, void_date FROM (%s) document
                WHERE date <= %s AND (void_date IS NULL OR void_date > GREATEST(date, %s))
                  AND partner_id NOT IN (SELECT id FROM res_partner WHERE churn_exclude
                                         UNION ALL SELECT partner_id FROM res_company)
                  AND %s""",
            self.with_context(customer_churn_company=company and company.id)._documents(), at, since or at,
            SQL("company_id = %s", company.id) if company else SQL("TRUE"),
        )

    @api.model
    def _known_histories(self, at, company):
        """The histories as of `at` in SQL, a row a customer: what the deadlines depend on, and no more. OFFSET 0 has
        the documents known before they are sorted: PostgreSQL would keep an order by a nested loop over all reversals.
        """
        return SQL(
            """SELECT partner_id, count(DISTINCT date) FILTER (WHERE amount > 0) AS purchase_count,
                      min(date) FILTER (WHERE amount > 0) AS first_date,
                      max(date) FILTER (WHERE amount > 0) AS last_date, sum(amount) AS revenue_total
                 FROM (%s OFFSET 0) known GROUP BY partner_id HAVING bool_or(amount > 0)""",
            self._known(at, company),
        )

    @property
    def _table_query(self):
        """A purchase: one customer, one company, one day with a document of a positive amount."""
        return SQL(
            """SELECT min(k.id) AS id, k.company_id, k.partner_id, p.user_id, k.date,
                      sum(k.amount)::numeric AS amount
                 FROM (%s) k JOIN res_partner p ON p.id = k.partner_id
                GROUP BY k.company_id, k.partner_id, p.user_id, k.date HAVING bool_or(k.amount > 0)""",
            self._known(fields.Date.context_today(self)),
        )

    # ------------------------------------------------------------------ what the run reads
    @api.model
    def _read_log(self, company, at, customers=None):
        """The documents known on `at` as an `engine.PurchaseLog`."""
        return self._to_log(self._read_documents(company, at, customers))

    @api.model
    def _to_log(self, documents):
        from .. import engine  # the web workers never load numpy

        return engine.PurchaseLog.from_arrays(documents["customer_id"], documents["date"], documents["amount"])

    @api.model
    def _among(self, documents, day):
        """Those of `documents` that are known on a day since which they were read."""
        import numpy as np  # the web workers never load it

        day = np.datetime64(day, "D")
        known = (documents["date"] <= day) & (documents["void_date"] > day)
        return {name: values[known] for name, values in documents.items()}

    @api.model
    def _read_documents(self, company, at, customers=None, since=None):
        """The documents known on `at`, and on a day `since`, by one binary COPY.

        :param list customers: ids of commercial partners, None for all
        :return: {'id', 'customer_id', 'date', 'amount', 'void_date': array (documents,)}
        """
        from .. import binary_copy

        self.env.flush_all()
        known = self.with_context(customer_churn_customers=customers)._known(at, company, since)
        return binary_copy.read(
            self.env.cr, SQL("SELECT id, partner_id AS customer_id, date, amount, COALESCE(void_date, 'infinity')"
                             " AS void_date FROM (%s) known", known),
            {"id": "i8", "customer_id": "i4", "date": "date", "amount": "f8", "void_date": "date"},
        )

    @api.model
    def _read_watermark(self):
        """The moment before which every change will be visible: transactions that are open now may yet commit
        changes dated at their own start. Looked up on a connection of its own, and to be called before the
        first statement of the transaction that reads: what ends in between is then seen or still counted."""
        with db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute(SQL(
                """SELECT LEAST(now(), min(xact_start)) AT TIME ZONE 'UTC' FROM pg_stat_activity
                    WHERE datname = current_database() AND backend_type = 'client backend'"""
            ))
            return cr.fetchone()[0].replace(microsecond=0)
