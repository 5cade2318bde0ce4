from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_bad_debt import BadDebtCommon, BadDebtFixture


@tagged("post_install", "-at_install")
class TestWriteoffCompanies(BadDebtCommon):
    """Invoices of one customer in two companies, in one call: a document each, in the books of each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls._create_company("Sister")
        cls.env.user.company_ids |= company
        env = cls.env(context=dict(cls.env.context, allowed_company_ids=company.ids))
        cls.sister = type("Sister", (BadDebtFixture,), {
            "env": env, "usa": cls.usa, "company": company.with_env(env), "debtor": cls.debtor.with_env(env),
            "tags": cls.tags, "tax_group": cls.tax_group.with_env(env).copy({"company_id": company.id})})
        cls.sister._create_chart()
        cls.sister.t15 = cls.sister._create_tax("T15", 15)
        cls.sister.debtor.property_account_receivable_id = cls.sister.ar
        cls.both = cls.company | company
        cls.ours, cls.theirs = cls._invoice((1000, cls.t15)), cls.sister._invoice((200, cls.sister.t15))
        cls.items = cls._items(cls.ours) | cls._items(cls.theirs).with_env(cls.env)

    def _create_documents(self, user):
        return self.Writeoff.with_user(user).with_context(allowed_company_ids=self.both.ids)._create_for(
            self.items, "2026-11-20")

    def test_each_in_its_own_books(self):
        self.approver.company_ids |= self.both
        writeoffs = self._create_documents(self.approver).sorted("amount_total")
        self.assertEqual(writeoffs.mapped(lambda one: (one.company_id.name, one.amount_total)), [
            ("Sister", 230), ("Lender", 1150)])
        writeoffs.action_submit()
        writeoffs.action_post()
        self.assertEqual(writeoffs.mapped("state"), ["posted", "posted"])
        for move, books, (debt, loss, tax) in (
                (writeoffs[0].move_id, self.sister, (-230, 200, 30)), (writeoffs[1].move_id, self, (-1150, 1000, 150))):
            self.assertEqual((move.company_id, move.journal_id), (books.company, books.bd_journal))
            self.assertEqual(
                {line.account_id: line.balance for line in move.line_ids},
                {books.ar: debt, books.bde: loss, books.vat: tax})
        self.assertEqual((self.ours | self.theirs).mapped("amount_residual"), [0, 0])
        writeoffs.action_undo()
        self.assertEqual((self.ours | self.theirs).mapped("amount_residual"), [1150, 230])

    def test_a_second_person_is_asked_by_each_company_s_own_limit(self):
        self.approver.company_ids |= self.both
        self.sister.company.bad_debt_approval_limit = 100
        writeoffs = self._create_documents(self.approver).sorted("amount_total")
        writeoffs.action_submit()
        self.assertEqual(writeoffs.mapped("state"), ["to_approve", "approved"])

    def test_a_locked_company_keeps_both_open(self):
        self.approver.company_ids |= self.both
        writeoffs = self._create_documents(self.approver)
        writeoffs.action_submit()
        self.sister.company.sudo().fiscalyear_lock_date = "2026-11-22"
        with self.assertRaisesRegex(UserError, "closed by"), self.env.cr.savepoint():
            writeoffs.action_post()
        self.assertEqual((self.ours | self.theirs).mapped("amount_residual"), [1150, 230])

    def test_whoever_is_not_of_the_other_company_gets_nothing_of_it(self):
        with self.assertRaises(AccessError):
            self._create_documents(self.approver)
        self.assertFalse(self.env["customer.bad.debt.writeoff"].sudo().search_count([
            ("company_id", "in", self.both.ids)]))
