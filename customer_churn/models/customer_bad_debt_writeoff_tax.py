from dateutil.relativedelta import relativedelta
from odoo import fields, models


class CustomerBadDebtWriteoff(models.Model):
    """Whether and how the tax of a lost debt comes back from the tax office."""

    _inherit = "customer.bad.debt.writeoff"

    def _get_relief_date(self, line):
        """The first day on which the tax of this item may be claimed back."""
        item = line.move_line_id
        months = self.company_id._get_bad_debt_settings().bad_debt_relief_months
        return (item.date_maturity or item.date) + relativedelta(months=months)

    def _has_relief(self, line):
        """Now: later is for `action_claim_relief`. A credit note takes the tax back whatever the regime is."""
        return self._is_credit_note() or self._may_have_relief() and self.date >= self._get_relief_date(line)

    def _may_have_relief(self):
        return self.kind == "bad_debt" and self.tax_relief != "none"

    def _get_relief_row(self, tax):
        if self._is_credit_note():
            return self.env["customer.bad.debt.tax.relief"]
        return self.env["customer.bad.debt.tax.relief"]._get_row(self.company_id, tax)

    def _get_relief_tax(self, tax):
        """The tax that reports the relief of `tax`."""
        relief_tax = self._get_relief_row(tax).relief_tax_id
        if self.tax_relief == "input_claim" and not relief_tax and not self._is_credit_note():
            self.company_id._refuse_bad_debt_settings(self.env._(
                "%(tax)s has no relief tax, and the tax is to be claimed as tax of purchases", tax=tax.display_name))
        return relief_tax or tax

    def _get_base_relief(self, part, debt, shares):
        """Taxes and tags of what the tax stands on; zero-rated taxes only where a row says so."""
        taxes, tags = self.env["account.tax"], self.env["account.account.tag"]
        for tax in part["line"].tax_ids.flatten_taxes_hierarchy():
            own = [key for key, other in debt.parts.items()
                   if other["kind"] != "base" and other["line"].tax_repartition_line_id.tax_id == tax]
            on_payment = tax.tax_exigibility == "on_payment"
            if not self._is_credit_note() and (on_payment or not (own or self._get_relief_row(tax))):
                continue
            relief_tax = self._get_relief_tax(tax)
            if not on_payment:
                tags |= relief_tax.get_tax_tags(self._is_refund_side(relief_tax), "base")
            if any(shares[key][1] for key in own):  # without a tax line the host would compute one
                taxes |= relief_tax
        return {"tax_ids": taxes, "tax_tag_ids": tags}

    def _get_tax_relief(self, part):
        line = part["line"]
        tax = line.tax_repartition_line_id.tax_id
        relief_tax = self._get_relief_tax(tax)
        refund = self._is_refund_side(relief_tax)
        twin = line.tax_repartition_line_id._get_bad_debt_twin(relief_tax, "refund" if refund else "invoice")
        tags = twin.tag_ids
        above = line.tax_ids.filtered(lambda other: other.tax_exigibility != "on_payment")
        for other in above.flatten_taxes_hierarchy():
            relief_other = self._get_relief_tax(other)
            tags |= relief_other.get_tax_tags(self._is_refund_side(relief_other), "base")
        account = self._get_relief_row(tax).account_id or (relief_tax != tax and twin.account_id) or line.account_id
        return {
            "account_id": account, "tax_repartition_line_id": twin, "tax_tag_ids": tags, "tax_ids": above,
            "group_tax_id": line.group_tax_id.filtered(lambda _group: relief_tax == tax), "name": relief_tax.name}

    def _is_refund_side(self, tax):
        """A debit takes tax of sales back, and claims tax of purchases."""
        return tax.type_tax_use != "purchase"

    def _keep_relief_dates(self):
        for line in self.line_ids:
            waits = self._may_have_relief() and not self._has_relief(line) and line._has_tax_part()
            # sudo: kept by the methods only
            line.sudo().relief_date = self._get_relief_date(line) if waits else False


class CustomerBadDebtWriteoffLine(models.Model):
    _inherit = "customer.bad.debt.writeoff.line"

    def _has_tax_part(self):
        return any(
            amounts[1] and self.env["account.move.line"].browse(int(key))._get_bad_debt_kind() == "tax"
            for key, amounts in self._get_split().items() if int(key))

    def _is_relief_due(self):
        return self.relief_date and not self.relief_move_id and self.relief_date <= fields.Date.context_today(self)
