import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import split_every

from .customer_bad_debt_writeoff_line import PENDING

CUSTOMER_TYPES = ("out_invoice", "out_refund", "out_receipt", "entry")
ITEMS = 500  # on one document: more of them nobody reads, and posting would hold its locks too long


def is_above_zero(amount, currency):
    """Whether this is an amount at all, and not rounded to nothing."""
    return isinstance(amount, (int, float)) and math.isfinite(amount) and currency.compare_amounts(amount, 0.0) > 0


class CustomerBadDebtWriteoff(models.Model):
    """What may be written off, and how much of it the customer's own credits settle first."""

    _inherit = "customer.bad.debt.writeoff"

    @api.model
    def _create_for(self, move_lines, date, amounts=None, reason=None, **values):
        """Prepare one draft per company and customer, or more if their items are very many; where the law wants credit
        notes, one per invoice.

        :param move_lines: open items, of any number of companies and customers
        :param amounts: {item: amount in its currency}; without it the items are given up whole, less the customer's
            own credits
        :param reason: customer.churn.reason record or id
        :param values: more of the documents' fields; with `net_credits` the credits are netted although amounts are
            given, which are what is left then
        """
        self._check_group("customer_churn.group_bad_debt_officer")
        self.check_access("create")
        self._grab(move_lines)  # who prepares the same item at the same moment hears of it, and does not wait
        date, kind = self._to_date(date), values.get("kind", "bad_debt")
        self._check_kind(kind)
        amounts = self._get_given_amounts(move_lines, amounts)
        move_lines.company_id._check_bad_debt_kind(kind)
        self._refuse(self._get_refusals(move_lines, date, kind))
        self._check_amounts({
            line: amount for line, amount in amounts.items() if amount or not values.get("net_credits")})
        netted = {} if amounts or not values.get("net_credits", True) else self._get_netting(move_lines)
        writeoffs = self.create(self._prepare_documents(move_lines, date, amounts, netted, reason, **values))
        self._check_anything_left(writeoffs)
        writeoffs._refresh_amounts()
        return writeoffs

    def _prepare_documents(self, move_lines, date, amounts, netted, reason=None, **values):
        vals_list, kind = [], values.get("kind", "bad_debt")
        groups = self._group_items(move_lines, kind, values.pop("method", None))
        for (company, partner, method, _invoice), lines in groups.items():
            settings = company._get_bad_debt_settings()
            vals_list += [{
                "company_id": company.id, "partner_id": partner.id, "date": date, "method": method,
                "reason_id": getattr(reason, "id", reason),
                "net_credits": not amounts and (part == lines or any(netted.get(line) for line in part)),
                "tax_relief": settings.bad_debt_tax_relief if kind == "bad_debt" else "none", **values,
                "line_ids": [fields.Command.create(self._prepare_line(line, amounts, netted)) for line in part],
            } for part in split_every(ITEMS, lines.ids, lines.browse)]
        return vals_list

    def _group_items(self, move_lines, kind, method):
        groups = defaultdict(self.env["account.move.line"].browse)
        for line in move_lines.sorted(lambda line: (line.date_maturity or line.date, line.id)):
            by = self._get_method(line, kind, method)
            invoice = line.move_id if by == "credit_note" else None
            groups[line.company_id, line.partner_id.commercial_partner_id, by, invoice] |= line
        return groups

    def _prepare_line(self, line, amounts, netted):
        residual = abs(line.amount_residual_currency)
        netted = netted.get(line, 0.0)
        amount = amounts[line] if line in amounts else line.currency_id.round(residual - netted)
        return {"move_line_id": line.id, "amount_currency": amount}

    def _check_anything_left(self, writeoffs):
        if empty := writeoffs.filtered(lambda writeoff: not any(writeoff.line_ids.mapped("amount_currency"))):
            raise UserError(self.env._(
                "%(customers)s: nothing to write off, the customer's own credits settle all of it. Match them with the "
                "invoices.", customers=", ".join(empty.partner_id.mapped("display_name"))))

    # ------------------------------------------------------------------ amounts given by a person
    def _get_given_amounts(self, move_lines, amounts):
        """By item, whether records or ids were given."""
        by_id = {getattr(line, "id", line): amount for line, amount in (amounts or {}).items()}
        if others := set(by_id) - set(move_lines.ids):
            raise ValidationError(self.env._(
                "Amounts were given for %(count)s items that are not among those to write off.", count=len(others)))
        return {line: by_id[line.id] for line in move_lines if line.id in by_id}

    def _check_amounts(self, amounts):
        for line, amount in amounts.items():
            if reason := self._get_amount_fault(line, amount):
                raise ValidationError(self.env._(
                    "%(item)s: %(reason)s", item=line._get_bad_debt_name(), reason=reason))

    def _get_amount_fault(self, line, amount):
        currency, residual = line.currency_id, abs(line.amount_residual_currency)
        if not is_above_zero(amount, currency):
            return self.env._("the amount to write off must be a number above zero.")
        if abs(currency.round(amount) - amount) > currency.rounding / 1000:
            return self.env._(
                "%(amount)s has more digits than %(currency)s. Round it.", amount=amount, currency=currency.name)
        if currency.compare_amounts(amount, residual) > 0:
            return self.env._(
                "%(amount)s is more than the %(residual)s that are open. Give no more than that.",
                amount=currency.format(amount), residual=currency.format(residual))
        return False

    # ------------------------------------------------------------------ refused by name
    def _refuse(self, refusals):
        if refusals:
            raise UserError("\n".join(
                f"{line._get_bad_debt_name()}: {reason}" for line, reason in refusals.items()))

    @api.model
    def _get_refusals(self, move_lines, date, kind="bad_debt"):
        """{item: why it may not be written off}, in words for the list of what was left out."""
        busy, pending = self._get_busy_moves(move_lines.move_id), self._get_pending(move_lines)
        netted = {} if kind == "bad_debt" else self._get_netting(move_lines)
        refusals = {}
        for line in move_lines:
            if reason := (
                    self._get_refusal(line, date) or self._get_kind_fault(line, date, kind, netted.get(line, 0.0))
                    or busy.get(line.move_id) or pending.get(line)):
                refusals[line] = reason
        return refusals

    def _get_pending(self, move_lines):
        """{item: reason} where another document has it already."""
        others = self.env["customer.bad.debt.writeoff.line"].search([
            ("move_line_id", "in", move_lines.ids), ("writeoff_id", "not in", self.ids), "|",
            ("state", "in", PENDING), "&", ("state", "=", "unmatched"), ("booked_line_id.reconciled", "=", False)])
        return {other.move_line_id: self._get_pending_reason(other) for other in others}

    def _get_pending_reason(self, other):
        if other.state == "unmatched":
            return self.env._(
                "it was written off on %(name)s, which is not matched with it any more. Match that one again, or undo "
                "it.", name=other.writeoff_id.name)
        return self.env._(
            "it stands on %(name)s already. Work on that one, or cancel it.", name=other.writeoff_id.name)

    def _get_refusal(self, line, date):
        if line.parent_state != "posted":
            return self.env._("it is not posted. Post it first, or delete it.")
        if line.move_id.move_type not in CUSTOMER_TYPES or line.account_id.account_type != "asset_receivable":
            return self.env._("it is no debt of a customer.")
        if line.move_id.bad_debt_writeoff_id:
            return self.env._("it belongs to a write-off itself. Match that one again, or undo it.")
        if not line.partner_id:
            return self.env._("it has no customer. Set the customer first.")
        if line.reconciled or not line.amount_residual_currency:
            return self.env._("nothing to write off, it is settled.")
        if date > fields.Date.context_today(self):
            return self.env._("the date of the write-off is in the future.")
        if date < max(line.date, line.move_id.invoice_date or line.date):
            return self.env._("the write-off would be dated before it. Choose a later date.")
        return False

    def _get_busy_moves(self, moves):
        """{invoice: reason} where money is on its way."""
        busy = {}
        for move in moves:
            payments = move.matched_payment_ids.filtered(
                lambda payment: payment.state == "in_process" and not payment.move_id)
            if move.payment_state in ("in_payment", "paid") or payments:
                busy[move] = self.env._("it has a payment on its way. Wait for the bank, or cancel the payment.")
        # sudo: an online payment that waits is a reason, whoever may see it
        for move in moves.sudo().filtered(lambda move: any(
                payment.state in ("pending", "authorized")
                or payment.state == "done" and not payment.is_post_processed for payment in move.transaction_ids)):
            busy[move.with_env(self.env)] = self.env._(
                "it has an online payment that waits. Capture or void it first.")
        return busy

    # ------------------------------------------------------------------ the customer's own credits first
    @api.model
    def _get_netting(self, move_lines):
        """{item: amount in its currency} that open items of the other sign settle, oldest first."""
        return {
            line: sum(amount for _other, amount in pairs)
            for line, pairs in self._get_netting_pairs(move_lines).items()}

    def _get_netting_pairs(self, move_lines):
        """{item: [(other item, amount)]}: what is matched with what, in the currency they share."""
        items = self._sort_items(self.env["account.move.line"].search(self._get_netting_domain(move_lines)))
        left = {item: abs(item.amount_residual_currency) for item in items | move_lines}
        may_meet = items.grouped(self._get_netting_key)
        pairs = defaultdict(list)
        for line in self._sort_items(move_lines):
            for other in may_meet.get(self._get_netting_key(line, opposite=True), ()):
                if (amount := min(left[line], left[other])) <= 0:
                    continue
                for one, counterpart in ((line, other), (other, line)):
                    left[one] = line.currency_id.round(left[one] - amount)
                    if one in move_lines:  # a rest of either sign may be among those given
                        pairs[one].append((counterpart, amount))
        return pairs

    def _get_netting_key(self, line, opposite=False):
        """Items that may meet differ in their sign only."""
        owed = line.amount_residual_currency > 0
        return (line.account_id, line.currency_id, line.company_id, line.partner_id.commercial_partner_id,
                owed != opposite)

    def _get_netting_domain(self, move_lines):
        return Domain([
            ("parent_state", "=", "posted"), ("reconciled", "=", False), ("amount_residual_currency", "!=", 0),
            ("move_id.bad_debt_writeoff_id", "=", False),  # ours is no money of the customer
            ("account_id", "in", move_lines.account_id.ids), ("company_id", "in", move_lines.company_id.ids),
            ("partner_id.commercial_partner_id", "in", move_lines.partner_id.commercial_partner_id.ids)])

    def _sort_items(self, lines):
        return lines.sorted(lambda line: (line.date_maturity or line.date, line.date, line.id))
