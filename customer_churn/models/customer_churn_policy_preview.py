"""How many customers each status would get with the limits as they stand on the form."""

import dataclasses
import io
import json
import logging
import subprocess
import sys

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.modules import get_module_path
from odoo.tools import SQL

from .customer_churn_policy import FIELDS
from .customer_churn_status_mixin import STATUS

_logger = logging.getLogger(__name__)

PREVIEW_SECONDS = 30
HISTORY = {  # column of the engine's history -> of the profile
    "customer_id": "partner_id",
    "purchase_count": "purchase_count",
    "first_date": "first_purchase_date",
    "last_date": "last_purchase_date",
    "revenue_total": "revenue_total",
    "revenue_12m": "revenue_12m",
}


class CustomerChurnPolicy(models.Model):
    _inherit = "customer.churn.policy"

    preview = fields.Char(compute="_compute_preview", help="The customers of this policy by status, as of today.")
    as_stored = fields.Char(
        compute="_compute_as_stored", help="The customers of this policy by status, as the last analysis left them.")
    is_counted = fields.Boolean(compute="_compute_preview")
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
            counts, policy.preview = policy._try_to_count()
            policy.is_counted = bool(counts)
            for status, _label in STATUS:
                policy[f"{status}_count"] = counts.get(status, 0)

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

    @api.depends("company_id")
    @api.depends_context("lang")
    def _compute_fixed_days_note(self):
        for policy in self:
            # sudo: what decides the statuses is no secret, for whoever may see policies
            last = self.env["customer.churn.run"].sudo()._get_last_done(policy.company_id)
            policy.fixed_days_note = last._say_fixed_days() or False

    def _try_to_count(self):
        """The counts and their sentence; no counts but what is missing or wrong, while somebody still types."""
        try:
            counts = self._count_by_status()
        except ValidationError as refusal:
            return {}, refusal.args[0]
        except subprocess.SubprocessError:
            _logger.exception("preview of policy %s", self.id)
            return {}, self.env._("The customers could not be counted. The limits can be saved all the same.")
        if counts is None:
            return {}, self.env._("Analyse the ledger first: then the customers by status are shown here.")
        if not counts:
            return {}, self.env._("These horizons take effect with the next analysis.")
        return counts, self._say_counts(counts)

    def _say_counts(self, counts):
        labels = dict(self.env["customer.churn.profile"]._fields["status"]._description_selection(self.env))
        return ", ".join(f"{labels[status]}: {counts.get(status, 0):,}" for status, _label in STATUS)

    @api.model
    def _say_statuses(self, company):
        """How many customers of the company have each status now; empty where nobody has one."""
        counts = dict(self.env["customer.churn.profile"]._read_group(
            [("company_id", "=", company.id)], ["status"], ["__count"]))
        return self._say_counts(counts) if counts else ""

    def _count_by_status(self):
        """{status: customers} of this policy as its limits stand on the form; None before the first
        analysis, empty where the horizons were not fitted. A process of its own does the numbers, so that no
        web worker loads the numeric libraries."""
        self.ensure_one()
        # sudo: only the forecast's parameters are read, for whoever may see policies
        run = self.env["customer.churn.run"].sudo().search(
            [("company_id", "=", self.company_id.id), ("state", "=", "done")], limit=1)
        limits = dataclasses.asdict(self._to_engine())
        if not run:
            return None
        if not {limits["near_days"], limits["far_days"]} <= set(json.loads(run.parameters)["horizons"]):
            return {}
        task = {"parameters": run.parameters, "policy": limits, "at": fields.Date.to_string(run.date)}
        answer = subprocess.run(
            [sys.executable, "-m", "engine"], cwd=get_module_path("customer_churn"), check=True,
            timeout=PREVIEW_SECONDS, capture_output=True,
            input=json.dumps(task).encode() + b"\n" + self._copy_histories(),
        )
        return json.loads(answer.stdout) or {STATUS[0][0]: 0}

    def _copy_histories(self):
        """CSV of what the engine needs to know of this policy's customers."""
        others = self.search([("company_id", "=", self.company_id.id), ("id", "!=", self._origin.id)])
        earlier = others.filtered(lambda other: other._get_rank() < self._get_rank())
        partners = Domain.AND([self._get_partner_domain(), *(~other._get_partner_domain() for other in earlier)])
        query = self.env["customer.churn.profile"].with_context(active_test=False)._search(
            Domain("company_id", "=", self.company_id.id) & Domain("partner_id", "any", partners))
        buffer = io.BytesIO()
        statement = self.env.cr.mogrify(SQL("COPY (%s) TO STDOUT (FORMAT CSV, HEADER)", query.select(*(
            SQL("%s AS %s", SQL.identifier("customer_churn_profile", column), SQL.identifier(name))
            for name, column in HISTORY.items()
        ))))
        self.env.cr.copy_expert(statement.decode(), buffer)
        return buffer.getvalue()
