from odoo import fields, models


class ResCompany(models.Model):
    """What others see of a write-off."""

    _inherit = "res.company"

    bad_debt_tell_customer = fields.Boolean(
        string="Tell the Customer on the Portal", default=False,
        help="The portal says \"Written off\". Otherwise it says nothing: the debt may still stand in law.")
    bad_debt_mark_customer = fields.Boolean(
        string="Mark as Bad Debtor", default=True,
        help="A write-off makes the customer a bad debtor. An undo takes that back.")
    bad_debt_warn = fields.Boolean(
        string="Warn on New Invoices", default=True,
        help="After a write-off nothing is open, and a credit limit would not warn.")


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    bad_debt_tell_customer = fields.Boolean(related="company_id.bad_debt_tell_customer", readonly=False)
    bad_debt_mark_customer = fields.Boolean(related="company_id.bad_debt_mark_customer", readonly=False)
    bad_debt_warn = fields.Boolean(related="company_id.bad_debt_warn", readonly=False)
