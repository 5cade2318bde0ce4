import json
from collections import defaultdict

from markupsafe import Markup
from odoo import fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Command

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_credit_note import QUIET


class CustomerBadDebtWriteoff(models.Model):
    """Posting: all documents of a call in one go, or none of them."""

    _inherit = "customer.bad.debt.writeoff"

    def action_post(self):
        """Book what was approved: rights, lock, read again, refuse, net, create, post, match, look at the result."""
        self._check_group(APPROVER)
        self.check_access("write")
        self._lock()
        self._check_state("approved")
        for writeoffs in self._get_turns():
            writeoffs._post()

    def _get_turns(self):
        """One document of a customer after the other: each reads the allowance and the items the former left."""
        turns = defaultdict(self.browse)
        for writeoffs in self.grouped(lambda writeoff: (writeoff.company_id, writeoff.partner_id)).values():
            for turn, writeoff in enumerate(writeoffs):
                turns[turn] += writeoff
        return turns.values()

    def _post(self):
        self._check_ready()
        self._net()
        self.line_ids.modified(["amount_currency"])  # what is open may be worth a cent more or less since
        builds = [writeoff._build() for writeoff in self]
        self._check_lock_dates(builds)
        moves = self._create_entries(builds)
        self._match(moves, builds)
        self._check_result(moves)
        self._set(state="posted", error=False)
        self._after_posting()

    def _lock(self):
        """Whoever comes second gets an answer at once, and reads what the first has booked."""
        # sudo: a lock on the customer keeps two documents from using the same allowance; it changes nothing
        self._grab(self.partner_id.sudo())
        self._grab(self)
        self._grab(self.line_ids.move_line_id)
        self.env.invalidate_all()

    def _grab(self, records):
        try:
            records.lock_for_update(allow_referencing=records._name != self._name)
        except LockError as error:
            raise LockError(self.env._(
                "%(names)s: somebody is working on this right now. Try again in a moment.",
                names=", ".join(records.mapped("display_name")))) from error

    def _check_ready(self):
        """What could be refused at the preparation may have come about since."""
        for writeoff in self:
            writeoff.company_id._check_bad_debt_settings(writeoff.kind)
            items = writeoff.line_ids.move_line_id
            if not items:
                raise UserError(self.env._("%(name)s has no items. Add some.", name=writeoff.display_name))
            writeoff._check_items(items)
            writeoff._refuse(writeoff._get_refusals(items, writeoff.date, writeoff.kind))
            writeoff._check_amounts({
                line.move_line_id: line.amount_currency for line in writeoff.line_ids
                if line.amount_currency or not writeoff.net_credits})

    def _check_items(self, items):
        self._check_one_invoice(items)
        strange = items.filtered(lambda item: (
            item.company_id != self.company_id or item.partner_id.commercial_partner_id != self.partner_id))
        if strange:
            raise UserError(self.env._(
                "%(items)s: of another company or customer than %(name)s. Prepare a write-off of its own.",
                items=", ".join(item._get_bad_debt_name() for item in strange), name=self.display_name))

    def _check_lock_dates(self, builds):
        """The host would move the entry to an open period without a word; here the lock is named."""
        for writeoff, (values, _splits, _groups) in zip(self, builds, strict=True):
            taxed = any(
                line.get("tax_repartition_line_id") or line.get("tax_tag_ids", [[0]])[0][-1] for line in values)
            writeoff._check_lock_date(writeoff.date, taxed)

    def _check_lock_date(self, date, taxed):
        locks = self.company_id._get_lock_date_violations(
            date, sale=self._is_next_credit_note(), purchase=False, tax=taxed)
        if locks:
            raise UserError(self.env._(
                "%(name)s: %(date)s is closed by %(locks)s. Choose a later date.",
                name=self.display_name, date=fields.Date.to_string(date),
                locks=self.company_id._format_lock_dates(locks)))

    # ------------------------------------------------------------------ netting
    def _net(self):
        """The customer's own credits settle what they can, as if somebody had matched them by hand."""
        for writeoff in self.filtered("net_credits"):
            pairs = writeoff._get_netting_pairs(writeoff.line_ids.move_line_id)
            writeoff.line_ids.sudo()._keep_netted(pairs)  # sudo: kept by the methods only
            plan = list(dict.fromkeys(item | other for item, others in pairs.items() for other, _amount in others))
            if plan:
                self._grab(self.env["account.move.line"].union(*plan))
                self.env["account.move.line"]._reconcile_plan(plan)
            for line in writeoff.line_ids.filtered("amount_currency"):
                if reason := writeoff._get_amount_fault(line.move_line_id, line.amount_currency):
                    raise UserError(self.env._(
                        "%(item)s: %(reason)s", item=line.move_line_id._get_bad_debt_name(), reason=reason))

    # ------------------------------------------------------------------ the entry
    def _create_entries(self, builds):
        """One entry a document, posted on its own date."""
        vals_list = []
        for writeoff, (values, splits, _groups) in zip(self, builds, strict=True):
            writeoff._keep_split(splits)
            writeoff._keep_relief_dates()
            writeoff._set(**writeoff._get_amounts(values))
            vals_list.append(writeoff._prepare_entry(values))
        moves = self._create_moves(vals_list)
        moves.with_context(validate_analytic=True)._post(soft=False)
        self._link_credit_notes(moves)
        return moves

    def _prepare_entry(self, values, date=None):
        settings = self.company_id._get_bad_debt_settings()
        return {
            "move_type": "entry", "journal_id": settings.bad_debt_journal_id.id, "company_id": self.company_id.id,
            "date": date or self.date, "ref": f"{self._get_label()}: {self.partner_id.display_name}",
            "currency_id": self.currency_id.id, "bad_debt_writeoff_id": self.id,
            "line_ids": [Command.create(line) for line in values]} | self._get_credit_note_values()

    def _post_entry(self, values, date, ref, **context):
        """One more entry of this document, on its day or not at all: the host would move it without a word."""
        entry = self._prepare_entry(values, date) | {"ref": ref}
        move = self.env["account.move"].with_context(**QUIET).create(entry)
        self._check_lock_date(date, move._affect_tax_report())
        move.with_context(**context)._post(soft=False)
        if move.date != date:
            raise UserError(self.env._("%(name)s: %(date)s is closed. Choose a later date.",
                                       name=self.display_name, date=date))
        return move

    # ------------------------------------------------------------------ matching
    def _match(self, moves, builds):
        """Each item with its own counterpart; tax due on payment leaves its transition account without becoming due."""
        plan, transitions = [], []
        for writeoff, move, (_values, _splits, groups) in zip(self, moves, builds, strict=True):
            booked = move.line_ids.sorted("id")
            given_up = writeoff.line_ids.filtered("amount_currency")
            for line, counterpart in zip(given_up, booked, strict=False):
                # sudo: kept by the methods only
                line.sudo().booked_line_id = counterpart
                plan.append(line.move_line_id | counterpart)
            transitions += self._get_transition_pairs(booked, groups)
            writeoff._keep_taxes_on_payment(booked, groups)
        self._unblock(self.line_ids.move_id)
        # the host takes an exchange difference apart again that does not know of the tax due on payment
        lines = self.env["account.move.line"].with_context(
            no_cash_basis=True, add_caba_vals=any(writeoff._is_spot() for writeoff in self), bad_debt_quiet=True)
        lines._reconcile_plan([lines.browse(pair.ids) for pair in plan])
        if transitions:
            lines._reconcile_plan([lines.browse(pair.ids) for pair in transitions])

    def _keep_taxes_on_payment(self, booked, groups):
        """Which of the goods given up bore them: a recovery makes the tax due on no more than these."""
        taxes = {line.id: group["taxes_on_payment"].ids for line, group in zip(booked, groups, strict=False)
                 if group.get("taxes_on_payment")}
        if taxes:
            self._set(taxes_on_payment=json.dumps(taxes))

    def _get_transition_pairs(self, booked, groups):
        for line, group in zip(booked, groups, strict=False):
            if (items := group.get("sources")) and line.account_id.reconcile:
                yield items.filtered(lambda item: not item.reconciled) | line

    def _unblock(self, invoices):
        """The host leaves a blocked invoice blocked for ever, settled or not."""
        blocked = invoices.filtered(lambda move: move.payment_state == "blocked")
        blocked.payment_state = "not_paid"
        self.env.add_to_compute(blocked._fields["payment_state"], blocked)

    def _check_result(self, moves):
        for writeoff, move in zip(self, moves, strict=True):
            given_up = writeoff.line_ids.filtered("amount_currency")
            if move.state != "posted" or move.date != writeoff.date or not all(
                    given_up.booked_line_id.mapped("reconciled")):
                raise UserError(self.env._(
                    "%(name)s: the entry did not come out as shown. Nothing was booked. Prepare it again.",
                    name=writeoff.display_name))
            writeoff._set(name=move.name, move_id=move.id)

    def _after_posting(self):
        self.line_ids.move_id._refresh_written_off()
        self._close_cases()
        self._log_on_invoices(self.env._("Written off"))

    def _log_on_invoices(self, text):
        """One note an invoice, with the way to the document."""
        bodies = {}
        for writeoff in self:
            for line in writeoff.line_ids.filtered("amount_currency"):
                bodies[line.move_id.id] = Markup("%s: %s, %s") % (
                    text, line.currency_id.format(line.amount_currency), writeoff._get_html_link(title=writeoff.name))
        self.env["account.move"].browse(bodies)._message_log_batch(bodies=bodies)
