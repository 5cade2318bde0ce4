"""What the plans of the reasons schedule: it follows the answers that stand, as the reasons themselves do."""

from odoo import models


class CustomerChurnReasonAnswer(models.Model):
    _inherit = "customer.churn.reason.answer"

    def _get_occasion(self):
        """What an answer is for: a case or, without one, a status change of the customer."""
        return self.company_id, self.partner_id, self.case_id or self.event_id

    def _follow_plans(self):
        """What was scheduled for another reason than the one that stands is moot. Of the plan of the one that stands
        each step is scheduled once an occasion: what somebody did need not be done again."""
        occasions = dict.fromkeys(answer._get_occasion() for answer in self)
        users = {company: company._get_churn_users() for company in self.company_id}
        moot, vals_list, planned = self.env["mail.activity"], [], []
        of_customers = self._get_all_of_customers()
        for customer in dict.fromkeys(occasion[:2] for occasion in occasions):
            answers = of_customers[customer]
            standing = answers.filtered(lambda answer: not answer.is_undone)[:1].with_prefetch(answers._prefetch_ids)
            same = answers.filtered(lambda answer: answer.reason_id == standing.reason_id)  # noqa: B023
            moot |= (answers - same).activity_ids.filtered("active")
            if standing._get_occasion() in occasions:
                due = standing._prepare_plan(same._get_steps(standing._get_occasion()), users[customer[0]])
                vals_list += due
                planned += [standing.id] * len(due)
        moot.unlink()
        activities = self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(vals_list)
        for answer, activity in zip(self.browse(planned), activities, strict=True):
            answer.activity_ids += activity

    def _get_all_of_customers(self):
        """{(company, customer): all answers, with what was scheduled for them, done or not}, read in one go"""
        answers = self.with_context(active_test=False).search([
            ("company_id", "in", self.company_id.ids), ("partner_id", "in", self.partner_id.ids)])
        answers.activity_ids.fetch(["activity_type_id", "summary", "active"])
        return answers.grouped(lambda answer: (answer.company_id, answer.partner_id))

    def _get_steps(self, occasion):
        """What is scheduled for these answers, and what was done of it on this occasion: {(type id, summary)}"""
        return {(activity.activity_type_id.id, activity.summary) for answer in self
                for activity in answer.activity_ids if activity.active or answer._get_occasion() == occasion}

    def _prepare_plan(self, steps, users):
        """The activities of the reason's plan without those of `steps`; none for a case that is closed."""
        plan = self.reason_id.activity_plan_id
        ours = not plan.company_id or plan.company_id == self.company_id
        if self.case_id.state == "closed" or not plan.active or not ours:
            return []
        vals_list = [self._prepare_activity_vals(template, users) for template in plan.template_ids]
        return [vals for vals in vals_list if (vals["activity_type_id"], vals["summary"]) not in steps]

    def _prepare_activity_vals(self, template, users):
        """For the owner of the case, else the salesperson, if they are among `users`."""
        record = self.case_id or self.partner_id
        owner = next(
            (user for user in (self.case_id.user_id, self.partner_id.user_id) if user in users), self.author_id)
        responsible = template._determine_responsible(owner, record)["responsible"] or owner
        kind = template.activity_type_id.with_context(lang=responsible.lang)
        # a type of cases only serves no contact
        fits = not kind.res_model or kind.res_model == record._name
        return {
            "res_model_id": self.env["ir.model"]._get_id(record._name), "res_id": record.id,
            "activity_type_id": kind.id if fits else self.env.ref("mail.mail_activity_data_todo").id,
            "summary": template.summary or kind.summary or kind.name, "note": template.note,
            "user_id": responsible.id, "date_deadline": template._get_date_deadline(), "automated": True,
        }
