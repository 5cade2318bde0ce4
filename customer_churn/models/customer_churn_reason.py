from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

CATEGORY = [
    ("unmet_need", "Needs Not Met"),
    ("competitor", "Competitor"),
    ("customer_distress", "Customer's Distress"),
    ("price", "Price"),
    ("service", "Service"),
    ("product", "Product"),
    ("payment_dispute", "Payment Dispute"),
    ("relationship", "Relationship"),
    ("contact_lost", "Contact Lost"),
    ("other", "Other"),
]


class CustomerChurnReason(models.Model):
    """Why a customer left: a short tree of two levels, of all companies, that people choose from."""

    _name = "customer.churn.reason"
    _description = "Churn Reason"
    _order = "root_sequence, root_id, is_child, sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False, help="A short name that never changes, for imports and other apps.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    category = fields.Selection(CATEGORY, required=True, default="other")
    parent_id = fields.Many2one(
        "customer.churn.reason", string="Belongs To", ondelete="restrict", index=True,
        domain="[('parent_id', '=', False), ('id', '!=', id)]",
    )
    child_ids = fields.One2many("customer.churn.reason", "parent_id", string="Reasons Below")
    root_id = fields.Many2one(
        "customer.churn.reason", string="Main Reason", compute="_compute_root", store=True, recursive=True)
    root_sequence = fields.Integer(compute="_compute_root", store=True, recursive=True)
    is_child = fields.Boolean(compute="_compute_root", store=True)
    avoidable = fields.Boolean(help="We could have kept the customer: counts in the avoidable share.")
    requires_competitor = fields.Boolean(help="Who gives this reason must say which competitor.")
    activity_plan_id = fields.Many2one(
        "mail.activity.plan", domain="[('res_model', '=', 'customer.churn.case')]", ondelete="restrict",
        help="Activities that are scheduled for the owner of the case as soon as this reason is given.",
    )
    answer_count = fields.Integer(string="Answers", compute="_compute_answer_count")

    _code_uniq = models.Constraint("UNIQUE (code)", "There is a reason with this code already. Choose another code.")

    @api.depends("parent_id", "sequence", "parent_id.sequence")
    def _compute_root(self):
        for reason in self:
            root = reason.parent_id or reason._origin or reason
            reason.root_id = root
            reason.root_sequence = root.sequence if reason.parent_id else reason.sequence
            reason.is_child = bool(reason.parent_id)

    def _compute_answer_count(self):
        counts = dict(self.env["customer.churn.reason.answer"]._read_group(
            [("reason_id", "in", self.ids), ("is_current", "=", True)], ["reason_id"], ["__count"]))
        for reason in self:
            reason.answer_count = counts.get(reason, 0)

    # ------------------------------------------------------------------ what is refused
    @api.constrains("parent_id", "child_ids")
    def _check_two_levels(self):
        for reason in self:
            if reason.parent_id and (
                reason.parent_id.parent_id or reason.with_context(active_test=False).child_ids
                or reason.parent_id == reason
            ):
                raise ValidationError(self.env._(
                    "%(reason)s: reasons have two levels. Choose a main reason that belongs to no other, and move "
                    "the reasons below this one first.", reason=reason.name))

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion_of_used(self):
        # sudo: answers out of this user's sight keep a reason in use too
        answers = self.env["customer.churn.reason.answer"].sudo()
        used = answers._read_group([("reason_id", "in", self.ids)], ["reason_id"])
        names = [reason.name for [reason] in used]
        names += (self.with_context(active_test=False).child_ids - self).parent_id.mapped("name")
        if names:
            raise UserError(self.env._(
                "%(reasons)s: in use, and what was answered must stay readable. Archive instead.",
                reasons=", ".join(dict.fromkeys(names))))

    @api.model
    def _find(self, reason):
        """The record of a record or id."""
        number = reason.id if isinstance(reason, type(self)) and len(reason) == 1 else reason
        found = self.browse(number if type(number) is int else None).exists()  # True is no id
        if not found:
            raise UserError(self.env._(
                "%(reason)s is no reason. Give the id of one of the configured reasons.", reason=reason))
        return found

    def _check_competitor(self, customer, competitor, company):
        """Refuse, by the customer's name, an answer that lacks its competitor or names one that cannot be."""
        if self.requires_competitor and not competitor:
            raise UserError(self.env._(
                "%(customer)s: the reason \"%(reason)s\" needs the competitor. Choose which one it was.",
                customer=customer.display_name, reason=self.name))
        if competitor and competitor.commercial_partner_id == customer:
            raise UserError(self.env._(
                "%(customer)s cannot be its own competitor. Choose another one.", customer=customer.display_name))
        if competitor.company_id and not competitor.filtered_domain(competitor._check_company_domain(company)):
            raise UserError(self.env._(
                "%(customer)s: the competitor %(competitor)s is kept for %(other)s only. Choose one that "
                "%(company)s sees too.", customer=customer.display_name, competitor=competitor.display_name,
                other=competitor.company_id.display_name, company=company.display_name))

    def action_open_answers(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_reason_answer_action"),
            "domain": [("reason_id.root_id" if not self.parent_id else "reason_id", "=", self.id)],
        }
