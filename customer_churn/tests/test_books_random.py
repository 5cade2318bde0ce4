"""Whatever people do in whatever order: what must hold of the ledger holds after each step."""

import os
import random

from freezegun import freeze_time
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_books import BooksCommon

STEPS = int(os.environ.get("CUSTOMER_CHURN_BOOKS_STEPS", 120))
SEED = int(os.environ.get("CUSTOMER_CHURN_BOOKS_SEED", 19))
OURS = ("write_off", "undo", "recover", "undo_recovery", "unmatch", "rematch")
WEIGHTS = {"invoice": 6, "pay": 3, "money": 1, "credit": 2, "write_off": 8, "undo": 3, "recover": 4,
           "undo_recovery": 2, "unmatch": 1, "rematch": 2}
CENT = 0.011


@tagged("post_install", "-at_install", "customer_churn")
@freeze_time("2026-11-23")
class TestBooksRandom(BooksCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eur = cls.setup_other_currency("EUR", rates=[("2026-01-01", 0.8), ("2026-06-01", 0.5)])
        cls.partners = cls.env["res.partner"].create([
            {"name": f"Customer {number}", "is_company": True} for number in range(3)])
        cls.Recovery = cls.env["customer.bad.debt.recovery"]

    def test_random(self):
        self.dice, self.log = random.Random(SEED), []
        names, weights = zip(*WEIGHTS.items(), strict=True)
        for step in range(STEPS):
            name = self.dice.choices(names, weights)[0]
            before, self.nets = self.exchange(), False
            try:
                with self.env.cr.savepoint():
                    done = getattr(self, f"_{name}")()
                    self.env.flush_all()
            except UserError as error:
                done = f"refused: {error}"
            self.env.invalidate_all()
            self.log.append(f"{step} {name}: {done}")
            try:
                self.check(name in OURS and not self.nets and self.exchange() - before)
            except AssertionError as error:
                raise AssertionError("\n".join([str(error), *self.log[-12:]])) from error
        done = sum("refused" not in line and not line.endswith("None") for line in self.log)
        self.assertGreater(done, STEPS / 2, "\n".join(self.log))
        self.take_all_back()

    # ------------------------------------------------------------------ what people do
    def pick(self, records):
        return self.dice.choice(records) if records else None

    def open_items(self, sign=1):
        items = self.env["account.move.line"].search([
            ("partner_id", "in", self.partners.ids), ("account_id", "=", self.ar.id), ("parent_state", "=", "posted"),
            ("reconciled", "=", False)], order="id")
        return items.filtered(lambda line: line.amount_residual_currency * sign > 0)

    def some(self, amount):
        return round(self.dice.choice((1, 1, 0.5, 0.33, 0.071)) * amount, 2) or amount

    def _invoice(self):
        lines = [(round(self.dice.uniform(0.05, 900), 2), self.dice.choice((None, self.t15, self.t7, self.t15)))
                 for _line in range(self.dice.choice((1, 1, 3)))]
        if self.dice.random() < 0.3:
            lines = [(amount, self.c15) for amount, _tax in lines]
        return self.inv(*lines, partner=self.pick(self.partners), on=self.dice.choice(("2026-05-01", "2026-07-01")),
                        currency_id=self.dice.choice((self.eur, self.company.currency_id)).id).amount_total

    def _pay(self):
        item = self.pick(self.open_items())
        if not item or not item.move_id.is_invoice():
            return None
        amount = self.some(item.amount_residual_currency)
        self.pay(amount, on="2026-08-01", partner=item.partner_id, invoice=item.move_id, currency=item.currency_id)
        return f"{item.move_id.name} {amount}"

    def _money(self):
        amount = round(self.dice.uniform(1, 300), 2)
        self.pay(amount, on="2026-11-22", partner=self.pick(self.partners), currency=self.dice.choice(
            (self.eur, self.company.currency_id)))
        return amount

    def _credit(self):
        item = self.pick(self.open_items())
        if not item or item.move_id.move_type != "out_invoice" or item.move_id.write_off_state != "none":
            return None
        note = item.move_id._reverse_moves([{"invoice_date": "2026-09-01", "date": "2026-09-01"}])
        for line in note.invoice_line_ids:
            line.price_unit = self.some(line.price_unit)
        note.action_post()
        (self.due(note) | self.due(item.move_id)).filtered(lambda line: not line.reconciled).reconcile()
        return f"{item.move_id.name} {note.amount_total}"

    def _write_off(self):
        items = self.dice.sample(list(self.open_items()), k=min(len(self.open_items()), self.dice.choice((1, 1, 2, 4))))
        if not items:
            return None
        lines = self.env["account.move.line"].union(*items)
        amounts = {line: self.some(line.amount_residual_currency) for line in lines}
        amounts = self.dice.choice((amounts, None))
        self.nets = not amounts  # the customer's own credit may be of another rate
        writeoffs = self.write_off(lines, amounts)
        return f"{'netted ' if self.nets else ''}{writeoffs.mapped('amount_total')} of {lines.move_id.mapped('name')}"

    def documents(self, *states):
        return self.Writeoff.sudo().search([("state", "in", states), ("company_id", "=", self.company.id)], order="id")

    def _undo(self):
        writeoff = self.pick(self.documents("posted", "partially_recovered", "unmatched"))
        return writeoff and (writeoff.with_user(self.approver).action_undo() or writeoff.move_id.name)

    def _recover(self):
        writeoff = self.pick(self.documents("posted", "partially_recovered"))
        if not writeoff:
            return None
        left = round(writeoff.amount_total - writeoff.amount_recovered, 2)
        recovery = self.recover(writeoff.with_user(self.approver), self.some(left))
        return f"{recovery.amount} of {writeoff.move_id.name}"

    def _undo_recovery(self):
        recovery = self.pick(self.Recovery.sudo().search([("state", "=", "posted")], order="id"))
        return recovery and (recovery.with_user(self.approver).action_undo() or recovery.move_id.name)

    def _unmatch(self):
        writeoff = self.pick(self.documents("posted"))
        return writeoff and (self.due(writeoff.move_id).sudo().remove_move_reconcile() or writeoff.move_id.name)

    def _rematch(self):
        writeoff = self.pick(self.documents("unmatched"))
        return writeoff and (writeoff.with_user(self.approver).action_rematch() or writeoff.move_id.name)

    # ------------------------------------------------------------------ what must hold
    def exchange(self):
        moves = self.env["account.move"].search([("journal_id", "=", self.company.currency_exchange_journal_id.id)])
        return sum(abs(line.balance) for line in moves.line_ids if line.balance > 0.03)

    def check(self, exchanged):
        self.assertFalse(exchanged, "an exchange difference of our own")
        items = self.env["account.move.line"].search([
            ("account_id", "=", self.ar.id), ("parent_state", "=", "posted"), ("company_id", "=", self.company.id)])
        for line in items:
            self.assertGreaterEqual(line.amount_residual_currency * line.amount_currency, 0, line.move_id.name)
            self.assertLessEqual(abs(line.amount_residual_currency), abs(line.amount_currency) + 0.001)
        for move in items.move_id.filtered(lambda move: move.is_invoice()):
            self.check_invoice(move.sudo())
        for writeoff in self.documents("posted", "partially_recovered", "recovered", "unmatched"):
            self.check_document(writeoff)
        for partner in self.partners:
            self.check_partner(partner)

    def check_invoice(self, move):
        written = 0.0
        for partial in self.due(move).matched_credit_ids:
            other = partial.credit_move_id.move_id
            if other.bad_debt_writeoff_id and other == other.bad_debt_writeoff_id.move_id:
                written += partial.debit_amount_currency
        self.assertAlmostEqual(move.amount_written_off, written, 2, move.name)
        if not written:
            self.assertEqual(move.write_off_state, "none", move.name)
        elif move.amount_residual:
            self.assertEqual(move.write_off_state, "partial", move.name)

    def check_document(self, writeoff):
        self.assertEqual(writeoff.move_id.state, "posted")
        total = writeoff.amount_expense + writeoff.amount_tax + writeoff.amount_allowance
        self.assertAlmostEqual(total, writeoff.amount_total, 2, writeoff.name)
        recovered = sum(writeoff.recovery_ids.filtered(lambda line: line.state == "posted").mapped("amount"))
        self.assertAlmostEqual(recovered, writeoff.amount_recovered, 2, writeoff.name)
        self.assertLessEqual(writeoff.amount_recovered, writeoff.amount_total + 0.001)
        if writeoff.state != "unmatched":
            self.assertTrue(all(self.due(writeoff.move_id).mapped("reconciled")), writeoff.name)
            whole = abs(recovered - writeoff.amount_total) < 0.001
            self.assertEqual(writeoff.state, "recovered" if whole else "partially_recovered" if recovered else "posted")

    def check_partner(self, partner):
        self.assertAlmostEqual(
            self.balance(self.vat, partner), self.tag("SALE_TAX", partner) + self.tag("REFUND_TAX", partner), 2)
        self.assertLessEqual(self.balance(self.vat, partner), CENT, "more tax came back than was declared")
        self.assertLessEqual(self.balance(self.rec, partner), CENT)
        if any(writeoff.partner_id == partner for writeoff in self.documents("unmatched")):
            return  # the tax lines are still matched
        transition = self.env["account.move.line"].search([
            ("account_id", "=", self.trn.id), ("partner_id", "=", partner.id), ("parent_state", "=", "posted")])
        expected = sum(
            self.due(move).mapped("amount_residual")[i] for move in transition.move_id.filtered("invoice_date")
            for i in range(len(self.due(move)))) * -15 / 115
        self.assertAlmostEqual(sum(transition.mapped("balance")), expected, delta=0.02 * len(transition) + 0.01)

    def take_all_back(self):
        """Everything of ours undone: nothing of ours is left in any balance."""
        for recovery in self.Recovery.sudo().search([("state", "=", "posted")]):
            recovery.with_user(self.approver).action_undo()
        for writeoff in self.documents("posted", "partially_recovered", "unmatched"):
            writeoff.with_user(self.approver).action_undo()
        self.env.invalidate_all()
        self.check(False)
        ours = self.Writeoff.sudo().search([("state", "=", "reversed")])
        partly = ours.filtered("amount_recovered")
        self.assertFalse(partly, partly.mapped("name"))
        for account in (self.bde, self.rec):
            self.assertEqual(sum(self.balance(account, partner) for partner in self.partners), 0, account.name)
