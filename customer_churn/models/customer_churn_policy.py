import dataclasses

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..engine.policy import Policy

DEFAULTS = Policy()
FIELDS = [field.name for field in dataclasses.fields(Policy)]


def _default(name):
    return lambda self: getattr(DEFAULTS, name)


class CustomerChurnPolicy(models.Model):
    """When a customer counts as at risk, dormant or lost: the limits of `engine.Policy`, for a segment of
    the company's customers. The first policy whose domain a customer meets is theirs; one has no domain and
    takes all others, wherever it stands."""

    _name = "customer.churn.policy"
    _description = "Customer Status Policy"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True,
                                 ondelete="cascade")
    domain = fields.Char(string="Customers", help="Which customers; empty for all that no earlier policy takes.")

    rule = fields.Selection(
        [("chance", "Fixed chances"), ("share", "What is most unlike the average customer"), ("days", "Fixed days")],
        required=True, default=_default("rule"),
        help="How the forecast becomes a status. By fixed chances it never contradicts the chance beside it; against "
             "the company's own averages it finds more of the rare statuses; by fixed days only silence counts.",
    )
    near_days = fields.Integer(
        string="Near Horizon (Days)", required=True, default=_default("near_days"),
        help="Who will buy within so many days is active.")
    far_days = fields.Integer(
        string="Far Horizon (Days)", required=True, default=_default("far_days"),
        help="Who will not buy within so many days is lost, yet not before the near horizon of silence.")
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

    case_at_risk = fields.Boolean(
        string="Open Cases When At Risk", default=True,
        help="For customers who turn at risk, within the owner's capacity.")
    case_dormant = fields.Boolean(
        string="Open Cases When Dormant", default=True,
        help="For customers who turn dormant, within the owner's capacity.")

    # ------------------------------------------------------------------ what is refused
    @api.constrains(*FIELDS)
    def _check_limits(self):
        for policy in self:
            policy._to_engine()

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
            "the number is out of range; shares lie between 0 and 1, days between 0 and 7306."))
