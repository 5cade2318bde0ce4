"""Messages of care plans: Odoo's own mass mail of a template, each in the customer's language and logged on the
customer. Who opted out gets none; who cannot be reached by mail becomes an activity."""

from odoo import models


class CustomerCarePlan(models.Model):
    _inherit = "customer.care.plan"

    def _send_messages(self, treatments):
        """Queue a mail for each customer of `treatments` who may get one."""
        by_customer = {treatment.partner_id: treatment for treatment in treatments}
        customers = treatments.partner_id.filtered(lambda customer: not customer.is_blacklisted)
        reachable = customers.filtered(lambda customer: customer.email_normalized and not customer.message_bounce)
        unreached = customers - reachable
        for lang, some in reachable.grouped("lang").items():
            for mail in self._queue_mails(some, lang):
                customer = customers.browse(mail.res_id)
                by_customer[customer].mail_message_id = mail.mail_message_id
                if mail.state == "cancel" and mail.failure_type != "mail_dup":  # the same words, to the same address
                    unreached |= customer
        self._ask_to_call([by_customer[customer] for customer in unreached if by_customer[customer].user_id])

    def _queue_mails(self, customers, lang):
        """mail.mail records, waiting in Odoo's queue: nothing leaves before the night is committed."""
        template = self.mail_template_id
        forced = {} if template.lang else {"template_preview_lang": lang}
        composer = self.env["mail.compose.message"].with_context(**forced, mail_notify_force_send=False).create({
            "composition_mode": "mass_mail", "model": "res.partner", "res_ids": customers.ids,
            "template_id": template.id, "auto_delete": False, "force_send": False, "use_exclusion_list": True,
            "email_from": template.email_from or self.company_id.email_formatted,
        })
        mails, _messages = composer._action_send_mail()
        return mails

    def _ask_to_call(self, treatments):
        activity_type = self.env.ref("mail.mail_activity_data_call")
        self._schedule([
            (treatment, {"activity_type_id": activity_type.id, "date_deadline": treatment.date,
                         "user_id": treatment.user_id.id, "summary": self._say_unreached(treatment)})
            for treatment in treatments])

    def _say_unreached(self, treatment):
        said = self.with_context(lang=treatment.user_id.lang)
        if not treatment.partner_id.email_normalized:
            return said.env._("No e-mail address: call instead of “%(message)s”", message=said.mail_template_id.name)
        return said.env._("E-mails come back: call instead of “%(message)s”", message=said.mail_template_id.name)
