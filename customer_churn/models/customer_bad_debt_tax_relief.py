from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache


class CustomerBadDebtTaxRelief(models.Model):
    """How the tax of a debt that will never be paid comes back from the tax office, one row a tax."""

    _name = "customer.bad.debt.tax.relief"
    _description = "Tax Relief of Bad Debt"
    _check_company_auto = True
    _check_company_domain = models.check_company_domain_parent_of
    _order = "company_id, tax_id, id"
    _rec_name = "tax_id"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade", default=lambda self: self.env.company)
    tax_id = fields.Many2one(
        "account.tax", string="Tax of the Invoice", required=True, index=True, check_company=True, ondelete="cascade",
        domain="[('type_tax_use', '=', 'sale')]")
    relief_tax_id = fields.Many2one(
        "account.tax", check_company=True, ondelete="cascade",
        help="The tax whose tags report the relief. Empty: the refund side of the tax of the invoice.")
    recovery_tax_id = fields.Many2one(
        "account.tax", string="Tax on Recovery", check_company=True, ondelete="set null",
        domain="[('type_tax_use', '=', 'sale')]",
        help="Due again when the customer pays after all. Empty: the tax of the invoice.")
    account_id = fields.Many2one(
        "account.account", string="Relief Account", check_company=True, ondelete="set null",
        help="Where the tax that comes back is booked. Empty: the account of the tax.")

    _tax_uniq = models.Constraint(
        "UNIQUE (company_id, tax_id)", "This tax has a row already. Change that one.")

    # ------------------------------------------------------------------ asked for each line of an entry
    @api.model
    def _get_row(self, company, tax):
        """The row of this tax, the company's own before one of its parent's."""
        return self.browse(self._get_row_ids(company.id).get(tax.id, False))

    @api.model
    @ormcache("company_id")
    def _get_row_ids(self, company_id):
        # sudo: rows of a parent company count for its branches
        parents = self.env["res.company"].sudo().browse(company_id).parent_ids
        # sudo: as above
        rows = self.sudo().search([("company_id", "in", parents.ids)])
        return {row.tax_id.id: row.id for row in rows.sorted(lambda row: len(row.company_id.parent_ids))}

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.constrains("tax_id", "relief_tax_id", "recovery_tax_id")
    def _check_taxes(self):
        for relief in self:
            if relief.tax_id.type_tax_use == "purchase":
                raise ValidationError(self.env._(
                    "%(tax)s is a tax of purchases. Choose the tax that stands on the customer's invoice.",
                    tax=relief.tax_id.display_name))
            for tax in relief.relief_tax_id | relief.recovery_tax_id:
                if tax.country_id != relief.tax_id.country_id:
                    raise ValidationError(self.env._(
                        "%(tax)s and %(source)s belong to different countries. Choose taxes of one country.",
                        tax=tax.display_name, source=relief.tax_id.display_name))
                if tax.amount_type == "group":
                    raise ValidationError(self.env._(
                        "%(tax)s is a group of taxes. Choose a single tax.", tax=tax.display_name))
            if relief.relief_tax_id.tax_exigibility == "on_payment":
                raise ValidationError(self.env._(
                    "%(tax)s is due on payment, which a relief never sees. Choose a tax that is due on the date of "
                    "the entry.", tax=relief.relief_tax_id.display_name))
