"""The pool of idle customers, where a company wants one. A customer that nobody touched for so many days while at risk
or dormant loses its owner, who was warned before, and whoever works in the company may claim it. In the pool is the
open case with a `pool_date`; what happened is kept in `customer.churn.pool.move`."""

from datetime import timedelta

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from .customer_churn_run import MANAGER
from .res_partner import USER


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    pool_date = fields.Date(
        string="In the Pool Since", readonly=True, index="btree_not_null",
        help="Nobody touched the customer: any salesperson may claim the case.")

    # ------------------------------------------------------------------ what users may write
    def write(self, vals):
        """A case leaves the pool by a claim, or as somebody gives it an owner or closes it."""
        self._check_pool_and_control(vals)
        pooled = self.filtered("pool_date") if "pool_date" not in vals else self.browse()
        result = super().write(vals)
        pooled.filtered(lambda case: case.user_id or case.state == "closed")._leave_pool()
        return result

    def _check_pool_and_control(self, vals):
        if self.env.su or self.env.user.has_group(MANAGER):
            return
        if "is_control" in vals:
            raise AccessError(self.env._(
                "Only managers decide which cases are left alone to measure. Ask one of them."))
        self._check_claimed()

    def _check_claimed(self):
        """Work on what is in the pool begins with claiming it."""
        if not self.env.su and not self.env.user.has_group(MANAGER) and (pooled := self.filtered("pool_date")):
            raise UserError(self.env._(
                "%(customers)s: in the pool. Claim the case first, or ask a manager.",
                customers=", ".join(pooled.partner_id.mapped("display_name"))))

    def action_close(self, outcome, reason=None):
        self._check_claimed()
        return super().action_close(outcome, reason)

    def _leave_pool(self):
        if self:
            today = fields.Date.context_today(self)
            # sudo: whoever gave the case an owner or closed it had the right to; the pool follows
            cases = self.sudo()
            cases._keep_moves(lambda case: {
                "kind": "returned", "date": case.closed_date or today, "to_user_id": case.user_id.id})
            cases.write({"pool_date": False})

    def _keep_moves(self, values):
        self.env["customer.churn.pool.move"].create([
            {"company_id": case.company_id.id, "partner_id": case.partner_id.id, "case_id": case.id, **values(case)}
            for case in self])

    # ------------------------------------------------------------------ claiming
    def action_claim(self):
        """The case is the reader's: at most so many a week, and not who lost it just now."""
        self.ensure_one()
        self.check_access("read")
        user, today = self.env.user, fields.Date.context_today(self)
        if not user.has_group(USER):
            raise AccessError(self.env._("Only users of Customer Retention claim customers. Ask one of them."))
        # sudo: a case in the pool is nobody's, and only read; all that gives a right to it is checked here
        case = self.sudo()
        case._lock_for_claim()
        case._check_in_pool()
        Move = case.env["customer.churn.pool.move"]
        Move._check_limit(user, case.company_id, today)
        Move._check_lockout(user, case, today)
        case._give_to(user, today)
        return self.get_formview_action()

    def _lock_for_claim(self):
        """Of two claims at once the second waits, is started again by the server, and then sees what the first did.
        The row of the user is written as it is: two claims of one person are counted one after the other."""
        self.env.flush_all()
        self.env.cr.execute(SQL("SELECT FROM customer_churn_case WHERE id = %s FOR UPDATE", self.id))
        self.env.cr.execute(SQL("UPDATE res_users SET write_date = write_date WHERE id = %s", self.env.uid))
        self.invalidate_recordset()

    def _check_in_pool(self):
        if self.pool_date and self.state == "open":
            return
        if self.state == "open" and self.user_id:
            raise UserError(self.env._(
                "%(customer)s is not in the pool any more: %(owner)s works the case now.",
                customer=self.partner_id.display_name, owner=self.user_id.name))
        raise UserError(self.env._(
            "%(customer)s is not in the pool. Choose another one from the list.",
            customer=self.partner_id.display_name))

    def _give_to(self, user, date):
        quiet = self.with_context(tracking_disable=True)
        last = self.env["customer.churn.pool.move"].search(
            [("case_id", "=", self.id), ("kind", "=", "pooled")], limit=1).from_user_id
        quiet.write({"user_id": user.id, "pool_date": False})
        quiet.activity_ids.filtered(lambda activity: activity.user_id == last).user_id = user
        if self.company_id.churn_pool_unassign and not self.partner_id.user_id:
            self.partner_id.user_id = user
        self._follow({self: user})
        self._keep_moves(lambda case: {"kind": "claimed", "date": date, "to_user_id": user.id})
        self._message_log_batch({self.id: self.env._("Claimed from the pool by %(new)s.", new=user.name)})

    # ------------------------------------------------------------------ the night
    @api.model
    def _fill_pool(self, run):
        """Warn the owners of customers that are idle soon, and take those that are from who was warned."""
        company = run.company_id
        if not company.churn_pool:
            return
        self.env.flush_all()
        rows = self.env.execute_query_dict(self._idle_sql(run))
        due = [row for row in rows if row["idle_days"] >= company.churn_pool_days and (
            not company.churn_pool_warn_days
            or row["warned"] and row["warned"] <= run.date - timedelta(days=company.churn_pool_warn_days))]
        self._warn([row for row in rows if not row["warned"] and row not in due], run)
        self._take(due, run)

    @api.model
    def _warn(self, rows, run):
        """One notification an owner, with all customers."""
        self.env["customer.churn.pool.move"].create([
            {"company_id": run.company_id.id, "partner_id": row["partner_id"], "case_id": row["case_id"],
             "kind": "warned", "date": run.date, "from_user_id": row["owner_id"]} for row in rows])
        by_owner = {}
        for row in rows:
            by_owner.setdefault(row["owner_id"], []).append(row)
        for owner, mine in by_owner.items():
            self._tell_idle(self.env["res.users"].browse(owner), mine, run)

    @api.model
    def _tell_idle(self, owner, rows, run):
        said = self.with_context(lang=owner.lang)
        profiles = said.env["customer.churn.profile"].browse([row["profile_id"] for row in rows])
        names = Markup("").join(Markup("<li>%s</li>") % said.env._(
            "%(customer)s: untouched for %(days)s days, into the pool from %(date)s on",
            customer=profile._get_html_link(title=profile.partner_id.display_name), days=row["idle_days"],
            date=format_date(said.env, run.company_id._get_pool_date(run.date, row["idle_days"])),
        ) for profile, row in zip(profiles, rows, strict=True))
        said.env["mail.thread"].message_notify(
            partner_ids=owner.partner_id.ids,
            subject=said.env._("Customers of yours that go into the pool soon: %(count)s", count=len(rows)),
            body=Markup("<p>%s</p><ul>%s</ul>") % (said.env._(
                "A call, a message or an activity done keeps them with you. Dearest first:"), names))

    @api.model
    def _take(self, rows, run):
        """Out of their owners' hands: each with an open case, which has none from now on."""
        missing = self.env["customer.churn.profile"].browse(
            [row["profile_id"] for row in rows if not row["case_id"]])
        self._open_all([
            {**self._prepare_case_vals(profile), "run_id": run.id, "opened_date": run.date} for profile in missing])
        owners = {row["partner_id"]: row for row in rows}
        cases = self.search([("company_id", "=", run.company_id.id), ("state", "=", "open"),
                             ("partner_id", "in", list(owners)), ("pool_date", "=", False)])
        Users = self.env["res.users"]
        cases._keep_moves(lambda case: {
            "kind": "pooled", "date": run.date, "from_user_id": owners[case.partner_id.id]["owner_id"]})
        cases._say(lambda case: case.env._(
            "Into the pool: nobody got in touch for %(days)s days. It was with %(old)s.",
            days=owners[case.partner_id.id]["idle_days"],
            old=Users.browse(owners[case.partner_id.id]["owner_id"]).name))
        cases.write({"user_id": False, "pool_date": run.date})
        if run.company_id.churn_pool_unassign:
            cases.partner_id.filtered(
                lambda customer: customer.user_id.id == owners[customer.id]["owner_id"]).user_id = False

    @api.model
    def _idle_sql(self, run):
        """Customers whom nobody touched for so long that their owner is to be warned: no purchase, no message of a
        colleague and no activity done, on the customer, its contacts or its cases; dearest first."""
        company = run.company_id
        latest = run.date - timedelta(days=company.churn_pool_days - company.churn_pool_warn_days)
        return SQL(
            """
            WITH long AS MATERIALIZED (%(long)s),
                 place AS (
                SELECT long.partner_id, 'res.partner' AS model, c.id AS res_id
                  FROM long JOIN res_partner c ON c.commercial_partner_id = long.partner_id
                UNION ALL SELECT partner_id, 'customer.churn.case', c.id
                  FROM long JOIN customer_churn_case c USING (company_id, partner_id)),
                 touch AS (
                SELECT place.partner_id, max(m.date)::date AS date
                  FROM place JOIN mail_message m USING (model, res_id)
                  JOIN res_users u ON u.partner_id = m.author_id AND NOT u.share
                 WHERE (m.message_type IN ('comment', 'email', 'email_outgoing') OR m.mail_activity_type_id IS NOT NULL)
                   AND m.date < %(date)s::date + 1 GROUP BY place.partner_id),
                 idle AS (
                SELECT long.*, GREATEST(since, touch.date) AS touched FROM long LEFT JOIN touch USING (partner_id))
            SELECT profile_id, partner_id, case_id, owner_id, %(date)s::date - touched AS idle_days,
                   (SELECT max(date) FROM customer_churn_pool_move m
                     WHERE m.company_id = idle.company_id AND m.partner_id = idle.partner_id AND m.kind = 'warned'
                       AND m.from_user_id = owner_id AND m.date > touched) AS warned
              FROM idle WHERE touched <= %(latest)s ORDER BY revenue_at_stake DESC NULLS LAST, profile_id
            """, long=self._long_quiet_sql(company, latest), date=run.date, latest=latest)

    @api.model
    def _long_quiet_sql(self, company, latest):
        """Customers of somebody, at risk or dormant, of whom the ledger and the cases tell nothing after `latest`: they
        came at risk, were opened or closed a case, or changed hands before. Who is left alone to measure, or given up,
        is not idle."""
        return SQL(
            """
            SELECT * FROM (
                SELECT p.id AS profile_id, p.company_id, p.partner_id, k.id AS case_id, p.revenue_at_stake,
                       COALESCE(k.user_id, p.user_id) AS owner_id,
                       GREATEST(p.last_purchase_date, LEAST(p.at_risk_date, p.dormant_date), last.opened_date,
                                last.closed_date, (
                           SELECT max(date) FROM customer_churn_pool_move m
                            WHERE m.company_id = p.company_id AND m.partner_id = p.partner_id AND m.kind <> 'warned'
                       )) AS since
                  FROM customer_churn_profile p
                  LEFT JOIN customer_churn_case k
                    ON k.company_id = p.company_id AND k.partner_id = p.partner_id AND k.state = 'open'
                  LEFT JOIN LATERAL (
                       SELECT max(opened_date) AS opened_date, max(closed_date) AS closed_date,
                              bool_or(outcome IN ('lost', 'written_off') AND closed_date >= p.last_purchase_date) AS up
                         FROM customer_churn_case c
                        WHERE c.company_id = p.company_id AND c.partner_id = p.partner_id) last ON TRUE
                 WHERE p.company_id = %s AND p.status IN ('at_risk', 'dormant')
                   AND k.pool_date IS NULL AND NOT COALESCE(k.is_control, FALSE)
                   AND (k.id IS NOT NULL OR NOT COALESCE(last.up, FALSE))) quiet
             WHERE owner_id IS NOT NULL AND since <= %s
            """, company.id, latest)
