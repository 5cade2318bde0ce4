"""Who works a case: the customer's salesperson, else the leader of the team, else the fallback of the settings -
whoever of these is at work and works for the company in this app (`_get_churn_users`). And what becomes of the cases of
who is not."""

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    @api.model
    def _owner_sql(self, company, salesperson, customer):
        """SQL of the owner that the rule gives to a customer; NULL where there is none.

        :param SQL salesperson: id of the customer's salesperson
        :param SQL customer: id of the customer
        """
        at_work = self._get_at_work(company)
        fallback = company.churn_case_fallback_user_id.id
        candidates = [salesperson, *self._leaders_sql(salesperson, customer)]
        return SQL(
            "CASE %s ELSE %s::int END",
            SQL(" ").join(SQL("WHEN %s = ANY(%s) THEN %s", user, at_work, user) for user in candidates),
            fallback if fallback in at_work else None)

    @api.model
    def _leaders_sql(self, salesperson, customer):
        """SQL of the leaders of the customer's sales team, where contacts have one, and of the salesperson's."""
        leaders, team = [], self.env["res.partner"]._fields.get("team_id")
        if "crm.team" in self.env and team and team.store:
            leaders.append(SQL(
                """(SELECT t.user_id FROM crm_team t JOIN res_partner c ON c.team_id = t.id
                     WHERE t.active AND c.id = %s)""", customer))
        if "crm.team" in self.env:
            leaders.append(SQL(
                """(SELECT t.user_id FROM crm_team t JOIN res_users s ON s.sale_team_id = t.id
                     WHERE t.active AND s.id = %s)""", salesperson))
        return leaders

    @api.model
    def _get_at_work(self, company):
        """Ids of those who may own cases of a company and are not on leave today, where time off is kept."""
        users = company._get_churn_users()
        if hasattr(users, "_get_on_leave_ids"):
            users -= users.browse(users._get_on_leave_ids())
        return users.ids

    @api.constrains("user_id")
    def _check_owner(self):
        for company, cases in self.grouped("company_id").items():
            company._check_churn_users(cases.user_id)

    # ------------------------------------------------------------------ a change of owner
    def write(self, vals):
        """Who was the owner is told no more of the case, and what is planned for him is the new owner's, whichever way
        the case changes hands."""
        former = {}
        if "user_id" in vals:
            former = {case.id: case.user_id for case in self if case.user_id and case.user_id.id != vals["user_id"]}
        result = super().write(vals)
        if former:
            # sudo: who handed the case on may be out of sight of it now
            self._part_from(former, self.sudo()[:1].user_id)
        return result

    @api.model
    def _part_from(self, former, owner):
        """`former` {case id: user}"""
        of_cases = [("res_model", "=", self._name), ("res_id", "in", list(former))]
        # sudo: whoever may hand a case on may do so with all that hangs on it
        env = self.sudo().with_context(mail_activity_quick_update=True).env
        env["mail.followers"].search([
            *of_cases, ("partner_id", "in", [user.partner_id.id for user in former.values()])]).filtered(
                lambda follower: follower.partner_id == former[follower.res_id].partner_id).unlink()
        if owner:
            env["mail.activity"].search([
                *of_cases, ("user_id", "in", [user.id for user in former.values()])]).filtered(
                    lambda activity: activity.user_id == former[activity.res_id]).write({"user_id": owner.id})

    @api.model
    def _get_owner(self, company, customer):
        """The owner that the rule gives to a customer of a company; nobody where there is none."""
        self.env.flush_all()
        [[owner]] = self.env.execute_query(SQL(
            "SELECT %s FROM res_partner c WHERE id = %s",
            self._owner_sql(company, SQL("c.user_id"), SQL("c.id")), customer.id))
        return self.env["res.users"].browse(owner)

    @api.model
    def _reassign(self, run):
        """Cases whose owner is not at work any more, or whose rule gives them to somebody else, are handed on."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT id, owner_id FROM (
                      SELECT k.id, k.user_id, k.assigned_user_id, k.revenue_at_stake, %(owner)s AS owner_id
                        FROM customer_churn_case k JOIN res_partner c ON c.id = k.partner_id
                       WHERE k.company_id = %(company)s AND k.state = 'open' AND k.pool_date IS NULL) k
                WHERE user_id IS DISTINCT FROM owner_id AND (
                      user_id <> ALL(%(at_work)s)
                   OR (user_id IS NOT DISTINCT FROM assigned_user_id AND assigned_user_id IS DISTINCT FROM owner_id))
                ORDER BY revenue_at_stake DESC, id""",
            owner=self._owner_sql(run.company_id, SQL("c.user_id"), SQL("c.id")), company=run.company_id.id,
            at_work=self._get_at_work(run.company_id)))
        by_owner = {}
        for case, owner in rows:
            by_owner.setdefault(owner, []).append(case)
        for owner, ids in by_owner.items():
            self.browse(ids)._hand_on(self.env["res.users"].browse(owner))

    def _hand_on(self, owner):
        """Give open cases to another owner, say so in each, and tell the owner once of all."""
        sentences = {case.id: case._say_handed_on(owner) for case in self}
        self.write({"user_id": owner.id, "assigned_user_id": owner.id})
        self._follow(dict.fromkeys(self, owner))
        self._message_log_batch(sentences)
        if owner:
            self._tell_owner(owner)

    def _say_handed_on(self, owner):
        said = self.with_context(lang=(owner or self.env.user).lang)
        if not owner:
            return said.env._("Taken from %(old)s: the customer has no salesperson at work, and nobody else is set.",
                              old=self.user_id.name)
        if not self.user_id:
            return said.env._("%(new)s is the owner now.", new=owner.name)
        return said.env._("Handed on from %(old)s to %(new)s.", old=self.user_id.name, new=owner.name)

    def _tell_owner(self, owner):
        """One notification for all the cases, in the owner's language."""
        cases = self.with_context(lang=owner.lang)
        names = Markup("").join(
            Markup("<li>%s</li>") % case._get_html_link(title=case.partner_id.display_name) for case in cases)
        cases.env["mail.thread"].message_notify(
            partner_ids=owner.partner_id.ids,
            subject=cases.env._("Win-back cases that are yours now: %(count)s", count=len(self)),
            body=Markup("<p>%s</p><ul>%s</ul>") % (cases.env._("Dearest first:"), names),
        )

    def _follow(self, owners):
        """Owners follow their cases: one insertion for all, and no mail. `owners` {case: user}"""
        Followers = self.env["mail.followers"]
        known = {(follower.res_id, follower.partner_id) for follower in Followers.search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)])}
        subtypes, _internal, _external = self.env["mail.message.subtype"].default_subtypes(self._name)
        Followers.create([
            {"res_model": self._name, "res_id": case.id, "partner_id": owner.partner_id.id,
             "subtype_ids": [fields.Command.set(subtypes.ids)]}
            for case, owner in owners.items() if owner and (case.id, owner.partner_id) not in known])
