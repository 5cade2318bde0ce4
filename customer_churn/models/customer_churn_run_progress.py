"""What people see of a run: where it stands, in words, and who is told when it is over."""

import json
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date, format_datetime

from .customer_churn_run import LOCK_CLASS, MANAGER

_logger = logging.getLogger(__name__)

STAGE = [("waiting", "Waiting"), ("working", "Working"), ("done", "Done"), ("failed", "Failed")]
FEW = 100  # customers: below it the usual values weigh more than what was learned
SLOW = timedelta(minutes=3)  # a scheduled action that was woken starts within one


class CustomerChurnRun(models.Model):
    _inherit = "customer.churn.run"

    stage = fields.Selection(STAGE, string="Progress", compute="_compute_stage")
    explanation = fields.Text(compute="_compute_explanation")
    change_count = fields.Integer(
        string="Changes", compute="_compute_change_count", help="Changes of status, without customers seen first.")
    forecast_facts = fields.Text(
        string="What the Forecast Learned", compute="_compute_forecast_facts",
        help="The forecast's parameters in words.")

    # ------------------------------------------------------------------ where it stands
    @api.depends("state")
    def _compute_stage(self):
        busy = self._get_companies_at_work() if "running" in self.mapped("state") else set()
        for run in self:
            asked = run.state == "running"
            run.stage = run.state if not asked else "working" if run.company_id.id in busy else "waiting"

    @api.model
    def _get_companies_at_work(self):
        """Ids of the companies whose lock is held: a run writes nothing before it is over, so only this tells."""
        return {company for [company] in self.env.execute_query(SQL(
            """SELECT objid::bigint FROM pg_locks
                WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""", LOCK_CLASS))}

    @api.depends("event_count")
    def _compute_change_count(self):
        counts = dict(self.env["customer.churn.event"]._read_group(
            [("run_id", "in", self.ids), ("old_status", "!=", False)], ["run_id"], ["__count"]))
        for run in self:
            run.change_count = counts.get(run._origin, 0)

    # ------------------------------------------------------------------ in words
    @api.depends("stage", "error", "customer_count", "change_count")
    def _compute_explanation(self):
        for run in self:
            run.explanation = getattr(run, f"_explain_{run.stage}")() if run.stage else False

    def _explain_waiting(self):
        # sudo: only the name of our own scheduled action and whether it is on are read
        cron = self.env.ref("customer_churn.ir_cron_customer_churn_run").sudo()
        if not cron.active:
            return self.env._(
                "The scheduled action \"%(name)s\" is switched off: ask an administrator to switch it on under "
                "Settings, Technical, Scheduled Actions, then press Analyse Now again.", name=cron.name)
        if self.create_date and fields.Datetime.now() - self.create_date > SLOW:
            return self.env._(
                "Waiting since %(time)s: the server is busy with other scheduled actions, or runs none at all. "
                "Ask an administrator to look at them under Settings, Technical, Scheduled Actions.",
                time=format_datetime(self.env, self.create_date, dt_format="short"))
        return self.env._("Waiting for the scheduled action, which starts within a minute.")

    def _explain_working(self):
        last = self.search(
            [("company_id", "=", self.company_id.id), ("state", "=", "done"), ("kind", "=", "full")], limit=1)
        if not last or last.duration < 2:
            return self.env._("The ledger is being read and the forecast learned. You may leave this page.")
        return self.env._(
            "The ledger is being read and the forecast learned. The last full analysis took %(seconds)s seconds.",
            seconds=f"{last.duration:.0f}")

    def _explain_done(self):
        if not self.customer_count:
            return self._explain_nobody(self.company_id)
        return self.env._(
            "Customers with a status: %(customers)s. Seen for the first time: %(first)s. "
            "Changes of status: %(changes)s.",
            customers=f"{self.customer_count:,}", first=f"{self.event_count - self.change_count:,}",
            changes=f"{self.change_count:,}")

    @api.model
    def _explain_nobody(self, company):
        return self.env._(
            "No posted customer invoice of %(company)s counts yet, so there is nobody to look at. Post the first one: "
            "the next night finds it.", company=company.name)

    def _explain_failed(self):
        return self.env._(
            "%(error)s. Nothing was changed. Press Analyse Now to try again, or wait for the night.",
            error=self._get_error_line().rstrip("."))

    def _get_error_line(self):
        """What went wrong in one line; the name of the error where it has no text."""
        lines = [line for line in (self.error or "").splitlines() if line.strip()]
        return lines[-1 if self.error.startswith("\n") else 0] if lines else ""

    @api.depends("parameters")
    def _compute_forecast_facts(self):
        for run in self:
            run.forecast_facts = run._say_forecast_facts(json.loads(run.parameters)) if run.parameters else False

    def _say_forecast_facts(self, parameters):
        report = parameters["report"]
        few, say_days = report["customers_used"] < FEW, self.env["customer.churn.profile"]._say_days
        how = {
            "fitted": self.env._("learned from this ledger"),
            "prior": self.env._("few customers to learn from: mostly usual values"),
            "stopped early": self.env._("learned from this ledger, without settling: use with care"),
        }
        chances = [
            self.env._("%(share)s %% within %(days)s", share=round(100 * share), days=say_days(days))
            for days, share in zip(parameters["horizons"], parameters["mean_chances"], strict=True)
        ]
        return "\n".join([
            self.env._("Customers: %(count)s, of whom %(single)s bought once.", count=f"{report['customers']:,}",
                       single=f"{report['single_purchases']:,}"),
            self.env._("The average customer buys again: %(chances)s.", chances=", ".join(chances)),
            self.env._("How often customers buy: %(how)s.", how=how["prior" if few else report["purchases"]]),
            self.env._("How much they spend: %(how)s.", how=how["prior" if few else report["money"]]),
            self.env._("Who is likelier to come back: %(how)s.", how=self._say_past(report["ranking"], "cuts")),
            self.env._("Up or down with the season: %(how)s.", how=self._say_past(report["level"], "seasons")),
        ])

    def _say_past(self, horizons, days):
        """What a part of the forecast learned from past days, `horizons` {horizon: what was used}."""
        used = max(horizons.values(), key=lambda facts: len(facts[days]))
        if not used[days]:
            date = min(facts["from"] for facts in horizons.values())
            return self.env._(
                "not yet, the ledger reaches back too little; from %(date)s on", date=format_date(self.env, date))
        if used["why"] != "learned":
            return self.env._("nothing to learn, all customers bought or none")
        return self.env._(
            "learned from how the forecast did on %(dates)s",
            dates=", ".join(format_date(self.env, date) for date in used[days]))

    # ------------------------------------------------------------------ when it is over
    def _tell(self):
        """Whoever waits for it, and the managers of a failure; the run counts even where that cannot be told."""
        try:
            with self.env.cr.savepoint():
                self._announce()
                if self.state == "failed":
                    self._tell_managers()
                else:
                    self._get_failed().activity_unlink(["mail.mail_activity_data_todo"])
        except Exception:  # whatever a mail, a bus or a view of theirs may say
            _logger.exception("the end of run %s could not be told", self.id)

    def _get_failed(self):
        return self.search([("company_id", "=", self.company_id.id), ("state", "=", "failed")])

    def _tell_managers(self):
        """One activity a manager on the failed run; an earlier one that is still open is enough. The next run that
        is done takes it away."""
        managers = self.env.ref(MANAGER).all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids)
        told = self._get_failed().activity_ids.user_id
        for user in managers - told:
            run = self.with_context(lang=user.lang)
            run.activity_schedule(
                "mail.mail_activity_data_todo", user_id=user.id,
                summary=run.env._("The customer analysis failed"), note=run._get_error_line(),
            )

    def _announce(self):
        """Tick the company's first step once somebody has a status, and tell each who asked: they may have left."""
        self.ensure_one()
        if self.state == "done" and self.customer_count:
            self.env["onboarding.onboarding.step"].with_company(self.company_id).action_validate_step(
                "customer_churn.onboarding_onboarding_step_churn_analyse")
        for user in self.message_partner_ids.user_ids:
            if self.company_id in user.company_ids and not user.share:
                self._tell_asker(user)

    def _tell_asker(self, user):
        """One notice; it stays until closed if it is a failure or the last that the person waits for."""
        waits = self.search_count(
            [("state", "=", "running"), ("message_partner_ids", "in", user.partner_id.ids)], limit=1)
        run = self.with_context(lang=user.lang)
        failed = run.state == "failed"
        title = run.env._("%(company)s: the analysis failed", company=run.company_id.name) if failed else run.env._(
            "%(company)s: the analysis is done", company=run.company_id.name)
        user._bus_send("simple_notification", {
            "type": "danger" if failed else "success" if run.customer_count else "info",
            "sticky": failed or not waits, "title": title, "message": run.explanation,
        })

    def action_open_customers(self):
        return self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_profile_action")
