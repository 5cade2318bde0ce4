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

    test_sequence = -1  # one of the longest begins first

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

    def assertBooksHold(self, seed, months=0, times=130):
        self.dice = random.Random(seed)
        self.company.bad_debt_relief_months = months
        self.done, self.refused, self.digest = Counter(), Counter(), self._get_ledger_digest()
        names, weights = list(OPERATIONS), list(OPERATIONS.values())
        while (number := self.done.total() + self.refused.total()) < times:
            name = self.dice.choices(names, weights)[0]
            self._do(name, f"seed {seed}, operation {number}: {name}")
        self.assertGreater(self.done.total(), times / 2, (self.done, self.refused))
        self.assertGreater(self.done["write_off"], times / 25, self.done)
        self.assertGreater(self.done["undo"] + self.done["recover"], 1, self.done)

    def _do(self, name, label):
        """Done, and the books hold; or refused in words, and they are what they were."""
        try:
            with self.env.cr.savepoint():
                records = getattr(self, f"_do_{name}")()
                self.env.flush_all()
        except REFUSED as refusal:
            self.env.invalidate_all()
            self.refused[name] += 1
            self.assertTrue(str(refusal).strip(), label)
            self.assertEqual(self._get_ledger_digest(), self.digest, f"{label} was refused, and changed the books")
        else:
            self.env.invalidate_all()
            self.done[name] += len(records)
            self.assertLedgerHolds(f"{label} of {records.mapped('display_name')}")
            self.digest = self._get_ledger_digest()

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
        """Some at once, each of its own customer, day and currency."""
        vals_list = [self._prepare_invoice() for _number in range(self.dice.randint(1, 4))]
        invoices = self.env["account.move"].create(vals_list)
        invoices.action_post()
        return invoices

    def _prepare_invoice(self):
        currency, day = self.dice.choice([self.company.currency_id, self.company.currency_id, self.eur]), self._day()
        return {
            "move_type": "out_invoice", "partner_id": self._draw(self.debtors).id, "currency_id": currency.id,
            "invoice_date": day, "date": day, "invoice_date_due": day, "journal_id": self.sale_journal.id,
            "invoice_line_ids": [Command.create({
                "name": "Goods", "price_unit": amount, "account_id": self.rev.id,
                "tax_ids": [Command.set(taxes.ids if taxes else [])]}) for amount, taxes in self._invoice_lines()]}

    def _do_pay(self):
        invoice = self._open_invoice()
        currency = self.dice.choice([invoice.currency_id] * 4 + [self.company.currency_id])
        self._payment(self._part(invoice.amount_residual), partner=invoice.partner_id, date=self._day(),
                      invoices=invoice, currency_id=currency.id)
        return invoice

    def _do_pay_by_wizard(self):
        invoice = self._open_invoice()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids).create({
                "amount": self._part(invoice.amount_residual), "payment_date": self._day(),
                "journal_id": self.bank_journal.id})._create_payments()
        return invoice

    def _do_pay_ahead(self):
        currency = self.dice.choice([self.company.currency_id, self.eur])
        return self._payment(round(self.dice.uniform(1, 900), 2), partner=self._draw(self.debtors), date=self._day(),
                             currency_id=currency.id)

    def _do_match(self):
        credit = self._draw(self.env["account.move.line"].union(*(
            self._open_items(partner, -1) for partner in self.debtors)))
        item = self._draw(self._open_items(credit.partner_id))
        (item | credit).reconcile()
        return item.move_id

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
            nothing_left = "credited already"
            raise UserError(nothing_left)
        note.action_post()
        return invoice

    def _do_credit_alone(self):
        return self._invoice(*self._invoice_lines()[:1], partner=self._draw(self.debtors), date=self._day(),
                             move_type="out_refund")

    # ------------------------------------------------------------------ the books
    def _prepare_some(self):
        """Of one customer or of two."""
        items = self._open_items(self._draw(self.debtors)) | self._open_items(self._draw(self.debtors))
        items = items.browse(self.dice.sample(sorted(items.ids), min(len(items), self.dice.randint(1, 5))))
        self._draw(items)
        amounts = None
        if self.dice.random() < 0.6:
            amounts = {item: self._part(item.amount_residual_currency) for item in items}
        documents = self.approving._create_for(
            items.with_user(self.approver), self._day_after(max(items.mapped("date"))), amounts=amounts,
            tax_relief=self.dice.choice(["reduction", "reduction", "none"]),
            use_allowance=self.dice.random() < 0.7)
        documents.action_submit()
        return documents

    def _do_prepare(self):
        return self._prepare_some()

    def _do_write_off(self):
        documents = self._prepare_some()
        shown = {document: self._get_shown(document) for document in documents if not document.net_credits}
        documents.action_post()
        for document, lines in shown.items():
            self.assertEqual(lines, sorted(
                (line.account_id.id, line.amount_currency, line.balance) for line in document.move_id.line_ids))
        return documents

    def _get_shown(self, document):
        return sorted((line["account_id"], line["amount_currency"], line["balance"]) for line in document._preview())

    def _do_post_prepared(self):
        document = self._draw(self._documents("approved"))
        document.action_post()
        return document

    def _do_undo(self):
        document = self._draw(self._documents("posted", "partially_recovered", "unmatched", "recovered"))
        document.action_undo(self.dice.choice([None, self._day_after(document.move_id.date)]))
        return document

    def _do_recover(self):
        document = self._draw(self._documents("posted", "partially_recovered"))
        left = document.amount_total - document.amount_recovered
        payment, ways = None, self.dice.randint(1, 3)
        if ways == 1:  # one that was made for it, in whatever currency
            payment = self._payment(self._part(left), partner=document.partner_id,
                                    date=self._day_after(document.move_id.date),
                                    currency_id=self.dice.choice([self.company.currency_id, self.eur]).id)
        elif ways == 2:
            payment = self._draw(self._open_items(document.partner_id, -1).move_id.origin_payment_id)
        amount = self.dice.choice([None, self._part(left)])
        return self.Recovery.with_user(self.approver)._create_for(
            document, amount, self.dice.choice([None, self._day_after(document.move_id.date)]), payment)

    def _do_undo_recovery(self):
        recovery = self._draw(self.Recovery.with_user(self.approver).search([
            ("company_id", "=", self.company.id), ("state", "=", "posted")]))
        recovery.action_undo(self.dice.choice([None, self._day_after(recovery.date)]))
        return recovery

    def _do_claim(self):
        document = self._draw(self._documents("posted", "partially_recovered", "unmatched").filtered(
            lambda document: any(document.line_ids.mapped("relief_date"))))
        document.action_claim_relief()
        return document

    def _do_provide(self):
        amount = round(self.dice.uniform(1, 300), 2)
        partner = {"partner_id": self._draw(self.debtors).id}
        return self._entry((self.alw, -amount, partner), (self.bde, amount, partner), date=self._day())

    # ------------------------------------------------------------------ around them
    def _do_unmatch(self):
        items = self.env["account.move.line"].search([
            ("company_id", "=", self.company.id), ("account_id", "=", self.ar.id), ("parent_state", "=", "posted"),
            "|", ("matched_debit_ids", "!=", False), ("matched_credit_ids", "!=", False)])
        item = self._draw(items)
        item.remove_move_reconcile()
        return item.move_id

    def _do_rematch(self):
        document = self._draw(self._documents("unmatched"))
        document.action_rematch()
        return document

    def _do_match_elsewhere(self):
        """By hand, with another invoice than the one that was given up."""
        document = self._draw(self._documents("unmatched"))
        booked = self._draw(document.line_ids.booked_line_id.filtered(lambda line: not line.reconciled))
        item = self._draw(self._open_items(booked.partner_id))
        (booked.sudo() | item).reconcile()
        return document

    def _do_reset(self):
        move = self._draw(self._find(("journal_id", "in", (self.sale_journal | self.bd_journal).ids)))
        move.button_draft()
        move.action_post()
        return move

    def _do_reverse(self):
        move = self._draw(self._find(("journal_id", "in", (self.bd_journal | self.misc_journal).ids)))
        return move.with_user(self.approver)._reverse_moves([{"date": self._day("2026-08-01")}], cancel=True)

    def _do_lock(self):
        self.company.sudo().fiscalyear_lock_date = self.dice.choice(
            [False, False, False, "2026-02-28", "2026-06-30", "2026-10-31"])
        return self.company

    # ------------------------------------------------------------------ a thousand
    def test_the_books_hold_after_seed_1(self):
        self.assertBooksHold(1)

    def test_the_books_hold_after_seed_2(self):
        self.assertBooksHold(2)

    def test_the_books_hold_after_seed_3(self):
        self.assertBooksHold(3, months=3)

    def test_the_books_hold_after_seed_4(self):
        self.assertBooksHold(4)

    def test_the_books_hold_after_seed_5(self):
        self.assertBooksHold(5)

    def test_the_books_hold_after_seed_6(self):
        self.assertBooksHold(6, months=3)

    def test_the_books_hold_after_seed_7(self):
        self.assertBooksHold(7)

    def test_the_books_hold_after_seed_8(self):
        self.assertBooksHold(8)
