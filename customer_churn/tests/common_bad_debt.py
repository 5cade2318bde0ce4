"""A company with the fewest accounts that bad debt needs, on a fixed day, and assertions that read like a ledger."""

from odoo import Command, fields
from odoo.tests import TransactionCase, freeze_time, new_test_user

TODAY = "2026-11-23"
OFFICER = "customer_churn.group_bad_debt_officer"
APPROVER = "customer_churn.group_bad_debt_approver"


class BadDebtFixture:
    """Builders and assertions; a test class says in which transaction they work."""

    @classmethod
    def _set_up_books(cls):
        cls.usa = cls.env.ref("base.us")
        cls.company = cls._create_company("Lender")
        cls.env.user.company_ids |= cls.company
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids, no_reset_password=True))
        cls.company = cls.company.with_env(cls.env)
        cls.Writeoff = cls.env["customer.bad.debt.writeoff"]
        cls.Recovery = cls.env["customer.bad.debt.recovery"]
        cls._create_chart()
        cls._create_taxes()
        cls.debtor = cls.env["res.partner"].create({
            "name": "Debtor", "is_company": True, "property_account_receivable_id": cls.ar.id})
        cls.approver = cls._create_user("approver", APPROVER)
        cls.officer = cls._create_user("officer", OFFICER)

    @classmethod
    def _create_company(cls, name, **values):
        return cls.env["res.company"].create({
            "name": name, "currency_id": cls.env.ref("base.USD").id, "country_id": cls.usa.id,
            "account_fiscal_country_id": cls.usa.id, **values})

    @classmethod
    def _create_user(cls, login, groups):
        return new_test_user(
            cls.env, login=login, groups=groups, company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])

    @classmethod
    def _create_account(cls, code, name, account_type, **values):
        return cls.env["account.account"].create({
            "code": code, "name": name, "account_type": account_type, "company_ids": [Command.set(cls.company.ids)],
            **values})

    @classmethod
    def _create_journal(cls, code, journal_type, **values):
        return cls.env["account.journal"].create({
            "code": code, "name": code, "type": journal_type, "company_id": cls.company.id, **values})

    @classmethod
    def _create_chart(cls):
        account = cls._create_account
        cls.ar = account("121000", "Receivable", "asset_receivable", reconcile=True)
        cls.ar2 = account("121001", "Receivable abroad", "asset_receivable", reconcile=True)
        cls.rev = account("400000", "Revenue", "income")
        cls.vat = account("251000", "Tax payable", "liability_current")
        cls.bde = account("650000", "Bad debt", "expense")
        cls.alw = account("121900", "Allowance", "asset_current")
        cls.rec = account("455000", "Bad debt recovered", "income_other")
        cls.oi = account("450000", "Other income", "income_other")
        cls.sd = account("650100", "Small differences", "expense")
        cls.trn = account("251500", "Tax not due yet", "liability_current", reconcile=True)
        cls.bank = account("101000", "Bank", "asset_cash")
        cls.outstanding = account("101100", "Outstanding receipts", "asset_current", reconcile=True)
        cls.gain = account("441000", "Exchange gain", "income_other")
        cls.loss = account("641000", "Exchange loss", "expense")
        cls.sale_journal = cls._create_journal("TINV", "sale", default_account_id=cls.rev.id)
        cls.bd_journal = cls._create_journal("BD", "general")
        cls.misc_journal = cls._create_journal("TMISC", "general")
        cls.exch_journal = cls._create_journal("TEXCH", "general")
        cls.caba_journal = cls._create_journal("TCABA", "general")
        cls.bank_journal = cls._create_journal("TBNK", "bank", default_account_id=cls.bank.id)
        cls.bank_journal.inbound_payment_method_line_ids.payment_account_id = cls.outstanding
        cls.company.write({
            "currency_exchange_journal_id": cls.exch_journal.id, "tax_exigibility": True,
            "income_currency_exchange_account_id": cls.gain.id, "expense_currency_exchange_account_id": cls.loss.id,
            "tax_cash_basis_journal_id": cls.caba_journal.id,
            "bad_debt_journal_id": cls.bd_journal.id, "bad_debt_expense_account_id": cls.bde.id,
            "bad_debt_allowance_account_id": cls.alw.id, "bad_debt_impairment_account_id": cls.bde.id,
            "bad_debt_recovery_account_id": cls.rec.id, "bad_debt_stale_credit_account_id": cls.oi.id,
            "bad_debt_small_difference_account_id": cls.sd.id, "bad_debt_tax_relief": "reduction",
            "bad_debt_approval_limit": 1000000.0})

    @classmethod
    def _create_taxes(cls):
        cls.tags = {}
        for name in ("SALE_BASE", "SALE_TAX", "REFUND_BASE", "REFUND_TAX", "BOX4_BASE", "BOX4_TAX"):
            cls.tags[name] = cls.env["account.account.tag"].create(
                {"name": name, "applicability": "taxes", "country_id": cls.usa.id})
        cls.tax_group = cls.env["account.tax.group"].create({
            "name": "Sales tax", "company_id": cls.company.id, "country_id": cls.usa.id})
        cls.t15 = cls._create_tax("T15", 15)
        cls.t7 = cls._create_tax("T7", 7)
        cls.c15 = cls._create_tax(
            "C15", 15, tax_exigibility="on_payment", cash_basis_transition_account_id=cls.trn.id)

    @classmethod
    def _create_tax(cls, name, amount, tags=("SALE", "REFUND"), account=None, **values):
        def side(prefix):
            return [
                Command.create({"repartition_type": "base", "tag_ids": [Command.set(cls.tags[f"{prefix}_BASE"].ids)]}),
                Command.create({
                    "repartition_type": "tax", "account_id": (account or cls.vat).id,
                    "tag_ids": [Command.set(cls.tags[f"{prefix}_TAX"].ids)]})]
        return cls.env["account.tax"].create({
            "name": name, "amount": amount, "type_tax_use": "sale", "price_include_override": "tax_excluded",
            "company_id": cls.company.id, "country_id": cls.usa.id, "tax_group_id": cls.tax_group.id,
            "invoice_repartition_line_ids": side(tags[0]), "refund_repartition_line_ids": side(tags[1]), **values})

    # ------------------------------------------------------------------ builders
    @classmethod
    def _invoice(cls, *lines, partner=None, date="2026-05-01", move_type="out_invoice", post=True, **values):
        """lines: (amount, taxes or None[, more values])."""
        move = cls.env["account.move"].create({
            "move_type": move_type, "partner_id": (partner or cls.debtor).id, "invoice_date": date, "date": date,
            "journal_id": cls.sale_journal.id, "invoice_date_due": date,
            "invoice_line_ids": [Command.create({
                "name": "Goods", "quantity": 1, "price_unit": line[0], "account_id": cls.rev.id,
                "tax_ids": [Command.set(line[1].ids if line[1] else [])], **(line[2] if len(line) > 2 else {})})
                for line in lines], **values})
        if post:
            move.action_post()
        return move

    @classmethod
    def _items(cls, moves):
        return moves.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable").sorted(
            lambda line: (line.date_maturity or line.date, line.id))

    @classmethod
    def _entry(cls, *lines, date="2026-05-01", journal=None):
        """lines: (account, balance[, more values])."""
        move = cls.env["account.move"].create({
            "move_type": "entry", "date": date, "journal_id": (journal or cls.misc_journal).id,
            "line_ids": [Command.create({
                "name": "Entry", "account_id": line[0].id, "balance": line[1], "partner_id": cls.debtor.id,
                **(line[2] if len(line) > 2 else {})}) for line in lines]})
        move.action_post()
        return move

    @classmethod
    def _payment(cls, amount, partner=None, date="2026-06-01", invoices=None, **values):
        payment = cls.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": (partner or cls.debtor).id,
            "amount": amount, "date": date, "journal_id": cls.bank_journal.id, **values})
        payment.action_post()
        if invoices:
            (cls._items(invoices) | cls._items(payment.move_id)).reconcile()
        return payment

    def _prepare(self, moves, amounts=None, date="2026-11-20", **values):
        """A draft by the approver for the moves' items, or for given items."""
        items = moves if moves._name == "account.move.line" else self._items(moves)
        return self.Writeoff.with_user(self.approver)._create_for(items, date, amounts=amounts, **values)

    def _write_off(self, moves, amounts=None, date="2026-11-20", **values):
        writeoffs = self._prepare(moves, amounts, date, **values)
        writeoffs.action_submit()
        writeoffs.action_post()
        return writeoffs

    # ------------------------------------------------------------------ what the ledger says
    def _lines(self):
        self.env.flush_all()
        return self.env["account.move.line"].search([
            ("company_id", "=", self.company.id), ("parent_state", "=", "posted"),
            ("partner_id.commercial_partner_id", "=", self.debtor.id)])

    def _balance(self, account):
        return self.company.currency_id.round(
            sum(self._lines().filtered(lambda line: line.account_id == account).mapped("balance")))

    def _tag(self, name):
        return self.company.currency_id.round(
            sum(self._lines().filtered(lambda line: self.tags[name] in line.tax_tag_ids).mapped("balance")))

    def assertBalances(self, **expected):
        self.assertEqual({name: self._balance(getattr(self, name)) for name in expected}, expected)

    def assertTags(self, **expected):
        self.assertEqual({name: self._tag(name) for name in expected}, expected)

    def assertEntry(self, move, expected):
        """expected: [(account, balance)], in any order."""
        self.assertEqual(
            sorted((line.account_id.code, line.balance) for line in move.line_ids),
            sorted((account.code, balance) for account, balance in expected))

    def assertNoExchange(self):
        self.assertFalse(self.env["account.move"].search_count([("journal_id", "=", self.exch_journal.id)]))

    @staticmethod
    def day(text):
        return fields.Date.to_date(text)


@freeze_time(TODAY)
class BadDebtCommon(BadDebtFixture, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time(TODAY))
        cls._set_up_books()
