"""A debt given up, undone, recovered and the recovery undone, in the charts and tax reports of five countries."""

from odoo import Command, fields
from odoo.tests import freeze_time, new_test_user, tagged

from .test_charts import ChartsCommon

APPROVER = "customer_churn.group_bad_debt_approver"


@tagged("post_install", "-at_install", "-standard", "customer_churn_companions")
@freeze_time("2026-11-23")
class TestChartBooks(ChartsCommon):
    def _start(self, chart, relief="reduction"):
        """A company as its chart makes it, with the accounts that are proposed, and an invoice of 1,000 and tax."""
        self.company = self._create_company(chart)
        self.company._propose_bad_debt_settings()
        if not self.company.bad_debt_tax_relief or self.company.bad_debt_tax_relief == "none":
            self.company.bad_debt_tax_relief = relief
        self.company.bad_debt_approval_limit = 100000
        self.env = self.env(context=dict(self.env.context, allowed_company_ids=self.company.ids))
        self.approver = new_test_user(
            self.env, "charts_approver", groups=APPROVER, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        self.tax = self.company.account_sale_tax_id
        self.invoice = self.env["account.move"].create({
            "move_type": "out_invoice", "invoice_date": "2026-05-01", "date": "2026-05-01",
            "invoice_date_due": "2026-05-01", "invoice_payment_term_id": False,
            "partner_id": self.env["res.partner"].create({"name": "Defaulter", "is_company": True}).id,
            "invoice_line_ids": [Command.create({
                "name": "Goods", "price_unit": 1000, "tax_ids": [Command.set(self.tax.ids)]})]})
        self.invoice.action_post()
        self.item = self.invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")

    def _write_off(self):
        writeoff = self.env["customer.bad.debt.writeoff"].with_user(self.approver)._create_for(
            self.item.with_user(self.approver), "2026-11-20")
        writeoff.action_submit()
        writeoff.action_post()
        self.assertEqual((self.invoice.amount_residual, self.invoice.write_off_state), (0, "full"))
        return writeoff

    def _recover(self, writeoff, amount):
        return self.env["customer.bad.debt.recovery"].with_user(self.approver)._create_for(
            writeoff, amount, "2026-11-21")

    # ------------------------------------------------------------------ what the books and the tax return say
    def _sum(self, *domain):
        self.env.flush_all()
        [[balance]] = self.env["account.move.line"]._read_group(
            [*domain, ("parent_state", "=", "posted"), ("company_id", "=", self.company.id)],
            aggregates=["balance:sum"])
        return self.company.currency_id.round(balance or 0.0)

    def _boxes(self):
        """{line and column of the country's tax reports: what stands there}, by the host's own tags of each."""
        boxes = {}
        for expression in self.env["account.report.expression"].search([
                ("engine", "=", "tax_tags"),
                ("report_line_id.report_id.country_id", "=", self.company.account_fiscal_country_id.id)]):
            sign = -1 if expression.formula.startswith("-") else 1
            tags = expression._get_matching_tags()
            amount = tags and sign * self._sum(("tax_tag_ids", "in", tags.ids))
            if amount:
                boxes[expression.report_line_id.code, expression.label] = amount
        return boxes

    def _balances(self, **accounts):
        return {name: self._sum(("account_id", "=", account.id), ("partner_id", "=", self.invoice.partner_id.id))
                for name, account in accounts.items()}

    def assertRound(self, boxes, given_up, recovered, losses=(1000.0, 500.0), storno=False):
        """Undo and the undo of a recovery bring back what was there, box by box and account by account.

        :param boxes: of the tax return with the invoice alone
        :param given_up: the same with the invoice written off
        :param recovered: the same when half of it came back
        :param losses: booked as loss, and as recovered
        """
        accounts = {"ar": self.item.account_id, "loss": self.company.bad_debt_expense_account_id,
                    "tax": self.invoice.line_ids.filtered("tax_repartition_line_id").account_id}
        before = self._balances(**accounts)
        self.assertEqual(self._boxes(), boxes, "invoiced")
        first = self._write_off()
        self.assertEqual(self._boxes(), given_up, "written off")
        first.action_undo("2026-11-22")
        self.assertEqual((self._boxes(), self._balances(**accounts)), (boxes, before), "undone")
        self.assertEqual(self.invoice.amount_residual, self.invoice.amount_total)
        second = self._write_off()
        written = self._balances(**accounts)
        self.assertEqual((written["ar"], written["loss"]), (0, losses[0]))
        recovery = self._recover(second, self.company.currency_id.round(self.invoice.amount_total / 2))
        self.assertEqual(self._boxes(), recovered, "recovered")
        income = self._sum(("account_id", "=", self.company.bad_debt_recovery_account_id.id),
                           ("move_id", "=", recovery.move_id.id))
        self.assertEqual(income, -losses[1])
        recovery.action_undo("2026-11-22")
        self.assertEqual(self._boxes(), given_up, "recovery undone")
        self.assertEqual(self._balances(**accounts), written | {"ar": -recovery.amount})
        self.assertMirrored(first.reversal_move_id | recovery.reversal_move_id, storno)
        return first, recovery

    def assertMirrored(self, moves, storno):
        for line in moves.line_ids:
            self.assertEqual(line.debit < 0 or line.credit < 0, storno, line.move_id.name)

    # ------------------------------------------------------------------ countries
    def test_china_books_the_other_way_round_with_a_minus(self):
        """No tax report in the chart: the tax payable itself, and storno."""
        self._start("cn_large_bis")
        self.assertEqual(self.invoice.amount_total, 1130)
        first, recovery = self.assertRound({}, {}, {}, storno=True)
        tax = self.invoice.line_ids.filtered("tax_repartition_line_id").account_id
        self.assertEqual(
            {line.account_id: (line.debit, line.credit) for line in first.reversal_move_id.line_ids},
            {self.item.account_id: (0, -1130), self.company.bad_debt_expense_account_id: (-1000, 0), tax: (-130, 0)})
        self.assertEqual(self._sum(("account_id", "=", tax.id)), 0)
        self.assertEqual(
            self._sum(("account_id", "=", tax.id), ("move_id", "=", recovery.move_id.id)), -65)

    def test_germany_lessens_line_81(self):
        self._start("de_skr03")
        self.assertRound(
            {("DE_81", "base"): 1000, ("DE_81", "tax"): 190}, {},
            {("DE_81", "base"): 500, ("DE_81", "tax"): 95})

    def test_france_lessens_line_08(self):
        self._start("fr")
        self.assertRound(
            {("box_A1", "balance_from_tags"): 1000, ("box_08_base", "sale"): 1000,
             ("box_08_taxe", "balance_from_tags"): 200}, {},
            {("box_A1", "balance_from_tags"): 500, ("box_08_base", "sale"): 500,
             ("box_08_taxe", "balance_from_tags"): 100})

    def test_south_africa_claims_in_box_17(self):
        """Bad debts are claimed with the input tax; what comes in after all is output tax again."""
        self._start("za")
        sold = {("VAT1", "balance"): 1150, ("VAT4", "balance"): 150}
        claimed = sold | {("VAT17", "balance"): 150}
        self.assertRound(sold, claimed, {
            ("VAT1", "balance"): 1725, ("VAT4", "balance"): 225, ("VAT17", "balance"): 150})
        writeoff = self.env["customer.bad.debt.writeoff"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual(writeoff.move_id.line_ids.filtered("tax_repartition_line_id").tax_line_id,
                         self.env["account.chart.template"].with_company(self.company).ref("PT17"))

    def test_mexico_tax_never_becomes_due(self):
        self._start("mx")
        self.assertEqual(self.tax.tax_exigibility, "on_payment")
        waiting = self.invoice.line_ids.filtered("tax_repartition_line_id").account_id
        due = self.tax.invoice_repartition_line_ids.account_id
        self.assertRound({}, {}, {})
        self.assertEqual(self._balances(waiting=waiting, due=due), {"waiting": 0, "due": 0})
        writeoff = self.env["customer.bad.debt.writeoff"].search([
            ("company_id", "=", self.company.id), ("state", "=", "posted")])
        self._recover(writeoff, 580)
        self.assertEqual(self._balances(waiting=waiting, due=due), {"waiting": 0, "due": -80})
        self.assertEqual(writeoff.amount_recovered, 580)

    def test_the_tax_return_of_a_period_sees_the_entry_on_its_date(self):
        self._start("de_skr03")
        self._write_off()
        november = fields.Date.to_date("2026-11-01")
        expression = self.env["account.report.expression"].search([("formula", "=", "-81_TAX")], limit=1)
        self.assertEqual(-self._sum(
            ("tax_tag_ids", "in", expression._get_matching_tags().ids), ("date", ">=", november)), -190)
