"""What a night does with cases, set-based: moves them with their customers, closes those that the ledger answers
(customer_churn_case_ledger.py), hands on those without an owner at work, and opens new ones, dearest first, within each
owner's weekly capacity."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL
from psycopg2.errors import UniqueViolation


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    @api.model
    def _follow_up(self, run):
        """The cases of a run's company, after its profiles are fresh.

        :return: number of cases opened
        """
        cases = self.with_context(tracking_disable=True)  # what happened is said in one sentence, and mailed to nobody
        self.env["customer.churn.reason.answer"]._sync(run.company_id)
        cases._move_with_customers(run)
        cases._reopen_refuted(run)
        cases._close_answered(run)
        cases._reassign(run)
        opened = cases._open_due(run)
        cases._fill_pool(run)
        return len(opened)

    # ------------------------------------------------------------------ customers that became others
    @api.model
    def _move_with_customers(self, run):
        """The open cases of contacts that belong to another customer now go to that one."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT c.commercial_partner_id, k.id FROM customer_churn_case k JOIN res_partner c ON c.id = k.partner_id
                WHERE k.company_id = %s AND k.state = 'open' AND c.commercial_partner_id <> c.id ORDER BY k.id""",
            run.company_id.id))
        for target, case in rows:
            self.browse(case)._move_to(self.env["res.partner"].browse(target), run)

    def _move_to(self, customer, run):
        """This open case, or the one that the customer has already; then this one is closed and says so."""
        self.ensure_one()
        other = self.search([("partner_id", "=", customer.id), ("company_id", "=", self.company_id.id),
                             ("state", "=", "open")], limit=1)
        if other:
            return self._close_double(other, run)
        self._message_log_batch({self.id: self.env._(
            "%(old)s belongs to %(new)s now: the case moved along.", old=self.partner_id.display_name,
            new=customer.display_name)})
        self.partner_id = customer
        self._hand_answers(self)
        self.env.flush_all()

    def _close_double(self, other, run=None):
        self._close("false_alarm", run)
        self._hand_answers(other)
        self._message_log_batch({self.id: self.env._(
            "The customer became one with that of another case: go on in the %(case)s.", case=other._get_link())})
        other._message_log_batch({other.id: self.env._(
            "The customer became one with that of the %(case)s, which is closed.", case=self._get_link())})

    def _hand_answers(self, case):
        """What was answered for this case is for `case` and its customer, where the last answer stands."""
        answers = self.answer_ids
        answers.write({"case_id": case.id, "partner_id": case.partner_id.id})
        answers._settle_cases(self - case)
        answers._settle()

    @api.model
    def _merge_customers(self, sources, customer):
        """Before contacts are merged: of two open cases of a company the older goes on."""
        cases = self.with_context(tracking_disable=True).search(
            [("partner_id", "in", (sources | customer).ids), ("state", "=", "open")], order="opened_date, id")
        for same_company in cases.grouped("company_id").values():
            for younger in same_company[1:]:
                younger._close_double(same_company[0])
        self.env.flush_all()

    # ------------------------------------------------------------------ in words
    def _say(self, sentence):
        """Log one sentence in each chatter, in the owner's language; `sentence` takes the case."""
        for lang, cases in self.grouped(lambda case: case._get_lang()).items():
            said = cases.with_context(lang=lang)
            said._message_log_batch({case.id: sentence(case) for case in said})

    def _get_lang(self):
        return (self.user_id or self.company_id).partner_id.lang or self.env.lang

    # ------------------------------------------------------------------ new ones
    @api.model
    def _open_due(self, run):
        self.env.flush_all()
        rows = self.env.execute_query(self._due_sql(run))
        profiles = self.env["customer.churn.profile"].browse([profile for profile, _owner in rows])
        vals_list = [
            {**self._prepare_case_vals(profile), "user_id": owner, "assigned_user_id": owner, "run_id": run.id,
             "opened_date": run.date}
            for profile, (_id, owner) in zip(profiles, rows, strict=True)]
        return self._open_all(vals_list)

    @api.model
    def _due_sql(self, run):
        """Profiles that are due for a case, each with its owner: newly at risk or dormant, dearest first, within
        what is left of each owner's capacity of the week."""
        monday = run.date - timedelta(days=run.date.weekday())
        return SQL(
            """
            WITH used AS (
                SELECT user_id, count(*) FROM customer_churn_case
                 WHERE company_id = %(company)s AND opened_date >= %(monday)s AND run_id IS NOT NULL GROUP BY user_id),
                 full_up AS (SELECT user_id FROM used WHERE count >= %(capacity)s),
                 candidate AS MATERIALIZED (
                SELECT p.id, p.partner_id, p.status_date, p.last_purchase_date, p.revenue_at_stake,
                       %(owner)s AS owner_id
                  FROM customer_churn_profile p LEFT JOIN customer_churn_policy policy ON policy.id = p.policy_id
                 WHERE p.company_id = %(company)s AND p.status IN ('at_risk', 'dormant')
                   AND CASE p.status WHEN 'at_risk' THEN COALESCE(policy.case_at_risk, TRUE)
                                     ELSE COALESCE(policy.case_dormant, TRUE) END),
                 ranked AS (
                SELECT *, row_number() OVER (
                       PARTITION BY owner_id ORDER BY revenue_at_stake DESC NULLS LAST, id) AS place
                  FROM candidate p
                 WHERE COALESCE(owner_id, 0) NOT IN (SELECT COALESCE(user_id, 0) FROM full_up)
                   AND NOT EXISTS (
                       SELECT FROM customer_churn_case k
                        WHERE k.company_id = %(company)s AND k.partner_id = p.partner_id
                          AND (k.state = 'open' OR k.opened_date >= p.status_date
                               OR (k.outcome IN ('lost', 'written_off') AND k.closed_date >= p.last_purchase_date))))
            SELECT ranked.id, owner_id FROM ranked LEFT JOIN used ON COALESCE(user_id, 0) = COALESCE(owner_id, 0)
             WHERE place <= %(capacity)s - COALESCE(used.count, 0)
             ORDER BY revenue_at_stake DESC NULLS LAST, ranked.id
            """,
            owner=self._owner_sql(run.company_id, SQL("p.user_id"), SQL("p.partner_id")), company=run.company_id.id,
            monday=monday, capacity=run.company_id.churn_case_capacity)

    @api.model
    def _prepare_case_vals(self, profile):
        """What a case keeps of the customer's profile as it is at the opening; other addons add theirs."""
        return {
            "company_id": profile.company_id.id, "partner_id": profile.partner_id.id, "trigger_status": profile.status,
            "silent_since": profile.last_purchase_date, "value_class": profile.value_class,
            "revenue_at_stake": profile.revenue_at_stake,
        }

    @api.model
    def _open_all(self, vals_list):
        """Open cases in one go; where somebody opened one by hand meanwhile, all the others."""
        quiet = self.with_context(tracking_disable=True)
        try:
            with self.env.cr.savepoint():
                cases = quiet.create(vals_list)
                self.env.flush_all()
        except UniqueViolation:
            cases = quiet.browse().union(*(quiet._open_one(vals) for vals in vals_list))
        cases._follow({case: case.user_id for case in cases})
        cases._say(lambda case: case.env._("Opened: %(explanation)s", explanation=case.explanation or ""))
        return cases

    @api.model
    def _open_one(self, vals):
        try:
            with self.env.cr.savepoint():
                case = self.create(vals)
                self.env.flush_all()
                return case
        except UniqueViolation:
            return self.browse()
