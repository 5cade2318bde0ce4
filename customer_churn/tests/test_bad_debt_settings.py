from odoo.exceptions import AccessError, RedirectWarning, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from ..models.res_company_bad_debt import TYPES
from .common import MANAGER, ChurnCommon

FIELDS = ("bad_debt_journal_id", *TYPES)


@tagged("post_install", "-at_install", "customer_churn")
class TestBadDebtSettings(ChurnCommon):
    def _account(self, name, code, account_type, **values):
        return self.env["account.account"].create({
            "name": name, "code": code, "account_type": account_type, "company_ids": self.company.ids, **values})

    def _settings(self, user=None):
        return self.env["res.config.settings"].with_user(user or self.env.user).with_company(self.company).create({})

    def _counts(self):
        return [self.env[model].search_count([]) for model in (
            "account.account", "account.journal", "customer.bad.debt.tax.relief")]

    # ------------------------------------------------------------------ proposals
    def test_looking_at_the_settings_creates_and_sets_nothing(self):
        bad = self._account("Bad Debts", "610000", "expense")
        before = self._counts()
        settings = self._settings()
        self.assertEqual(settings.bad_debt_found, f"Bad Debt Expense: {bad.display_name}")
        self.assertIn("Allowance for Doubtful Debts", settings.bad_debt_missing)
        self.assertNotIn("Bad Debt Expense", settings.bad_debt_missing)
        self.assertEqual(self._counts(), before)
        self.assertFalse(any(self.company[name] for name in FIELDS))

    def test_the_button_takes_what_is_there_and_creates_the_rest_once(self):
        bad = self._account("Bad Debts", "610000", "expense")
        accounts, journals, _rows = self._counts()
        self._settings().action_propose_bad_debt()
        self.assertEqual(self.company.bad_debt_expense_account_id, bad)
        self.assertEqual(self.company.bad_debt_impairment_account_id.code, "610001")
        self.assertEqual(self.company.bad_debt_journal_id.code, "BDWO")
        self.assertEqual(self._counts()[:2], [accounts + 5, journals + 1])
        for kind in ("bad_debt", "stale_credit", "small_difference", "recovery", "provision"):
            self.company._check_bad_debt_settings(kind)
        self._settings().action_propose_bad_debt()
        self.assertEqual(self._counts()[:2], [accounts + 5, journals + 1])

    def test_the_button_leaves_what_was_chosen(self):
        chosen = self._account("Losses", "690000", "expense")
        self._account("Bad Debts", "610000", "expense")
        self.company.bad_debt_expense_account_id = chosen
        self._settings().action_propose_bad_debt()
        self.assertEqual(self.company.bad_debt_expense_account_id, chosen)

    def test_an_allowance_that_is_a_receivable_reconciled_or_archived_is_not_proposed(self):
        self._account("Allowance for Doubtful Debts", "111302", "asset_receivable", reconcile=True)
        self._account("Allowance for Doubtful Debts", "112210", "asset_current", reconcile=True)
        self._account("Allowance for Doubtful Debts", "112220", "asset_current", active=False)
        self.assertNotIn("bad_debt_allowance_account_id", self.company._find_bad_debt_settings())
        fit = self._account("Allowance for Doubtful Debts", "112230", "asset_current")
        self.assertEqual(self.company._find_bad_debt_settings()["bad_debt_allowance_account_id"], fit)

    def test_an_account_of_another_company_is_not_proposed(self):
        sister = self._create_company("Sister")
        self._account("Bad Debts", "610000", "expense", company_ids=sister.ids)
        self.assertNotIn("bad_debt_expense_account_id", self.company._find_bad_debt_settings())

    def test_the_rights_to_create_accounts_are_needed(self):
        user = self._user("invoicing_only", "account.group_account_invoice,base.group_erp_manager")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            self.company.with_user(user)._propose_bad_debt_settings()

    # ------------------------------------------------------------------ checks
    def test_unfit_accounts_and_journals_are_refused_by_name_at_once(self):
        sister = self._create_company("Sister")
        income = self._account("Sales", "499000", "income")
        receivable = self._account("Doubtful", "129000", "asset_receivable", reconcile=True)
        journal = self.env["account.journal"].search([("type", "=", "sale"), ("company_id", "=", self.company.id)])
        unfit = [
            ("bad_debt_expense_account_id", income, "type"),
            ("bad_debt_impairment_account_id", income, "type"),
            ("bad_debt_expense_account_id", receivable, "type"),
            ("bad_debt_allowance_account_id", receivable, "type"),
            ("bad_debt_allowance_account_id", self._account("A", "129001", "asset_current", reconcile=True), "item by"),
            ("bad_debt_recovery_account_id", receivable, "type"),
            ("bad_debt_stale_credit_account_id", receivable, "type"),
            ("bad_debt_small_difference_account_id", receivable, "type"),
            ("bad_debt_expense_account_id", self._account("Old", "690001", "expense", active=False), "archived"),
            ("bad_debt_expense_account_id", self._account("S", "690002", "expense", company_ids=sister.ids), "another"),
            ("bad_debt_journal_id", journal, "misc"),
        ]
        for name, record, reason in unfit:
            with self.subTest(name=name, record=record.display_name):
                refused = self.assertRaisesRegex(ValidationError, f"(?s)Purveyor.*{record.name}.*{reason}")
                with refused, self.cr.savepoint():
                    self.company[name] = record
                self.env.invalidate_all()
                self.assertFalse(self.company[name])

    def test_an_account_archived_later_is_named_with_the_way_to_the_settings(self):
        self.company._propose_bad_debt_settings()
        self.company.bad_debt_expense_account_id.active = False
        with self.assertRaisesRegex(RedirectWarning, "Bad Debt Expense .* is archived"):
            self.company._check_bad_debt_settings("bad_debt")
        self.company._check_bad_debt_settings("recovery")

    def test_a_tax_has_one_row_and_accountants_without_the_right_keep_none(self):
        tax = self.env["account.tax"].create({
            "name": "T15", "amount": 15, "type_tax_use": "sale", "company_id": self.company.id,
            "country_id": self.env.ref("base.us").id,
            "tax_group_id": self.env["account.tax.group"].create({
                "name": "T", "company_id": self.company.id, "country_id": self.env.ref("base.us").id}).id})
        reader = self._user("reader", "account.group_account_user,customer_churn.group_bad_debt_approver")
        configurer = self._user("configurer", "account.group_account_manager")
        Relief = self.env["customer.bad.debt.tax.relief"]
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            Relief.with_user(reader).create({"tax_id": tax.id})
        row = Relief.with_user(configurer).create({"tax_id": tax.id})
        self.assertEqual(row.with_user(reader).tax_id, tax)
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.cr.savepoint():
            Relief.create({"tax_id": tax.id})

    # ------------------------------------------------------------------ the first steps
    def test_the_step_is_ticked_when_the_settings_are_complete(self):
        step = self.env.ref("customer_churn.onboarding_onboarding_step_churn_bad_debt").with_company(self.company)
        self.assertEqual(step.current_step_state, "not_done")
        self.company._propose_bad_debt_settings()
        step.invalidate_recordset()
        self.assertNotEqual(step.current_step_state, "not_done")
        sister = self._create_company("Sister")
        self.assertEqual(step.with_company(sister).current_step_state, "not_done")

    def test_the_step_leads_administrators_to_the_settings_and_tells_others_whom_to_ask(self):
        step = self.env.ref("customer_churn.onboarding_onboarding_step_churn_bad_debt")
        with self.assertRaisesRegex(AccessError, "administrators"):
            step.with_user(self._user("churn_manager", MANAGER)).action_open_churn_step()
        admin = self._user("churn_admin", f"{MANAGER},base.group_system")
        action = step.with_user(admin).action_open_churn_step()
        self.assertEqual(action["id"], self.env.ref("account.action_account_config").id)
