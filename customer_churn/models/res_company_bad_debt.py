from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, ValidationError

RELIEF = [
    ("none", "No relief"),
    ("reduction", "Reduce the tax of sales"),
    ("input_claim", "Claim as tax of purchases"),
]
RATE = [("carrying", "The invoice's own rate"), ("spot", "Rate of the day")]
METHOD = [("entry", "Entry"), ("credit_note", "Credit note")]
EXPENSE = ("expense", "expense_depreciation", "expense_direct_cost", "expense_other")
INCOME = ("income", "income_other")
CURRENT = ("asset_current", "liability_current")
TYPES = {
    "bad_debt_expense_account_id": EXPENSE,
    "bad_debt_impairment_account_id": EXPENSE,
    "bad_debt_allowance_account_id": CURRENT,
    "bad_debt_recovery_account_id": EXPENSE + INCOME,
    "bad_debt_stale_credit_account_id": (*INCOME, "liability_current"),
    "bad_debt_small_difference_account_id": EXPENSE + INCOME,
}
JOURNALS = {"bad_debt_journal_id": "general", "bad_debt_credit_note_journal_id": "sale"}
NEEDED = {
    "bad_debt": ["bad_debt_expense_account_id"],
    "stale_credit": ["bad_debt_stale_credit_account_id"],
    "small_difference": ["bad_debt_small_difference_account_id"],
    "undo": [],
    "recovery": ["bad_debt_recovery_account_id"],
    "provision": ["bad_debt_impairment_account_id", "bad_debt_allowance_account_id"],
}


def account_field(string, types, help=None):
    return fields.Many2one(
        "account.account", string=string, domain=[("account_type", "in", types)], check_company=True, help=help)


class ResCompany(models.Model):
    """Where and how the company books the debts that are never paid."""

    _inherit = "res.company"

    bad_debt_journal_id = fields.Many2one(
        "account.journal", domain=[("type", "=", "general")], check_company=True)
    bad_debt_expense_account_id = account_field("Bad Debt Expense", EXPENSE)
    bad_debt_allowance_account_id = account_field("Allowance for Doubtful Debts", CURRENT)
    bad_debt_impairment_account_id = account_field("Impairment of Receivables", EXPENSE)
    bad_debt_recovery_account_id = account_field("Bad Debts Recovered", EXPENSE + INCOME)
    bad_debt_stale_credit_account_id = account_field("Stale Credits", TYPES["bad_debt_stale_credit_account_id"])
    bad_debt_small_difference_account_id = account_field("Small Differences", EXPENSE + INCOME)
    bad_debt_stale_credit_months = fields.Integer(
        string="Stale after", required=True, default=0,
        help="Months after which a credit that nobody claims is stale, as the law has it (often 24). 0: at once.")
    bad_debt_stale_credit_limit = fields.Monetary(
        string="Stale Credit up to", help="A larger credit is not written back. 0: no limit.")
    bad_debt_small_difference_limit = fields.Monetary(
        string="Small Difference up to", default=1.0,
        help="A rest that is not larger counts as a small difference. 0: none does. A rest in another currency counts "
             "at its value in the books, unless the currency has a limit of its own.")
    bad_debt_tax_relief = fields.Selection(
        RELIEF, string="Tax Relief of Bad Debt", required=True, default="none",
        help="How the tax of an invoice that is never paid comes back.")
    bad_debt_relief_months = fields.Integer(
        string="Months until Tax Relief", required=True, default=0,
        help="Months after the due date before the tax may be claimed back. Earlier write-offs are booked with the "
             "tax, which is claimed when it is time.")
    bad_debt_method = fields.Selection(
        METHOD, string="Write Off by", required=True, default="entry",
        help="Where the law wants it, the debt of an invoice is given up by a credit note.")
    bad_debt_credit_note_expense = fields.Boolean(
        string="Credit Notes on the Loss Account", help="Otherwise they lower the revenue of the invoice.")
    bad_debt_credit_note_journal_id = fields.Many2one(
        "account.journal", string="Journal of Credit Notes", domain=[("type", "=", "sale")], check_company=True,
        help="One without electronic invoices keeps them from being sent. Empty: the journal of the invoice.")
    bad_debt_rate = fields.Selection(
        RATE, string="Rate of Write-Offs", required=True, default="carrying",
        help="A debt in a foreign currency leaves the books as it came in, or at the rate of the day, with an exchange "
             "difference.")
    bad_debt_approval_limit = fields.Monetary(
        string="Approval above", help="A larger write-off needs a second person. 0: every one does.")

    _bad_debt_limits_positive = models.Constraint(
        """CHECK (bad_debt_approval_limit >= 0 AND bad_debt_small_difference_limit >= 0 AND bad_debt_relief_months >= 0
              AND bad_debt_stale_credit_months >= 0 AND bad_debt_stale_credit_limit >= 0)""",
        "Limits and months of bad debt must not be negative. Give 0 instead.",
    )

    @api.constrains(*JOURNALS, *TYPES)
    def _check_bad_debt_accounts(self):
        for company in self:
            for name in (*JOURNALS, *TYPES):
                if record := company[name]:
                    company._check_bad_debt_record(name, record)

    def _check_bad_debt_record(self, name, record):
        if reason := self._get_bad_debt_fault(name, record):
            raise ValidationError(self.env._(
                "%(field)s of %(company)s: %(record)s %(reason)s. Choose another one.",
                field=self._fields[name]._description_string(self.env), company=self.name,
                record=record.display_name, reason=reason))

    def _get_bad_debt_fault(self, name, record):
        """Why this journal or account cannot be used, or nothing."""
        if not record.active:
            return self.env._("is archived")
        if not record.filtered_domain(record._check_company_domain(self)):
            return self.env._("belongs to another company")
        if record._name == "account.journal":
            return record.type != JOURNALS[name] and (
                self.env._("is not a journal of miscellaneous entries") if JOURNALS[name] == "general"
                else self.env._("is not a journal of sales"))
        if record.account_type not in TYPES[name]:
            return self.env._("has a type that does not fit")
        if name == "bad_debt_allowance_account_id" and record.reconcile:
            return self.env._("is reconciled item by item")
        if record.currency_id and record.currency_id != self.currency_id:
            return self.env._("takes one foreign currency only")
        return False

    def _get_bad_debt_settings(self):
        """The company whose settings count: a branch without a journal of its own uses those of its parent."""
        self.ensure_one()
        # sudo: who works in a branch reads the settings of a parent company that is out of sight
        company = self.sudo()
        line = company.parent_ids.sorted(lambda parent: len(parent.parent_ids), reverse=True)
        return line.filtered("bad_debt_journal_id")[:1] or company

    def _check_bad_debt_settings(self, kind):
        """Raise, with the way to the settings, if something that this kind of entry needs is missing or unfit.

        :param kind: a kind of write-off, `undo`, `recovery` or `provision`
        """
        self.ensure_one()
        settings = self._get_bad_debt_settings()
        for name in ("bad_debt_journal_id", *NEEDED[kind]):
            record = settings[name]
            fault = settings._get_bad_debt_fault(name, record) if record else self.env._("is missing")
            if fault:
                label = settings._fields[name]._description_string(self.env)
                self._refuse_bad_debt_settings(" ".join(filter(None, [label, record.display_name, fault])))

    def _check_bad_debt_kind(self, kind):
        for company in self:
            company._check_bad_debt_settings(kind)

    def _refuse_bad_debt_settings(self, reason):
        raise RedirectWarning(
            self.env._("%(company)s: %(reason)s. Complete the settings of bad debt first.",
                       company=self.name, reason=reason),
            self.env.ref("account.action_account_config").id, self.env._("Go to the settings"))
