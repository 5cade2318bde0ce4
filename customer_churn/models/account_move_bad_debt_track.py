from odoo import models


class AccountMove(models.Model):
    """What writing off changes on invoices is noted for all of them at once; the host notes one by one."""

    _inherit = "account.move"

    def _message_track(self, fields_iter, initial_values_dict):
        settled = self.filtered(
            lambda move: "payment_state" in initial_values_dict[move.id] and move._is_written_off())
        if not (settled and fields_iter):
            return super()._message_track(fields_iter, initial_values_dict)
        described = self.fields_get(fields_iter, attributes=("string", "type", "selection", "currency_field"))
        tracking = {move.id: move._mail_track(described, initial_values_dict[move.id]) for move in settled}
        settled = settled.filtered(lambda move: "payment_state" in tracking[move.id][0])
        settled._note_changes({move.id: tracking[move.id][1] for move in settled})
        others = super(AccountMove, self - settled)._message_track(fields_iter, initial_values_dict)
        return others | {move.id: tracking[move.id] for move in settled}

    def _is_written_off(self):
        return self.write_off_state not in (False, "none")

    def _note_changes(self, commands):
        messages = self._message_log_batch(bodies=dict.fromkeys(commands, ""))
        messages.env["mail.tracking.value"].create([
            {**values, "mail_message_id": message.id}
            for message in messages for _create, _id, values in commands[message.res_id]])
