import random
from collections import Counter
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon
from .common_ledger import LedgerRules

OPERATIONS = {
    "invoice": 22, "pay": 8, "pay_by_wizard": 6, "pay_ahead": 5, "match": 5, "credit_note": 6, "credit_alone": 2,
    "write_off": 20, "prepare": 5, "post_prepared": 6, "undo": 8, "recover": 12, "undo_recovery": 5, "claim": 3,
    "unmatch": 5, "rematch": 5, "match_elsewhere": 2, "reset": 3, "reverse": 3, "provide": 2, "lock": 3,
}
RATES = {"2026-01-01": 0.8, "2026-03-01": 0.83, "2026-06-01": 0.91, "2026-09-01": 0.77, "2026-11-10": 0.5}
REFUSED = (UserError, ValidationError, AccessError)


@tagged("post_install", "-at_install")
class TestWriteoffRandom(LedgerRules, BadDebtCommon):
    """A thousand operations of people who do what they like, in four customers' accounts; the books hold after each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eur = cls.env["res.currency"].create({"name": "EUX", "symbol": "EUX", "rate_ids": [
            Command.create({"name": day, "rate": rate, "company_id": cls.company.id}) for day, rate in RATES.items()]})
        cls.debtors = cls.debtor | cls.debtor.create([
            {"name": f"Debtor {number}", "property_account_receivable_id": cls.ar.id} for number in (2, 3, 4)])
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        cls.company, cls.debtors = cls.company.with_env(cls.env), cls.debtors.with_env(cls.env)
        cls.approving = cls.env["customer.bad.debt.writeoff"].with_user(cls.approver)

    def _operate(self, seed, months=0, times=125):
        self.dice = random.Random(seed)
        self.company.bad_debt_relief_months = months
        self.done, self.refused = Counter(), Counter()
        names, weights = list(OPERATIONS), list(OPERATIONS.values())
        while sum(self.done.values()) < times:
            name = self.dice.choices(names, weights)[0]
            self._do(name, f"seed {seed}, operation {sum(self.done.values())}: {name}")
        self.assertGreater(self.done["write_off"], times / 20, self.done)
        self.assertGreater(self.done["undo"] + self.done["recover"], times / 20, self.done)

    def _do(self, name, label):
        """Done, and the books hold; or refused in words, and they are what they were."""
        before = self._get_ledger_digest()
        try:
            with self.env.cr.savepoint():
                label = f"{label} {getattr(self, f'_do_{name}')() or ''}"
                self.env.flush_all()
        except REFUSED as refusal:
            self.env.invalidate_all()
            self.refused[name] += 1
            self.assertTrue(str(refusal).strip(), label)
            self.assertEqual(self._get_ledger_digest(), before, f"{label} was refused, and changed the books")
        else:
            self.env.invalidate_all()
            self.done[name] += 1
            self.assertLedgerHolds(label)

    # ------------------------------------------------------------------ drawn
    def _draw(self, records, what="nothing of the kind"):
        """One of them; where there is none, there is nothing to do."""
        if not records:
            raise UserError(what)
        return self.dice.choice(records.sorted("id"))

    def _day(self, first="2026-01-10", last="2026-11-23"):
        first, last = self.day(str(first)), self.day(str(last))
        return first + timedelta(days=self.dice.randint(0, max((last - first).days, 0)))

    def _day_after(self, date):
        """On or after it, and most often in a period that is open."""
        lock = self.company.fiscalyear_lock_date
        if lock and self.dice.random() < 0.9:
            date = max(date, lock + timedelta(days=1))
        return self._day(date)

    def _part(self, amount):
        """All of it, most often a part, now and then too much."""
        share = self.dice.choices([1, self.dice.random(), 0.5, 1.01], [10, 15, 5, 1])[0]
        return max(round(amount * share, 2), 0.01)

    def _find(self, *domain):
        return self.env["account.move"].search([
            ("company_id", "=", self.company.id), ("state", "=", "posted"), *domain])

    def _open_items(self, partner, sign=1):
        return self.env["account.move.line"].search([
            ("partner_id", "=", partner.id), ("account_id", "=", self.ar.id), ("parent_state", "=", "posted"),
            ("reconciled", "=", False), ("move_id.bad_debt_writeoff_id", "=", False),
            ("amount_residual_currency", ">" if sign > 0 else "<", 0)])

    def _open_invoice(self):
        return self._draw(self._find(
            ("move_type", "=", "out_invoice"), ("amount_residual", ">", 0), ("partner_id", "in", self.debtors.ids)))

    def _documents(self, *states):
        return self.approving.search([("company_id", "=", self.company.id), ("state", "in", states)])

    # ------------------------------------------------------------------ sales and money
    def _invoice_lines(self):
        taxes = [self.t15, self.t15, self.t7, self.c15, None, self.t15 | self.t7]
        return [(round(self.dice.choice([self.dice.uniform(1, 2000), 100, 0.07]), 2), self.dice.choice(taxes))
                for _line in range(self.dice.randint(1, 3))]

    def _do_invoice(self):
        currency = self.dice.choice([self.company.currency_id, self.company.currency_id, self.eur])
        invoice = self._invoice(
            *self._invoice_lines(), partner=self._draw(self.debtors), date=self._day(), currency_id=currency.id)
        return invoice.name

    def _do_pay(self):
        invoice = self._open_invoice()
        currency = self.dice.choice([invoice.currency_id] * 4 + [self.company.currency_id])
        self._payment(self._part(invoice.amount_residual), partner=invoice.partner_id, date=self._day(),
                      invoices=invoice, currency_id=currency.id)
        return invoice.name

    def _do_pay_by_wizard(self):
        invoice = self._open_invoice()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids).create({
                "amount": self._part(invoice.amount_residual), "payment_date": self._day(),
                "journal_id": self.bank_journal.id})._create_payments()
        return invoice.name

    def _do_pay_ahead(self):
        currency = self.dice.choice([self.company.currency_id, self.eur])
        self._payment(round(self.dice.uniform(1, 900), 2), partner=self._draw(self.debtors), date=self._day(),
                      currency_id=currency.id)

    def _do_match(self):
        credit = self._draw(self.env["account.move.line"].union(*(
            self._open_items(partner, -1) for partner in self.debtors)))
        item = self._draw(self._open_items(credit.partner_id))
        (item | credit).reconcile()
        return f"{item.move_id.name} with {credit.move_id.name}"

    def _do_credit_note(self):
        """Of all lines alike, a part or the whole."""
        invoice = self._draw(self._find(("move_type", "=", "out_invoice")))
        day = self._day(invoice.date)
        note = invoice._reverse_moves([{"date": day, "invoice_date": day}])
        part = self.dice.choice([1, 0.5, self.dice.random()])
        credited = invoice.reversal_move_ids.filtered(lambda other: other.state == "posted")
        for number, line in enumerate(note.invoice_line_ids):
            done = sum(other.invoice_line_ids[number].price_unit for other in credited)
            line.price_unit = min(round(line.price_unit * part, 2), max(round(line.price_unit - done, 2), 0))
        if not note.amount_total:
            raise UserError("credited already")
        note.action_post()
        return f"{invoice.name} by {part}"

    def _do_credit_alone(self):
        self._invoice(*self._invoice_lines()[:1], partner=self._draw(self.debtors), date=self._day(),
                      move_type="out_refund")

    # ------------------------------------------------------------------ the books
    def _prepare_some(self):
        items = self._open_items(self._draw(self.debtors.filtered(self._open_items)))
        items = items.browse(self.dice.sample(sorted(items.ids), min(len(items), self.dice.randint(1, 4))))
        amounts = None
        if self.dice.random() < 0.6:
            amounts = {item: self._part(item.amount_residual_currency) for item in items}
        return self.approving._create_for(
            items.with_user(self.approver), self._day_after(max(items.mapped("date"))), amounts=amounts,
            tax_relief=self.dice.choice(["reduction", "reduction", "none"]),
            use_allowance=self.dice.random() < 0.7)

    def _do_write_off(self):
        document = self._prepare_some()
        document.action_submit()
        shown = None if document.net_credits else sorted(
            (line["account_id"], line["amount_currency"], line["balance"]) for line in document._preview())
        document.action_post()
        if shown is not None:
            self.assertEqual(shown, sorted(
                (line.account_id.id, line.amount_currency, line.balance) for line in document.move_id.line_ids))
        return f"{document.move_id.name} of {document.line_ids.move_id.mapped('name')}"

    def _do_prepare(self):
        self._prepare_some().action_submit()

    def _do_post_prepared(self):
        self._draw(self._documents("approved")).action_post()

    def _do_undo(self):
        document = self._draw(self._documents("posted", "partially_recovered", "unmatched", "recovered"))
        document.action_undo(self.dice.choice([None, self._day_after(document.move_id.date)]))
        return document.move_id.name

    def _do_recover(self):
        document = self._draw(self._documents("posted", "partially_recovered"))
        left = document.amount_total - document.amount_recovered
        payment, ways = None, self.dice.randint(1, 3)
        if ways == 1:  # one that was made for it, in whatever currency
            payment = self._payment(self._part(left), partner=document.partner_id, date=self._day_after(document.move_id.date),
                                    currency_id=self.dice.choice([self.company.currency_id, self.eur]).id)
        elif ways == 2:
            payment = self._draw(self._open_items(document.partner_id, -1).move_id.origin_payment_id)
        amount = self.dice.choice([None, self._part(left)])
        self.Recovery.with_user(self.approver)._create_for(
            document, amount, self.dice.choice([None, self._day_after(document.move_id.date)]), payment)
        return f"{document.move_id.name}: {amount}, {payment and payment.currency_id.name}"

    def _do_undo_recovery(self):
        recovery = self._draw(self.Recovery.with_user(self.approver).search([
            ("company_id", "=", self.company.id), ("state", "=", "posted")]))
        recovery.action_undo(self.dice.choice([None, self._day_after(recovery.date)]))
        return recovery.move_id.name

    def _do_claim(self):
        self._draw(self._documents("posted", "partially_recovered", "unmatched").filtered(
            lambda document: any(document.line_ids.mapped("relief_date")))).action_claim_relief()

    def _do_provide(self):
        amount = round(self.dice.uniform(1, 300), 2)
        partner = {"partner_id": self._draw(self.debtors).id}
        self._entry((self.alw, -amount, partner), (self.bde, amount, partner), date=self._day())

    # ------------------------------------------------------------------ around them
    def _do_unmatch(self):
        items = self.env["account.move.line"].search([
            ("company_id", "=", self.company.id), ("account_id", "=", self.ar.id), ("parent_state", "=", "posted"),
            "|", ("matched_debit_ids", "!=", False), ("matched_credit_ids", "!=", False)])
        item = self._draw(items)
        item.remove_move_reconcile()
        return item.move_id.name

    def _do_rematch(self):
        document = self._draw(self._documents("unmatched"))
        document.action_rematch()
        return document.move_id.name

    def _do_match_elsewhere(self):
        """By hand, with another invoice than the one that was given up."""
        document = self._draw(self._documents("unmatched"))
        booked = self._draw(document.line_ids.booked_line_id.filtered(lambda line: not line.reconciled))
        item = self._draw(self._open_items(booked.partner_id))
        (booked.sudo() | item).reconcile()
        return f"{document.move_id.name} with {item.move_id.name}"

    def _do_reset(self):
        move = self._draw(self._find(("journal_id", "in", (self.sale_journal | self.bd_journal).ids)))
        move.button_draft()
        move.action_post()
        return move.name

    def _do_reverse(self):
        move = self._draw(self._find(("journal_id", "in", (self.bd_journal | self.misc_journal).ids)))
        move.with_user(self.approver)._reverse_moves([{"date": self._day("2026-08-01")}], cancel=True)
        return move.name

    def _do_lock(self):
        self.company.sudo().fiscalyear_lock_date = self.dice.choice(
            [False, False, False, "2026-02-28", "2026-06-30", "2026-10-31"])

    # ------------------------------------------------------------------ a thousand
    def test_1(self):
        import os, time, traceback
        for seed in eval(os.environ.get("RSEEDS", "[1]")):
            import cProfile, pstats
            pr=cProfile.Profile()
            if os.environ.get("PROF"): pr.enable()
            try:
                with self.env.cr.savepoint():
                    self._operate(seed, months=3 if seed % 3 == 0 else 0, times=int(os.environ.get("TIMES", 125)))
                    print("SEED", seed, "ok", dict(self.done), "REFUSED", dict(self.refused), flush=True)
                    raise UserError("done")
            except UserError:
                pass
            except Exception as e:
                traceback.print_exc()
                print("SEED", seed, "FAILED", str(e)[:600], flush=True)
            self.env.invalidate_all()
            if os.environ.get("PROF"):
                pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(110)
