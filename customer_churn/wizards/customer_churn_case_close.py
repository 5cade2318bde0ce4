from odoo import api, fields, models


class CustomerChurnCaseClose(models.TransientModel):
    """Asks how cases end, and why."""

    _name = "customer.churn.case.close"
    _inherit = "customer.churn.reason.mixin"
    _description = "Close Cases"

    case_ids = fields.Many2many("customer.churn.case", string="Cases", required=True)
    outcome = fields.Selection([("false_alarm", "False Alarm"), ("lost", "Lost")], required=True, default="lost")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_outcome(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_outcome(vals)
        return super().write(vals)

    def _check_outcome(self, vals):
        """Refuse in words what the screen does not offer."""
        if "outcome" in vals:
            self.env["customer.churn.case"]._check_outcome(vals["outcome"])

    def action_apply(self):
        self.ensure_one()
        given = {"note": self.note} if self.note else {}  # without a reason, cases keep the one that they have
        if self.reason_id:
            given = {"reason_id": self.reason_id.id, "competitor_id": self.competitor_id.id, "note": self.note or False}
        rows = [{**case._prepare_answer(), **given} for case in self.case_ids
                if self.evidence or {**case._get_given(), **given} != case._get_given()]
        self.env["customer.churn.reason.answer"]._record(rows, self.evidence or None, self.evidence_name)
        self.case_ids.action_close(self.outcome)
        return {"type": "ir.actions.act_window_close"}
