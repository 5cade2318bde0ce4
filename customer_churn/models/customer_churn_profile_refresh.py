"""How a run writes profiles and events: staged by binary COPY, then one statement that writes only the
rows that differ and appends the events of those whose status changed."""

from odoo import api, models
from odoo.tools import SQL

from .customer_churn_profile import VALUE_CLASS_CODES
from .customer_churn_status_mixin import STATUS_CODES

STAGING = "customer_churn_staging"
PATIENCE = "20s"  # for rows that a user is writing: then the run gives way, and tries again
COLUMNS = {  # staged column -> kind; NaN and NaT stand for NULL
    "partner_id": "i4",
    "policy_id": "i4",
    "status": "i4",
    "new_until": "date",
    "at_risk_date": "date",
    "dormant_date": "date",
    "lost_date": "date",
    "purchase_count": "i4",
    "first_purchase_date": "date",
    "last_purchase_date": "date",
    "usual_gap_days": "f8",
    "gap_spread_days": "f8",
    "alive_probability": "f8",
    "purchase_probability": "f8",
    "expected_purchases": "f8",
    "expected_revenue": "f8",
    "revenue_12m": "f8",
    "revenue_previous_12m": "f8",
    "revenue_total": "f8",
    "revenue_at_stake": "f8",
    "value_class": "i4",
    "rfm_score": "i4",
    "count_weight": "f8",
    "gap_weight": "f8",
    "silence_weight": "f8",
    "value_weight": "f8",
}
NOT_STORED = ("status", "new_until")
EVENT_COLUMNS = (
    "partner_id", "company_id", "user_id", "status", "status_date", "revenue_12m", "run_id", "create_uid",
    "write_uid", "write_date",
)


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    def init(self):
        """Room in each page for a new version of every row: what changes no indexed column then costs no index."""
        self.env.cr.execute(SQL("ALTER TABLE customer_churn_profile SET (fillfactor = 50)"))

    @api.model
    def _refresh(self, run, columns, customers=None):
        """Make the profiles of a run's company what `columns` say.

        :param run: customer.churn.run record
        :param dict columns: arrays (n,), the keys of `COLUMNS`
        :param list customers: what was read, None = all: whoever of these is not in `columns` has no purchase
        :return: (rows written or deleted, events appended)
        """
        self._stage(columns)
        self.env.cr.execute(SQL("SET LOCAL lock_timeout = %s", PATIENCE))
        if customers is not None:  # few rows of many: found by index, not by reading the table
            self.env.cr.execute(SQL("SET LOCAL random_page_cost = 1.1"))
        self.env.cr.execute(self._write_changed_sql(run), log_exceptions=False)  # a user may write the same rows
        written, events = self.env.cr.fetchone()
        self.env.cr.execute(SQL(
            "DELETE FROM customer_churn_profile p WHERE company_id = %s AND %s", run.company_id.id,
            SQL("NOT EXISTS (SELECT FROM customer_churn_staging s WHERE s.partner_id = p.partner_id)")
            if customers is None
            else SQL("partner_id = ANY(%s)", list(set(customers).difference(columns["partner_id"].tolist()))),
        ))
        deleted = self.env.cr.rowcount
        self.env["customer.churn.event"]._relink(run.company_id)
        self.env.invalidate_all(flush=False)
        return written + deleted, events

    @api.model
    def _stage(self, columns):
        from .. import binary_copy  # the web workers never load numpy

        self.env.flush_all()
        binary_copy.stage(self.env.cr, STAGING, COLUMNS, columns)
        self.env.cr.execute(SQL("ANALYZE %s (partner_id)", SQL.identifier(STAGING)))

    @api.model
    def _stored_sql(self, names, decimals):
        return SQL(", ").join(
            SQL("%s AS %s", self._stored_expression(name, decimals), SQL.identifier(name)) for name in names)

    @api.model
    def _stored_expression(self, name, decimals):
        """The staged column as it is stored: sentinels to NULL, codes to words, money to the currency's decimals."""
        column, kind = SQL.identifier("s", name), COLUMNS[name]
        if kind == "date":
            return SQL("NULLIF(%s, 'infinity')", column)
        if name == "policy_id":
            return SQL("NULLIF(%s, 0)", column)
        if name == "value_class":
            return SQL("(%s::varchar[])[%s + 1]", VALUE_CLASS_CODES, column)
        if name == "rfm_score":
            return SQL("%s::varchar", column)
        if kind == "f8":
            value = SQL("NULLIF(%s, 'NaN')", column)
            return SQL("round(%s::numeric, %s)", value, decimals) if self._fields[name].type == "monetary" else value
        return column

    @api.model
    def _write_changed_sql(self, run):
        """One statement: write what differs, append an event where the status is another, count both.

        A status began on the day its deadline came or its purchase was made, but never before the day
        after the last look at this company: what was found late is dated by when it could be known.
        """
        stored = [name for name in COLUMNS if name not in NOT_STORED]
        decided = [*stored, "status", "status_date", "is_stale", "currency_id", "user_id"]
        updated = [*decided, "forecast_date", "write_uid", "write_date"]
        inserted = ["id", *updated, "company_id", "create_uid", "create_date"]
        comma = SQL(", ")
        event = comma.join(SQL.identifier("s", name) for name in ("id", *EVENT_COLUMNS))
        return SQL(
            """
            WITH staged AS MATERIALIZED (%(staged)s),
                 updated AS (
                     UPDATE customer_churn_profile p SET %(updates)s FROM staged s
                      WHERE p.id = s.old_id AND (%(old)s) IS DISTINCT FROM (%(new)s)
                  RETURNING %(event)s, s.old_status),
                 inserted AS (
                     INSERT INTO customer_churn_profile (%(inserted)s)
                     SELECT %(inserted)s FROM staged WHERE old_id IS NULL),
                 written AS (
                     SELECT * FROM updated
                      UNION ALL SELECT %(event)s, s.old_status FROM staged s WHERE s.old_id IS NULL),
                 appended AS (%(events)s RETURNING 1)
            SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM appended)
            """,
            staged=self._staged_sql(run, stored), event=event,
            updates=comma.join(
                SQL("%s = %s", SQL.identifier(name), SQL.identifier("s", name)) for name in updated),
            inserted=comma.join(map(SQL.identifier, inserted)),
            old=comma.join(SQL.identifier("p", name) for name in decided),
            new=comma.join(SQL.identifier("s", name) for name in decided),
            events=self.env["customer.churn.event"]._append_sql(SQL.identifier("written")),
        )

    @api.model
    def _staged_sql(self, run, stored):
        """The staged rows as they are to be stored, beside the status that is stored now, or of those who come back
        was the last."""
        status = SQL("(%s::varchar[])[s.status + 1]", list(STATUS_CODES))
        returned = SQL("CASE WHEN o.id IS NULL THEN s.partner_id END")  # a condition of the join looks all events up
        return SQL(
            """
            SELECT o.id AS old_id,
                   CASE WHEN o.id IS NULL THEN nextval('customer_churn_profile_id_seq') ELSE o.id END AS id,
                   %(stored)s, %(status)s AS status, FALSE AS is_stale,
                   COALESCE(o.status, e.new_status) AS old_status,
                   CASE WHEN COALESCE(o.status, e.new_status) = %(status)s THEN COALESCE(o.status_date, e.date)
                        ELSE LEAST(%(date)s::date, GREATEST(%(since)s::date, CASE %(status)s
                             WHEN 'new' THEN s.first_purchase_date
                             WHEN 'active' THEN CASE WHEN COALESCE(o.status, e.new_status)
                                                          IN ('at_risk', 'dormant', 'lost')
                                                     THEN s.last_purchase_date ELSE s.new_until END
                             WHEN 'at_risk' THEN s.at_risk_date
                             WHEN 'dormant' THEN s.dormant_date
                             ELSE s.lost_date END)) END AS status_date,
                   %(company)s AS company_id, %(currency)s AS currency_id, c.user_id, %(run)s AS run_id,
                   %(date)s::date AS forecast_date, %(user)s AS create_uid, %(user)s AS write_uid,
                   now() AT TIME ZONE 'UTC' AS create_date, now() AT TIME ZONE 'UTC' AS write_date
              FROM customer_churn_staging s
              JOIN res_partner c ON c.id = s.partner_id
              LEFT JOIN customer_churn_profile o ON o.company_id = %(company)s AND o.partner_id = s.partner_id
              LEFT JOIN LATERAL (%(last_event)s) e ON TRUE
            """,
            stored=self._stored_sql(stored, run.company_id.currency_id.decimal_places),
            last_event=self.env["customer.churn.event"]._last_sql(run.company_id, returned),
            status=status, date=run.date, since=run._get_first_unseen_date(), company=run.company_id.id,
            currency=run.company_id.currency_id.id, run=run.id, user=self.env.uid,
        )

    # ------------------------------------------------------------------ what is due
    @api.model
    def _get_due(self, company, at):
        """SQL of the customers who are stale (TRUE), or whose status is no longer what their deadlines say on `at`.

        Two parts, as the first has an index, and as the second reads all profiles: the fewer columns the better."""
        return SQL(
            """SELECT partner_id, TRUE AS is_stale FROM customer_churn_profile
                WHERE company_id = %(company)s AND is_stale
                UNION ALL
               SELECT p.partner_id, FALSE FROM customer_churn_profile p
                 LEFT JOIN customer_churn_policy policy ON policy.id = p.policy_id
                WHERE p.company_id = %(company)s AND p.status <> 'lost' AND (
                      p.lost_date <= %(at)s
                   OR (p.status <> 'dormant' AND p.dormant_date <= %(at)s)
                   OR (p.status IN ('new', 'active') AND p.at_risk_date <= %(at)s)
                   OR (p.status = 'new' AND p.first_purchase_date + policy.new_days <= %(at)s))""",
            company=company.id, at=at,
        )
