"""How answers come: for profiles, cases or contacts, one or many, all or none."""

from odoo import api, models
from odoo.exceptions import UserError


def _key(record):
    return record.company_id.id, record.partner_id.id


class CustomerChurnReasonAnswer(models.Model):
    _inherit = "customer.churn.reason.answer"

    @api.model
    def _prepare_rows(self, records):
        """Rows to be answered for profiles, cases or contacts, of the customers that this user may answer for."""
        # sudo: who is out of this user's sight is refused below, by name
        records = records.sudo().exists()
        if records._name == "res.partner":
            rows = [{"company_id": self.env.company.id, "partner_id": customer.id}
                    for customer in records.commercial_partner_id]
        else:
            rows = [{"company_id": record.company_id.id, "partner_id": record.partner_id.id} for record in records]
        if records._name == "customer.churn.case":
            rows = [{**row, "case_id": case.id} for row, case in zip(rows, records, strict=True)]
        profiles, _cases, _events = self._look_up(rows)
        for row in rows:
            if profile := profiles.get((row["company_id"], row["partner_id"])):
                row["revenue_at_stake"] = profile.revenue_at_stake
        return rows

    @api.model
    def _record(self, rows, evidence=None, evidence_name=False):
        """Keep answers, all or none, and make each the reason of the customer's case, newest event and profile.

        :param list rows: dicts of `company_id`, `partner_id`, `reason_id`, and maybe `case_id` (else the open case),
            `competitor_id`, `note`
        :param evidence: a file for all of them; None leaves the case with the one that it has, False with none
        :return: the answers, as far as this user sees them
        :raise UserError: a customer is out of this user's sight or a competitor is missing; by name
        """
        if not rows:
            return self.browse()
        known = self._look_up(rows)
        self._check_rows(rows)
        # sudo: nobody writes answers by hand; the rights on each customer were checked above
        answers = self.sudo().create([self._prepare_answer_vals(row, *known) for row in rows])
        answers.batch_id = answers[0]
        answers._keep_evidence(evidence, evidence_name)
        answers._settle()
        return answers.with_env(self.env)

    @api.model
    def _check_rows(self, rows):
        """Refuse reasons that lack their competitor. What stands for a case already is not asked again: it was right
        when it was given."""
        last = self._get_last(self.env["customer.churn.case"].browse(
            [row["case_id"] for row in rows if row.get("case_id")]))
        for row in rows:
            stands = last.get(row.get("case_id"), self.browse())
            reason, competitor = stands.reason_id.browse(row["reason_id"]), stands.competitor_id.browse(
                row.get("competitor_id"))
            if (reason, competitor) != (stands.reason_id, stands.competitor_id):
                reason._check_competitor(
                    self.env["res.partner"].browse(row["partner_id"]), competitor,
                    self.env["res.company"].browse(row["company_id"]))

    @api.model
    def _follow_merge(self, customer):
        """After contacts were merged: what was answered for any of them is the customer's, and who is the customer now
        cannot have been its competitor."""
        for company in self.search([("partner_id", "=", customer.id)]).company_id:
            self._sync(company, customer)
        own = [("partner_id", "=", customer.id), ("competitor_id.commercial_partner_id", "=", customer.id)]
        self.search(own).competitor_id = False
        cases = self.env["customer.churn.case"].with_context(tracking_disable=True).search(own)
        cases.competitor_id = False
        cases._say(lambda case: case.env._(
            "The competitor was merged into the customer and is none any more. Choose another one, if you know it."))

    def _keep_evidence(self, evidence, name):
        if evidence:
            self[0].write({"evidence": evidence, "evidence_name": name})
            self.evidence_answer_id = self[0]
        elif evidence is None:
            earlier = self._get_last(self.case_id, before=min(self.ids))
            for answer in self:
                answer.evidence_answer_id = earlier.get(answer.case_id.id, self.browse()).evidence_answer_id

    @api.model
    def _look_up(self, rows):
        """What is known of the customers: ({key: profile}, {key: open case}, {key: id of the newest event}).

        A salesperson answers for the customers that are in sight: by the profile, or by the case."""
        of = [("partner_id", "in", [row["partner_id"] for row in rows]),
              ("company_id", "in", [row["company_id"] for row in rows])]
        profiles = self.env["customer.churn.profile"].search(of)
        Case = self.env["customer.churn.case"]
        named = Case.browse([row["case_id"] for row in rows if row.get("case_id")])._filtered_access("write")
        cases = Case.search([*of, ("state", "=", "open")]) | named
        seen = {_key(record) for record in profiles} | {_key(case) for case in cases}
        strangers = [row for row in rows if (row["company_id"], row["partner_id"]) not in seen or (
            row.get("case_id") and not named.filtered(lambda c: (c.id, *_key(c)) == (  # noqa: B023
                row["case_id"], row["company_id"], row["partner_id"])))]  # noqa: B023
        if strangers:
            self._refuse(strangers)
        # sudo: of the customers of cases at hand, too, whose profiles are in somebody else's sight
        profiles = profiles.sudo().search(of)
        return (
            {_key(profile): profile for profile in profiles},
            {_key(case): case for case in cases if case.state == "open"},
            self.env["customer.churn.event"]._get_newest(of),
        )

    @api.model
    def _refuse(self, rows):
        partners = self.env["res.partner"].browse([row["partner_id"] for row in rows])
        readable = partners._filtered_access("read")
        names = [partner.display_name if partner in readable else f"#{partner.id}" for partner in partners]
        raise UserError(self.env._(
            "%(customers)s: not among your customers in %(companies)s, or never bought there. Nothing was recorded. "
            "Leave them out, or ask their salesperson or a manager.", customers=", ".join(names),
            companies=", ".join(self.env.companies.mapped("name"))))

    @api.model
    def _prepare_answer_vals(self, row, profiles, cases, events):
        key = row["company_id"], row["partner_id"]
        profile = profiles.get(key, self.env["customer.churn.profile"])
        return {
            **row, "case_id": row.get("case_id") or cases.get(key, self.env["customer.churn.case"]).id,
            "event_id": events.get(key, False),
            "author_id": self.env.uid, "status": profile.status, "value_class": profile.value_class,
            "revenue_at_stake": profile.revenue_at_stake,
        }

    def _get_notice(self):
        """What was done, and the way back."""
        return {"type": "ir.actions.client", "tag": "display_notification", "params": {
            "type": "success", "message": self.env._("Reasons recorded: %(count)s. A mistake? %%s", count=len(self)),
            "links": [{"label": self.env._("Look at them or take them back"),
                       "url": f"/odoo/reason-answers/{self[0].batch_id.id}"}],
            "next": {"type": "ir.actions.act_window_close"},
        }}
