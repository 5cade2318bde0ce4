from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common_bad_debt import TODAY, BadDebtCommon


@tagged("post_install", "-at_install")
class TestWriteoffScreens(BadDebtCommon):
    def _open(self, records, user=None):
        return self.env["customer.bad.debt.writeoff.wizard"].with_user(user or self.approver).with_context(
            active_model=records._name, active_ids=records.ids, allowed_company_ids=self.company.ids)

    # ------------------------------------------------------------------ the wizard
    def test_wizard_shows_the_entry_and_books_exactly_that(self):
        invoice = self._invoice((1000, self.t15))
        with Form(self._open(invoice)) as wizard:
            self.assertEqual(len(wizard.line_ids), 1)
            self.assertIn("1,000.00", wizard.entry_preview)
            self.assertIn("150.00", wizard.entry_preview)
            with wizard.line_ids.edit(0) as line:
                line.amount_currency = 575
            self.assertIn("500.00", wizard.entry_preview)
            self.assertIn("75.00", wizard.entry_preview)
            self.assertNotIn("1,000.00", wizard.entry_preview)
            self.assertTrue(wizard.can_post)
        action = wizard.record.action_write_off()
        writeoff = self.Writeoff.browse(action["res_id"])
        self.assertEqual((writeoff.state, writeoff.amount_expense, writeoff.amount_tax), ("posted", 500, 75))
        self.assertEqual((invoice.write_off_state, invoice.amount_residual), ("partial", 575))

    def test_wizard_without_relief_loses_the_tax(self):
        with Form(self._open(self._invoice((1000, self.t15)))) as wizard:
            wizard.use_relief = False
            self.assertEqual(wizard.relief_rule, "The tax is lost with the debt: no relief.")
            self.assertIn("1,150.00", wizard.entry_preview)
        writeoff = self.Writeoff.browse(wizard.record.action_write_off()["res_id"])
        self.assertEqual((writeoff.amount_expense, writeoff.amount_tax), (1150, 0))

    def test_wizard_of_two_customers_makes_two_documents_and_names_what_is_left_out(self):
        other = self.debtor.copy({"name": "Other debtor"})
        first, second = self._invoice((100, None)), self._invoice((200, None), partner=other)
        draft = self._invoice((50, None), post=False)
        with Form(self._open(first | second | draft, self.officer)) as wizard:
            self.assertEqual(len(wizard.line_ids), 2)
            self.assertIn("it is not posted", wizard.left_out)
            self.assertFalse(wizard.can_post, "an officer asks")
        wizard.record.action_ask()
        writeoffs = self.Writeoff.search([("company_id", "=", self.company.id)], order="amount_total")
        self.assertEqual(writeoffs.mapped("amount_total"), [100, 200])
        self.assertEqual(writeoffs.mapped("partner_id.name"), ["Debtor", "Other debtor"])
        self.assertEqual(set(writeoffs.mapped("state")), {"approved"})

    def test_wizard_of_a_customer_nets_the_credits_first(self):
        invoice = self._invoice((1000, None))
        self._invoice((300, None), move_type="out_refund", date="2026-06-01")
        with Form(self._open(self.debtor)) as wizard:
            self.assertEqual(wizard.line_ids._records[0]["amount_currency"], 700)
            wizard.net_credits = False
            self.assertEqual(wizard.line_ids._records[0]["amount_currency"], 1000)
            wizard.net_credits = True
        writeoff = self.Writeoff.browse(wizard.record.action_write_off()["res_id"])
        self.assertEqual((writeoff.amount_total, invoice.amount_residual), (700, 0))

    def test_wizard_marks_what_is_disputed(self):
        invoice = self._invoice((1000, None))
        invoice.action_toggle_block_payment()
        with Form(self._open(invoice | self._invoice((10, None)))) as wizard:
            pass
        self.assertEqual({line.amount_currency: line.is_disputed for line in wizard.record.line_ids},
                         {1000: True, 10: False})

    def test_above_the_limit_the_wizard_only_asks(self):
        self.company.bad_debt_approval_limit = 500
        with Form(self._open(self._invoice((501, None)))) as wizard:
            self.assertFalse(wizard.can_post)
        writeoff = self.Writeoff.browse(wizard.record.action_ask()["res_id"])
        self.assertEqual(writeoff.state, "to_approve")
        with self.assertRaises(AccessError):
            writeoff.with_user(self.approver).action_approve()

    # ------------------------------------------------------------------ the document
    def test_preview_of_a_draft_gives_way_to_the_entry(self):
        writeoff = self.Writeoff._create_for(self._items(self._invoice((1000, self.t15))), TODAY)
        self.assertIn("1,150.00", writeoff.entry_preview)
        writeoff.with_user(self.approver).action_write_off()
        self.assertFalse(writeoff.entry_preview)
        self.assertEqual(len(writeoff.move_line_ids), 3)

    def test_recovery_wizard_proposes_what_is_left(self):
        writeoff = self._write_off(self._invoice((1000, self.t15)))
        Wizard = self.env["customer.bad.debt.recovery.wizard"].with_user(self.approver)
        with Form(Wizard.with_context(default_writeoff_id=writeoff.id)) as wizard:
            self.assertEqual(wizard.amount, 1150)
            wizard.amount = 230
        wizard.record.action_apply()
        self.assertEqual((writeoff.state, writeoff.amount_recovered), ("partially_recovered", 230))
        self.assertEqual(writeoff.recovered_share, 20)
        with Form(Wizard.with_context(default_writeoff_id=writeoff.id)) as wizard:
            self.assertEqual(wizard.amount, 920)
        wizard.record.action_apply()
        self.assertEqual(writeoff.state, "recovered")
        self.assertEqual(writeoff.recovery_ids.sorted("id").mapped("amount_tax"), [30, 120])

    # ------------------------------------------------------------------ who else sees it
    def test_defaulter_is_a_bad_debtor_until_the_last_undo(self):
        debtor = self.debtor.with_company(self.company)
        debtor.trust = "good"
        first, second = self._write_off(self._invoice((100, None))), self._write_off(self._invoice((200, None)))
        self.assertEqual(debtor.trust, "bad")
        first.with_user(self.approver).action_undo()
        self.assertEqual(debtor.trust, "bad", "the other one stands")
        second.with_user(self.approver).action_undo()
        self.assertEqual(debtor.trust, "good")

    def test_bad_before_stays_bad_and_the_company_may_choose_not_to_mark(self):
        debtor = self.debtor.with_company(self.company)
        debtor.trust = "bad"
        self._write_off(self._invoice((100, None))).with_user(self.approver).action_undo()
        self.assertEqual(debtor.trust, "bad")
        debtor.trust = "normal"
        self.company.bad_debt_mark_customer = False
        self._write_off(self._invoice((100, None)))
        self.assertEqual(debtor.trust, "normal")

    def test_new_invoice_of_a_defaulter_warns_with_and_without_credit_limits(self):
        self._write_off(self._invoice((1000, None)))
        for limits in (False, True):
            self.company.account_use_credit_limit = limits
            new = self._invoice((10, None), post=False)
            self.assertEqual(new.partner_credit_warning.count("$\xa01,000.00 were written off"), 1)
        self.company.bad_debt_warn = False
        self.assertFalse(self._invoice((10, None), post=False).partner_credit_warning)
        self.company.bad_debt_warn = True
        other = self.debtor.copy({"name": "Good one"})
        self.assertFalse(self._invoice((10, None), partner=other, post=False).partner_credit_warning)

    def test_customer_reads_nothing_of_it(self):
        invoice = self._invoice((1000, None))
        self._write_off(invoice)
        user = new_test_user(self.env, login="debtor_portal", groups="base.group_portal")
        user.partner_id.parent_id = self.debtor
        invoice.message_subscribe(user.partner_id.ids)
        seen = invoice.with_user(user)
        self.assertEqual(seen.amount_residual, 0)
        with self.assertRaises(AccessError):
            seen.read(["write_off_state"])
        self.assertEqual(seen._get_portal_status(), "silent")
        self.company.bad_debt_tell_customer = True
        self.assertEqual(seen._get_portal_status(), "written_off")
        self.assertEqual(self._invoice((5, None))._get_portal_status(), "host")
