from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, Query


class CustomerChurnProfile(models.Model):
    """What people do about the customer: the case and the reason."""

    _inherit = "customer.churn.profile"

    reason_id = fields.Many2one(
        "customer.churn.reason", string="Churn Reason", readonly=True, ondelete="restrict",
        help="The last answer to why the customer left.")
    case_id = fields.Many2one(
        "customer.churn.case", string="Open Case", compute="_compute_case", search="_search_case_id")
    case_count = fields.Integer(string="Cases", compute="_compute_case")
    answer_ids = fields.Many2many("customer.churn.reason.answer", string="Reasons Given", compute="_compute_answer_ids")

    def _get_of_customers(self, model):
        """{(company, customer): the records of a model}"""
        return self.env[model].search([
            ("company_id", "in", self.company_id.ids), ("partner_id", "in", self.partner_id.ids),
        ]).grouped(lambda record: (record.company_id, record.partner_id))

    @api.depends("partner_id", "company_id", "partner_id.churn_case_ids.state")
    @api.depends_context("uid")
    def _compute_case(self):
        found = self._get_of_customers("customer.churn.case")
        for profile in self:
            cases = found.get((profile.company_id, profile.partner_id), self.env["customer.churn.case"])
            profile.case_id = cases.filtered(lambda case: case.state == "open")
            profile.case_count = len(cases)

    def _search_case_id(self, operator, value):
        """Profiles by their open case; a falsy value finds those without one as well."""
        if operator not in ("in", "any", "any!"):
            return NotImplemented
        # sudo: asked for by record rules, and in the way of related fields
        Case = self.env["customer.churn.case"].sudo(self.env.su or operator == "any!")
        domain = [("id", "in", value)] if operator == "in" or isinstance(value, Query) else value
        found = Domain("id", "in", self._with_open_case_sql(Case, domain))
        if operator == "in" and False in value:
            found |= Domain("id", "not in", self._with_open_case_sql(Case, []))
        return found

    @api.model
    def _with_open_case_sql(self, Case, domain):
        cases = Case._search(Domain("state", "=", "open") & Domain(domain))
        return SQL(
            "(SELECT id FROM customer_churn_profile WHERE (company_id, partner_id) IN %s)", cases.subselect(
                SQL("customer_churn_case.company_id"), SQL("customer_churn_case.partner_id")))

    @api.depends("partner_id", "company_id")
    def _compute_answer_ids(self):
        found = self._get_of_customers("customer.churn.reason.answer")
        for profile in self:
            profile.answer_ids = found.get((profile.company_id, profile.partner_id), [])

    # ------------------------------------------------------------------ buttons
    def action_open_case(self):
        """*Open a Case* or *Go to Case*: by hand whatever the status, and without using up the weekly capacity."""
        self.ensure_one()
        self.check_access("read")
        case = self.case_id or self._open_case()
        return case.get_formview_action()

    def _open_case(self):
        if not self.env.user.has_group("customer_churn.group_customer_churn_user"):
            raise AccessError(self.env._("Only users of Customer Retention open cases. Ask one of them."))
        # sudo: users write no case by hand; the right to the customer was checked by the caller
        profile = self.sudo()
        Case = profile.env["customer.churn.case"]
        owner = Case._get_owner(self.company_id, self.partner_id)
        case = Case._open_all([{
            **Case._prepare_case_vals(profile), "user_id": owner.id or self.env.uid, "assigned_user_id": owner.id,
            "opened_date": fields.Date.context_today(self)}])
        if not case:
            raise UserError(self.env._(
                "%(customer)s: somebody opened a case at this moment. Reload the page and work on that one.",
                customer=self.partner_id.display_name))
        if case.user_id != self.env.user:
            case._tell_owner(case.user_id)
        return case.with_env(self.env)

    def action_open_cases(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_case_action"),
            "domain": [("company_id", "=", self.company_id.id), ("partner_id", "=", self.partner_id.id)],
            "context": {"create": False},
        }

    def action_record_reason(self):
        return self.env["customer.churn.reason.wizard"]._get_action(self)
