from odoo.exceptions import UserError

from .customer_bad_debt_writeoff_create import is_above_zero


class Source:
    """The money: an open credit of the customer, or what is to be paid yet, in the currency of the debt."""

    def __init__(self, writeoff, payment):
        self.writeoff = writeoff
        self.credits = writeoff.env["account.move.line"]
        company = writeoff.currency_id
        currencies = writeoff.line_ids.currency_id
        self.currency = payment.currency_id if payment else currencies if len(currencies) == 1 else company
        self.items = writeoff.line_ids.filtered("booked_line_id")
        if self.currency != company:  # company currency pays for every item, another one for its own first
            same = self.items.filtered(
                lambda line: line.currency_id == self.currency and writeoff._get_item_left(line)[1] > 0)
            self.items = same or self.items
        self.account, self.partner = self.items.booked_line_id[:1].account_id, writeoff.partner_id
        if payment:
            self._read(payment)

    def _read(self, payment):
        env = self.writeoff.env
        if payment.partner_id.commercial_partner_id != self.partner.commercial_partner_id \
                or payment.company_id != self.writeoff.company_id \
                or payment.payment_type != "inbound" or payment.state not in ("in_process", "paid"):
            raise UserError(env._(
                "%(payment)s is no posted payment of %(customer)s. Choose another one.",
                payment=payment.display_name, customer=self.partner.display_name))
        self.paid = (payment.amount, payment.currency_id._convert(
            payment.amount, payment.company_id.currency_id, payment.company_id, payment.date))
        if not payment.move_id:
            return
        self.credits = payment.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable" and not line.reconciled)[:1]
        if not self.credits:
            raise UserError(env._(
                "%(payment)s is matched already. Undo its matching first, or choose another payment.",
                payment=payment.display_name))
        self.account, self.partner = self.credits.account_id, self.credits.partner_id
        self.paid = (-self.credits.amount_residual_currency, -self.credits.amount_residual)

    def _get_left(self):
        """(in the currency of the payment, at the value of the write-off): what did not come back yet."""
        left = [self.writeoff._get_item_left(line) for line in self.items]
        return sum(pair[0] for pair in left), sum(pair[1] for pair in left)

    def _is_same(self):
        return all(line.currency_id == self.currency for line in self.items)

    def limit(self, amount):
        """The amount at the value of the write-off: no more than what is left, nor than what was paid."""
        env, company = self.writeoff.env, self.writeoff.currency_id
        left_currency, left = self._get_left()
        if amount is not None and (not is_above_zero(amount, company) or company.compare_amounts(amount, left) > 0):
            raise UserError(env._(
                "%(name)s: %(left)s is left to recover. Give an amount above zero and no larger; what was paid beyond "
                "it stays a credit of the customer.", name=self.writeoff.display_name, left=company.format(left)))
        covered = left
        if getattr(self, "paid", None):
            paid = min(self.paid[0], left_currency) if self._is_same() else self.paid[1]
            covered = company.round(left * paid / left_currency) if self._is_same() else min(paid, left)
        if amount is not None and company.compare_amounts(amount, covered) > 0:
            raise UserError(env._(
                "%(name)s: the payment covers %(covered)s only.",
                name=self.writeoff.display_name, covered=company.format(covered)))
        return company.round(covered if amount is None else amount)

    def to_currency(self, amount):
        left_currency, left = self._get_left()
        return self.currency.round(left_currency * amount / left) if self._is_same() else amount

    def get_debt(self, split):
        """(in the currency of the payment, in company currency) at the payment's own rate."""
        company, (paid_currency, paid) = self.writeoff.currency_id, self.paid
        pairs = [split[line.booked_line_id.id] for line in self.items if line.booked_line_id.id in split]
        if self._is_same():
            wanted = -sum(pair[0] for pair in pairs)
        else:
            wanted = self.currency.round(-paid_currency * sum(pair[1] for pair in pairs) / paid)
        if self.currency.compare_amounts(wanted, paid_currency) >= 0:
            return paid_currency, paid
        return wanted, company.round(paid * wanted / paid_currency)
