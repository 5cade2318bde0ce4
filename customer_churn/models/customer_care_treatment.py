"""Who met which care plan on which occasion, what was done, and what became of it. Also of those left alone."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .customer_churn_profile import VALUE_CLASS
from .customer_churn_status_mixin import STATUS

STATE = [("open", "Under Way"), ("done", "Done"), ("stopped", "Stopped"), ("control", "Left Alone")]
STOP_REASON = [
    ("bought", "Bought again"), ("case_closed", "The case was closed"), ("opted_out", "Opted out"),
    ("dispute", "Invoices are disputed"),
    ("removed", "The activities were taken away"),
    ("plan", "The plan was archived"), ("customer", "The customer was archived"),
]


class CustomerCareTreatment(models.Model):
    _name = "customer.care.treatment"
    _inherit = "customer.churn.status.mixin"
    _description = "Care of a Customer"
    _order = "date desc, revenue_at_stake desc, id"
    _rec_name = "partner_id"

    plan_id = fields.Many2one("customer.care.plan", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index="btree_not_null", ondelete="set null")
    salesperson_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    case_id = fields.Many2one("customer.churn.case", readonly=True, index="btree_not_null", ondelete="set null")
    user_id = fields.Many2one(
        "res.users", string="Responsible", readonly=True, index="btree_not_null", ondelete="set null")
    occasion = fields.Char(required=True, readonly=True, help="A customer meets a plan once on an occasion.")
    date = fields.Date(required=True, readonly=True, index=True)
    state = fields.Selection(STATE, required=True, readonly=True, default="open", index=True)
    stop_reason = fields.Selection(STOP_REASON, readonly=True)
    is_control = fields.Boolean(
        string="Left Alone", readonly=True,
        help="Drawn by a fixed rule to be left alone, so that it shows what the plan brings.")
    treated_anyway_date = fields.Date(
        readonly=True, help="On this day somebody did something for the customer all the same.")
    status = fields.Selection(STATUS, readonly=True, help="The customer's status on that night.")
    value_class = fields.Selection(VALUE_CLASS, readonly=True)
    revenue_at_stake = fields.Monetary(string="Revenue at Stake", readonly=True)
    activity_ids = fields.One2many("mail.activity", "care_treatment_id", string="Activities")
    mail_message_id = fields.Many2one(
        "mail.message", string="Message", readonly=True, index="btree_not_null", ondelete="set null")
    bought_date = fields.Date(string="Bought Again On", readonly=True, help="Within the days that the plan measures.")
    bought_revenue = fields.Monetary(
        string="Bought Again For", readonly=True, help="Within the days that the plan measures.")

    _occasion_uniq = models.UniqueIndex(
        "(plan_id, partner_id, occasion)", "A customer meets a care plan once on an occasion.")

    @api.model
    def _get_action(self, record):
        """The care of a case's or profile's customer."""
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_care_treatment_action"),
            "domain": [("company_id", "=", record.company_id.id), ("partner_id", "=", record.partner_id.id)],
            "context": {"create": False}}

    def action_open_customer(self):
        self.ensure_one()
        profile = self.env["customer.churn.profile"].search([
            ("company_id", "=", self.company_id.id), ("partner_id", "=", self.partner_id.id)], limit=1)
        record = profile or self.partner_id
        if not record:
            raise UserError(self.env._("The customer of this care was deleted."))
        return record.get_formview_action()
