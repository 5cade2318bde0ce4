from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

KIND = [("warned", "Warned"), ("pooled", "Into the Pool"), ("claimed", "Claimed"), ("returned", "Out of the Pool")]


class CustomerChurnPoolMove(models.Model):
    """One step of an idle customer: its owner was warned, it went into the pool, somebody claimed it, or it left the
    pool in another way. Only the code appends; nobody changes or deletes."""

    _name = "customer.churn.pool.move"
    _description = "Pool Move"
    _order = "date desc, id desc"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, index=True, ondelete="set null")
    case_id = fields.Many2one(
        "customer.churn.case", readonly=True, index="btree_not_null", ondelete="set null", check_company=True)
    kind = fields.Selection(KIND, required=True, readonly=True)
    date = fields.Date(required=True, readonly=True, index=True)
    from_user_id = fields.Many2one("res.users", string="From", readonly=True, ondelete="set null")
    to_user_id = fields.Many2one("res.users", string="To", readonly=True, ondelete="set null", index="btree_not_null")
    text = fields.Char(string="What Happened", compute="_compute_text")

    @api.depends("kind", "from_user_id", "to_user_id")
    @api.depends_context("lang")
    def _compute_text(self):
        for move in self:
            move.text = {
                "warned": self.env._("%(old)s was warned: into the pool unless somebody gets in touch",
                                     old=move.from_user_id.name),
                "pooled": self.env._("Into the pool, from %(old)s", old=move.from_user_id.name),
                "claimed": self.env._("Claimed by %(new)s", new=move.to_user_id.name),
                "returned": self.env._("Out of the pool, to %(new)s", new=move.to_user_id.name)
                if move.to_user_id else self.env._("Out of the pool"),
            }[move.kind]

    def write(self, vals):
        if vals:
            raise UserError(self.env._("A move of the pool is a record of what happened: it cannot be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion(self):
        raise UserError(self.env._("A move of the pool is a record of what happened: it cannot be deleted."))

    # ------------------------------------------------------------------ what a claim is checked against
    @api.model
    def _check_limit(self, user, company, date):
        """So many a person and ISO week."""
        monday = fields.Date.start_of(date, "week")
        used = self.search_count([("kind", "=", "claimed"), ("to_user_id", "=", user.id), ("date", ">=", monday),
                                  ("company_id", "=", company.id)])
        if used >= company.churn_pool_capacity:
            raise UserError(self.env._(
                "You claimed %(count)s customers this week, and no more are allowed. Claim the next one on Monday, "
                "%(date)s.", count=used, date=format_date(self.env, fields.Date.add(monday, days=7))))

    @api.model
    def _check_lockout(self, user, case, date):
        """Who lost a customer does not take it back at once."""
        days = case.company_id.churn_pool_lock_days
        lost = self.search([
            ("kind", "=", "pooled"), ("from_user_id", "=", user.id), ("partner_id", "=", case.partner_id.id),
            ("company_id", "=", case.company_id.id), ("date", ">", fields.Date.subtract(date, days=days))], limit=1)
        if lost:
            raise UserError(self.env._(
                "%(customer)s was yours until %(lost)s. Others may claim it first: you may from %(date)s on.",
                customer=case.partner_id.display_name, lost=format_date(self.env, lost.date),
                date=format_date(self.env, fields.Date.add(lost.date, days=days))))
