from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCurrency(models.Model):
    _inherit = "res.currency"

    bad_debt_small_difference_limit = fields.Float(
        string="Small Difference up to", digits=0, company_dependent=True,
        help="A rest in this currency that is not larger counts as a small difference. 0: the limit of the company "
             "decides, by the value in the books.")

    @api.constrains("bad_debt_small_difference_limit")
    def _check_bad_debt_small_difference_limit(self):
        if wrong := self.filtered(lambda currency: currency.bad_debt_small_difference_limit < 0):
            raise ValidationError(self.env._(
                "%(currencies)s: the limit of small differences must not be negative. Give 0 instead.",
                currencies=", ".join(wrong.mapped("name"))))
