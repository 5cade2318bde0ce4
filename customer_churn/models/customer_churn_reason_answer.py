"""Every reason that was ever given. What case, event and profile show is the last answer that stands: so a changed
reason keeps its history, and taking an answer back restores what stood before."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .customer_churn_profile import VALUE_CLASS
from .customer_churn_run import MANAGER
from .customer_churn_status_mixin import STATUS


class CustomerChurnReasonAnswer(models.Model):
    _name = "customer.churn.reason.answer"
    _inherit = "customer.churn.status.mixin"
    _description = "Reason Given"
    _order = "id desc"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True, ondelete="set null")
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="company_id.currency_id")
    case_id = fields.Many2one("customer.churn.case", readonly=True, index="btree_not_null", ondelete="cascade")
    event_id = fields.Many2one("customer.churn.event", string="Status Change", readonly=True, ondelete="set null")
    author_id = fields.Many2one("res.users", string="Answered By", readonly=True, default=lambda self: self.env.user)
    date = fields.Datetime(readonly=True, required=True, default=fields.Datetime.now, index=True)
    reason_id = fields.Many2one(
        "customer.churn.reason", readonly=True, index="btree_not_null", ondelete="restrict",
        help="Empty: the reason was taken away.")
    root_id = fields.Many2one(related="reason_id.root_id", string="Main Reason", store=True)
    category = fields.Selection(related="reason_id.category", store=True)
    avoidable = fields.Boolean(related="reason_id.avoidable", store=True)
    avoidable_share = fields.Float(
        compute="_compute_avoidable_share", store=True, aggregator="avg",
        help="Of the answers, those that name an avoidable reason.")
    competitor_id = fields.Many2one("res.partner", readonly=True, index="btree_not_null", ondelete="restrict")
    note = fields.Text(readonly=True)
    evidence = fields.Binary(attachment=True, readonly=True, help="Kept once, with the first answer of a batch.")
    evidence_name = fields.Char(readonly=True)
    evidence_answer_id = fields.Many2one(
        "customer.churn.reason.answer", string="Evidence With", readonly=True, ondelete="set null",
        help="The answer that the evidence is kept with: of this batch, or an earlier one for the same case.")
    status = fields.Selection(STATUS, readonly=True, help="The customer's status when the answer was given.")
    value_class = fields.Selection(VALUE_CLASS, readonly=True)
    revenue_at_stake = fields.Monetary(
        string="Revenue at Stake", readonly=True, help="When the answer was given.")
    batch_id = fields.Many2one(
        "customer.churn.reason.answer", string="Given Together With", readonly=True, index=True, ondelete="cascade",
        help="The first of the answers that were given in one go.")
    together_ids = fields.One2many(
        related="batch_id.batch_member_ids", string="Given Together", related_sudo=False)
    batch_member_ids = fields.One2many("customer.churn.reason.answer", "batch_id", string="Answers of the Batch")
    is_undone = fields.Boolean(string="Taken Back", required=True, readonly=True, default=False)
    is_current = fields.Boolean(
        string="Stands", readonly=True, help="The last answer for this case or, without a case, this change of status.")
    activity_ids = fields.Many2many("mail.activity", string="Activities Scheduled", readonly=True)

    @api.depends("reason_id.avoidable")
    def _compute_avoidable_share(self):
        for answer in self:
            answer.avoidable_share = 1 if answer.reason_id.avoidable else 0

    # ------------------------------------------------------------------ taking it back
    def action_undo(self):
        """Take back all answers of the batch: case, event and profile show what stood before."""
        self.check_access("read")
        # sudo: a batch is taken back as a whole, customers that were handed on since too; the right is checked here
        answers = self.sudo().batch_id
        answers = answers.search([("batch_id", "in", answers.ids)])
        if not self.env.user.has_group(MANAGER) and answers.author_id != self.env.user:
            raise UserError(self.env._("Only who gave these answers, or a manager, may take them back. Ask one."))
        # sudo: the companies that are not the user's are named
        if others := answers.company_id - self.env.user.sudo().company_ids:
            raise UserError(self.env._(
                "These answers were given for %(companies)s too, and are taken back as a whole. Ask a manager who "
                "works there as well.", companies=", ".join(others.mapped("name"))))
        answers._check_undo()
        answers.is_undone = True
        answers._settle()

    def _check_undo(self):
        if all(answer.is_undone for answer in self):
            raise UserError(self.env._("These answers were taken back already."))
        later = self.search([("id", "not in", self.ids), ("id", ">", max(self.ids)), ("is_undone", "=", False),
                             ("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids)])
        mine = {(answer.company_id, answer.partner_id) for answer in self}
        again = later.filtered(lambda answer: (answer.company_id, answer.partner_id) in mine)
        if again:
            raise UserError(self.env._(
                "%(customers)s: answered again since. Nothing was taken back. Take back the later answers first.",
                customers=", ".join(again.partner_id.mapped("display_name"))))

    # ------------------------------------------------------------------ what stands
    @api.model
    def _get_last(self, cases, before=None):
        """{case id: its last answer that stands}, of those with an id below `before`"""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT DISTINCT ON (case_id) case_id, id FROM customer_churn_reason_answer
                WHERE case_id = ANY(%s) AND NOT is_undone AND (%s::int IS NULL OR id < %s)
                ORDER BY case_id, id DESC""", cases.ids, before, before))
        # sudo: what was answered for a case is seen by who sees the case
        answers = self.sudo().browse([answer for _case, answer in rows])
        return {case: answer for (case, _id), answer in zip(rows, answers, strict=True)}

    def _settle(self):
        """The last answers that stand are the reasons of cases, events and profiles, and say what is planned."""
        self._settle_cases(self.case_id)
        for company in self.company_id:
            self._sync(company, self.filtered(lambda answer: answer.company_id == company).partner_id)  # noqa: B023
        self._follow_plans()

    @api.model
    def _settle_cases(self, cases):
        last = self._get_last(cases)
        by_values = {}
        for case in cases:
            given = last.get(case.id, self.browse())._get_given()
            by_values.setdefault(tuple(given.items()), []).append(case.id)
        for given, ids in by_values.items():
            # sudo: the right to answer was checked, and the values are those of the answers
            self.env["customer.churn.case"].sudo().browse(ids).write(dict(given))

    def _get_given(self):
        return {"reason_id": self.reason_id.id, "competitor_id": self.competitor_id.id, "note": self.note or False}

    @api.model
    def _sync(self, company, customers=None):
        """Profiles and events of a company show the last answers; a night does it for those that were made again."""
        self.env.flush_all()
        of = SQL("a.company_id = %s", company.id)
        if customers is not None:
            of = SQL("%s AND a.partner_id = ANY(%s)", of, customers.ids)
        self.env.cr.execute(SQL(
            """UPDATE customer_churn_reason_answer a SET is_current = s.is_current
                 FROM (SELECT id, NOT is_undone AND reason_id IS NOT NULL AND id = max(id) FILTER (
                              WHERE NOT is_undone) OVER (
                              PARTITION BY partner_id, case_id, CASE WHEN case_id IS NULL THEN event_id END
                              ) AS is_current
                         FROM customer_churn_reason_answer a WHERE %s) s
                WHERE s.id = a.id AND a.is_current IS DISTINCT FROM s.is_current""", of))
        for table, target, key in (("customer_churn_event", "id", "event_id"),
                                   ("customer_churn_profile", "partner_id", "partner_id")):
            self.env.cr.execute(SQL(
                """UPDATE %(table)s t SET reason_id = s.reason_id
                     FROM (SELECT DISTINCT ON (%(key)s)
                                  %(key)s AS key, CASE WHEN NOT is_undone THEN reason_id END AS reason_id
                             FROM customer_churn_reason_answer a WHERE %(of)s
                            ORDER BY %(key)s, is_undone, id DESC) s
                    WHERE t.%(target)s = s.key AND t.company_id = %(company)s
                      AND t.reason_id IS DISTINCT FROM s.reason_id""",
                table=SQL.identifier(table), target=SQL.identifier(target), key=SQL.identifier("a", key), of=of,
                company=company.id))
        self.env.invalidate_all(flush=False)
