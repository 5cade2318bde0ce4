from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .account_move import written_index
from .customer_churn_status_mixin import STATUS

USER = "customer_churn.group_customer_churn_user"
PROFILE_FIELD = {  # what is shown on a partner -> where it stands on the customer's profile
    "churn_profile_id": "id",
    "churn_status": "status",
    "churn_alive_probability": "alive_probability",
    "churn_last_purchase_date": "last_purchase_date",
}
PROFILE_PARTNER = SQL.identifier("customer_churn_profile", "partner_id")  # record rules may join more tables
ROLL_UP = {"parent_id", "is_company"}  # what decides to which customer a contact's documents belong


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "customer.churn.status.mixin"]

    churn_profile_id = fields.Many2one(
        "customer.churn.profile", string="Customer Profile", compute="_compute_churn_profile",
        search="_search_churn_profile_id", groups=USER, help="The profile in the current company.",
    )
    churn_status = fields.Selection(
        STATUS, string="Customer Status", compute="_compute_churn_profile", search="_search_churn_status", groups=USER,
    )
    churn_alive_probability = fields.Float(
        string="Chance to Be Still a Customer", compute="_compute_churn_profile",
        search="_search_churn_alive_probability", groups=USER,
    )
    churn_last_purchase_date = fields.Date(
        string="Last Purchase", compute="_compute_churn_profile",
        search="_search_churn_last_purchase_date", groups=USER,
    )
    churn_case_ids = fields.One2many("customer.churn.case", "partner_id", string="Win-Back Cases", groups=USER)
    churn_exclude = fields.Boolean(
        string="Exclude from Retention", groups="customer_churn.group_customer_churn_manager", copy=False,
        help="For staff, sister companies and one-off customers: no status, no cases. Counts on the customer itself, "
             "not on its contacts.",
    )

    _churn_exclude_idx = models.Index("(id) WHERE churn_exclude")
    _churn_written_idx = models.Index(written_index)

    # ------------------------------------------------------------------ the profile of the current company
    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_churn_profile(self):
        profiles = self.env["customer.churn.profile"].search([
            ("company_id", "=", self.env.company.id), ("partner_id", "in", self.commercial_partner_id.ids),
        ]).grouped("partner_id")
        nothing = self.env["customer.churn.profile"]
        for partner in self:
            profile = profiles.get(partner.commercial_partner_id, nothing)
            for name, source in PROFILE_FIELD.items():
                partner[name] = profile if source == "id" else profile[source]

    def _search_churn_profile(self, name, operator, value):
        """Partners whose profile meets the condition; a falsy value finds those without one as well."""
        if operator.startswith("not") or operator == "!=":
            return NotImplemented  # the ORM negates the positive search
        in_company = Domain("company_id", "=", self.env.company.id)
        Profile = self.env["customer.churn.profile"]
        found = Domain("commercial_partner_id", "in",
                       Profile._search(in_company & Domain(name, operator, value)).subselect(PROFILE_PARTNER))
        if operator == "in" and False in value:
            found |= Domain("commercial_partner_id", "not in", Profile._search(in_company).subselect(PROFILE_PARTNER))
        return found

    def _search_churn_profile_id(self, operator, value):
        return self._search_churn_profile("id", operator, value)

    def _search_churn_status(self, operator, value):
        return self._search_churn_profile("status", operator, value)

    def _search_churn_alive_probability(self, operator, value):
        return self._search_churn_profile("alive_probability", operator, value)

    def _search_churn_last_purchase_date(self, operator, value):
        return self._search_churn_profile("last_purchase_date", operator, value)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Group and sort partners by their profile: joined under the reader's own record rules."""
        if field_expr not in PROFILE_FIELD:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        Profile = self.env["customer.churn.profile"]
        profiles = Profile._search([("company_id", "=", self.env.company.id)])
        columns = SQL(", ").join(
            Profile._field_to_sql(Profile._table, name, profiles) for name in ("partner_id", *PROFILE_FIELD.values()))
        joined = query.make_alias(alias, "churn_profile")
        query.add_join("LEFT JOIN", joined, SQL("(%s)", profiles.select(columns)), SQL(
            "%s = %s", SQL.identifier(joined, "partner_id"),
            self._field_to_sql(alias, "commercial_partner_id", query)))
        return SQL.identifier(joined, PROFILE_FIELD[field_expr])

    # ------------------------------------------------------------------ documents that change the customer
    def write(self, vals):
        """Contacts that move take their documents along: the customer they leave is read again that night."""
        left = self.commercial_partner_id if ROLL_UP & vals.keys() else self.browse()
        result = super().write(vals)
        left._mark_churn_profiles_stale()
        return result

    def unlink(self):
        """A contact that is merged away took its documents to another customer."""
        left = self.commercial_partner_id - self
        # sudo: a contact that may be deleted takes its profiles along, of whatever company
        self.env["customer.churn.profile"].sudo().search([("partner_id", "in", self.ids)]).unlink()
        result = super().unlink()
        left._mark_churn_profiles_stale()
        return result

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion_of_competitors(self):
        named = [("competitor_id", "in", self.ids)]
        # sudo: answers out of this user's sight keep a competitor in use too
        used = self.env["customer.churn.reason.answer"].sudo().search(named).competitor_id
        if used:
            raise UserError(self.env._(
                "%(partners)s: named as the competitor that customers went to, which must stay readable. Archive "
                "instead.", partners=", ".join(used.mapped("display_name"))))

    def _mark_churn_profiles_stale(self, companies=None):
        """Read these customers again in the next night of the companies, None for all. Who has no profile, as all
        purchases were reversed, is found as a contact that was written."""
        domain = Domain("partner_id", "in", self.ids)
        if companies is not None:
            domain &= Domain("company_id", "in", companies.ids)
        if self:
            # sudo: whoever may move a contact or a document need not see profiles, of any company
            profiles = self.env["customer.churn.profile"].sudo().search(domain)
            profiles.is_stale = True
            (self - profiles.partner_id)._touch()

    def _touch(self):
        now = self.env.cr.now()
        self.env.cr.execute(SQL("UPDATE res_partner SET write_date = %s WHERE id = ANY(%s)", now, self.ids))
        self.invalidate_recordset(["write_date"])

    # ------------------------------------------------------------------ buttons
    def action_open_churn_profile(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_profile_action")
        return {**action, "res_id": self.churn_profile_id.id, "views": [(False, "form")]}

    def _action_schedule_churn_activity(self):
        return {
            "type": "ir.actions.act_window", "name": self.env._("Schedule Activity"),
            "res_model": "mail.activity.schedule", "view_mode": "form", "views": [(False, "form")], "target": "new",
            "context": {"active_model": "res.partner", "active_ids": self.ids, "active_id": self[:1].id},
        }
