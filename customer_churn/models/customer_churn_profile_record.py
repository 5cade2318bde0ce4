"""Beside a chance its record: how often such a one came true in this company."""

import json

from odoo import api, fields, models

from ..engine.policy import Policy

LEAST = 10  # customers of a group: fewer prove nothing


class CustomerChurnProfile(models.Model):
    _inherit = "customer.churn.profile"

    chance_record = fields.Char(
        compute="_compute_chance_record", help="By the forecast record, among customers with such a chance.")

    @api.depends("purchase_probability", "policy_id.near_days")
    @api.depends_context("lang")
    def _compute_chance_record(self):
        for (company, days), profiles in self.grouped(
                lambda profile: (profile.company_id, profile.policy_id.near_days or Policy.near_days)).items():
            groups = self._get_calibration(company, days)
            for profile in profiles:
                chance = profile.purchase_probability
                near = min(groups, key=lambda g: abs(g["predicted"] - chance), default=None)  # noqa: B023
                profile.chance_record = near and self.env._(
                    "of 100 customers with such a chance, %(count)s bought within %(days)s",
                    count=round(100 * near["actual"]), days=self._say_days(days))

    @api.model
    def _get_calibration(self, company, days):
        """The ten groups of the newest record of `days` ahead that has any."""
        # sudo: salespeople see no records, but may know what a chance that they see is worth
        record = self.env["customer.churn.record"].sudo().search([
            ("company_id", "=", company.id), ("horizon_days", "=", days), ("calibration", "!=", False)], limit=1)
        return [group for group in json.loads(record.calibration or "[]") if group["customers"] >= LEAST]
