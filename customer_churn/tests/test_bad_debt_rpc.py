import inspect

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, freeze_time, new_test_user, tagged

from .common_bad_debt import APPROVER, OFFICER, TODAY
from .test_bad_debt_batch import BatchFixture

# Public methods of ours, and who may call them. Whoever reads an action learns nothing but ids he has sent.
PUBLIC = {
    "customer.bad.debt.batch": {
        "action_prepare": OFFICER, "action_submit": OFFICER, "action_approve": APPROVER, "action_post": APPROVER,
        "action_open_writeoffs": None},
    "customer.bad.debt.writeoff": {
        "action_submit": OFFICER, "action_approve": APPROVER, "action_post": APPROVER, "action_undo": APPROVER,
        "action_cancel": OFFICER, "action_claim_relief": APPROVER, "action_rematch": APPROVER,
        "action_write_off": APPROVER, "action_recover": None, "action_open_entry": None,
        "action_open_invoices": None},
    "customer.bad.debt.recovery": {"action_undo": APPROVER},
    "customer.bad.debt.recovery.wizard": {"action_apply": APPROVER},
    "customer.bad.debt.writeoff.wizard": {"action_ask": OFFICER, "action_write_off": APPROVER},
    "customer.bad.debt.writeoff.line": {}, "customer.bad.debt.writeoff.wizard.line": {},
    "customer.bad.debt.batch.skipped": {}, "customer.bad.debt.register": {}, "customer.bad.debt.tax.relief": {},
}
DRAFT = ("customer.bad.debt.writeoff", "action_write_off")  # what its first step would not refuse by itself
ORM = {"create", "write", "unlink", "default_get"}  # checked by the access rights, and below
OUTSIDERS = {
    "internal": "base.group_user", "portal": "base.group_portal",
    "salesperson": "base.group_user,customer_churn.group_customer_churn_user",
    "sales manager": "base.group_user,customer_churn.group_customer_churn_manager",
    "reader": "base.group_user,account.group_account_readonly",
    "invoicing": "base.group_user,account.group_account_invoice"}


@tagged("post_install", "-at_install")
@freeze_time(TODAY)
class TestBadDebtRpc(BatchFixture, TransactionCase):
    """What a client may call, with the rules of remote calls, record by record and method by method."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_books()
        cls.company.bad_debt_approval_limit = 100
        cls.second = cls._create_user("second", APPROVER)
        cls.debtors = cls._create_debtors(3)
        cls.batch = cls.env["customer.bad.debt.batch"].with_user(cls.officer).create({
            "company_id": cls.company.id, "date": "2026-11-20",
            "partner_domain": str([("id", "in", [partner.id for partner in cls.debtors])])})
        cls.batch.action_prepare()
        cls.batch.action_submit()
        cls.open, booked, cls.draft = cls.batch.writeoff_ids
        booked = booked.with_user(cls.approver)
        booked.action_approve()
        booked.action_post()
        cls.draft.line_ids.amount_currency = 50
        cls.recovery = cls.Recovery.with_user(cls.approver)._create_for(booked, 115)
        cls.booked = booked
        cls.relief = cls.env["customer.bad.debt.tax.relief"].create({
            "company_id": cls.company.id, "tax_id": cls.t15.id, "relief_tax_id": cls.t7.id})
        cls.skipped = cls.env["customer.bad.debt.batch.skipped"].create({"batch_id": cls.batch.id, "reason": "none"})
        cls.env.flush_all()

    def _records(self):
        """One or more records of each model; of the wizards such as their owners have open."""
        approver = self.env(user=self.approver, su=False)
        recovery = approver["customer.bad.debt.recovery.wizard"].with_context(
            active_model="customer.bad.debt.writeoff", active_ids=self.booked.ids).create({
                "writeoff_id": self.booked.id, "amount": 10})
        fresh = self._invoice((10, None), partner=self.draft.partner_id)
        writeoff = approver["customer.bad.debt.writeoff.wizard"].with_context(
            active_model="account.move", active_ids=fresh.ids).create({})
        return {
            "customer.bad.debt.batch": self.batch, "customer.bad.debt.writeoff": self.batch.writeoff_ids,
            "customer.bad.debt.writeoff.line": self.batch.writeoff_ids.line_ids,
            "customer.bad.debt.recovery": self.recovery, "customer.bad.debt.recovery.wizard": recovery,
            "customer.bad.debt.writeoff.wizard": writeoff,
            "customer.bad.debt.writeoff.wizard.line": writeoff.line_ids,
            "customer.bad.debt.batch.skipped": self.skipped, "customer.bad.debt.tax.relief": self.relief,
            "customer.bad.debt.register": self.env["customer.bad.debt.register"].search([], limit=1)}

    def _call(self, user, records, method, *args):
        model = self.env(user=user, su=False)[records._name]
        context = {"allowed_company_ids": user.company_ids.ids}
        with self.env.cr.savepoint():
            answer = call_kw(model, method, [records.ids, *args], {"context": context})
            self.env.flush_all()
        return answer

    def _stand(self):
        """All that must not move."""
        self.env.invalidate_all()
        return (
            self.env["account.move"].search([("company_id", "=", self.company.id)], order="id").mapped("state"),
            self.batch.state, self.batch.writeoff_ids.mapped("state"),
            self.batch.writeoff_ids.line_ids.mapped("amount_currency"), self.recovery.exists().ids,
            self.relief.exists().relief_tax_id, self.skipped.exists().reason)

    def test_the_list_above_is_whole(self):
        for name, known in PUBLIC.items():
            whole = type(self.env[name])
            methods = {
                method for part in whole.mro() if part.__module__.startswith("odoo.addons.customer_churn")
                for method, function in vars(part).items()
                if inspect.isfunction(function) and not method.startswith("_")
                and not getattr(getattr(whole, method), "_api_private", False)}
            self.assertEqual(methods - ORM, set(known), name)

    def _attack(self, user, may=()):
        records = self._records()
        self.assertTrue(all(records.values()))
        before = self._stand()
        for name, methods in PUBLIC.items():
            for method, group in methods.items():
                if group and group not in may:
                    with self.subTest(user=user.login, model=name, method=method), self.assertRaises(AccessError):
                        self._call(user, self.draft if (name, method) == DRAFT else records[name], method)
        return records, before

    def test_outsiders_call_and_write_nothing(self):
        for login, groups in OUTSIDERS.items():
            user = new_test_user(self.env, login=f"rpc {login}", groups=groups, company_id=self.company.id,
                                 company_ids=[Command.set(self.company.ids)])
            records, before = self._attack(user)
            for name, some in records.items():
                for method, args in (("read", [["id"]]), ("write", [{"company_id": 1}]), ("unlink", [])):
                    with self.subTest(user=login, model=name, method=method), self.assertRaises(AccessError):
                        self._call(user, some, method, *args)
                with self.subTest(user=login, model=name, method="create"), self.assertRaises(AccessError):
                    self.env(user=user, su=False)[name].create({})
            self.assertEqual(self._stand(), before)

    def test_an_approver_of_another_company(self):
        other = self._create_company("Elsewhere")
        stranger = new_test_user(self.env, login="rpc stranger", groups=f"base.group_user,{APPROVER}",
                                 company_id=other.id, company_ids=[Command.set(other.ids)])
        records, before = self._attack(stranger)
        for name, some in records.items():
            with self.subTest(model=name), self.assertRaises(AccessError):
                self._call(stranger, some, "read", ["id"])
        with self.assertRaises(AccessError):
            self._call(stranger, self.batch, "write", {"company_id": other.id})
        self.assertEqual(self._stand(), before)

    def test_an_officer(self):
        records, before = self._attack(self.officer, may={OFFICER})
        attempts = [
            ("customer.bad.debt.recovery", "write", [{"amount": 1}]), ("customer.bad.debt.recovery", "unlink", []),
            ("customer.bad.debt.tax.relief", "write", [{"relief_tax_id": False}]),
            ("customer.bad.debt.tax.relief", "unlink", []),
            ("customer.bad.debt.batch.skipped", "write", [{"reason": "other"}]),
            ("customer.bad.debt.batch.skipped", "unlink", []),
            ("customer.bad.debt.batch", "write", [{"state": "posting"}]),
            ("customer.bad.debt.batch", "write", [{"posted_by_id": self.approver.id}]),
            ("customer.bad.debt.writeoff", "write", [{"state": "approved"}]),
            ("customer.bad.debt.writeoff", "write", [{"batch_id": False}]),
            ("customer.bad.debt.writeoff", "write", [{"approved_by_id": self.second.id}])]
        for name, method, args in attempts:
            with self.subTest(model=name, args=args), self.assertRaises(AccessError):
                self._call(self.officer, records[name], method, *args)
        with self.assertRaises(AccessError):
            self.env(user=self.officer, su=False)["customer.bad.debt.recovery.wizard"].create({
                "writeoff_id": self.booked.id, "amount": 1})
        self.assertEqual(self._stand(), before)

    def test_private_methods_are_not_called_from_outside(self):
        for method in ("_cron_process", "_process", "_take_up", "_set", "_create_for", "_prepare"):
            with self.subTest(method=method), self.assertRaisesRegex(AccessError, "Private"):
                self._call(self.approver, self.batch, method)

    def test_nobody_puts_anything_into_a_batch_that_is_being_booked(self):
        """It would be booked in the name of the approver, who has not seen it."""
        self.batch.with_user(self.second).action_approve()
        self.batch.with_user(self.second).action_post()
        self.assertEqual(self.batch.state, "posting")
        item = self._items(self._invoice((10, None), partner=self.draft.partner_id))
        officer = self.env(user=self.officer, su=False)
        with self.assertRaisesRegex(UserError, "being booked"), self.env.cr.savepoint():
            officer["customer.bad.debt.writeoff"].create({
                "company_id": self.company.id, "partner_id": self.draft.partner_id.id, "batch_id": self.batch.id,
                "line_ids": [Command.create({"move_line_id": item.id, "amount_currency": 10})]})
        for records, method, args in (
                (self.open.line_ids, "write", [{"amount_currency": 40}]), (self.open.line_ids, "unlink", []),
                (self.open, "write", [{"date": "2026-11-19"}]), (self.open, "action_submit", []),
                (self.batch, "write", [{"date": "2026-11-19"}]), (self.batch, "action_prepare", []),
                (self.batch, "action_submit", [])):
            with self.subTest(method=method, args=args), self.assertRaises(UserError):
                self._call(self.officer, records, method, *args)
        self._run_job()
        self.assertEqual(self.batch.writeoff_ids.mapped("state").count("posted"), 2)
        self.assertEqual(sum(self.batch.writeoff_ids.line_ids.mapped("amount_currency")), 1150 + 1150 + 50)

    def test_changed_criteria_are_prepared_again_before_anything_is_posted(self):
        batch = self._prepared(self.officer, days_overdue_min=0, partner_domain=str([("id", "=", self._owner().id)]))
        batch.date = "2026-11-22"
        self.assertEqual(batch.state, "draft")
        for method in ("action_post", "action_submit"):
            with self.assertRaises(UserError):
                getattr(batch.with_user(self.approver), method)()
        batch.action_prepare()
        self.assertEqual((batch.state, batch.writeoff_ids.date), ("prepared", self.day("2026-11-22")))

    def _owner(self):
        debtor = self._create_debtor("Owner")
        self._invoice((50, None), partner=debtor)
        return debtor
