from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from .customer_bad_debt_writeoff import OFFICER
from .customer_bad_debt_writeoff_create import CUSTOMER_TYPES
from .customer_churn_status_mixin import STATUS
from .res_company_bad_debt import RELIEF

STATE = [
    ("draft", "Draft"),
    ("prepared", "Prepared"),
    ("posting", "Posting"),
    ("failed", "Failed"),
    ("done", "Done"),
]
BY_METHODS = {"name", "state", "posted_by_id", "posted_date"}
CRITERIA = ("company_id", "date", "days_overdue_min", "amount_min", "amount_max", "churn_status", "reason_id",
            "partner_domain")


class CustomerBadDebtBatch(models.Model):
    """Many customers' debts written off in one go: by criteria, one document a customer, booked in the background."""

    _name = "customer.bad.debt.batch"
    _description = "Write-Off Batch"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "date desc, id desc"

    name = fields.Char(readonly=True, copy=False, default=lambda self: self.env._("New"))
    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="restrict", default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    state = fields.Selection(STATE, required=True, readonly=True, default="draft", tracking=True, copy=False)
    days_overdue_min = fields.Integer(string="Days Overdue", default=365, help="Counted to the date of the write-off.")
    amount_min = fields.Monetary(
        string="Amount from", help="What the customer owes of such items, in the company's currency.")
    amount_max = fields.Monetary(string="Amount up to", help="0: no limit.")
    churn_status = fields.Selection(STATUS, string="Customer Status")
    reason_id = fields.Many2one(
        "customer.churn.reason", ondelete="restrict", help="Customers who left for this reason, or for one below it.")
    partner_domain = fields.Char(string="Customers", default="[]")
    use_allowance = fields.Boolean(
        default=True, help="What was provided for the customers pays first. Only the rest hits the result.")
    tax_relief = fields.Selection(
        RELIEF, required=True, compute="_compute_tax_relief", store=True, readonly=False, precompute=True)
    customer_count = fields.Integer(string="Customers Found", compute="_compute_found")
    item_count = fields.Integer(string="Open Items Found", compute="_compute_found")
    amount_found = fields.Monetary(string="Sum Found", compute="_compute_found")
    writeoff_ids = fields.One2many("customer.bad.debt.writeoff", "batch_id", string="Write-Offs", readonly=True)
    skipped_ids = fields.One2many("customer.bad.debt.batch.skipped", "batch_id", string="Left Out", readonly=True)
    posted_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    posted_date = fields.Datetime(string="Posted On", readonly=True, copy=False)

    _criteria_positive = models.Constraint(
        "CHECK (days_overdue_min >= 0 AND amount_min >= 0 AND amount_max >= 0)",
        "Days and amounts of a batch must not be negative. Give 0 instead.")

    @api.depends("company_id")
    def _compute_tax_relief(self):
        for batch in self:
            batch.tax_relief = batch.company_id._get_bad_debt_settings().bad_debt_tax_relief if batch.company_id else (
                "none")

    # ------------------------------------------------------------------ whom the criteria find
    @api.depends(*CRITERIA)
    def _compute_found(self):
        for batch in self:
            try:
                found = batch._find()
            except ValidationError:  # said when it is saved
                found = []
            batch.customer_count = len(found)
            batch.item_count = sum(len(items) for _partner, items, _amount in found)
            batch.amount_found = sum(float(amount) for _partner, _items, amount in found)

    def _find(self):
        """[(id of the customer, ids of the open items, what they come to)], the dearest first."""
        if not (self.company_id and self.date):
            return []
        self.env["account.move.line"].flush_model(["amount_residual", "partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        items = self.env["account.move.line"]._search(self._get_items_domain())
        return self.env.execute_query(SQL(
            """SELECT p.commercial_partner_id, array_agg(l.id ORDER BY l.id), SUM(l.amount_residual)
                 FROM account_move_line l JOIN res_partner p ON p.id = l.partner_id
                WHERE l.id IN %(items)s
                GROUP BY p.commercial_partner_id
               HAVING SUM(l.amount_residual) >= %(at_least)s::numeric
                  AND (%(at_most)s::numeric = 0 OR SUM(l.amount_residual) <= %(at_most)s::numeric)
                ORDER BY SUM(l.amount_residual) DESC, p.commercial_partner_id""",
            items=items.subselect(), at_least=self.amount_min, at_most=self.amount_max))

    def _get_items_domain(self):
        try:
            due = self.date - relativedelta(days=self.days_overdue_min)
        except (OverflowError, ValueError) as error:  # nobody has owed since before the calendar began
            raise ValidationError(self.env._(
                "%(name)s: %(days)s days overdue is too many. Give fewer.",
                name=self.name, days=self.days_overdue_min)) from error
        overdue = Domain("date_maturity", "<=", due) | (Domain("date_maturity", "=", False) & Domain("date", "<=", due))
        return overdue & self._get_partner_domain() & Domain([
            ("company_id", "=", self.company_id.id), ("parent_state", "=", "posted"), ("reconciled", "=", False),
            ("account_id.account_type", "=", "asset_receivable"), ("amount_residual_currency", ">", 0),
            ("move_id.move_type", "in", CUSTOMER_TYPES)])

    def _get_partner_domain(self):
        """Archived customers owe money too."""
        customers = self.env["res.partner"].with_context(active_test=False)._search(self._parse_partner_domain())
        domain = Domain("partner_id.commercial_partner_id", "in", customers)
        if self.churn_status:
            # sudo: who writes off need not see the customers' files; only which customers they are is asked
            profiles = self.env["customer.churn.profile"].sudo()._search([
                ("company_id", "=", self.company_id.id), ("status", "=", self.churn_status)])
            domain &= Domain("partner_id.commercial_partner_id", "in", profiles.subselect("partner_id"))
        if self.reason_id:
            # sudo: likewise, only which customers answered so is asked
            answers = self.env["customer.churn.reason.answer"].sudo()._search([
                ("company_id", "=", self.company_id.id), ("reason_id", "child_of", self.reason_id.id),
                ("is_current", "=", True)])
            domain &= Domain("partner_id.commercial_partner_id", "in", answers.subselect("partner_id"))
        return domain

    def _parse_partner_domain(self):
        try:
            domain = Domain(safe_eval(self.partner_domain or "[]"))
            domain.validate(self.env["res.partner"])
        # Any text may stand there, and all its faults have one remedy. Who wrote it is told; no query was made by then.
        except Exception as error:
            raise ValidationError(self.env._(
                "%(name)s: its condition is not one on customers (%(error)s). Build it again in the batch's form.",
                name=self.name, error=str(error).split("\n", 1)[0])) from error
        return domain

    @api.constrains("partner_domain")
    def _check_partner_domain(self):
        for batch in self:
            batch._parse_partner_domain()

    @api.constrains("amount_min", "amount_max")
    def _check_amounts(self):
        for batch in self.filtered("amount_max"):
            if batch.currency_id.compare_amounts(batch.amount_min, batch.amount_max) > 0:
                raise ValidationError(self.env._(
                    "%(name)s: nobody owes at least %(least)s and at most %(most)s. Change one of the limits.",
                    name=batch.name, least=batch.currency_id.format(batch.amount_min),
                    most=batch.currency_id.format(batch.amount_max)))

    # ------------------------------------------------------------------ what users may write
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_by_person(vals)
        batches = super().create(vals_list)
        for batch in batches:
            batch._set(name=self.env._("Batch %s", batch.id))
        return batches

    def write(self, vals):
        self._check_by_person(vals)
        if vals.keys() & {*CRITERIA, "use_allowance", "tax_relief"} and not self.env.su:
            self._check_state("draft", "prepared")
            self._set(state="draft")  # what was prepared by other criteria is not what it says now
        return super().write(vals)

    def _check_by_person(self, vals):
        if (own := vals.keys() & BY_METHODS) and not self.env.su:
            raise AccessError(self.env._(
                "%(fields)s: not to be written by hand. Use the buttons of the batch.",
                fields=", ".join(self._fields[name]._description_string(self.env) for name in sorted(own))))

    def _set(self, **vals):
        # sudo: the caller has checked the right to this step; users never write these fields themselves
        self.sudo().write(vals)

    def _check_state(self, *states):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for batch in self:
            if batch.state not in states:
                raise UserError(self.env._(
                    "%(name)s is in the state \"%(state)s\", and must be in \"%(needed)s\" for this.",
                    name=batch.display_name, state=labels[batch.state],
                    needed=", ".join(labels[state] for state in states)))

    def _check_rights(self, group=OFFICER):
        self.env["customer.bad.debt.writeoff"]._check_group(group)
        self.check_access("write")

    def _lock(self):
        """Whoever comes second gets an answer at once."""
        if busy := self - self.try_lock_for_update(allow_referencing=True):
            raise LockError(self.env._(
                "%(names)s: somebody else works on it at this moment, or it is being booked. Try again in a minute.",
                names=", ".join(busy.mapped("name"))))
        self.invalidate_recordset()

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion(self):
        if kept := self.filtered(lambda batch: batch.writeoff_ids.filtered(lambda one: one.state != "draft")):
            raise UserError(self.env._(
                "%(names)s: some of the write-offs were asked for or booked. The batch stays with them.",
                names=", ".join(kept.mapped("display_name"))))
        self.writeoff_ids.unlink()


class CustomerBadDebtBatchSkipped(models.Model):
    """An open item that the criteria found and that may not be written off, and why."""

    _name = "customer.bad.debt.batch.skipped"
    _description = "Left Out of a Write-Off Batch"
    _order = "batch_id, id"

    batch_id = fields.Many2one("customer.bad.debt.batch", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, index=True, ondelete="cascade")
    move_line_id = fields.Many2one(
        "account.move.line", string="Open Item", readonly=True, index=True, ondelete="cascade")
    move_id = fields.Many2one(related="move_line_id.move_id", string="Invoice")
    amount = fields.Monetary(string="Open Amount", currency_field="company_currency_id", readonly=True)
    reason = fields.Text(string="Why", readonly=True)
