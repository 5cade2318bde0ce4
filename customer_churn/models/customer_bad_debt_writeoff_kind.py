from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class CustomerBadDebtWriteoff(models.Model):
    """What each kind of write-off is for: debts, credits that nobody claims, rests of either sign."""

    _inherit = "customer.bad.debt.writeoff"

    # ------------------------------------------------------------------ found for a person who opens the wizard
    @api.model
    def _find_items(self, records, kind="bad_debt"):
        """The open items of customers, invoices, journal items or cases; of customers and cases only those that this
        kind is for."""
        if records._name == "account.move.line":
            return records
        if records._name == "account.move":
            return records.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        partners = records if records._name == "res.partner" else records.partner_id
        companies = self.env.companies if records._name == "res.partner" else records.company_id
        items = self.env["account.move.line"].search(Domain([
            ("partner_id.commercial_partner_id", "in", partners.commercial_partner_id.ids),
            ("company_id", "in", companies.ids), ("account_id.account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"), ("reconciled", "=", False),
            ("move_id.bad_debt_writeoff_id", "=", False)]))
        netted, today = self._get_netting(items) if kind == "small_difference" else {}, fields.Date.context_today(self)
        left = items.filtered(lambda item: self._get_rest(item, netted.get(item, 0.0))[0])
        return left.filtered(lambda item: not self._get_kind_fault(item, today, kind, netted.get(item, 0.0)))

    # ------------------------------------------------------------------ why an item is not of a kind
    def _check_kind(self, kind):
        if kind not in (kinds := self._fields["kind"].get_values(self.env)):
            raise ValidationError(self.env._(
                "%(kind)s is no kind of write-off. There are: %(kinds)s.", kind=kind, kinds=", ".join(kinds)))

    def _get_kind_fault(self, line, date, kind, netted):
        """:param netted: what the customer's items of the other sign settle of it first"""
        if kind == "small_difference":
            return self._get_difference_fault(line, netted)
        if (line.amount_residual_currency < 0) != (kind == "stale_credit"):
            return (self.env._("it is a credit of the customer.") if kind == "bad_debt"
                    else self.env._("it is no credit of the customer."))
        return self._get_stale_fault(line, date, netted) if kind == "stale_credit" else False

    def _get_stale_fault(self, line, date, netted):
        settings = line.company_id._get_bad_debt_settings()
        months, limit = settings.bad_debt_stale_credit_months, settings.bad_debt_stale_credit_limit
        if months and date <= (stale := line.date + relativedelta(months=months)):
            return self.env._(
                "it is not stale before the end of %(date)s, %(months)s months after it came in. Wait, or pay it back.",
                date=stale, months=months)
        if limit and line.company_currency_id.compare_amounts(self._get_rest(line, netted)[1], limit) > 0:
            return self.env._(
                "it is above the limit of stale credits, %(limit)s. Pay it back, or have the limit raised.",
                limit=line.company_currency_id.format(limit))
        return False

    def _get_difference_fault(self, line, netted):
        """By the limit of the item's own currency, else by its value in the books and the limit of the company."""
        settings = line.company_id._get_bad_debt_settings()
        own, general = line.currency_id, line.company_currency_id
        rest, value = self._get_rest(line, netted)
        limit = own != general and own.with_company(settings).bad_debt_small_difference_limit
        if own.compare_amounts(rest, limit) > 0 if limit else general.compare_amounts(
                value, settings.bad_debt_small_difference_limit) > 0:
            return self.env._(
                "it is above the limit of small differences, %(limit)s.",
                limit=own.format(limit) if limit else general.format(settings.bad_debt_small_difference_limit))
        return False

    def _get_rest(self, line, netted):
        """(in its currency, at its value in the books) what netting leaves of an item."""
        whole = abs(line.amount_residual_currency)
        rest = line.currency_id.round(whole - netted)
        return rest, line.company_currency_id.round(abs(line.amount_residual) * rest / whole) if whole else 0.0
