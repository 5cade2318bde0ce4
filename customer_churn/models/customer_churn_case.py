"""One open effort to win a customer back. The run opens it and closes it when the ledger shows a purchase
(customer_churn_case_ledger.py); people work it, say why, and close it as a false alarm or as lost."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, Query, format_date

from .customer_churn_profile import VALUE_CLASS
from .customer_churn_status_mixin import STATUS

STATE = [("open", "Open"), ("closed", "Closed")]
OUTCOME = [("won_back", "Won Back"), ("false_alarm", "False Alarm"), ("lost", "Lost"), ("written_off", "Written Off")]
BY_PERSON = ("false_alarm", "lost")
GIVEN = ("reason_id", "competitor_id", "note")
BY_USERS = {*GIVEN, "user_id", "is_control", "evidence", "evidence_name"}  # of our own fields; is_control by managers


class CustomerChurnCase(models.Model):
    _name = "customer.churn.case"
    _inherit = ["mail.thread", "mail.activity.mixin", "customer.churn.status.mixin"]
    _description = "Win-Back Case"
    _order = "state desc, revenue_at_stake desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True, ondelete="set null")
    profile_id = fields.Many2one("customer.churn.profile", compute="_compute_profile_id", search="_search_profile_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users", string="Owner", index="btree_not_null", tracking=True, check_company=True,
        domain=lambda self: self.env["res.company"]._churn_users_domain("company_id"), ondelete="set null",
        help="The customer's salesperson, else the team's leader, else the fallback of the settings.")
    assigned_user_id = fields.Many2one(
        "res.users", string="Owner by Rule", readonly=True, ondelete="set null",
        help="Another owner was chosen by hand, and stays when the customer's salesperson changes.")
    state = fields.Selection(STATE, required=True, readonly=True, default="open", tracking=True, index=True)
    outcome = fields.Selection(OUTCOME, readonly=True, tracking=True)
    opened_date = fields.Date(required=True, readonly=True, index=True, string="Opened On")
    closed_date = fields.Date(readonly=True, string="Closed On")
    trigger_status = fields.Selection(STATUS, readonly=True, string="Opened Because", help="The status at the opening.")
    silent_since = fields.Date(readonly=True, help="The last purchase before the opening, as far as it is booked.")
    value_class = fields.Selection(VALUE_CLASS, readonly=True, help="At the opening.")
    revenue_at_stake = fields.Monetary(string="Revenue at Stake", readonly=True, help="At the opening.")
    won_revenue = fields.Monetary(
        readonly=True, help="What was bought from the opening to the night that found it, less what was credited.")
    won_date = fields.Date(readonly=True, help="The first purchase after the opening.")
    run_id = fields.Many2one("customer.churn.run", readonly=True, index="btree_not_null", ondelete="set null")
    closed_run_id = fields.Many2one(
        "customer.churn.run", string="Closed by Run", readonly=True, index="btree_not_null", ondelete="set null",
        help="The run that found the answer in the ledger. Empty: a person closed the case.")

    reason_id = fields.Many2one("customer.churn.reason", tracking=True, index="btree_not_null", ondelete="restrict")
    root_id = fields.Many2one(related="reason_id.root_id", string="Main Reason")
    requires_competitor = fields.Boolean(related="reason_id.requires_competitor")
    avoidable = fields.Boolean(related="reason_id.avoidable")
    competitor_id = fields.Many2one(
        "res.partner", tracking=True, index="btree_not_null", ondelete="restrict",
        domain="['|', ('company_id', '=', False), ('company_id', 'parent_of', company_id)]")
    note = fields.Text()
    evidence = fields.Binary(compute="_compute_evidence", inverse="_inverse_evidence", compute_sudo=True)
    evidence_name = fields.Char(compute="_compute_evidence", inverse="_inverse_evidence", compute_sudo=True)
    answer_ids = fields.One2many("customer.churn.reason.answer", "case_id", string="Reasons Given")

    explanation = fields.Text(related="profile_id.explanation")
    customer_status = fields.Selection(
        related="profile_id.status", string="Status", help="As of the last analysis.")
    salesperson_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")

    _open_uniq = models.UniqueIndex(
        "(company_id, partner_id) WHERE state = 'open'", "This customer has an open case already. Work on that one.")

    # ------------------------------------------------------------------ computes
    @api.depends("company_id", "partner_id")
    def _compute_profile_id(self):
        # sudo: whoever works a case may know how its customer stands, somebody else's or not
        profiles = self.env["customer.churn.profile"].sudo().search([
            ("company_id", "in", self.company_id.ids), ("partner_id", "in", self.partner_id.ids)])
        found = {(profile.company_id, profile.partner_id): profile for profile in profiles}
        for case in self:
            case.profile_id = found.get((case.company_id, case.partner_id), profiles.browse())

    def _search_profile_id(self, operator, value):
        if operator not in ("in", "any", "any!"):
            return NotImplemented
        # sudo: asked for by the related fields, which are read in the same way
        Profile = self.env["customer.churn.profile"].sudo(self.env.su or operator == "any!")
        domain = [("id", "in", value)] if operator == "in" or isinstance(value, Query) else value
        return [("id", "in", SQL(
            "(SELECT id FROM customer_churn_case WHERE (company_id, partner_id) IN %s)",
            Profile._search(domain).subselect(
                SQL("customer_churn_profile.company_id"), SQL("customer_churn_profile.partner_id"))))]

    @api.depends("answer_ids")
    def _compute_evidence(self):
        last = self.env["customer.churn.reason.answer"]._get_last(self)
        for case in self:
            kept = last.get(case.id, self.env["customer.churn.reason.answer"]).evidence_answer_id
            case.evidence, case.evidence_name = kept.evidence, kept.evidence_name

    def _inverse_evidence(self):
        for case in self:
            self.env["customer.churn.reason.answer"]._record(
                [case._prepare_answer()], case.evidence, case.evidence_name)

    # ------------------------------------------------------------------ what users may write
    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(self.env._(
                "Cases are opened by the nightly analysis, or by Open a Case on the customer's page."))
        return super().create(vals_list)

    def write(self, vals):
        """Reasons are kept in their history, whichever way they come; what a case became, only its methods say."""
        own = {name for name in vals.keys() & self._fields.keys() - BY_USERS
               if self._fields[name]._module == "customer_churn"}
        if own and not self.env.su:
            raise AccessError(self.env._(
                "%(fields)s: not to be written by hand. Close or reopen the case instead.",
                fields=", ".join(self._fields[name]._description_string(self.env) for name in sorted(own))))
        if given := vals.keys() & set(GIVEN):
            self._check_given(vals)
        result = super().write(vals)
        if given:
            self._keep_answers()
        return result

    def _check_given(self, vals):
        given = {name: vals[name] for name in GIVEN if name in vals}
        self.env["customer.churn.reason.answer"]._check_rows([{**case._prepare_answer(), **given} for case in self])

    def _keep_answers(self):
        """The history has what now stands on the case, unless that comes from it."""
        last = self.env["customer.churn.reason.answer"]._get_last(self)
        nothing = self.env["customer.churn.reason.answer"]
        changed = self.filtered(lambda case: case._get_given() != last.get(case.id, nothing)._get_given())
        self.env["customer.churn.reason.answer"]._record([case._prepare_answer() for case in changed])

    def _get_given(self):
        return {"reason_id": self.reason_id.id, "competitor_id": self.competitor_id.id, "note": self.note or False}

    def _prepare_answer(self):
        return {"company_id": self.company_id.id, "partner_id": self.partner_id.id, "case_id": self.id,
                **self._get_given()}

    # ------------------------------------------------------------------ closing and reopening
    def action_close(self, outcome, reason=None):
        """Close as `false_alarm` or `lost`: what else there is, the ledger or the books say.

        :param reason: customer.churn.reason record or id
        """
        self.check_access("write")
        self._check_outcome(outcome)
        self._check_state("open", self.env._("%(customers)s: closed already. Reopen the case first, if it must be."))
        if reason:
            self.write({"reason_id": self.reason_id._find(reason).id})
        self._close(outcome)

    @api.model
    def _check_outcome(self, outcome):
        if outcome == "won_back":
            raise UserError(self.env._(
                "Nobody closes a case as won back: the ledger says it. As soon as the customer's invoice is posted, "
                "the next analysis closes the case."))
        if outcome == "written_off":
            raise UserError(self.env._("A case is closed as written off when the customer's debt is written off."))
        if outcome not in BY_PERSON:
            raise UserError(self.env._(
                "%(outcome)s is no outcome. Choose false_alarm or lost.", outcome=outcome))

    def _check_state(self, state, sentence):
        if others := self.filtered(lambda case: case.state != state):
            raise UserError(sentence % {"customers": ", ".join(others.partner_id.mapped("display_name"))})

    def _close(self, outcome, run=None, date=None):
        """What all closings have in common; what is still planned for the case is moot.

        :param run: the run that found the answer in the ledger; None where a person or the books give it
        :param date: the day of closing; the run's or today unless given
        """
        # sudo: the right to this outcome was checked by the caller; users never write it themselves
        cases = self.sudo()
        cases.write({
            "state": "closed", "outcome": outcome, "closed_run_id": run and run.id,
            "closed_date": date or (run.date if run else fields.Date.context_today(self))})
        cases.activity_ids.unlink()

    def action_close_as(self):
        """*Lost*, *False Alarm*: ask for the reason first."""
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_case_close_action")
        outcome = self.env.context.get("churn_outcome", "lost")
        self._check_outcome(outcome)
        context = {"default_case_ids": self.ids, "default_outcome": outcome}
        given = {tuple(case._get_given().items()) for case in self}
        if self.reason_id and len(given) == 1:  # what was said already need not be said again
            context |= {"default_root_id": self.reason_id.root_id.id,
                        "default_detail_id": (self.reason_id - self.reason_id.root_id).id,
                        "default_competitor_id": self.competitor_id.id, "default_note": self[:1].note}
        return {**action, "context": context}

    def action_reopen(self):
        """Back to work. The ledger closes it again by itself if the purchase that won it back still counts."""
        self.check_access("write")
        self._check_state("closed", self.env._("%(customers)s: the case is open."))
        self._check_reopening()
        self._reopen()

    def _reopen(self):
        # sudo: the right was checked by the caller; users never write the state themselves
        self.sudo().write({
            "state": "open", "outcome": False, "closed_date": False, "closed_run_id": False, "won_revenue": 0,
            "won_date": False})

    def _check_reopening(self):
        if written := self.filtered(lambda case: case.outcome == "written_off"):
            raise UserError(self.env._(
                "%(customers)s: closed by a write-off. Undo the write-off, and the case opens again.",
                customers=", ".join(written.partner_id.mapped("display_name"))))
        # sudo: an open case of the customer is in the way, whoever may see it
        others = self.sudo().search([
            ("state", "=", "open"), ("company_id", "in", self.company_id.ids),
            ("partner_id", "in", self.partner_id.ids)])
        taken = others.filtered(lambda other: other.partner_id in self.filtered(
            lambda case: case.company_id == other.company_id).partner_id)
        twice = len({(case.company_id, case.partner_id) for case in self}) < len(self)
        if taken or twice:
            raise UserError(self.env._(
                "%(customers)s: there is an open case already. Work on that one.",
                customers=", ".join((taken or self).partner_id.mapped("display_name"))))

    # ------------------------------------------------------------------ buttons
    def action_open_profile(self):
        self.ensure_one()
        profile = self.profile_id._filtered_access("read")
        return (profile or self.partner_id).get_formview_action()

    def action_record_reason(self):
        return self.env["customer.churn.reason.wizard"]._get_action(self)

    def _get_link(self):
        return self._get_html_link(title=self.env._(
            "case of %(date)s", date=format_date(self.env, self.opened_date)))
