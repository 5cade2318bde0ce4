"""What a night does with care plans: company by company and plan by plan, each in a transaction of its own, so that a
night that is killed leaves whole plans and the next one goes on."""

import logging
from datetime import timedelta

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL
from psycopg2.errors import UniqueViolation

_logger = logging.getLogger(__name__)
LOCK_CLASS = 1_938_402_117  # of PostgreSQL's advisory locks: the care of a company


class CustomerCarePlan(models.Model):
    _inherit = "customer.care.plan"

    @api.model
    def _cron_care(self):
        """The night after the analysis, for all companies."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([("active", "=", True)])
        steps = [(company, step) for company in companies for step in self._get_steps(company)]
        cron._commit_progress(remaining=len(steps))
        for company, step in steps:
            self._step_safely(company, step)
            if not cron._commit_progress(1):
                return

    @api.model
    def _step_safely(self, company, step):
        """Whatever becomes of one step, the other companies' nights go on."""
        try:
            with self.env.cr.savepoint():
                if self._try_lock(company):
                    step(self.env["customer.churn.run"]._get_today(company))
        except Exception:  # whatever it is; the next night tries again
            _logger.exception("care of %s failed", company.name)
            self.env.invalidate_all(flush=False)

    @api.model
    def _care(self, company, date=None):
        """The night of one company, in one transaction.

        :param date date: the night's day; today unless given
        :return: the treatments that began
        """
        known = self.env["customer.care.treatment"].search([("company_id", "=", company.id)])
        if self._try_lock(company):
            for step in self._get_steps(company):
                step(date or self.env["customer.churn.run"]._get_today(company))
        return self.env["customer.care.treatment"].search([("company_id", "=", company.id)]) - known

    @api.model
    def _get_steps(self, company):
        """What is done one after the other: methods that take the night's day, and of which each may be the last."""
        Treatment = self.env["customer.care.treatment"].with_company(company)
        plans = self.with_company(company).search([("company_id", "=", company.id)])
        return [
            lambda date: Treatment._look_after(company, date),
            *(plan._treat_safely for plan in plans),
            lambda date: self.env["customer.churn.summary"]._send(company, date),
        ]

    @api.model
    def _try_lock(self, company):
        """Take the company's lock until the end of the transaction; False where another night holds it."""
        [[taken]] = self.env.execute_query(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_CLASS, company.id))
        return taken

    def _treat_safely(self, date):
        """One plan's failure does not stop the others: it is told on the plan."""
        try:
            with self.env.cr.savepoint():
                self._treat(date)
                error = False
        except (UniqueViolation, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            # another night did it, or somebody wrote the same rows: the next night looks again
            _logger.info("care plan %s of %s met others", self.name, self.company_id.name, exc_info=True)
            self.env.invalidate_all(flush=False)
            return
        except Exception as fault:  # whatever it is, the other plans go on and the managers see it
            _logger.info("care plan %s of %s failed", self.name, self.company_id.name, exc_info=True)
            self.env.invalidate_all(flush=False)
            error = str(fault)
        if (self.error or False) != error:
            self.error = error

    def _treat(self, date):
        """Begin the treatment of whom the plan meets tonight.

        :return: customer.care.treatment records, with those left alone
        """
        self._check_action()  # its activities may have been taken away since
        treatments = self.env["customer.care.treatment"].with_context(tracking_disable=True).create([
            self._prepare_treatment_vals(row, profile, date) for row, profile in self._get_met(date)])
        treatments.filtered("is_control").case_id._leave_alone(date + timedelta(days=self.measure_days))
        treated = treatments.filtered(lambda treatment: not treatment.is_control)
        if self.mail_template_id:
            self._send_messages(treated)
        if self.activity_plan_id:
            self._plan_activities(treated, date)
        (treated - treated.filtered("activity_ids")).state = "done"
        return treatments

    def _get_met(self, date):
        rows = self._choose(date)
        profiles = self.env["customer.churn.profile"].browse([row["id"] for row in rows])
        return zip(rows, profiles, strict=True)

    def _prepare_treatment_vals(self, row, profile, date):
        return {
            "plan_id": self.id, "company_id": self.company_id.id, "date": date,
            **{name: row[name] for name in ("partner_id", "case_id", "user_id", "occasion", "is_control")},
            "state": "control" if row["is_control"] else "open", "status": profile.status,
            "value_class": profile.value_class, "revenue_at_stake": profile.revenue_at_stake,
        }

    # ------------------------------------------------------------------ activities
    def _plan_activities(self, treatments, date):
        """The steps of the activity plan for all customers, in one go and without a mail each."""
        self._schedule([
            (treatment, {
                "activity_type_id": self._get_activity_type(step, treatment).id,
                "summary": step.summary, "note": step.note,
                "date_deadline": max(step._get_date_deadline(date), date),
                "user_id": self._get_step_user(step, treatment).id})
            for step in self.activity_plan_id.template_ids for treatment in treatments])

    def _get_step_user(self, step, treatment):
        """Whom the step names, as long as that person is there."""
        user = step._determine_responsible(treatment.user_id, treatment.partner_id)["responsible"]
        return user if user.active else treatment.user_id

    def _get_activity_type(self, step, treatment):
        """A type of cases only serves no contact."""
        kind = step.activity_type_id
        fits = not kind.res_model or kind.res_model == (treatment.case_id or treatment.partner_id)._name
        return kind if fits else self.env.ref("mail.mail_activity_data_todo")

    def _schedule(self, pairs):
        """Create activities `pairs` (treatment, values) on the customer's case, or on the customer."""
        models_by_name = {name: self.env["ir.model"]._get_id(name) for name in ("customer.churn.case", "res.partner")}
        working_days = {}
        vals_list = []
        for treatment, vals in pairs:
            record = treatment.case_id or treatment.partner_id
            day = vals["date_deadline"]
            if self.quiet_days and day not in working_days:
                working_days[day] = self.company_id._get_working_day(day)
            vals_list.append({
                **vals, "res_model_id": models_by_name[record._name], "res_id": record.id, "automated": True,
                "care_treatment_id": treatment.id, "date_deadline": working_days.get(day, day)})
        treatments = self.env["customer.care.treatment"].union(*(treatment for treatment, _vals in pairs))
        for records in (treatments.case_id, treatments.partner_id):
            records.mapped("display_name")  # at once: the activities would ask for one after the other
        quiet = self.env["mail.activity"].with_context(mail_activity_quick_update=True, mail_notrack=True)
        return quiet.create(vals_list)
