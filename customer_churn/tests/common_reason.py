"""Two customers at risk with a case, one who buys; a salesperson, a manager, and a wizard that answers for them."""

from .common import MANAGER, USER, ChurnCommon, before

FILE = "ZXZpZGVuY2U="


class ReasonCommon(ChurnCommon):
    def setUp(self):
        super().setUp()
        self.seller = self._user("churn_seller", USER)
        self.manager = self._user("churn_manager", MANAGER)
        (self.anna | self.cleo).user_id = self.seller
        self.bert.user_id = self.manager
        self.by_days()
        for partner in (self.anna, self.bert):
            self.bought(partner, before(60), before(40))  # at risk: with a case
        self.bought(self.cleo, before(30), before(5))
        self.rival = self.env["res.partner"].create({"name": "Rival"})
        self.night()

    def _wizard(self, records, user=None, reason=None, **values):
        Wizard = self.env["customer.churn.reason.wizard"].with_user(user or self.seller).with_context(
            active_model=records._name, active_ids=records.ids)
        reason = reason or self.reason("service")
        return Wizard.create({"reason_id": reason.id, **values})

    def _record(self, records, **values):
        self._wizard(records, **values).action_apply()
        self.env.invalidate_all()
        return self.Answer.search([], order="id desc", limit=1)

    def _reasons(self, partner):
        """Of the profile, the newest event and the case."""
        self.env.invalidate_all()
        profile = self.profile(partner)
        return profile.reason_id, profile.event_ids[:1].reason_id, self.cases(partner).reason_id

    def assertReasons(self, partner, code):
        reason = self.reason(code) if code else self.env["customer.churn.reason"]
        case = self.cases(partner)
        self.assertEqual(self._reasons(partner), (reason, reason, reason if case else case.reason_id))
