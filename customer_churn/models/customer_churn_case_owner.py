"""Who works a case: the customer's salesperson, else the leader of the team, else the fallback of the settings -
whoever of these is at work and belongs to the company. And what becomes of the cases of who is not."""

from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import SQL


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    @api.model
    def _owner_sql(self, company, customer):
        """SQL of the owner that the rule gives to the contact `customer` (SQL); NULL where there is none."""
        return SQL(
            """(SELECT u.id FROM unnest(ARRAY[(SELECT user_id FROM res_partner WHERE id = %(customer)s), %(leader)s,
                                              %(fallback)s::int]) WITH ORDINALITY candidate (id, place)
                  JOIN res_users u ON u.id = candidate.id
                 WHERE %(at_work)s ORDER BY candidate.place LIMIT 1)""",
            customer=customer, leader=self._leader_sql(customer), at_work=self._at_work_sql(company, SQL("u")),
            fallback=company.churn_case_fallback_user_id.id or None,
        )

    @api.model
    def _get_owner(self, company, customer):
        """The owner that the rule gives to a customer of a company; nobody where there is none."""
        self.env.flush_all()
        [[owner]] = self.env.execute_query(SQL("SELECT %s", self._owner_sql(company, SQL("%s", customer.id))))
        return self.env["res.users"].browse(owner)

    @api.model
    def _leader_sql(self, customer):
        """SQL of the leader of the contact's sales team, where contacts have one, or of their salesperson's."""
        if "crm.team" not in self.env:
            return SQL("NULL::int")
        team = self.env["res.partner"]._fields.get("team_id")
        own = SQL("c.team_id") if team and team.store else SQL("NULL::int")
        return SQL(
            """(SELECT t.user_id FROM res_partner c LEFT JOIN res_users s ON s.id = c.user_id
                  JOIN crm_team t ON t.id = COALESCE(%s, s.sale_team_id) WHERE c.id = %s)""", own, customer)

    @api.model
    def _at_work_sql(self, company, user):
        """Condition on a user: an active colleague of the company who is not away."""
        return SQL(
            """%(user)s.active AND NOT %(user)s.share AND %(user)s.id <> ALL(%(away)s::int[]) AND EXISTS (
                SELECT FROM res_company_users_rel r WHERE r.cid = %(company)s AND r.user_id = %(user)s.id)""",
            user=user, company=company.id, away=self._get_away(company))

    @api.model
    def _get_away(self, company):
        """Ids of the users on leave today, where time off is kept."""
        users = self.env["res.users"]
        if "leave_date_to" not in users._fields:
            return []
        return users.search([("company_ids", "in", company.id), ("share", "=", False)]).filtered("leave_date_to").ids

    @api.model
    def _reassign(self, run):
        """Cases whose owner is not at work any more, or whose rule gives them to somebody else, are handed on."""
        rows = self.env.execute_query(SQL(
            """SELECT k.id, due.owner FROM customer_churn_case k
                 CROSS JOIN LATERAL (SELECT %(owner)s AS owner OFFSET 0) due
                WHERE k.company_id = %(company)s AND k.state = 'open' AND k.user_id IS DISTINCT FROM due.owner AND (
                      NOT EXISTS (SELECT FROM res_users u WHERE u.id = k.user_id AND %(at_work)s)
                   OR (k.user_id IS NOT DISTINCT FROM k.assigned_user_id
                       AND k.assigned_user_id IS DISTINCT FROM due.owner))
                ORDER BY k.revenue_at_stake DESC, k.id""",
            owner=self._owner_sql(run.company_id, SQL("k.partner_id")), company=run.company_id.id,
            at_work=self._at_work_sql(run.company_id, SQL("u"))))
        by_owner = {}
        for case, owner in rows:
            by_owner.setdefault(owner, []).append(case)
        for owner, ids in by_owner.items():
            self.browse(ids)._hand_on(self.env["res.users"].browse(owner))

    def _hand_on(self, owner):
        """Give open cases to another owner, say so in each, and tell the owner once of all."""
        sentences = {case.id: case._say_handed_on(owner) for case in self}
        if owner:
            planned = self.activity_ids.filtered(
                lambda activity: activity.user_id == self.browse(activity.res_id).user_id)
            planned.with_context(mail_activity_quick_update=True).write({"user_id": owner.id})
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
