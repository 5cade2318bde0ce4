from odoo import api, fields, models


class CustomerChurnReasonMixin(models.AbstractModel):
    """What is asked wherever a reason is: the main one, more exactly, and what goes with it."""

    _name = "customer.churn.reason.mixin"
    _description = "Question for the Reason"

    root_id = fields.Many2one("customer.churn.reason", string="Main Reason", domain=[("parent_id", "=", False)])
    detail_id = fields.Many2one(
        "customer.churn.reason", string="More Exactly", domain="[('parent_id', '=', root_id)]",
        compute="_compute_detail_id", store=True, readonly=False)
    reason_id = fields.Many2one(
        "customer.churn.reason", compute="_compute_reason_id", inverse="_inverse_reason_id")
    has_details = fields.Boolean(compute="_compute_reason_id")
    avoidable = fields.Boolean(related="reason_id.avoidable")
    requires_competitor = fields.Boolean(related="reason_id.requires_competitor")
    activity_plan_id = fields.Many2one(related="reason_id.activity_plan_id")
    competitor_id = fields.Many2one("res.partner")
    note = fields.Text()
    evidence = fields.Binary()
    evidence_name = fields.Char()

    @api.depends("root_id")
    def _compute_detail_id(self):
        for wizard in self:
            if wizard.detail_id.parent_id != wizard.root_id:
                wizard.detail_id = False

    @api.depends("root_id", "detail_id")
    def _compute_reason_id(self):
        for wizard in self:
            wizard.reason_id = wizard.detail_id or wizard.root_id
            wizard.has_details = bool(wizard.root_id.child_ids)

    def _inverse_reason_id(self):
        for wizard in self:
            reason = wizard.reason_id
            wizard.root_id, wizard.detail_id = reason.root_id, reason - reason.root_id
