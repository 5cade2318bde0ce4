from odoo import api, fields, models

from .customer_bad_debt_writeoff_line import BOOKED

OFFICER = "customer_churn.group_bad_debt_officer"


class ResPartner(models.Model):
    _inherit = "res.partner"

    writeoff_count = fields.Integer(compute="_compute_writeoff_count", groups=OFFICER, string="Write-Offs")

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "allowed_company_ids")
    def _compute_writeoff_count(self):
        counts = dict(self.env["customer.bad.debt.writeoff"]._read_group(
            self.commercial_partner_id._get_writeoff_domain(), ["partner_id"], ["__count"]))
        for partner in self:
            partner.writeoff_count = counts.get(partner.commercial_partner_id, 0)

    def _get_writeoff_domain(self):
        return [("partner_id", "in", self.commercial_partner_id.ids), ("company_id", "in", self.env.companies.ids)]

    def action_open_writeoffs(self):
        return self.env["customer.bad.debt.writeoff"].search(self._get_writeoff_domain())._get_open_action()


class CustomerChurnProfile(models.Model):
    """What was lost with a customer, and what came back."""

    _inherit = "customer.churn.profile"

    written_off_amount = fields.Monetary(compute="_compute_written_off_amount", groups=OFFICER, string="Written Off")
    recovered_amount = fields.Monetary(compute="_compute_written_off_amount", groups=OFFICER, string="Recovered")

    @api.depends("partner_id", "company_id")
    def _compute_written_off_amount(self):
        sums = {
            (company, partner): (total - (undone or 0.0), recovered or 0.0)
            for company, partner, total, undone, recovered in self.env["customer.bad.debt.writeoff"]._read_group(
                [("partner_id", "in", self.partner_id.ids), ("company_id", "in", self.company_id.ids),
                 ("kind", "=", "bad_debt"), ("state", "in", (*BOOKED, "reversed"))],
                ["company_id", "partner_id"],
                ["amount_total:sum", "amount_undone:sum", "amount_recovered:sum"])}
        for profile in self:
            profile.written_off_amount, profile.recovered_amount = sums.get(
                (profile.company_id, profile.partner_id), (0.0, 0.0))

    def _get_happenings(self, limit=None):
        return [*self._get_writeoff_happenings(limit), *super()._get_happenings(limit)]

    def _get_writeoff_happenings(self, limit):
        """Write-offs, undos and recoveries, for whom may read them."""
        if not self.env["customer.bad.debt.writeoff"].has_access("read"):
            return []
        rows = []
        for writeoff in self._search_newest(
                self.env["customer.bad.debt.writeoff"], limit, "date desc, id desc",
                [("state", "in", (*BOOKED, "reversed"))]):
            rows.append(self._to_happening(
                writeoff, writeoff.date, "write_off", self.env._("Written off: %s", writeoff.name),
                amount=writeoff.amount_total))
            if writeoff.state == "reversed":
                rows.append(self._to_happening(
                    writeoff, writeoff.reversal_move_id.date, "write_off",
                    self.env._("Write-off undone: %s", writeoff.name), amount=writeoff.amount_undone))
        recoveries = self._search_newest(
            self.env["customer.bad.debt.recovery"], limit, "date desc, id desc", [("state", "=", "posted")])
        return rows + [
            self._to_happening(
                recovery, recovery.date, "write_off", self.env._("Paid after all: %s", recovery.writeoff_id.name),
                amount=recovery.amount, res_model="customer.bad.debt.writeoff", res_id=recovery.writeoff_id.id)
            for recovery in recoveries]
