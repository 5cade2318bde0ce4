"""Other signs than silence: product lines that a customer gave up, and how he pays. They are shown and said, and
change no chance (docs/method.md, 12). Computed when read, a query or two however many profiles are read."""

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.tools import SQL, format_amount, format_date

from ..report.customer_churn_purchase import YEAR_DAYS
from .customer_churn_product_line import STILL_BUYS

LATE_DAYS = 7  # below a week it is the weekend, the bank, or the post
LEAST_ITEMS = 3  # a mean of fewer is chance
CREDITED_SHARE = 0.1


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    product_line_ids = fields.One2many("customer.churn.product.line", "profile_id", string="Lost Product Lines")
    due_item_count = fields.Integer(
        string="Instalments Fallen Due", compute="_compute_payment", compute_sudo=True,
        help="Of invoices, in the last 12 months.",
    )
    days_late = fields.Float(
        string="Average Days Late", compute="_compute_payment", compute_sudo=True,
        help="Days from due date to payment of what fell due in the last 12 months; 0 for what was paid in time. "
             "What is still open counts until today, and what a credit note settled does not count.",
    )
    days_late_change = fields.Float(
        string="Against a Year Ago", compute="_compute_payment", compute_sudo=True,
        help="The average days late, less what it was a year ago; 0 where less than three instalments fell due.",
    )
    disputed_count = fields.Integer(
        string="Disputed Invoices", compute="_compute_payment", compute_sudo=True,
        help="Open invoices that are blocked for payment, or excluded from follow-up.",
    )
    disputed_amount = fields.Monetary(string="In Dispute", compute="_compute_payment", compute_sudo=True)
    credited_share = fields.Float(
        string="Share of Credit Notes", compute="_compute_credited_share", compute_sudo=True,
        help="Credit notes in the last 12 months against the invoices. An invoice that was reversed in full counts "
             "as neither.",
    )

    # ------------------------------------------------------------------ how the customer pays
    @api.depends("partner_id", "company_id")
    def _compute_payment(self):
        found = {(row["company_id"], row["partner_id"]): row for row in self._read_payments()}
        for profile in self:
            row = found.get((profile.company_id.id, profile.partner_id.id), {})
            counts = row.get("due_count", 0), row.get("due_count_before", 0)
            profile.update({
                "due_item_count": counts[0],
                "days_late": row.get("days_late") or 0,
                "days_late_change":
                    row["days_late"] - row["days_late_before"] if min(counts) >= LEAST_ITEMS else 0,
                "disputed_count": row.get("disputed_count", 0),
                "disputed_amount": row.get("disputed_amount") or 0,
            })

    def _read_payments(self):
        """A row a customer: the instalments that fell due in the last year and in the one before, each seen from its
        year's end, so that both are measured alike."""
        for model in ("account.move", "account.move.line", "account.partial.reconcile"):
            self.env[model].flush_model()
        today = fields.Date.context_today(self)
        return self.env.execute_query_dict(SQL(
            """SELECT company_id, partner_id, %s, %s,
                      count(DISTINCT move_id) FILTER (WHERE disputed) AS disputed_count,
                      sum(amount_residual) FILTER (WHERE disputed)::float8 AS disputed_amount
                 FROM (%s OFFSET 0) item GROUP BY company_id, partner_id""",
            self._lateness_sql(today, ""), self._lateness_sql(today - relativedelta(days=YEAR_DAYS), "_before"),
            self._instalments_sql(today - relativedelta(days=2 * YEAR_DAYS)),
        ))

    @api.model
    def _lateness_sql(self, at, suffix):
        """Count and mean lateness of what fell due in the year up to `at`, as it was known on that day."""
        fell_due = SQL("due <= %s AND due > %s::date - %s AND settled IS NOT NULL", at, at, YEAR_DAYS)
        return SQL(
            """count(*) FILTER (WHERE %s) AS %s,
               avg(GREATEST(LEAST(settled, %s::date) - due, 0)) FILTER (WHERE %s)::float8 AS %s""",
            fell_due, SQL.identifier("due_count" + suffix), at, fell_due, SQL.identifier("days_late" + suffix))

    def _instalments_sql(self, since=None):
        """What is open or fell due after `since`, looked up once each (OFFSET 0). `settled`: the day of the last
        payment, far away for what is open, NULL for what a credit note settled: its line is a `payment_term` too,
        that of a payment is none."""
        return SQL(
            """SELECT l.company_id, l.partner_id, l.move_id, l.date_maturity AS due, l.balance, l.amount_residual,
                      NOT l.reconciled AND (l.no_followup OR m.payment_state = 'blocked') AS disputed,
                      CASE WHEN l.reconciled THEN (
                          SELECT max(r.max_date) FROM account_partial_reconcile r
                            JOIN account_move_line c ON c.id = r.credit_move_id
                           WHERE r.debit_move_id = l.id AND c.display_type <> 'payment_term'
                      ) ELSE 'infinity' END AS settled
                 FROM account_move_line l JOIN account_move m ON m.id = l.move_id
                WHERE l.partner_id = ANY(%s) AND l.company_id = ANY(%s) AND l.parent_state = 'posted'
                  AND l.display_type = 'payment_term' AND l.balance > 0
                  AND m.move_type IN ('out_invoice', 'out_receipt')
                  AND (NOT l.reconciled OR l.date_maturity > COALESCE(%s::date, '-infinity'))""",
            self.partner_id.ids, self.company_id.ids, since)

    @api.depends("partner_id", "company_id")
    def _compute_credited_share(self):
        today = fields.Date.context_today(self)
        rows = self.env.execute_query(SQL(
            """SELECT company_id, partner_id, -sum(LEAST(amount, 0)) / NULLIF(sum(GREATEST(amount, 0)), 0)
                 FROM (%s) known WHERE date > %s::date - %s GROUP BY company_id, partner_id""",
            self._get_purchases()._known(today), today, YEAR_DAYS))
        shares = {tuple(key): share for *key, share in rows}
        for profile in self:
            profile.credited_share = shares.get((profile.company_id.id, profile.partner_id.id)) or 0

    # ------------------------------------------------------------------ in words
    @api.depends("product_line_ids", "days_late", "days_late_change", "disputed_amount", "credited_share")
    def _compute_explanation(self):
        """After the silence, what else speaks: where it says something."""
        result = super()._compute_explanation()
        self.product_line_ids.category_id.fetch(["name"])  # of all profiles at once
        for profile in self:
            for sign in (profile._say_lost_lines(), profile._say_lateness(), profile._say_disputes(),
                         profile._say_credits()):
                if sign:
                    profile.explanation = self.env._(
                        "%(explanation)s %(sign)s", explanation=profile.explanation, sign=sign)
        return result

    def _say_lost_lines(self):
        lines = self.product_line_ids
        if not lines or self.status not in STILL_BUYS:
            return ""
        dearest, others = lines[0], len(lines) - 1
        values = {
            "line": dearest.category_id.name, "date": format_date(self.env, dearest.last_purchase_date),
            "amount": self._say_amount(dearest.revenue_year_before), "others": others,
        }
        if others > 1:
            return self.env._(
                "Still buys, but no %(line)s since %(date)s (%(amount)s in the year before), "
                "nor %(others)s other product lines.", **values)
        if others:
            values["other"] = lines[1].category_id.name
            return self.env._(
                "Still buys, but no %(line)s since %(date)s (%(amount)s in the year before), nor %(other)s.", **values)
        return self.env._(
            "Still buys, but no %(line)s since %(date)s; %(amount)s in the year before.", **values)

    def _say_lateness(self):
        days, change = round(self.days_late), round(self.days_late_change)
        if self.due_item_count < LEAST_ITEMS or days < LATE_DAYS:
            return ""
        if change >= LATE_DAYS:
            return self.env._(
                "Pays %(days)s days late on average, %(change)s more than a year ago.", days=days, change=change)
        if change <= -LATE_DAYS:
            return self.env._(
                "Pays %(days)s days late on average, %(change)s less than a year ago.", days=days, change=-change)
        return self.env._("Pays %(days)s days late on average.", days=days)

    def _say_disputes(self):
        if not self.disputed_count:
            return ""
        amount = self._say_amount(self.disputed_amount)
        if self.disputed_count == 1:
            return self.env._("One invoice of %(amount)s is disputed.", amount=amount)
        return self.env._(
            "%(count)s invoices of %(amount)s together are disputed.", count=self.disputed_count, amount=amount)

    def _say_credits(self):
        if self.credited_share < CREDITED_SHARE:
            return ""
        return self.env._(
            "%(share)s %% of what was invoiced in 12 months was credited.", share=round(100 * self.credited_share))

    def _say_amount(self, amount):
        return format_amount(self.env, amount, self.currency_id)
