"""What the limits on the form do: how many customers each status gets today, and how right it would have been on a
past day, judged by who bought since."""

import dataclasses
import logging
import math
import subprocess
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from .. import engine_process
from ..report.customer_churn_purchase import YEAR_DAYS
from .customer_churn_policy import FIELDS
from .customer_churn_status_mixin import STATUS

_logger = logging.getLogger(__name__)

MOST = 20_000  # customers: of more, every so-manieth is counted, so that a form is not waited for
LEAST_DAYS = 90  # of history before the past day, and of time since
HISTORY = {  # column of the engine's history -> of the profile
    "customer_id": "partner_id",
    "purchase_count": "purchase_count",
    "first_date": "first_purchase_date",
    "last_date": "last_purchase_date",
    "revenue_total": "revenue_total",
}


class CustomerChurnPolicy(models.Model):
    _inherit = "customer.churn.policy"

    preview = fields.Char(compute="_compute_preview", help="The customers of this policy by status, as of today.")
    as_stored = fields.Char(
        compute="_compute_as_stored", help="The customers of this policy by status, as the last analysis left them.")
    past_note = fields.Char(
        compute="_compute_preview", help="On which day the limits are tried, or why they cannot be tried yet.")
    past_preview = fields.Text(
        string="With These Limits", compute="_compute_preview",
        help="What the limits on this form would have said on that day, and who bought nothing since.")
    past_as_stored = fields.Text(
        string="With the Limits as Saved", compute="_compute_preview", help="The same by the limits as they are saved.")
    is_counted = fields.Boolean(compute="_compute_preview")
    sample_note = fields.Char(
        compute="_compute_preview", help="Among how many customers the limits were tried, where these are not all.")
    new_count = fields.Integer(string="New Customers", compute="_compute_preview")
    active_count = fields.Integer(string="Active Customers", compute="_compute_preview")
    at_risk_count = fields.Integer(string="Customers At Risk", compute="_compute_preview")
    dormant_count = fields.Integer(string="Dormant Customers", compute="_compute_preview")
    lost_count = fields.Integer(string="Lost Customers", compute="_compute_preview")
    customer_count = fields.Integer(string="Customers Taken", compute="_compute_customer_count")
    fixed_days_note = fields.Char(
        compute="_compute_fixed_days_note", help="Where fixed days decide the statuses, and why.")

    @api.depends("domain", "sequence", "company_id", *FIELDS)
    def _compute_preview(self):
        for policy in self:
            answer, policy.preview = policy._try_to_ask()
            policy.is_counted = bool(answer)
            policy.sample_note = policy._say_sample(**answer["sample"]) if answer else False
            for status, _label in STATUS:
                policy[f"{status}_count"] = answer["counts"].get(status, 0) if answer else 0
            policy.past_note = policy._say_past_day() if answer else False
            tried = [policy._say_tried(counts) for counts in answer["past"]] if answer else []
            policy.past_preview, policy.past_as_stored = [*tried, False, False][:2]

    @api.depends("company_id")
    def _compute_as_stored(self):
        groups = self.env["customer.churn.profile"]._read_group(
            [("policy_id", "in", self._origin.ids)], ["policy_id", "status"], ["__count"])
        counts = {(policy.id, status): count for policy, status, count in groups}
        for policy in self:
            policy.as_stored = policy._say_counts(
                {status: counts.get((policy._origin.id, status), 0) for status, _label in STATUS})

    def _compute_customer_count(self):
        counts = dict(self.env["customer.churn.profile"]._read_group(
            [("policy_id", "in", self._origin.ids)], ["policy_id"], ["__count"]))
        for policy in self:
            policy.customer_count = counts.get(policy._origin, 0)

    @api.depends("company_id", "near_days", "far_days")
    @api.depends_context("lang")
    def _compute_fixed_days_note(self):
        for policy in self:
            run = policy._get_run()
            policy.fixed_days_note = run._say_fixed_days(run._get_fixed_days(policy)) or False

    def _try_to_ask(self):
        """The engine's answer and its sentence; no answer but what is missing or wrong, while somebody still types."""
        try:
            answer = self._ask_engine()
        except ValidationError as refusal:
            return {}, refusal.args[0]
        except subprocess.SubprocessError:
            _logger.exception("preview of policy %s", self.id)
            return {}, self.env._("The customers could not be counted. The limits can be saved all the same.")
        if answer is None:
            return {}, self.env._("Analyse the ledger first: then the customers by status are shown here.")
        if not answer:
            return {}, self.env._("These horizons take effect with the next analysis.")
        return answer, self._say_counts(answer["counts"])

    def _say_counts(self, counts):
        labels = dict(self.env["customer.churn.profile"]._fields["status"]._description_selection(self.env))
        return ", ".join(f"{labels[status]}: {counts.get(status, 0):,}" for status, _label in STATUS)

    def _say_sample(self, counted, total):
        return counted < total and self.env._(
            "Counted among %(counted)s of %(total)s customers, and scaled.", counted=f"{counted:,}", total=f"{total:,}")

    @api.model
    def _say_statuses(self, company):
        """How many customers of the company have each status now; empty where nobody has one."""
        counts = dict(self.env["customer.churn.profile"]._read_group(
            [("company_id", "=", company.id)], ["status"], ["__count"]))
        return self._say_counts(counts) if counts else ""

    # ------------------------------------------------------------------ the past
    def _get_past_day(self):
        """(the day on which the limits are tried, the first day on which they can be): 365 days before the last
        analysis, or as far back as there is some history before; no day where the ledger is too short."""
        run = self._get_run()
        [[first]] = self.env["customer.churn.profile"]._read_group(
            [("company_id", "=", self.company_id.id)], [], ["first_purchase_date:min"])
        if not first:
            return None, None
        day = max(run.date - timedelta(days=YEAR_DAYS), first + timedelta(days=LEAST_DAYS))
        possible = first + timedelta(days=2 * LEAST_DAYS)
        return (day if possible <= run.date else None), possible

    def _say_past_day(self):
        day, possible = self._get_past_day()
        if day:
            return self.env._(
                "What the limits would have said on %(day)s, by today's forecast, and who bought nothing in the "
                "%(days)s days since:",
                day=format_date(self.env, day), days=(self._get_run().date - day).days)
        return possible and self.env._(
            "The ledger is too short to try the limits on the past: that is possible from %(day)s on.",
            day=format_date(self.env, possible))

    def _say_tried(self, counts):
        labels = dict(self.env["customer.churn.profile"]._fields["status"]._description_selection(self.env))
        return "\n".join(
            self.env._("%(status)s: %(count)s, of whom %(gone)s (%(share)s %%) did not come back",
                       status=labels[status], count=f"{count:,}", gone=f"{gone:,}", share=round(100 * gone / count))
            if count else f"{labels[status]}: 0"
            for status, _label in STATUS for count, gone in [counts.get(status, (0, 0))])

    # ------------------------------------------------------------------ the engine
    def _get_run(self):
        # sudo: only the forecast's parameters and day are read, for whoever may see policies
        return self.env["customer.churn.run"].sudo()._get_last_done(self.company_id)

    def _ask_engine(self):
        """The answer of the task `preview` (engine/__main__.py) for this policy as its limits stand on the form;
        None before the first analysis, empty where the horizons were not fitted."""
        self.ensure_one()
        run = self._get_run()
        limits = dataclasses.asdict(self._to_engine())
        if not run:
            return None
        fitted = set(run._get_horizons())
        if not {limits["near_days"], limits["far_days"]} <= fitted:
            return {}
        tried, day = [limits], self._get_past_day()[0]
        stored = self._origin and dataclasses.asdict(self._origin._to_engine())
        if stored and stored != limits and {stored["near_days"], stored["far_days"]} <= fitted:
            tried.append(stored)
        self.env.flush_all()
        customers, total = self._draw()
        answer = engine_process.ask(self.env, {
            "task": "preview", "parameters": run.parameters, "limits": limits, "tried": tried,
            "at": fields.Date.to_string(run.date), "past": day and fields.Date.to_string(day),
        }, self._histories(day, customers))
        return self._scale(answer, total if customers is None else len(customers), total)

    @api.model
    def _scale(self, answer, counted, total):
        """The answer of a sample as that of all, and what it is worth: `sample`."""
        times = total / max(counted, 1)
        return {
            "counts": {status: round(times * count) for status, count in answer["counts"].items()},
            "past": [{status: [round(times * count) for count in counts] for status, counts in tried.items()}
                     for tried in answer["past"]],
            "sample": {"counted": counted, "total": total},
        }

    def _get_customers(self):
        """Query of this policy's profiles."""
        others = self.search([("company_id", "=", self.company_id.id), ("id", "!=", self._origin.id)])
        earlier = others.filtered(lambda other: other._get_rank() < self._get_rank())
        partners = Domain.AND([self._get_partner_domain(), *(~other._get_partner_domain() for other in earlier)])
        return self.env["customer.churn.profile"].with_context(active_test=False)._search(
            Domain("company_id", "=", self.company_id.id) & Domain("partner_id", "any", partners))

    def _draw(self):
        """(ids of the customers to count, evenly spaced; None for all, how many customers there are)."""
        query, partner = self._get_customers(), SQL.identifier("customer_churn_profile", "partner_id")
        [[total]] = self.env.execute_query(query.select(SQL("count(*)")))
        step = math.ceil(total / MOST)
        if step <= 1:
            return None, total
        numbered = query.select(partner, SQL("row_number() OVER (ORDER BY %s) AS place", partner))
        rows = self.env.execute_query(SQL(
            "SELECT partner_id FROM (%s) numbered WHERE place %% %s = 0", numbered, step))
        return [customer for (customer,) in rows], total

    def _histories(self, day, customers=None):
        """SQL of what the engine needs to know of this policy's customers, or some of them, now and as of a past
        `day`."""
        query, purchases = self._get_customers(), self.env["customer.churn.purchase"]
        if customers is not None:
            query.add_where(SQL("%s = ANY(%s)", SQL.identifier("customer_churn_profile", "partner_id"), customers))
        past = purchases.with_context(customer_churn_customers=customers)._known_histories(day, self.company_id)
        columns = [name for name in HISTORY if name != "customer_id"]
        comma = SQL(", ")
        return SQL(
            "SELECT now.*, %s FROM (%s) now LEFT JOIN (%s) past ON past.partner_id = now.customer_id",
            comma.join(SQL("past.%s AS %s", SQL.identifier(name), SQL.identifier(f"past_{name}")) for name in columns),
            query.select(*(SQL("%s AS %s", SQL.identifier("customer_churn_profile", column), SQL.identifier(name))
                           for name, column in HISTORY.items())),
            past,
        )
