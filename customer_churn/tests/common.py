"""A company of its own with the fewest accounts that can post, and builders that read like sentences.

Everything happens on fixed days. A test is one transaction, in which every `write_date` is the same moment:
`slept` makes all that was written so far older than the last run, as a night would.
"""

from datetime import date, timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user
from odoo.tools import SQL

TODAY = date(2025, 6, 30)
USER = "customer_churn.group_customer_churn_user"
MANAGER = "customer_churn.group_customer_churn_manager"
PROFILE_COLUMNS = (
    "partner_id", "status", "status_date", "at_risk_date", "dormant_date", "lost_date", "purchase_count",
    "first_purchase_date", "last_purchase_date", "usual_gap_days", "gap_spread_days", "revenue_12m",
    "revenue_previous_12m", "revenue_total", "policy_id",
)
FORECAST_COLUMNS = (
    "alive_probability", "purchase_probability", "expected_purchases", "expected_revenue", "revenue_at_stake",
    "count_weight", "gap_weight", "silence_weight", "value_weight",
)


def day(text):
    return fields.Date.to_date(text)


def before(days, at=TODAY):
    return at - timedelta(days=days)


def later(days):
    return TODAY + timedelta(days=days)


class ChurnCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(
            cls.env.context, tracking_disable=True, mail_create_nolog=True, mail_notrack=True, no_reset_password=True))
        cls.company = cls._create_company("Purveyor")
        cls.env.user.company_ids |= cls.company
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids))
        cls.company = cls.company.with_env(cls.env)
        cls.Purchase = cls.env["customer.churn.purchase"]
        cls.Profile = cls.env["customer.churn.profile"]
        cls.Run = cls.env["customer.churn.run"]
        cls.Event = cls.env["customer.churn.event"]
        cls.Policy = cls.env["customer.churn.policy"]
        cls.Case = cls.env["customer.churn.case"]
        cls.Answer = cls.env["customer.churn.reason.answer"]
        cls.anna, cls.bert, cls.cleo = cls.env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Anna", "Bert", "Cleo")])

    @classmethod
    def _create_company(cls, name):
        company = cls.env["res.company"].create({"name": name, "currency_id": cls.env.ref("base.USD").id})
        cls.env.user.company_ids |= company
        env = cls.env(context=dict(cls.env.context, allowed_company_ids=company.ids))
        income, receivable, payable = env["account.account"].create([
            {"name": "Income", "code": "400000", "account_type": "income", "company_ids": company.ids},
            {"name": "Receivable", "code": "110000", "account_type": "asset_receivable", "reconcile": True,
             "company_ids": company.ids},
            {"name": "Payable", "code": "210000", "account_type": "liability_payable", "reconcile": True,
             "company_ids": company.ids},
        ])
        env["account.journal"].create({
            "name": "Sales", "type": "sale", "code": "INV", "company_id": company.id, "default_account_id": income.id})
        for name, account in (("receivable", receivable), ("payable", payable)):
            env["ir.default"].set(
                "res.partner", f"property_account_{name}_id", account.id, company_id=company.id)
        return company

    @classmethod
    def _user(cls, login, groups, company=None, **values):
        company = company or cls.company
        return new_test_user(
            cls.env, login, groups=groups, company_id=company.id, company_ids=[Command.set(company.ids)], **values)

    def with_salespeople(self):
        """Anna and Bert have a salesperson each; a manager sees all."""
        self.seller = self._user("churn_seller", USER)
        self.other_seller = self._user("churn_other_seller", USER)
        self.manager = self._user("churn_manager", MANAGER)
        self.anna.user_id, self.bert.user_id = self.seller, self.other_seller

    # ------------------------------------------------------------------ documents
    def _move_vals(self, partner, invoice_date, amount, move_type, line=None, **values):
        return {
            "move_type": move_type, "partner_id": partner.id, "invoice_date": invoice_date, "date": invoice_date,
            "invoice_line_ids": [Command.create(
                {"name": "Goods", "quantity": 1, "price_unit": amount, "tax_ids": [Command.clear()], **(line or {})})],
            **values,
        }

    def drafted(self, partner, *days, amount=100, company=None, move_type="out_invoice", **values):
        Move = self.env["account.move"].with_company(company or self.company)
        return Move.create([self._move_vals(partner, day(d), amount, move_type, **values) for d in days])

    def bought(self, partner, *days, amount=100, company=None, **values):
        moves = self.drafted(partner, *days, amount=amount, company=company, **values)
        moves.action_post()
        return moves

    def credited(self, partner, on, amount=100, of=None, **values):
        values["reversed_entry_id"] = of.id if of else False
        return self.bought(partner, on, amount=amount, move_type="out_refund", **values)

    def reversed(self, invoice, on):
        return invoice._reverse_moves([{"invoice_date": day(on), "date": day(on)}], cancel=True)

    def in_the_ledger(self, rows, company=None):
        """Posted documents by one statement: (partner id, day, amount), for tests that need very many."""
        company = company or self.company
        journal = self.env["account.journal"].search([("company_id", "=", company.id), ("type", "=", "sale")], limit=1)
        self.env.flush_all()
        partners, days, amounts = zip(*rows, strict=True)
        self.env.cr.execute(SQL(
            """INSERT INTO account_move (company_id, journal_id, currency_id, auto_post, state, move_type, partner_id,
                      invoice_date, date, amount_untaxed_signed, amount_total, create_date, write_date, name)
               SELECT %s, %s, %s, 'no', 'posted', CASE WHEN amount < 0 THEN 'out_refund' ELSE 'out_invoice' END,
                      partner, day, day, amount, abs(amount), now() at time zone 'UTC', now() at time zone 'UTC',
                      'L/' || n || '/' || (SELECT count(*) FROM account_move)
                 FROM unnest(%s::int[], %s::date[], %s::numeric[]) WITH ORDINALITY row (partner, day, amount, n)""",
            company.id, journal.id, company.currency_id.id, list(partners), list(days), list(amounts)))
        self.env.invalidate_all()

    def paid(self, invoice, on):
        """The invoice's receivable, reconciled with an entry of that day."""
        if not hasattr(self, "bank"):
            self.bank = self.env["account.account"].create({
                "name": "Bank", "code": "100000", "account_type": "asset_current", "company_ids": self.company.ids})
            self.journal = self.env["account.journal"].create({
                "name": "Entries", "type": "general", "code": "GEN", "company_id": self.company.id})
        due = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        entry = self.env["account.move"].create({
            "move_type": "entry", "journal_id": self.journal.id, "date": on,
            "line_ids": [
                Command.create({"account_id": self.bank.id, "debit": due.balance}),
                Command.create({"account_id": due.account_id.id, "partner_id": due.partner_id.id,
                                "credit": due.balance})]})
        entry.action_post()
        (due | entry.line_ids.filtered(lambda line: line.account_id == due.account_id)).reconcile()

    def customers(self, count, prefix="Customer"):
        return self.env["res.partner"].create(
            [{"name": f"{prefix} {number}", "is_company": True} for number in range(count)])

    # ------------------------------------------------------------------ nights
    def slept(self):
        """All that is written is older than the last run."""
        self.env.flush_all()
        for table in ("account_move", "res_partner", "customer_churn_policy"):
            self.env.cr.execute(SQL(
                "UPDATE %s SET write_date = (now() at time zone 'UTC') - interval '1 hour'"
                " WHERE write_date > (now() at time zone 'UTC') - interval '1 hour'", SQL.identifier(table)))
        self.env.invalidate_all()

    def night(self, at=TODAY, full=False, company=None):
        run = self.Run._run(company or self.company, date=at, full=full)
        self.assertEqual(run.state, "done", run.error)
        self.slept()
        return run

    def profile(self, partner, company=None):
        return self.Profile.search([
            ("partner_id", "=", partner.id), ("company_id", "=", (company or self.company).id)])

    def by_days(self, **values):
        """A policy under which only silence counts, so that a test says who is what."""
        return self.Policy.create({
            "name": "Days", "company_id": self.company.id, "rule": "days", "at_risk_days": 30, "dormant_days": 60,
            "lost_days": 120, "new_days": 10, "single_rule": "same", **values})

    def cases(self, partner, company=None):
        self.env.invalidate_all()
        return self.Case.search([
            ("partner_id", "=", partner.id), ("company_id", "=", (company or self.company).id)], order="id")

    def silent(self, *partners, days=40, amount=100):
        """Customers who bought twice and are silent for so many days."""
        for partner in partners:
            self.bought(partner, before(days + 20), before(days), amount=amount)

    def opened(self, partner, days=40):
        self.silent(partner, days=days)
        self.slept()
        self.night()
        return self.cases(partner)

    def merge(self, *partners, into):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([partner.id for partner in partners], into, extra_checks=False)
        self.env.invalidate_all()

    def reason(self, code):
        return self.env.ref(f"customer_churn.customer_churn_reason_{code}")

    def events(self, partner):
        self.env.invalidate_all()
        return self.Event.search([("partner_id", "=", partner.id)], order="id").mapped(
            lambda event: (event.date, event.old_status, event.new_status))

    def stored(self, columns=PROFILE_COLUMNS + FORECAST_COLUMNS, company=None):
        """{partner id: its stored values}"""
        self.env.flush_all()
        self.env.cr.execute(SQL(
            "SELECT %s FROM customer_churn_profile WHERE company_id = %s",
            SQL(", ").join(map(SQL.identifier, columns)), (company or self.company).id))
        return {row["partner_id"]: row for row in self.env.cr.dictfetchall()}

    # ------------------------------------------------------------------ what must be so
    def assertPurchases(self, partner, expected, at=TODAY, company=None):
        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(fields.Date, "context_today", lambda *args: at):
            rows = self.Purchase.search_read([
                ("partner_id", "=", partner.id), ("company_id", "=", (company or self.company).id)], ["date", "amount"])
        found = {row["date"]: round(row["amount"], 2) for row in rows}
        self.assertEqual(found, {day(d): amount for d, amount in expected.items()})
        log = self.Purchase._read_log(company or self.company, at, partner.ids)
        history = log.history(at)
        self.assertEqual(list(history.purchase_count), [len(expected)] if expected else [])

    def assertStatus(self, partner, status, company=None):
        self.assertEqual(self.profile(partner, company).status, status)
