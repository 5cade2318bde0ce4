from odoo import models
from odoo.fields import Domain

from ..bad_debt_charts import CHARTS, NEW_TYPE, RELIEF_TAXES, WORDS
from .onboarding_onboarding import BAD_DEBT_STEP
from .res_company_bad_debt import TYPES

JOURNAL_CODE = "BDWO"


def setting(key):
    return f"bad_debt_{key}_account_id"


class ResCompany(models.Model):
    """What the chart of accounts offers for bad debt. Looking creates nothing; only the button does."""

    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if any(name.startswith("bad_debt_") for name in vals):
            self._tick_bad_debt_step()
        return result

    def _tick_bad_debt_step(self):
        for company in self.filtered(lambda company: company._is_bad_debt_complete()):
            # sudo: only that the step is done in this company is written, by whoever could set its accounts
            self.env["onboarding.onboarding.step"].sudo().with_company(company).action_validate_step(BAD_DEBT_STEP)

    def _is_bad_debt_complete(self):
        self.ensure_one()
        return all(self[name] for name in ("bad_debt_journal_id", *TYPES))

    # ------------------------------------------------------------------ looking
    def _find_bad_debt_settings(self):
        """The journal and the accounts that are there for what is not set yet, as {field: record}."""
        self.ensure_one()
        found = {"bad_debt_journal_id": self._find_bad_debt_journal()}
        for key in WORDS:
            found[setting(key)] = self._find_bad_debt_account(key)
        return {name: record for name, record in found.items() if record and not self[name]}

    def _find_bad_debt_journal(self):
        Journal = self.env["account.journal"]
        return Journal.search(
            self._get_bad_debt_domain(Journal) & Domain([("type", "=", "general"), ("code", "=", JOURNAL_CODE)]),
            limit=1)

    def _find_bad_debt_account(self, key):
        """By the chart's own account, else by the words that such accounts are called with."""
        chart = self.env["account.chart.template"].with_company(self)
        xmlid = self._get_bad_debt_chart().get(key, "+")
        account = self.env["account.account"] if xmlid.startswith("+") else (
            chart.ref(xmlid, raise_if_not_found=False) or self.env["account.account"])
        if account and not self._get_bad_debt_fault(setting(key), account):
            return account
        if key == "small_difference" and self.default_cash_difference_expense_account_id:
            return self._only_fit(key, self.default_cash_difference_expense_account_id)
        named = Domain.OR(Domain("name", "ilike", word) for word in WORDS[key])
        return self._only_fit(key, self.env["account.account"].with_company(self).search(
            named & Domain("account_type", "in", TYPES[setting(key)])
            & self._get_bad_debt_domain(self.env["account.account"]), order="code"))

    def _only_fit(self, key, accounts):
        return accounts.filtered(lambda account: not self._get_bad_debt_fault(setting(key), account))[:1]

    def _get_bad_debt_domain(self, model):
        """Of this company or of a parent."""
        return Domain(model._check_company_domain(self))

    def _get_bad_debt_chart(self):
        """The accounts of this company's chart; a chart that extends another one has those of both."""
        template = self.parent_ids[0].chart_template
        chart = {}
        for code in reversed(self.env["account.chart.template"]._get_parent_template(template)):
            chart.update(CHARTS.get(code, {}))
        return chart

    # ------------------------------------------------------------------ the button
    def _propose_bad_debt_settings(self):
        """Set what is empty: by what the chart has, and by a new journal and new accounts for the rest."""
        for company in self:
            vals = company._find_bad_debt_settings()
            if not company.bad_debt_journal_id and "bad_debt_journal_id" not in vals:
                vals["bad_debt_journal_id"] = company._create_bad_debt_journal()
            for key in WORDS:
                if not company[setting(key)] and setting(key) not in vals:
                    vals[setting(key)] = company._create_bad_debt_account(key)
            company.write({name: record.id for name, record in vals.items()})
            company._propose_bad_debt_relief()

    def _create_bad_debt_journal(self):
        return self.env["account.journal"].create({
            "name": self.env._("Bad Debt"), "type": "general", "code": JOURNAL_CODE, "company_id": self.id,
            "show_on_dashboard": False})

    def _create_bad_debt_account(self, key):
        """With the next free code after the chart's own place for it, else after the last of its type."""
        Account = self.env["account.account"].with_company(self)
        start = self._get_bad_debt_chart().get(key, "")
        if not start.startswith("+"):
            last = Account.search(
                Domain("account_type", "=", NEW_TYPE[key]) & self._get_bad_debt_domain(Account),
                order="code desc", limit=1)
            start = last.code or "999000"
        return Account.create({
            "name": self._fields[setting(key)]._description_string(self.env), "account_type": NEW_TYPE[key],
            "code": Account._search_new_account_code(start.lstrip("+")), "company_ids": self.parent_ids[0].ids})

    def _propose_bad_debt_relief(self):
        """A row for each tax that the chart gives back by a tax of its own, and the regime that goes with it."""
        regime, taxes = RELIEF_TAXES.get(self.parent_ids[0].chart_template, (None, {}))
        Relief = self.env["customer.bad.debt.tax.relief"]
        chart = self.env["account.chart.template"].with_company(self)
        for source, relief in taxes.items():
            tax, relief_tax = (chart.ref(xmlid, raise_if_not_found=False) for xmlid in (source, relief))
            if tax and relief_tax and not Relief.search_count([
                    ("company_id", "=", self.id), ("tax_id", "=", tax.id)], limit=1):
                Relief.create({"company_id": self.id, "tax_id": tax.id, "relief_tax_id": relief_tax.id})
                if self.bad_debt_tax_relief == "none":
                    self.bad_debt_tax_relief = regime
