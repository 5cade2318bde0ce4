from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError

from .customer_bad_debt_writeoff_line import BOOKED


class AccountMove(models.Model):
    """A credit note after a write-off: what was given up is not credited as well, nor its tax given back twice."""

    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        notes = posted.filtered(lambda move: move.move_type == "out_refund")
        notes.reversed_entry_id._check_credited_once()
        return posted

    def _get_given_up_lines(self):
        # sudo: a write-off counts, whoever may see it
        return self.env["customer.bad.debt.writeoff.line"].sudo().search([
            ("move_id", "in", self.ids), ("state", "in", BOOKED)])

    def _get_creditable(self):
        """What was neither credited nor given up for good, in the invoice's currency."""
        credited = sum(share * note.amount_total for note, share in self._get_credit_notes())
        given_up = sum(
            line.amount_currency - line._get_recovered_currency() for line in self._get_given_up_lines())
        return self.currency_id.round(self.amount_total - credited - given_up)

    def _check_credited_once(self):
        for move in self & self._get_given_up_lines().move_id:
            if (left := move._get_creditable()) < 0:
                raise UserError(self.env._(
                    "%(invoice)s: written off and credited, %(excess)s more than it comes to. Credit no more than what "
                    "is open, or undo the write-off first.",
                    invoice=move.display_name, excess=move.currency_id.format(-left)))
            for tax, excess in move._get_tax_excess():
                raise UserError(self.env._(
                    "%(invoice)s: the write-off took back its share of %(tax)s already, and the credit note %(excess)s "
                    "too much. Lower the tax of the credit note by that, or undo the write-off first.",
                    invoice=move.display_name, tax=tax.name, excess=move.company_currency_id.format(excess)))

    def _get_tax_excess(self):
        """(tax, how much more of it came back than was invoiced), where a write-off had its part in it."""
        invoiced, given_up = defaultdict(float), self._get_given_up_tax()
        credited = self._get_credited("balance") if given_up else {}
        for part in self._get_invoiced_parts().values():
            invoiced[part["line"]._get_bad_debt_loose_key()] += part["balance"]
        for key, amount in given_up.items():
            excess = self.company_currency_id.round(amount + credited.get(key, 0.0) - invoiced[key])
            if excess > 0 and credited.get(key):
                yield self.env["account.tax"].browse(key[1]), excess

    def _get_given_up_tax(self):
        """{loose key of a tax: what write-offs took back of it, or will, and recoveries have not made due again}."""
        given_up = defaultdict(float)
        for line in self._get_given_up_lines():
            for number, (_currency, balance) in line._get_split_left(line._get_recovered_currency()).items():
                item = self.env["account.move.line"].browse(int(number))
                kind = item._get_bad_debt_kind() if item else "base"
                if kind == "transition" or kind == "tax" and line.writeoff_id._may_have_relief():
                    given_up[item._get_bad_debt_loose_key()] += balance
        return given_up
