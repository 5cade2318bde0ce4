from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .customer_churn_run import MANAGER
from .res_partner import USER


class ResCompany(models.Model):
    _inherit = "res.company"

    churn_share_unassigned = fields.Boolean(
        string="Salespeople See Customers Without a Salesperson", default=True,
    )
    churn_value_a_share = fields.Float(
        string="Value Class A Makes", required=True, default=0.7,
        help="Share of the money of a year that the customers of value class A make together.",
    )
    churn_value_b_share = fields.Float(
        string="Value Class B Makes", required=True, default=0.2,
        help="Share of the money of a year that the customers of value class B make together.",
    )
    churn_case_capacity = fields.Integer(
        string="New Cases per Person and Week", required=True, default=10,
        help="The analysis opens no more than so many a week for one owner, dearest first. 0: it opens none.",
    )
    churn_case_fallback_user_id = fields.Many2one(
        "res.users", string="Owner of Cases Without a Salesperson",
        domain=lambda self: self._churn_users_domain("id"),
        help="Where the customer has no salesperson at work, and no team whose leader is.",
    )
    churn_daily_summary = fields.Boolean(
        string="Daily Summary", default=True,
        help="One message a day and person with the customers that wait, dearest first. Everybody may switch it off in "
             "the own preferences.")

    _churn_case_capacity_positive = models.Constraint(
        "CHECK (churn_case_capacity >= 0)",
        "The number of new cases per person and week must not be negative. Give 0 to have none opened.",
    )

    @api.constrains("churn_value_a_share", "churn_value_b_share")
    def _check_churn_value_shares(self):
        for company in self:
            a, b = company._get_churn_value_shares()
            if not (a > 0 and b > 0 and a + b < 1):
                raise ValidationError(self.env._(
                    "%(company)s: the shares of value classes A and B must be above 0 %% and together below 100 %%. "
                    "Lower the larger one; what is left is class C.", company=company.name))

    # ------------------------------------------------------------------ who works here
    def _get_churn_users(self):
        """Who may own cases of the company: its active internal users of this app."""
        # sudo: depends on no reader
        users = self.env["res.users"].sudo().search([
            ("company_ids", "in", self.id), ("share", "=", False), ("all_group_ids", "in", self.env.ref(USER).id)])
        return users.with_env(self.env)

    @api.model
    def _churn_users_domain(self, company):
        """The same, to choose from on a screen. `company`: name of the field that has it"""
        group = self.env.ref(USER).id
        return f"[('company_ids', 'in', {company}), ('share', '=', False), ('all_group_ids', 'in', {group})]"

    def _check_churn_users(self, users):
        if strangers := users - self._get_churn_users():
            raise ValidationError(self.env._(
                "%(users)s cannot own cases of %(company)s: only active internal users of the company with access to "
                "Customer Retention can. Choose somebody else, or give the access first.",
                users=", ".join(strangers.mapped("name")), company=self.name))

    @api.constrains("churn_case_fallback_user_id")
    def _check_churn_case_fallback_user(self):
        for company in self:
            company._check_churn_users(company.churn_case_fallback_user_id)

    def _get_churn_value_shares(self):
        return self.churn_value_a_share, self.churn_value_b_share

    def _share_unassigned_customers(self, share):
        """Managers of this app decide it for their companies, who may not write these otherwise."""
        if not self.env.user.has_group(MANAGER) or self - self.env.user.company_ids:
            raise AccessError(self.env._(
                "Only managers of Customer Retention decide who gets the customers. Ask one of them."))
        # sudo: this one field; the right was checked above
        self.sudo().churn_share_unassigned = share
