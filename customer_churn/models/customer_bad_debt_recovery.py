import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..allocation import allocate
from .customer_bad_debt_recovery_source import Source
from .customer_bad_debt_writeoff import APPROVER


class CustomerBadDebtRecovery(models.Model):
    """Money that came after all: the debt is booked again, as far as it was paid, and the tax is due again."""

    _name = "customer.bad.debt.recovery"
    _description = "Recovery of Bad Debt"
    _check_company_auto = True
    _order = "date desc, id desc"
    _rec_name = "move_id"

    writeoff_id = fields.Many2one(
        "customer.bad.debt.writeoff", string="Write-Off", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="writeoff_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="writeoff_id.partner_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    payment_id = fields.Many2one("account.payment", readonly=True, index="btree_not_null", ondelete="restrict")
    move_id = fields.Many2one("account.move", string="Entry", readonly=True, index="btree_not_null")
    reversal_move_id = fields.Many2one("account.move", string="Undone By", readonly=True, index="btree_not_null")
    amount = fields.Monetary(readonly=True, help="At the value at which it was written off.")
    amount_tax = fields.Monetary(string="Tax", readonly=True, help="Due to the tax office again.")
    state = fields.Selection(
        [("posted", "Posted"), ("reversed", "Undone")], readonly=True, default="posted", index=True)
    split = fields.Text(readonly=True, help="JSON: how much of each line of the write-off came back.")

    _amount_positive = models.Constraint("CHECK (amount > 0)", "A recovery has an amount above zero.")

    def _get_split(self):
        return json.loads(self.split or "{}")

    @api.model
    def _create_for(self, writeoff, amount=None, date=None, payment=None):
        """Book what came back of a write-off.

        :param amount: in company currency, at the value at which it was written off; without it, all that the
            payment covers, or all that is left
        :param payment: account.payment of the customer; without it one is made
        """
        writeoff.ensure_one()
        writeoff._check_recovery()
        date = self._get_date(writeoff, date, payment)
        source = Source(writeoff, payment)
        amount = source.limit(amount)
        if not payment:
            payment = self._create_payment(writeoff, source.to_currency(amount), source.currency, date)
            source = Source(writeoff, payment)
        split = writeoff._split_recovery(amount, source.items)
        move = self._book(writeoff, source, split, date)
        # sudo: approvers book recoveries, nobody writes them by hand
        recovery = self.sudo().create({
            "writeoff_id": writeoff.id, "date": date, "payment_id": payment.id, "move_id": move.id, "amount": amount,
            "amount_tax": -sum(move.line_ids.filtered("tax_repartition_line_id").mapped("balance")),
            "split": json.dumps(split)}).sudo(False)
        writeoff._refresh_recovered()
        return recovery

    def _get_date(self, writeoff, date, payment):
        date = writeoff._to_date(date or (payment or self).date)
        if date > fields.Date.context_today(self) or date < writeoff.move_id.date:
            raise UserError(self.env._(
                "%(name)s: a recovery is dated between the write-off and today.", name=writeoff.display_name))
        return date

    def _create_payment(self, writeoff, amount, currency, date):
        journal = self.env["account.journal"].search([
            *self.env["account.journal"]._check_company_domain(writeoff.company_id), ("type", "in", ("bank", "cash"))],
            limit=1)
        if not journal:
            raise UserError(self.env._("%(company)s has no bank journal. Create one, or choose a payment.",
                                       company=writeoff.company_id.name))
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": writeoff.partner_id.id,
            "amount": amount, "currency_id": currency.id, "date": date, "journal_id": journal.id,
            "memo": self.env._("Recovery of %s", writeoff.name)})
        payment.action_post()
        return payment

    # ------------------------------------------------------------------ the entry
    def _book(self, writeoff, source, split, date):
        move = writeoff._post_entry(
            self._build(writeoff, source, split, date), date, self.env._("Recovery of %s", writeoff.name),
            validate_analytic=True)
        if source.credits:
            (move.line_ids.sorted("id")[0] | source.credits).reconcile()
        return move

    def _build(self, writeoff, source, split, date):
        """The debt again, as the payment values it, against the recovery and the tax that is due again."""
        amount_currency, balance = source.get_debt(split)
        groups = writeoff._get_recovery_groups(split)
        gain = balance - sum(group["balance"] for group in groups)  # the payment's rate is another one
        plain = [group for group in groups
                 if group["kind"] == "base" and not group["tax_ids"] and not group["tax_tag_ids"]]
        if not plain:
            plain = [writeoff._prepare_recovery_group()]
            groups += plain
        plain[0]["balance"] += gain
        lines = [{
            "name": self.env._("Debt paid after all"), "account_id": source.account.id,
            "partner_id": source.partner.id, "currency_id": source.currency.id, "amount_currency": amount_currency,
            "balance": balance, "display_type": "payment_term", "date_maturity": date,
            "tax_ids": [Command.clear()], "analytic_distribution": False,
        }] + [self._prepare_against(writeoff, group, source.partner) for group in groups
              if not writeoff.currency_id.is_zero(group["balance"])]
        if any(group["kind"] == "transition" for group in groups):
            self._put_in_currency(lines, source)
        return lines

    def _put_in_currency(self, lines, source):
        """Of an entry in two currencies the host makes no tax due when it is paid."""
        debt, *against = lines
        shares = allocate(
            -debt["amount_currency"], [line["balance"] for line in against], unit=source.currency.rounding)
        for line, share in zip(against, shares, strict=True):
            line |= {"currency_id": source.currency.id, "amount_currency": share}
        if source.credits:
            self._value_as_due(against, source)

    def _value_as_due(self, against, source):
        """Tax that is paid becomes due at the payment's rate: a cent that this rounds off is income, not exchange."""
        largest = max(against, key=lambda line: (line["display_type"] == "product", abs(line["balance"])))
        for line in against:
            if line["display_type"] == "payment_term":
                due = source.writeoff.currency_id.round(
                    line["amount_currency"] * source.credits.balance / source.credits.amount_currency)
                largest["balance"] += line["balance"] - due
                line["balance"] = due
        largest["balance"] = source.writeoff.currency_id.round(largest["balance"])

    def _prepare_against(self, writeoff, group, partner):
        """In company currency: income and tax are what they are, in whatever currency the customer pays."""
        balance = writeoff.currency_id.round(-group["balance"])
        kinds = {"tax": "tax", "transition": "payment_term"}
        analytic = group["analytic_distribution"] or writeoff._get_default_analytic(group["account_id"], partner)
        return {
            "name": group["name"], "display_type": kinds.get(group["kind"], "product"),
            "account_id": group["account_id"].id, "partner_id": partner.id, "currency_id": writeoff.currency_id.id,
            "amount_currency": balance, "balance": balance, "tax_ids": [Command.set(group["tax_ids"].ids)],
            "tax_tag_ids": [Command.set(group["tax_tag_ids"].ids)],
            "tax_repartition_line_id": group["tax_repartition_line_id"].id, "analytic_distribution": analytic or False}

    # ------------------------------------------------------------------ undo
    def action_undo(self, date=None):
        """The mirror of the recovery; the payment is an open credit of the customer again."""
        self.writeoff_id._check_group(APPROVER)
        self.writeoff_id.check_access("write")
        for recovery in self:
            recovery.writeoff_id._lock()
            if recovery.state != "posted":
                raise UserError(self.env._("%(name)s is undone already.", name=recovery.move_id.name))
            recovery.company_id._check_bad_debt_settings("undo")
            if recovery.writeoff_id.state == "reversed":
                raise UserError(self.env._(
                    "%(name)s: the write-off was undone but for what came back. This recovery stays.",
                    name=recovery.move_id.name))
            recovery._undo(recovery.writeoff_id._to_date(date))
            recovery.writeoff_id._refresh_recovered()
            recovery.writeoff_id.line_ids.move_id._check_credited_once()

    def _undo(self, date):
        if date > fields.Date.context_today(self) or date < self.move_id.date:
            raise UserError(self.env._(
                "%(name)s: the undo must be dated between %(first)s and today.",
                name=self.move_id.name, first=self.move_id.date))
        booked = self.move_id.line_ids.sorted("id")
        values = [line._prepare_bad_debt_mirror([line.amount_currency, line.balance]) for line in booked]
        matched = booked.filtered(lambda line: line.account_id.reconcile)
        matched.with_context(bad_debt_undo=True).remove_move_reconcile()
        mirror = self.writeoff_id._post_entry(values, date, self.env._("Undo of %s", self.move_id.name))
        quiet = self.env["account.move.line"].with_context(no_cash_basis=True)
        quiet._reconcile_plan([
            quiet.browse((line | other).ids) for line, other in zip(booked, mirror.line_ids.sorted("id"), strict=False)
            if line.account_id.reconcile and not line.reconciled])  # tax of no cent has nothing to match
        mirror.reversed_entry_id = self.move_id
        # sudo: the rights were checked by the caller
        self.sudo().write({"state": "reversed", "reversal_move_id": mirror.id})
