"""A rule that schedules activities or sends messages for customers that meet it: when, among whom, what, for whom, how
many, and how many are left alone to measure what it brings."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from .customer_churn_reason import CATEGORY
from .customer_churn_status_mixin import STATUS

TRIGGER = [
    ("status_entered", "A customer becomes"),
    ("days_in_status", "A customer has been for some days"),
    ("before_deadline", "A customer is about to become"),
    ("anniversary", "The first purchase was some years ago today"),
    ("no_contact", "Nobody has been in touch for some days"),
    ("reason_recorded", "A reason was recorded"),
]
RESPONSIBLE = [
    ("salesperson", "Salesperson"),
    ("case_owner", "Owner of the Case"),
    ("team_leader", "Team Leader"),
    ("user", "A Colleague"),
]
DEADLINE = [("at_risk", "At Risk"), ("dormant", "Dormant"), ("lost", "Lost")]
NEEDS = {  # trigger -> the fields that it needs
    "status_entered": ("status",),
    "days_in_status": ("status", "days"),
    "before_deadline": ("deadline", "days"),
    "no_contact": ("days",),
}
MAX_DAYS = 3650  # beyond a date's range, one plan's days would stop the nights of all
RECORDS = ("customer.churn.case", "res.partner")  # what activities may be planned for


class CustomerCarePlan(models.Model):
    _name = "customer.care.plan"
    _description = "Customer Care Plan"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(string="In Use", default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True, ondelete="cascade",
        copy=False)  # a copy is for the company at hand

    trigger = fields.Selection(TRIGGER, string="When", required=True, default="status_entered")
    status = fields.Selection(STATUS, default="at_risk")
    deadline = fields.Selection(DEADLINE, default="dormant")
    days = fields.Integer(default=14)
    reason_id = fields.Many2one("customer.churn.reason", ondelete="restrict", help="With the reasons below it.")
    reason_category = fields.Selection(CATEGORY)
    domain = fields.Char(string="Among", help="Which customers; empty for all.")
    matching_count = fields.Integer(compute="_compute_matching_count", help="Customers the plan may meet one day.")

    activity_plan_id = fields.Many2one(
        "mail.activity.plan", check_company=True, domain=[("res_model", "in", RECORDS)], ondelete="restrict",
        help="Its activities are scheduled on the customer's open case, or on the customer.")
    mail_template_id = fields.Many2one(
        "mail.template", string="Message", domain=[("model", "=", "res.partner")], ondelete="restrict",
        help="Sent in the customer's language. Who opted out gets none.")
    responsible = fields.Selection(RESPONSIBLE, string="For", required=True, default="salesperson")
    user_id = fields.Many2one(
        "res.users", string="Colleague", check_company=True, ondelete="restrict",
        domain=lambda self: self.env["res.company"]._churn_users_domain("company_id"))
    capacity_per_week = fields.Integer(
        string="At Most", required=True, default=10, help="New customers per person and week, dearest first.")
    quiet_days = fields.Boolean(
        string="Not on Days Off", default=True,
        help="Activities due on a weekend, or on a holiday where the company's calendar has it, wait for the next "
             "working day.")
    escalate_after_days = fields.Integer(
        string="Escalate After (Days)", help="Activities that are so late go to somebody else, once. 0: never.")
    escalate_user_id = fields.Many2one(
        "res.users", string="Escalate To", check_company=True, ondelete="restrict", help="Empty: the team leader.",
        domain=lambda self: self.env["res.company"]._churn_users_domain("company_id"))
    control_share = fields.Float(
        string="Left Alone (%)", default=0,
        help="So many of a hundred customers are left alone, drawn by a fixed rule: what becomes of them shows what "
             "the plan brings.")
    measure_days = fields.Integer(
        required=True, default=90, help="A purchase within so many days counts, of treated and left alone alike.")
    stop_on_purchase = fields.Boolean(string="Stop When Bought Again", default=True)
    stop_on_case_closed = fields.Boolean(string="Stop When the Case Is Closed", default=True)
    stop_on_opt_out = fields.Boolean(
        string="Stop When Opted Out", help="Off: who opted out gets no message, but activities all the same.")
    stop_on_dispute = fields.Boolean(string="Not While Invoices Are Disputed")

    treatment_ids = fields.One2many("customer.care.treatment", "plan_id")
    treatment_count = fields.Integer(compute="_compute_treatment_count")
    error = fields.Text(readonly=True, copy=False, help="Why the last night failed.")

    # ------------------------------------------------------------------ computes
    @api.depends("treatment_ids")
    def _compute_treatment_count(self):
        counts = dict(self.env["customer.care.treatment"]._read_group(
            [("plan_id", "in", self.ids)], ["plan_id"], ["__count"]))
        for plan in self:
            plan.treatment_count = counts.get(plan, 0)

    @api.depends("domain", "company_id")
    def _compute_matching_count(self):
        for plan in self:
            plan.matching_count, _fault = plan._count_matching()  # the fault is said when it is saved

    def _count_matching(self):
        """(how many customers meet the condition, None), or 0 with why it cannot be looked up."""
        try:
            with self.env.cr.savepoint(flush=False):
                # sudo: none, even where the code that writes has it; at night it is looked up under all rights
                return self.env["customer.churn.profile"].sudo(False).search_count(self._get_domain()), None
        except Exception as error:  # any text may stand there, and all its faults have the same remedy
            return 0, error if isinstance(error, ValidationError) else self._refuse_domain(error)

    def _get_domain(self):
        """The condition on customer.churn.profile, of the company; ValidationError naming the plan where it is none."""
        self.ensure_one()
        try:
            domain = Domain(safe_eval(self.domain or "[]"))
            domain.validate(self.env["customer.churn.profile"])
        except Exception as error:  # any text may stand there, and all its faults have this remedy
            raise self._refuse_domain(error) from error
        return domain & Domain("company_id", "=", self.company_id.id)

    def _refuse_domain(self, error):
        return ValidationError(self.env._(
            "Care plan %(plan)s: its condition is not one on customers (%(error)s). Build it again in the plan's "
            "form.", plan=self.name, error=str(error).split("\n", 1)[0]))

    # ------------------------------------------------------------------ what is refused
    def _refuse(self, sentence, **names):
        return ValidationError(self.env._("Care plan %(plan)s: %(fault)s", plan=self.name, fault=sentence % names))

    @api.constrains("activity_plan_id", "mail_template_id", "company_id")  # the company: asked of every new plan
    def _check_action(self):
        for plan in self:
            steps, template = plan.activity_plan_id, plan.mail_template_id
            if not steps and not template:
                raise plan._refuse(self.env._("it does nothing. Choose an activity plan, a message, or both."))
            if template and template.model != "res.partner":
                raise plan._refuse(self.env._(
                    "the message %(template)s is written for another kind of record. Choose one for contacts."),
                    template=template.name)
            if steps and steps.res_model not in RECORDS:
                raise plan._refuse(self.env._(
                    "the activity plan %(steps)s is for another kind of record. Choose one for cases or contacts."),
                    steps=steps.name)
            if steps and not steps.template_ids:
                raise plan._refuse(self.env._("the activity plan %(steps)s has no activity. Add one."),
                                   steps=steps.name)

    @api.constrains("trigger", "status", "deadline", "days", "reason_id", "reason_category")
    def _check_trigger(self):
        for plan in self:
            for name in NEEDS.get(plan.trigger, ()):
                if not plan[name] or (name == "days" and not 0 < plan.days <= MAX_DAYS):
                    raise plan._refuse(
                        self.env._("%(field)s is needed for this trigger, and days must be 1 to %(most)s."),
                        field=self._fields[name]._description_string(self.env), most=MAX_DAYS)
            if plan.trigger == "reason_recorded" and not (plan.reason_id or plan.reason_category):
                raise plan._refuse(self.env._("say which reason, or which category of reasons."))

    @api.constrains("capacity_per_week", "control_share", "measure_days", "escalate_after_days")
    def _check_numbers(self):
        for plan in self:
            if plan.capacity_per_week < 1:
                raise plan._refuse(self.env._(
                    "at most %(count)s customers a week is nobody. Give at least 1, or archive the plan."),
                    count=plan.capacity_per_week)
            if not 0 <= plan.control_share <= 100:
                raise plan._refuse(self.env._("%(share)g %% cannot be left alone. Give 0 to 100."),
                                   share=plan.control_share)
            if not 1 <= plan.measure_days <= MAX_DAYS:
                raise plan._refuse(self.env._("measure 1 to %(most)s days."), most=MAX_DAYS)
            if not 0 <= plan.escalate_after_days <= MAX_DAYS:
                raise plan._refuse(self.env._("escalate after 1 to %(most)s days, or give 0 for never."), most=MAX_DAYS)

    @api.constrains("responsible", "user_id", "escalate_user_id")
    def _check_user(self):
        for plan in self:
            colleague = plan.user_id if plan.responsible == "user" else self.env["res.users"]
            if plan.responsible == "user" and not colleague:
                raise plan._refuse(self.env._("say which colleague is responsible."))
            if strangers := (colleague | plan.escalate_user_id) - plan.company_id._get_churn_users():
                raise plan._refuse(self.env._(
                    "%(users)s cannot work with its customers. Choose active users of the company with access to "
                    "Customer Retention, or give the access first."), users=", ".join(strangers.mapped("name")))

    @api.constrains("domain", "active")
    def _check_domain(self):
        for plan in self:
            count, fault = plan._count_matching()
            if fault:
                raise fault
            if not count and plan.active and self.env["customer.churn.profile"].search_count(
                    [("company_id", "=", plan.company_id.id)], limit=1):
                raise plan._refuse(self.env._(
                    "none of today's customers meets its condition. Build it again, or keep the plan unused until "
                    "somebody does."))

    @api.model
    def _take_over_shipped(self, company, is_new):
        """The shipped plans are the first company's; each other company has its own from its first analysis on.

        :param bool is_new: whether this is that analysis
        """
        # sudo: plans of another company are read, and none is changed
        plans = self.sudo().with_context(active_test=False)
        if is_new and not plans.search_count([("company_id", "=", company.id)], limit=1):
            shipped = plans.env["ir.model.data"].search([("module", "=", "customer_churn"), ("model", "=", self._name)])
            plans.browse(shipped.mapped("res_id")).exists().copy({"company_id": company.id})

    def copy_data(self, default=None):
        """Not in use until it is chosen: it would meet the customers of the first one again."""
        return super().copy_data({"active": False, **(default or {})})

    @api.ondelete(at_uninstall=False)
    def _refuse_deletion_of_used(self):
        # sudo: treatments out of this user's sight are what the plan is measured by too
        used = self.env["customer.care.treatment"].sudo()._read_group([("plan_id", "in", self.ids)], ["plan_id"])
        if used:
            raise UserError(self.env._(
                "%(plans)s: customers met it, and what it brought must stay readable. Archive instead.",
                plans=", ".join(plan.name for [plan] in used)))

    # ------------------------------------------------------------------ buttons
    def action_preview(self):
        """Who would be treated tonight, or left alone; nobody is."""
        self.ensure_one()
        self.check_access("write")
        rows = self._choose_tonight(self._get_night())
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_profile_action")
        name = self.env._(
            "%(plan)s: tonight %(count)s, of whom %(control)s left alone", plan=self.name, count=len(rows),
            control=sum(row["is_control"] for row in rows))
        # without its id: loaded again, the page is the plan's form and not the list of all customers
        list_view = self.env.ref("customer_churn.customer_churn_profile_view_list_tonight")
        return {**action, "id": False, "name": name, "display_name": name, "path": False,
                "domain": [("id", "in", [row["id"] for row in rows])], "context": {"active_test": False},
                "views": [(list_view.id, "list"), (False, "form")], "help": self.env._(
                    "Nobody would be treated tonight. Whoever meets the condition was met already, is in the care of "
                    "another plan, or waits for the next week.")}

    def _get_night(self):
        """The company's day when the scheduled action looks next; today where it is late or switched off."""
        # sudo: scheduled actions are the administrators', and only its time is read
        cron = self.env["ir.cron"].sudo().search([
            ("id", "=", self.env["ir.model.data"]._xmlid_to_res_id("customer_churn.ir_cron_customer_care"))])
        get_today = self.env["customer.churn.run"]._get_today
        return max(get_today(self.company_id), get_today(self.company_id, cron.nextcall or None))

    def action_open_treatments(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_care_treatment_action")
        return {**action, "domain": [("plan_id", "=", self.id)], "context": {}}
