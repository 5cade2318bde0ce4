import dataclasses
import io
import json
import subprocess
import sys

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.modules import get_module_path
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from ..engine.policy import Policy
from .customer_churn_profile import STATUS

DEFAULTS = Policy()
FIELDS = [field.name for field in dataclasses.fields(Policy)]
PREVIEW_SECONDS = 30


def _default(name):
    return lambda self: getattr(DEFAULTS, name)


class CustomerChurnPolicy(models.Model):
    """When a customer counts as at risk, dormant or lost: the limits of `engine.Policy`, for a segment of
    the company's customers. The first policy whose domain a customer meets is theirs; the last has none."""

    _name = "customer.churn.policy"
    _description = "Customer Status Policy"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    domain = fields.Char(string="Customers", help="Which customers; empty for all that no earlier policy takes.")

    rule = fields.Selection(
        [("share", "What is most unlike the average customer"), ("chance", "Fixed chances"), ("days", "Fixed days")],
        required=True, default=_default("rule"),
        help="How the forecast becomes a status. The first decides by the chances against the company's own "
             "averages and was the best on real ledgers; the last looks at the days of silence alone.",
    )
    near_days = fields.Integer(
        string="Near Horizon (Days)", required=True, default=_default("near_days"),
        help="Who will buy within so many days is active.")
    far_days = fields.Integer(
        string="Far Horizon (Days)", required=True, default=_default("far_days"),
        help="Who will not buy within so many days is lost.")
    share_exponent = fields.Float(
        required=True, default=_default("share_exponent"),
        help="1 weighs rare statuses fully against their average share, 0 not at all.")
    active_chance = fields.Float(
        string="Active From a Chance Of", required=True, default=_default("active_chance"))
    dormant_chance = fields.Float(
        string="Dormant From a Chance Of", required=True, default=_default("dormant_chance"),
        help="Chance of a purchase within the far horizon; below it the customer is lost.")
    at_risk_days = fields.Integer(string="At Risk After (Days)", required=True, default=_default("at_risk_days"))
    dormant_days = fields.Integer(string="Dormant After (Days)", required=True, default=_default("dormant_days"))
    lost_days = fields.Integer(string="Lost After (Days)", required=True, default=_default("lost_days"))
    at_risk_share = fields.Float(
        string="At Risk Below", required=True, default=_default("at_risk_share"),
        help="At risk once the chance has fallen to this share of its value just after the last purchase.")
    at_risk_lead = fields.Integer(
        string="At Risk Before Dormant (Days)", required=True, default=_default("at_risk_lead"),
        help="At risk at least so many days before turning dormant: the time to act.")
    floor_days = fields.Integer(
        string="Never At Risk Before (Days)", required=True, default=_default("floor_days"))
    ceiling_days = fields.Integer(
        string="Lost at the Latest After (Days)", required=True, default=_default("ceiling_days"),
        help="0: no such limit.")
    single_rule = fields.Selection(
        [("same", "As all others"), ("days", "Fixed days")], string="Customers Who Bought Once", required=True,
        default=_default("single_rule"))
    new_days = fields.Integer(
        string="New For (Days)", required=True, default=_default("new_days"),
        help="After the first purchase, unless a deadline comes before.")
    preview = fields.Char(compute="_compute_preview", help="The customers of this policy by status, as of today.")

    # ------------------------------------------------------------------ what is refused
    @api.constrains(*FIELDS)
    def _check_limits(self):
        for policy in self:
            policy._to_engine()

    @api.constrains("domain")
    def _check_domain(self):
        for policy in self:
            policy._get_partner_domain()

    @api.constrains("sequence", "domain", "active", "company_id")
    def _check_last_has_no_domain(self):
        for company in self.company_id:
            policies = self.search([("company_id", "=", company.id)])
            bare = policies.filtered(lambda policy: not policy._has_domain())
            if len(bare) != 1 or bare != policies[-1:]:
                raise ValidationError(self.env._(
                    "%(company)s needs exactly one policy for all other customers, without a condition and at the end "
                    "of the list: %(names)s. Drag it to the end, or give the others a condition.",
                    company=company.name, names=", ".join(bare.mapped("name")) or "-",
                ))

    def _to_engine(self):
        """The limits as `engine.Policy`; ValidationError, by name and with the remedy, where they contradict."""
        self.ensure_one()
        try:
            return Policy(**{name: self[name] for name in FIELDS})
        except ValueError as error:
            field = str(error).split(" ", 1)[0].rstrip(",")
            raise ValidationError(self.env._(
                "Policy %(policy)s, %(field)s: %(remedy)s", policy=self.name,
                field=self._fields[field]._description_string(self.env), remedy=self._say_remedy(field),
            )) from error

    def _say_remedy(self, field):
        remedies = {
            "near_days": self.env._("give at least one day."),
            "far_days": self.env._("the far horizon must be longer than the near one."),
            "active_chance": self.env._(
                "chances lie between 0 and 1, and the one for active must not be above the one for dormant."),
            "dormant_chance": self.env._("chances lie between 0 and 1."),
            "at_risk_days": self.env._(
                "at risk, dormant and lost must follow each other: sort the three numbers of days."),
            "floor_days": self.env._(
                "it must not be later than the day on which everybody is lost: lower it, or set that one to 0."),
        }
        return remedies.get(field, self.env._(
            "the number is out of range; shares lie between 0 and 1, days are 0 or more."))

    # ------------------------------------------------------------------ whose policy
    def _has_domain(self):
        return bool(self.domain and self.domain.strip() not in ("", "[]"))

    def _get_partner_domain(self):
        """The condition on res.partner; ValidationError naming the policy where it is none."""
        self.ensure_one()
        if not self._has_domain():
            return Domain.TRUE
        try:
            domain = Domain(safe_eval(self.domain, {"uid": self.env.uid}))
            domain.validate(self.env["res.partner"])
        except Exception as error:  # any text may stand there; all that can be wrong with it has this one remedy
            raise ValidationError(self.env._(
                "Policy %(policy)s: its condition is not one on contacts (%(error)s). "
                "Build it again in the policy's form.",
                policy=self.name, error=error,
            )) from error
        return domain

    @api.model
    def _get_policies(self, company):
        """The company's policies in their order; a first one with the defaults where there is none."""
        policies = self.search([("company_id", "=", company.id)])
        return policies or self.create({"name": self.env._("All customers"), "company_id": company.id})

    def _split(self, customers):
        """Pairs (policy, ids of its customers), each customer under the first policy that takes it.

        :param customers: partner ids, array-like (n,)
        """
        import numpy as np

        left = np.asarray(customers, dtype="int64")
        partners = self.env["res.partner"].with_context(active_test=False)
        for policy in self[:-1]:
            domain = Domain("id", "in", left.tolist()) & policy._get_partner_domain()
            mine = np.isin(left, partners.search(domain).ids)
            if mine.any():
                yield policy, left[mine]
            left = left[~mine]
        yield self[-1:], left

    # ------------------------------------------------------------------ preview
    @api.depends("domain", "sequence", "company_id", *FIELDS)
    def _compute_preview(self):
        names = dict(STATUS)
        labels = dict(self.env["customer.churn.profile"]._fields["status"]._description_selection(self.env))
        for policy in self:
            counts = policy._count_by_status()
            if counts is None:
                policy.preview = self.env._("Analyse the ledger first: then the customers by status are shown here.")
            elif not counts:
                policy.preview = self.env._("These horizons take effect with the next analysis.")
            else:
                policy.preview = ", ".join(f"{labels[status]}: {counts.get(status, 0):,}" for status in names)

    def _count_by_status(self):
        """{status: customers} of this policy as its limits stand on the form; None before the first
        analysis, empty where the horizons were not fitted. A process of its own does the numbers, so that no
        web worker loads the numeric libraries."""
        self.ensure_one()
        company = self.company_id
        # sudo: only the forecast's parameters are read, for whoever may see policies
        run = self.env["customer.churn.run"].sudo().search(
            [("company_id", "=", company.id), ("state", "=", "done")], limit=1)
        if not run:
            return None
        limits = dataclasses.asdict(self._to_engine())
        if not {limits["near_days"], limits["far_days"]} <= set(json.loads(run.parameters)["horizons"]):
            return {}
        task = {"parameters": run.parameters, "policy": limits, "at": fields.Date.to_string(run.date)}
        answer = subprocess.run(
            [sys.executable, "-m", "engine"], cwd=get_module_path("customer_churn"), check=True,
            timeout=PREVIEW_SECONDS, capture_output=True,
            input=json.dumps(task).encode() + b"\n" + self._copy_histories(),
        )
        return json.loads(answer.stdout)

    def _copy_histories(self):
        """CSV of what the engine needs to know of this policy's customers."""
        others = self.search([("company_id", "=", self.company_id.id), ("sequence", "<", self.sequence),
                              ("id", "!=", self._origin.id)])
        partners = Domain.AND([self._get_partner_domain(), *(~other._get_partner_domain() for other in others)])
        query = self.env["customer.churn.profile"].with_context(active_test=False)._search(
            Domain("company_id", "=", self.company_id.id) & Domain("partner_id", "any", partners))
        buffer = io.BytesIO()
        statement = self.env.cr.mogrify(SQL("COPY (%s) TO STDOUT (FORMAT CSV, HEADER)", query.select(
            SQL("partner_id AS customer_id"), SQL("purchase_count"), SQL("first_purchase_date AS first_date"),
            SQL("last_purchase_date AS last_date"), SQL("revenue_total::float8"), SQL("revenue_12m::float8"),
        )))
        self.env.cr.copy_expert(statement.decode(), buffer)
        return buffer.getvalue()
