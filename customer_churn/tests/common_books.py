"""A company with a real chart of accounts, taxes with tags, and the people of the books, as the contract has them.

Today is 2026-11-23. Invoices are of 2026-05-01 and due on that day, write-offs of 2026-11-20.
"""

from freezegun import freeze_time
from odoo import Command, fields
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.tests import new_test_user

OFFICER = "customer_churn.group_bad_debt_officer"
APPROVER = "customer_churn.group_bad_debt_approver"
WRITTEN = "2026-11-20"
ACCOUNTS = {
    "bde": ("650000", "Bad debt", "expense"),
    "alw": ("121900", "Allowance", "asset_current"),
    "imp": ("650200", "Impairment", "expense"),
    "rec": ("455000", "Recovered", "income_other"),
    "stale": ("450100", "Stale credits", "income_other"),
    "small": ("650300", "Small differences", "expense"),
    "vat": ("251900", "VAT", "liability_current"),
    "trn": ("251500", "VAT in transition", "liability_current"),
    "vat_in": ("251600", "VAT on purchases", "asset_current"),
}


@freeze_time("2026-11-23")
class BooksCommon(AccountTestInvoicingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.ar = cls.company_data["default_account_receivable"]
        cls.revenue = cls.company_data["default_account_revenue"]
        cls.bank = cls.company_data["default_journal_bank"]
        for key, (code, name, account_type) in ACCOUNTS.items():
            setattr(cls, key, cls.env["account.account"].create({
                "code": code, "name": name, "account_type": account_type, "reconcile": key == "trn"}))
        cls.journal = cls.env["account.journal"].create({"name": "Bad Debt", "type": "general", "code": "BDWO"})
        cls._set_taxes()
        cls._set_company()
        cls.partner = cls.env["res.partner"].create({"name": "Defaulter", "is_company": True})
        cls.officer = cls._person("books_officer", OFFICER)
        cls.approver = cls._person("books_approver", APPROVER)
        cls.second = cls._person("books_second", APPROVER)
        cls.Writeoff = cls.env["customer.bad.debt.writeoff"]

    @classmethod
    def _person(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(cls.env, login, groups=f"base.group_user,{groups}", company_id=company.id,
                             company_ids=[Command.set(company.ids)])

    @classmethod
    def _set_company(cls):
        cls.company.write({
            "bad_debt_journal_id": cls.journal.id, "bad_debt_expense_account_id": cls.bde.id,
            "bad_debt_allowance_account_id": cls.alw.id, "bad_debt_impairment_account_id": cls.imp.id,
            "bad_debt_recovery_account_id": cls.rec.id, "bad_debt_stale_credit_account_id": cls.stale.id,
            "bad_debt_small_difference_account_id": cls.small.id, "bad_debt_small_difference_limit": 0.05,
            "bad_debt_tax_relief": "reduction", "bad_debt_relief_months": 0, "bad_debt_rate": "carrying",
            "bad_debt_approval_limit": 100000, "tax_exigibility": True})

    @classmethod
    def _set_taxes(cls):
        country = cls.company.account_fiscal_country_id
        cls.tags = {}
        for name in ("SALE_BASE", "SALE_TAX", "REFUND_BASE", "REFUND_TAX", "BOX4_BASE", "BOX4_TAX", "BOX4R_BASE",
                     "BOX4R_TAX"):
            cls.tags[name] = cls.env["account.account.tag"].create({
                "name": name, "applicability": "taxes", "country_id": country.id})
        cls.t15, cls.t7 = cls._tax("T15", 15), cls._tax("T7", 7)
        cls.c15 = cls._tax("C15", 15, tax_exigibility="on_payment", cash_basis_transition_account_id=cls.trn.id)
        cls.claim15 = cls._tax("Claim 15", 15, cls.vat_in, ("BOX4", "BOX4R"), type_tax_use="purchase")

    @classmethod
    def _tax(cls, name, amount, account=None, tags=("SALE", "REFUND"), **values):
        def side(prefix):
            return [
                Command.create({"repartition_type": "base", "tag_ids": cls.tags[f"{prefix}_BASE"].ids}),
                Command.create({"repartition_type": "tax", "account_id": (account or cls.vat).id,
                                "tag_ids": cls.tags[f"{prefix}_TAX"].ids})]

        return cls.env["account.tax"].create({
            "name": name, "amount": amount, "amount_type": "percent", "type_tax_use": "sale",
            "price_include_override": "tax_excluded", "country_id": cls.company.account_fiscal_country_id.id,
            "invoice_repartition_line_ids": side(tags[0]), "refund_repartition_line_ids": side(tags[1]), **values})

    # ------------------------------------------------------------------ documents
    def inv(self, *lines, partner=None, on="2026-05-01", post=True, **values):
        """A customer invoice of (amount, taxes) or (amount, taxes, values of the line)."""
        move = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": (partner or self.partner).id, "invoice_date": on, "date": on,
            "invoice_date_due": on, "invoice_payment_term_id": False,
            "invoice_line_ids": [Command.create({
                "name": "Goods", "quantity": 1, "price_unit": amount, "account_id": self.revenue.id,
                "tax_ids": [Command.set(taxes.ids if taxes else [])], **(dict(*more) if more else {}),
            }) for amount, taxes, *more in lines], **values})
        if post:
            move.action_post()
        return move

    def pay(self, amount, on="2026-06-01", partner=None, invoice=None, currency=None):
        """Money in the bank, applied to the invoice if one is given."""
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": (partner or self.partner).id,
            "amount": amount, "date": on, "journal_id": self.bank.id,
            "currency_id": (currency or self.company.currency_id).id})
        payment.action_post()
        if invoice:
            (self.due(payment.move_id) | self.due(invoice)).filtered(lambda line: not line.reconciled).reconcile()
        return payment

    def due(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")

    def prepare(self, what, amounts=None, user=None, on=WRITTEN, **values):
        lines = what if what._name == "account.move.line" else self.due(what)
        return self.Writeoff.with_user(user or self.officer)._create_for(
            lines.with_user(user or self.officer), fields.Date.to_date(on), amounts=amounts, **values)

    def write_off(self, what, amounts=None, **values):
        """Prepared by the officer, posted by the approver."""
        writeoff = self.prepare(what, amounts, **values)
        writeoff.action_submit()
        approver = writeoff.with_user(self.approver)
        for document in approver.filtered(lambda document: document.state == "to_approve"):
            document.action_approve()
        approver.action_post()
        self.env.invalidate_all()
        return approver

    def recover(self, writeoff, amount=None, on="2026-11-22", payment=None):
        recovery = self.env["customer.bad.debt.recovery"].with_user(self.approver)._create_for(
            writeoff, amount=amount, date=fields.Date.to_date(on), payment=payment)
        self.env.invalidate_all()
        return recovery

    # ------------------------------------------------------------------ what the ledger says
    def balance(self, account, partner=None):
        return self._sum([("account_id", "=", account.id), ("partner_id", "=", (partner or self.partner).id)])

    def tag(self, name, partner=None):
        return self._sum([("tax_tag_ids", "in", self.tags[name].ids),
                          ("partner_id", "=", (partner or self.partner).id)])

    def _sum(self, domain):
        self.env.flush_all()
        [[balance]] = self.env["account.move.line"]._read_group(
            [*domain, ("parent_state", "=", "posted"), ("company_id", "=", self.company.id)],
            aggregates=["balance:sum"])
        return round(balance or 0.0, 3)

    def assertLedger(self, partner=None, **balances):
        """Balances of the customer by account, everything named at once: assertLedger(ar=0, bde=1000)."""
        self.assertEqual({name: self.balance(getattr(self, name), partner) for name in balances}, balances)

    def assertTags(self, **tags):
        self.assertEqual({name: self.tag(name) for name in tags}, tags)

    def assertNoExchange(self):
        self.assertFalse(self.env["account.move"].search_count([
            ("journal_id", "=", self.company.currency_exchange_journal_id.id)]))

    def entry(self, move):
        """{(account code, tax line?): balance} of an entry, summed."""
        found = {}
        for line in move.line_ids:
            key = line.account_id.code
            found[key] = round(found.get(key, 0) + line.balance, 3)
        return {key: balance for key, balance in found.items() if balance}

    def preview(self, writeoff):
        """What `_preview` promises, in the form of `booked`."""
        def ids(commands):
            return tuple(sorted(commands[0][-1])) if commands and commands[0][0] == Command.SET else ()
        return sorted((
            line["account_id"], line["partner_id"], line["currency_id"], round(line["amount_currency"], 3),
            round(line["balance"], 3), ids(line.get("tax_ids"))) for line in writeoff._preview())

    def booked(self, move):
        return sorted((
            line.account_id.id, line.partner_id.id, line.currency_id.id, round(line.amount_currency, 3),
            round(line.balance, 3), tuple(sorted(line.tax_ids.ids))) for line in move.line_ids)
