from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .customer_churn_status_mixin import STATUS


class CustomerChurnEvent(models.Model):
    """One change of status. Only the run appends; nobody changes or deletes."""

    _name = "customer.churn.event"
    _inherit = "customer.churn.status.mixin"
    _description = "Customer Status Change"
    _order = "date desc, id desc"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True, ondelete="set null",
    )
    profile_id = fields.Many2one(
        "customer.churn.profile", readonly=True, index="btree_not_null", ondelete="set null",
    )
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True, index=True)
    old_status = fields.Selection(STATUS, readonly=True, help="Empty: seen for the first time.")
    new_status = fields.Selection(STATUS, required=True, readonly=True)
    revenue_12m = fields.Monetary(string="Revenue of 12 Months", readonly=True, help="At the date of the change.")
    run_id = fields.Many2one("customer.churn.run", readonly=True, index="btree_not_null", ondelete="set null")

    reason_id = fields.Many2one(
        "customer.churn.reason", readonly=True, ondelete="restrict", help="As answered while this status lasted.")

    _orphan_idx = models.Index("(company_id, partner_id) WHERE profile_id IS NULL")

    def write(self, vals):
        # salesperson: a stored related field, written by the ORM as the partner's changes
        if set(vals) - {"user_id"}:
            raise UserError(self.env._("A status change is a record of what happened: it cannot be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion(self):
        raise UserError(self.env._("A status change is a record of what happened: it cannot be deleted."))

    def action_open_profile(self):
        self.ensure_one()
        return (self.profile_id or self.partner_id or self).get_formview_action()

    def _last_sql(self, company, customer):
        """The last event of `customer` (SQL) of a company, its `new_status` and `date`: of those who come back after
        they had no purchase left, or were excluded. Their events lost the profile with it, and have an index of their
        own: PostgreSQL, where it knows no statistics yet, is not left to choose another one."""
        return SQL(
            """SELECT e.new_status, e.date FROM customer_churn_event e
                WHERE e.company_id = %s AND e.partner_id = %s AND e.profile_id IS NULL
                ORDER BY e.date DESC, e.id DESC LIMIT 1""", company.id, customer)

    def _relink(self, company):
        """Events whose profile was deleted belong to the one that the customer has now."""
        self.env.cr.execute(SQL(
            """UPDATE customer_churn_event e SET profile_id = p.id FROM customer_churn_profile p
                WHERE e.company_id = %(company)s AND e.profile_id IS NULL
                  AND p.company_id = %(company)s AND p.partner_id = e.partner_id""", company=company.id))

    def _append_sql(self, changed):
        """The statement's last part: one event for each row of `changed` (SQL) whose status is another."""
        return SQL(
            """INSERT INTO customer_churn_event
                      (company_id, partner_id, profile_id, user_id, date, old_status, new_status, revenue_12m,
                       run_id, create_uid, create_date, write_uid, write_date)
               SELECT company_id, partner_id, id, user_id, status_date, old_status, status, revenue_12m,
                      run_id, create_uid, write_date, write_uid, write_date
                 FROM %s WHERE status IS DISTINCT FROM old_status""",
            changed,
        )

    @api.model
    def _get_newest(self, domain):
        """{(company id, customer id): id of the event that was appended last}"""
        # sudo: whoever works a case answers for the customer's status, of which only the id is told
        return {(company.id, partner.id): newest for company, partner, newest in self.sudo()._read_group(
            domain, ["company_id", "partner_id"], ["id:max"])}
