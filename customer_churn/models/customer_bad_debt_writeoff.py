from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .customer_bad_debt_writeoff_line import BOOKED, PENDING, STATE
from .res_company_bad_debt import RELIEF

OFFICER = "customer_churn.group_bad_debt_officer"
APPROVER = "customer_churn.group_bad_debt_approver"
KIND = [
    ("bad_debt", "Bad debt"),
    ("stale_credit", "Stale credit"),
    ("small_difference", "Small difference"),
]
BY_PERSON = {"date", "kind", "reason_id", "use_allowance", "tax_relief", "net_credits", "line_ids", "note"}
DESCRIPTION = {"reason_id", "note"}  # once it is booked only approvers change it, and the chatter says what it was
CONTENT = {"date", "kind", "use_allowance", "tax_relief", "net_credits", "line_ids"}


class CustomerBadDebtWriteoff(models.Model):
    """What one customer will never pay to one company: asked for, approved, booked, and undone if need be."""

    _name = "customer.bad.debt.writeoff"
    _description = "Write-Off"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _check_company_auto = True
    _order = "date desc, id desc"

    name = fields.Char(readonly=True, copy=False, default=lambda self: self.env._("New Write-Off"))
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, index=True, ondelete="restrict")
    date = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    kind = fields.Selection(KIND, required=True, default="bad_debt")
    reason_id = fields.Many2one("customer.churn.reason", index="btree_not_null", ondelete="restrict", tracking=True)
    note = fields.Text(tracking=True)
    state = fields.Selection(
        STATE, required=True, readonly=True, default="draft", tracking=True, index=True, copy=False)
    line_ids = fields.One2many("customer.bad.debt.writeoff.line", "writeoff_id", string="Items")
    net_credits = fields.Boolean(
        string="Net Credits First", help="The customer's own credits settle what they can before the rest is given up.")
    use_allowance = fields.Boolean(
        default=True, help="What was provided for this customer pays first. Only the rest hits the result.")
    tax_relief = fields.Selection(RELIEF, required=True, default="none")
    amount_total = fields.Monetary(string="Total", compute="_compute_amount_total", store=True)
    amount_expense = fields.Monetary(string="Expense", readonly=True, copy=False)
    amount_tax = fields.Monetary(string="Tax", readonly=True, copy=False)
    amount_allowance = fields.Monetary(string="From the Allowance", readonly=True, copy=False)
    amount_recovered = fields.Monetary(string="Recovered", readonly=True, copy=False)
    amount_undone = fields.Monetary(string="Undone Amount", readonly=True, copy=False)
    move_id = fields.Many2one("account.move", string="Entry", readonly=True, copy=False, index="btree_not_null")
    reversal_move_id = fields.Many2one(
        "account.move", string="Undone By", readonly=True, copy=False, index="btree_not_null")
    recovery_ids = fields.One2many("customer.bad.debt.recovery", "writeoff_id", readonly=True)
    error = fields.Text(readonly=True, copy=False)
    requested_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    requested_date = fields.Datetime(string="Requested On", readonly=True, copy=False)
    approved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    approved_date = fields.Datetime(string="Approved On", readonly=True, copy=False)

    _amounts_positive = models.Constraint(
        "CHECK (amount_total >= 0 AND amount_recovered >= 0 AND amount_recovered <= amount_total)",
        "A write-off is not negative, and no more is recovered than was written off.")

    @api.depends("line_ids.amount")
    def _compute_amount_total(self):
        for writeoff in self:
            writeoff.amount_total = sum(writeoff.line_ids.mapped("amount"))

    @api.depends("name", "partner_id")
    def _compute_display_name(self):
        for writeoff in self:
            writeoff.display_name = f"{writeoff.name} ({writeoff.partner_id.display_name})"

    def _is_spot(self):
        return self.company_id._get_bad_debt_settings().bad_debt_rate == "spot"

    # ------------------------------------------------------------------ what users may write
    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_by_person(vals, BY_PERSON | {"company_id", "partner_id", "batch_id", "method"})
        writeoffs = super().create(vals_list)
        for writeoff in writeoffs:
            writeoff._set(name=self.env._("Write-off %s", writeoff.id))
        return writeoffs

    def write(self, vals):
        self._check_by_person(vals, BY_PERSON)
        changes = vals.keys() & CONTENT and not self.env.su
        if changes and (booked := self.filtered(lambda writeoff: writeoff.state not in PENDING)):
            raise UserError(self.env._(
                "%(names)s: booked or cancelled, it does not change any more. Undo it and prepare another.",
                names=", ".join(booked.mapped("display_name"))))
        described = vals.keys() & DESCRIPTION and not self.env.su
        if described and any(writeoff.state not in PENDING for writeoff in self):
            self._check_group(APPROVER)
        result = super().write(vals)
        if changes or described:
            self._back_to_draft()
        return result

    def _check_by_person(self, vals, allowed):
        own = {name for name in vals.keys() & self._fields.keys() - allowed
               if self._fields[name]._module == "customer_churn"}
        if own and not self.env.su:
            raise AccessError(self.env._(
                "%(fields)s: not to be written by hand. Use the buttons of the write-off.",
                fields=", ".join(self._fields[name]._description_string(self.env) for name in sorted(own))))

    def _set(self, **vals):
        # sudo: the caller has checked the right to this step; users never write these fields themselves
        self.sudo().write(vals)

    def _back_to_draft(self):
        self.filtered(lambda writeoff: writeoff.state in PENDING and writeoff.state != "draft")._set(
            state="draft", approved_by_id=False, approved_date=False, requested_by_id=False, requested_date=False)

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion(self):
        if kept := self.filtered(lambda writeoff: writeoff.state not in ("draft", "cancelled") or writeoff.move_id):
            raise UserError(self.env._(
                "%(names)s: only drafts are deleted. Cancel what is asked for, undo what is booked.",
                names=", ".join(kept.mapped("display_name"))))

    # ------------------------------------------------------------------ asking and approving
    def _to_date(self, date):
        """A day that was given, by whatever way; today without one."""
        try:
            return fields.Date.to_date(date) or fields.Date.context_today(self)
        except (TypeError, ValueError) as error:
            raise ValidationError(self.env._(
                "%(date)s is no date. Give it as year-month-day, 2026-12-31.", date=date)) from error

    def _check_state(self, *states):
        labels = dict(self._fields["state"]._description_selection(self.env))
        for writeoff in self:
            if writeoff.state not in states:
                raise UserError(self.env._(
                    "%(name)s is in the state \"%(state)s\", and must be in \"%(needed)s\" for this.",
                    name=writeoff.display_name, state=labels[writeoff.state],
                    needed=", ".join(labels[state] for state in states)))

    def _check_group(self, group):
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(self.env._(
                "This needs the right \"%(group)s\" of Bad Debt. Ask somebody who has it.",
                # sudo: the name of a group is no secret
                group=self.env.ref(group).sudo().name))

    def _needs_approval(self):
        limit = self.company_id._get_bad_debt_settings().bad_debt_approval_limit
        return self.currency_id.compare_amounts(self.amount_total, limit) > 0

    def action_submit(self):
        """Ask for it. Below the limit that is enough."""
        self._check_group(OFFICER)
        self.check_access("write")
        self._check_state("draft", "failed")
        self._check_ready()
        self._refresh_amounts()
        self._ask()

    def _ask(self):
        for writeoff in self:
            writeoff._set(
                state="to_approve" if writeoff._needs_approval() else "approved", error=False,
                requested_by_id=self.env.user.id, requested_date=fields.Datetime.now())

    def action_approve(self):
        """Above the limit by somebody else than who asked for it."""
        self._check_group(APPROVER)
        self.check_access("write")
        self._check_state("to_approve")
        if own := self.filtered(lambda writeoff: writeoff.requested_by_id == self.env.user):
            raise AccessError(self.env._(
                "%(names)s: you asked for it yourself, and it is above the limit. A second person must approve it.",
                names=", ".join(own.mapped("display_name"))))
        self._set(state="approved", approved_by_id=self.env.user.id, approved_date=fields.Datetime.now())

    def action_cancel(self):
        self._check_group(OFFICER)
        self.check_access("write")
        if booked := self.filtered(lambda writeoff: writeoff.state in BOOKED):
            raise UserError(self.env._(
                "%(names)s: booked already. Undo it instead.", names=", ".join(booked.mapped("display_name"))))
        self._check_state(*PENDING)
        self._set(state="cancelled")
