"""Whom a care plan meets on a day: one statement for the night and for its preview.

An *occasion* is what makes a customer meet a plan once: while it lasts, its key stays the same, whatever night it is.
Of who is silent it is the silence (the last purchase), since a fit may move status and deadlines to and fro meanwhile.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .customer_care_plan import NEEDS

SILENT = ("at_risk", "dormant", "lost")
ANNIVERSARY_GRACE = 6  # days: nights may be missed
NO_JOIN = SQL()
CONTACT = SQL(
    """LEFT JOIN LATERAL (
           SELECT max(m.date)::date AS date
             FROM (SELECT 'res.partner' AS model, id FROM res_partner WHERE commercial_partner_id = p.partner_id
                    UNION ALL
                   SELECT 'customer.churn.case', id FROM customer_churn_case WHERE partner_id = p.partner_id) d
             JOIN mail_message m ON m.model = d.model AND m.res_id = d.id
             LEFT JOIN mail_message_subtype s ON s.id = m.subtype_id
            WHERE m.mail_activity_type_id IS NOT NULL
               OR (m.message_type IN ('comment', 'email', 'email_outgoing') AND s.internal IS NOT TRUE)
       ) contact ON TRUE""")
ANSWER = SQL(
    """JOIN LATERAL (
           SELECT a.id, a.date::date AS date, a.reason_id, a.category FROM customer_churn_reason_answer a
            WHERE a.company_id = p.company_id AND a.partner_id = p.partner_id AND NOT a.is_undone
            ORDER BY a.id DESC LIMIT 1
       ) answer ON TRUE""")


class CustomerCarePlan(models.Model):
    _inherit = "customer.care.plan"

    when = fields.Char(string="When, in Words", compute="_compute_when", help="The trigger with what belongs to it.")

    @api.depends("trigger", "status", "deadline", "days", "reason_id", "reason_category")
    @api.depends_context("lang")
    def _compute_when(self):
        words = {name: dict(self._fields[name]._description_selection(self.env))
                 for name in ("trigger", "status", "deadline", "reason_category")}
        for plan in self:
            needs = ("reason_category",) if plan.trigger == "reason_recorded" else NEEDS.get(plan.trigger, ())
            what = [words[name].get(plan[name]) for name in needs if name in words]
            if plan.trigger == "reason_recorded" and plan.reason_id:
                what = [plan.reason_id.name]
            if "days" in needs:
                what.append(self.env._("%(days)s days", days=plan.days))
            plan.when = self.env._("%(trigger)s: %(what)s", trigger=words["trigger"].get(plan.trigger, ""),
                                   what=", ".join(filter(None, what))) if what else words["trigger"].get(plan.trigger)

    def _choose(self, date, taken=()):
        """Whom the plan meets on the night of `date`, dearest first, within what is left of each person's capacity
        of the week. Who is left alone is drawn among the same customers, and takes no capacity.

        :param taken: ids of customers whom other plans meet before, on the same night
        :return: rows with `id` of the profile, `partner_id`, `case_id`, `user_id`, `occasion`, `is_control`
        """
        self.env.flush_all()
        monday = date - timedelta(days=date.weekday())
        return self.env.execute_query_dict(SQL(
            """
            WITH candidate AS MATERIALIZED (%(candidates)s),
                 fresh AS (
                SELECT *, %(draw)s < %(control_share)s AS is_control FROM candidate c
                 WHERE NOT EXISTS (SELECT FROM customer_care_treatment t
                                    WHERE t.plan_id = %(plan)s AND t.partner_id = c.partner_id
                                      AND t.occasion = c.occasion)
                   AND c.partner_id <> ALL(%(taken)s) AND NOT %(busy)s),
                 used AS (
                SELECT COALESCE(user_id, 0) AS user_id, count(*) FROM customer_care_treatment
                 WHERE plan_id = %(plan)s AND date >= %(monday)s AND NOT is_control GROUP BY 1),
                 ranked AS (
                SELECT *, count(*) FILTER (WHERE NOT is_control) OVER (
                       PARTITION BY user_id ORDER BY revenue_at_stake DESC NULLS LAST, id
                       ROWS UNBOUNDED PRECEDING) - CASE WHEN is_control THEN 0 ELSE 1 END AS before
                  FROM fresh)
            SELECT ranked.id, partner_id, case_id, ranked.user_id, occasion, is_control
              FROM ranked LEFT JOIN used ON used.user_id = COALESCE(ranked.user_id, 0)
             WHERE before < %(capacity)s - COALESCE(used.count, 0)
             ORDER BY revenue_at_stake DESC NULLS LAST, ranked.id
            """,
            candidates=self._candidates_sql(date), draw=self._draw_sql(SQL("c.partner_id"), SQL("c.occasion")),
            control_share=self.control_share, plan=self.id, monday=monday, capacity=self.capacity_per_week,
            taken=list(taken), busy=self._busy_sql(SQL("c.partner_id"), date)))

    def _draw_sql(self, customer, occasion):
        """A number in [0, 100) that is fixed for a plan, a customer and an occasion: the first 32 bits of their MD5."""
        return SQL(
            "('x' || substr(md5(concat_ws(':', %s, %s, %s)), 1, 8))::bit(32)::bigint / 42949672.96",
            self.id, customer, occasion)

    def _candidates_sql(self, date):
        """The customers who are in an occasion of the plan on `date`, met before or not."""
        join, condition, occasion = getattr(self, f"_on_{self.trigger}")(date)
        company = self.company_id
        conditions = [
            SQL("p.company_id = %s AND partner.active", company.id), condition,
            SQL("p.id IN %s", self.env["customer.churn.profile"]._search(self._get_domain()).subselect())]
        if self.stop_on_dispute:
            # sudo: whoever looks at the plan beforehand need not read journal items; only who is left out is known
            held = self.env["customer.churn.run"].sudo()._get_held_partners(company)
            conditions.append(SQL("p.partner_id <> ALL(%s)", held.ids))
        if self.stop_on_opt_out or not self.activity_plan_id:  # who opted out can be met by activities only
            conditions.append(SQL(
                "NOT EXISTS (SELECT FROM mail_blacklist b WHERE b.active AND b.email = partner.email_normalized)"))
        reachable = SQL("FALSE") if self.activity_plan_id else SQL(
            "(partner.email_normalized IS NOT NULL AND COALESCE(partner.message_bounce, 0) = 0)")
        conditions.append(SQL("(%s OR %s IS NOT NULL)", reachable, self._responsible_sql()))
        return SQL(
            """SELECT p.id, p.partner_id, p.revenue_at_stake, k.id AS case_id, %(user)s AS user_id,
                      (%(occasion)s)::varchar AS occasion
                 FROM customer_churn_profile p
                 JOIN res_partner partner ON partner.id = p.partner_id
                 LEFT JOIN customer_churn_case k
                        ON k.company_id = p.company_id AND k.partner_id = p.partner_id AND k.state = 'open'
                 %(join)s
                WHERE %(conditions)s""",
            user=self._responsible_sql(), occasion=occasion, join=join, conditions=SQL(" AND ").join(conditions))

    def _responsible_sql(self):
        """SQL of who is responsible: as for cases, the salesperson, the team's leader or the fallback."""
        Case, company = self.env["customer.churn.case"], self.company_id
        salesperson, customer = SQL("p.user_id"), SQL("p.partner_id")
        owner = Case._owner_sql(company, salesperson, customer)
        if self.responsible == "case_owner":
            return SQL("COALESCE(k.user_id, %s)", owner)
        chosen = {
            "user": [SQL("%s::int", self.user_id.id or None)],
            "team_leader": Case._leaders_sql(salesperson, customer),
        }.get(self.responsible, [])
        at_work = Case._get_at_work(company)
        first = [SQL("CASE WHEN %(user)s = ANY(%(at_work)s) THEN %(user)s END", user=user, at_work=at_work)
                 for user in chosen]
        return SQL("COALESCE(%s)", SQL(", ").join([*first, owner]))

    # ------------------------------------------------------------------ triggers: (join, condition, key)
    def _status_key(self):
        since = SQL("p.last_purchase_date" if self.status in SILENT else "p.status_date")
        return SQL("concat_ws(':', p.status, %s)", since)

    def _on_status_entered(self, date):
        return NO_JOIN, SQL("p.status = %s AND p.status_date <= %s", self.status, date), self._status_key()

    def _on_days_in_status(self, date):
        since = date - timedelta(days=self.days)
        return NO_JOIN, SQL("p.status = %s AND p.status_date <= %s", self.status, since), self._status_key()

    def _on_before_deadline(self, date):
        deadline = SQL.identifier("p", f"{self.deadline}_date")
        near = SQL("%s > %s AND %s <= %s", deadline, date, deadline, date + timedelta(days=self.days))
        return NO_JOIN, near, SQL("concat_ws(':', %s, p.last_purchase_date)", self.deadline)

    def _on_anniversary(self, date):
        years = SQL(
            """JOIN LATERAL (
                   SELECT n, (p.first_purchase_date + make_interval(years => n))::date AS date
                     FROM generate_series(
                          extract(year FROM %(date)s::date)::int - extract(year FROM p.first_purchase_date)::int - 1,
                          extract(year FROM %(date)s::date)::int - extract(year FROM p.first_purchase_date)::int) n
               ) anniversary ON anniversary.n > 0 AND anniversary.date <= %(date)s AND anniversary.date >= %(since)s""",
            date=date, since=date - timedelta(days=ANNIVERSARY_GRACE))
        return years, SQL("TRUE"), SQL("anniversary.n")

    def _on_no_contact(self, date):
        last = SQL("COALESCE(contact.date, p.first_purchase_date)")
        return CONTACT, SQL("%s <= %s", last, date - timedelta(days=self.days)), last

    def _on_reason_recorded(self, date):
        conditions = [SQL("answer.date <= %s AND p.last_purchase_date <= answer.date", date)]
        if self.reason_id:
            conditions.append(SQL("answer.reason_id = ANY(%s)", (self.reason_id | self.reason_id.child_ids).ids))
        if self.reason_category:
            conditions.append(SQL("answer.category = %s", self.reason_category))
        return ANSWER, SQL(" AND ").join(conditions), SQL("answer.id")
