"""What happened with a customer, as one timeline. Each source is a method and a query, for all profiles at hand, and
tells the reader only of what he may see. Another addon appends its own to `_get_happenings`."""

from odoo import api, fields, models
from odoo.tools import SQL

TIMELINE_LIMIT = 20


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    happening_ids = fields.Many2many("customer.churn.happening", compute="_compute_happening_ids", string="Timeline")

    @api.depends("partner_id", "company_id")
    @api.depends_context("uid", "lang")
    def _compute_happening_ids(self):
        happenings = self.env["customer.churn.happening"]._of(self, TIMELINE_LIMIT).search(
            [], limit=TIMELINE_LIMIT * len(self)).grouped("profile_id")
        for profile in self:
            profile.happening_ids = happenings.get(profile, [])

    def action_open_happenings(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_happening_action"),
            "context": {"churn_happenings": self.ids},
        }

    # ------------------------------------------------------------------ the timeline
    def _get_timelines(self, limit=None):
        """{profile: its happenings, newest first}, of the profiles that the reader may see.

        :param int limit: the newest so many of each; None for all
        """
        seen = self._filtered_access("read")
        timelines = {profile: [] for profile in seen}
        profiles = {(profile.company_id.id, profile.partner_id.id): profile for profile in seen}
        for row in seen._get_happenings(limit):
            if profile := profiles.get(row.pop("customer")):
                timelines[profile].append({**dict.fromkeys(("amount", "res_model", "res_id")), **row})
        return {profile: sorted(rows, key=lambda row: row["date"], reverse=True)[:limit]
                for profile, rows in timelines.items()}

    def _get_happenings(self, limit=None):
        """What happened, in any order: dicts of `customer` (company id, customer id), `date`, `kind`, `text` in the
        reader's language and, where there are, `amount` (company currency), `res_model` and `res_id` of the document.

        Of things on one day the source that comes first stands above.

        :param int limit: a source may leave out all but the newest so many of each customer
        """
        return [
            *self._get_payment_happenings(limit), *self._get_reason_happenings(limit),
            *self._get_case_happenings(limit), *self._get_care_happenings(limit), *self._get_pool_happenings(limit),
            *self._get_status_happenings(limit), *self._get_purchase_happenings(limit),
        ]

    def _search_newest(self, model, limit, order, domain=()):
        """The newest records of these customers in `model` that the reader may see."""
        return self._find_newest(
            model, [("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids), *domain],
            limit, order)

    @api.model
    def _to_happening(self, record, date, kind, text, **values):
        return {"customer": (record.company_id.id, record.partner_id.id), "date": date, "kind": kind, "text": text,
                "res_model": record._name, "res_id": record.id, **values}

    # ------------------------------------------------------------------ its sources
    def _get_purchase_happenings(self, limit):
        purchases = self._search_newest(self._get_purchases(), limit, "date desc, id desc")
        return [self._to_happening(purchase, purchase.date, "purchase", self.env._("Bought"), amount=purchase.amount)
                for purchase in purchases]

    def _get_status_happenings(self, limit):
        Event = self.env["customer.churn.event"]
        name = dict(Event._fields["new_status"]._description_selection(self.env))
        return [
            self._to_happening(
                event, event.date, "status", self.env._(
                    "%(old)s, now %(new)s", old=name[event.old_status], new=name[event.new_status],
                ) if event.old_status else self.env._("Seen for the first time: %(new)s", new=name[event.new_status]),
                res_model=None, res_id=None)
            for event in self._search_newest(Event, limit, "date desc, id desc")]

    def _get_case_happenings(self, limit):
        Case = self.env["customer.churn.case"]
        outcome = dict(Case._fields["outcome"]._description_selection(self.env))
        rows = []
        for case in self._search_newest(Case, limit, "id desc"):
            if case.state == "closed":
                rows.append(self._to_happening(
                    case, case.closed_date, "case",
                    self.env._("Case closed: %(outcome)s", outcome=outcome[case.outcome]),
                    amount=case.won_revenue or None))
            text = self.env._("Case opened")
            if case.user_id:
                text = self.env._("Case opened, worked by %(owner)s", owner=case.user_id.name)
            rows.append(self._to_happening(case, case.opened_date, "case", text, amount=case.revenue_at_stake))
        return rows

    def _get_reason_happenings(self, limit):
        answers = self._search_newest(self.env["customer.churn.reason.answer"], limit, "id desc",
                                      [("is_undone", "=", False)])
        return [
            self._to_happening(
                answer, fields.Datetime.context_timestamp(answer, answer.date).date(), "reason",
                self._say_reason(answer))
            for answer in answers]

    def _say_reason(self, answer):
        if not answer.reason_id:
            return self.env._("Reason taken away")
        if not answer.competitor_id:
            return self.env._("Reason: %(reason)s", reason=answer.reason_id.display_name)
        return self.env._("Reason: %(reason)s (%(competitor)s)", reason=answer.reason_id.display_name,
                          competitor=answer.competitor_id.display_name)

    def _get_care_happenings(self, limit):
        Treatment = self.env["customer.care.treatment"]
        state = dict(Treatment._fields["state"]._description_selection(self.env))
        return [
            self._to_happening(treatment, treatment.date, "care", self.env._(
                "%(plan)s: %(state)s", plan=treatment.plan_id.name, state=state[treatment.state]))
            for treatment in self._search_newest(Treatment, limit, "date desc, id desc")]

    def _get_pool_happenings(self, limit):
        moves = self._search_newest(self.env["customer.churn.pool.move"], limit, "id desc")
        return [self._to_happening(move, move.date, "pool", move.text,
                                   res_model=move.case_id and move.case_id._name, res_id=move.case_id.id or None)
                for move in moves]

    def _get_payment_happenings(self, limit):
        """Invoices paid late. What a credit note settled was not paid."""
        for model in ("account.move", "account.move.line", "account.partial.reconcile"):
            self.env[model].flush_model()
        rows = self.env.execute_query(SQL(
            """SELECT item.company_id, item.partner_id, move_id, name, settled, settled - due, balance::float8
                 FROM (%s OFFSET 0) item JOIN account_move m ON m.id = move_id
                WHERE settled > due AND settled <> 'infinity' ORDER BY settled DESC, move_id DESC LIMIT %s""",
            self._instalments_sql(), limit if len(self) == 1 else None))
        document = {"res_model": "account.move"} if self.env["account.move"].has_access("read") else {}
        return [
            {"customer": (company, customer), "date": paid, "kind": "payment", "amount": amount,
             "text": self.env._("%(document)s paid one day late", document=name) if days == 1 else self.env._(
                 "%(document)s paid %(days)s days late", document=name, days=days),
             **({**document, "res_id": move} if document else {})}
            for company, customer, move, name, paid, days, amount in rows]
