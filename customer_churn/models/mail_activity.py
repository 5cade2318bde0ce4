from odoo import fields, models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    care_treatment_id = fields.Many2one(
        "customer.care.treatment", readonly=True, index="btree_not_null", ondelete="set null")
    care_escalated_from_id = fields.Many2one(
        "res.users", readonly=True, ondelete="set null", help="Who had left this activity undone for too long.")

    def _hand_over(self, user):
        """Give overdue activities of care plans to somebody else; the daily summary tells."""
        for former, activities in self.filtered(lambda activity: activity.user_id != user).grouped("user_id").items():
            activities.with_context(mail_activity_quick_update=True).write(
                {"user_id": user.id, "care_escalated_from_id": former.id})
            for model, some in activities.grouped("res_model").items():
                said = self.env[model].with_context(lang=user.lang)
                sentence = said.env._("Escalated to %(new)s: %(old)s left it undone.", new=user.name, old=former.name)
                bodies = dict.fromkeys(some.mapped("res_id"), sentence)
                said.browse(bodies)._message_log_batch(bodies)
        kept = self.filtered(lambda activity: activity.user_id == user and not activity.care_escalated_from_id)
        kept.write({"care_escalated_from_id": user.id})
