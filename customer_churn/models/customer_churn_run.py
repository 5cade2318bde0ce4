import logging
import time
import traceback

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, format_date
from psycopg2 import IntegrityError

_logger = logging.getLogger(__name__)

MANAGER = "customer_churn.group_customer_churn_manager"
LOCK_CLASS = 0x63687572  # the first key of the advisory locks of the runs; the second is the company
TRIES = 3  # of a run whose rows somebody else was writing
MEANWHILE = (*PG_CONCURRENCY_EXCEPTIONS_TO_RETRY, IntegrityError)  # merged or deleted customers among them
AHEAD = relativedelta(days=7)  # of today: what lies further is no time zone and no small mistake of a clock


class CustomerChurnRun(models.Model):
    """One night's work for one company: a record that is `running` from the moment it is asked for until
    its one transaction is committed, so that a night that was killed is simply taken up again."""

    _name = "customer.churn.run"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _description = "Churn Analysis"
    _order = "date desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"  # nobody may write a run, but those who read it may talk about it

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True, ondelete="cascade")
    date = fields.Date(required=True, readonly=True, help="The last day that the analysis knows of.")
    state = fields.Selection(
        [("running", "Running"), ("done", "Done"), ("failed", "Failed")],
        required=True, readonly=True, default="running", index=True,
    )
    kind = fields.Selection(
        [("full", "Full"), ("nightly", "Nightly")], required=True, readonly=True, default="nightly",
        help="Full: the forecast is fitted again and every customer is looked at. "
             "Nightly: only the customers whose ledger changed or whose deadline has come.",
    )
    customer_count = fields.Integer(string="Customers", readonly=True, help="Customers with a profile afterwards.")
    read_count = fields.Integer(string="Customers Read", readonly=True, help="Customers whose ledger was read.")
    changed_count = fields.Integer(string="Profiles Changed", readonly=True)
    event_count = fields.Integer(string="Status Changes", readonly=True)
    case_count = fields.Integer(string="Cases Opened", readonly=True)
    duration = fields.Float(string="Duration (Seconds)", digits=(16, 2), readonly=True, aggregator="avg")
    parameters = fields.Text(readonly=True, help="The forecast's parameters, as JSON.")
    value_limits = fields.Text(readonly=True, help="The limits of value classes and RFM scores, as JSON.")
    policies = fields.Text(
        readonly=True, help="Policies and shares of value as they were, as JSON: a fit is due when they change.")
    fit_date = fields.Date(string="Fitted On", readonly=True)
    read_at = fields.Datetime(readonly=True, help="Every change of the ledger before this moment was seen.")
    error = fields.Text(readonly=True)
    event_ids = fields.One2many("customer.churn.event", "run_id", string="Status Changes of This Run")

    _last_done_idx = models.Index("(company_id, id DESC) WHERE state = 'done'")

    @api.depends("company_id", "date")
    def _compute_display_name(self):
        for run in self:
            run.display_name = f"{run.company_id.name}, {format_date(self.env, run.date)}"

    # ------------------------------------------------------------------ one company
    @api.model
    def _run(self, company, date=None, full=False):
        """Bring the profiles of a company up to `date` (its today).

        :param company: res.company record
        :param date: the last day known; earlier than the last run's is refused (`_replay` looks back)
        :param bool full: fit again and look at every customer
        :return: the run record, `done` or `failed`
        :raise UserError: another run of the company is under way, or `date` lies before the last run
        """
        read_at = self.env["customer.churn.purchase"]._read_watermark()
        if not self._try_lock(company):
            raise UserError(self.env._(
                "An analysis of %(company)s is under way: this one stops here. Look at it under Reporting, Runs.",
                company=company.name,
            ))
        date = fields.Date.to_date(date) or self._get_next_date(company)
        last = self._get_last_done(company)
        if last and date < last.date and not self._is_ahead(last):
            raise UserError(self.env._(
                "%(company)s was analysed up to %(last)s: an analysis of %(date)s would undo what is known. "
                "Use a later date.",
                company=company.name, last=format_date(self.env, last.date), date=format_date(self.env, date),
            ))
        run = self._ask_for([self._prepare_run_vals(company, date, full)])
        run._execute(read_at)
        return run

    @api.model
    def _prepare_run_vals(self, company, date, full=False):
        return {"company_id": company.id, "date": date, "kind": "full" if full else "nightly"}

    @api.model
    def _get_next_date(self, company):
        """Today, or the day of the last look where a clock or a time zone was set back since. Where a clock was far
        ahead at the last look it is today all the same: everybody is looked at anew."""
        last, today = self._get_last_done(company), self._get_today(company)
        return max(today, last.date) if last and not self._is_ahead(last) else today

    @api.model
    def _is_ahead(self, run):
        return run.date > self._get_today(run.company_id) + AHEAD

    @api.model
    def _get_today(self, company, moment=None):
        """The company's own calendar day, now or at a moment in UTC, in which the night's cron runs."""
        return fields.Date.context_today(
            self.with_context(tz=company.partner_id.tz or self.env.user.tz or "UTC"), moment)

    @api.model
    def _try_lock(self, company):
        """Take the company's lock until the end of the transaction; False where somebody holds it."""
        [[taken]] = self.env.execute_query(SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_CLASS, company.id))
        return taken

    def _execute(self, read_at, retry=False):
        """Do the work in a savepoint: done with its figures, or failed with nothing changed but its error.

        :param datetime read_at: the watermark, looked up before the transaction began
        :param bool retry: raise what another transaction is the reason of
        """
        self.ensure_one()
        run = self.with_company(self.company_id).with_context(allowed_company_ids=self.company_id.ids)
        started = time.perf_counter()
        try:
            with self.env.cr.savepoint():
                values = {"state": "done", "error": False, "read_at": read_at, **run._analyse()}
        except Exception as error:  # whatever it is, the other companies' nights go on and the managers are told
            if retry and isinstance(error, MEANWHILE):
                raise
            _logger.info("analysis of %s failed", self.company_id.name, exc_info=True)
            self.env.invalidate_all(flush=False)
            values = {"state": "failed", "error": f"{run._say_error(error)}\n\n{traceback.format_exc()}"}
        run.write({**values, "duration": time.perf_counter() - started})
        self.env.flush_all()  # a manager may have asked for more meanwhile: then all is to be tried again
        run._tell()

    def _say_error(self, error):
        if isinstance(error, MEANWHILE):
            return self.env._("Other users wrote the same customers while these were analysed")
        return str(error)

    # ------------------------------------------------------------------ what went before
    @api.model
    def _get_last_done(self, company):
        return self.search([("company_id", "=", company.id), ("state", "=", "done")], order="id DESC", limit=1)

    def _get_first_unseen_date(self):
        """The day after the last look, or the beginning of time."""
        last = self._get_last_done(self.company_id)
        return min(last.date + relativedelta(days=1), self.date) if last else fields.Date.to_date("0001-01-01")

    # ------------------------------------------------------------------ every company
    @api.model
    def _cron_run(self):
        """The night: ask for a run of each company, then do them one by one, each in its own transaction; at last
        count the months that no run saw the end of."""
        cron = self.env["ir.cron"]
        pending = self._ask_for_runs()
        cron._commit_progress(remaining=len(pending) + 1)  # one more: the months, also where the runs took all the time
        for run in pending:
            run._take_up()
            if not cron._commit_progress(1):
                return
        self.env["customer.churn.month"]._fill_missing()

    def _take_up(self):
        """Do a run that was asked for, from the start again where a user wrote the same rows meanwhile."""
        for tries_left in reversed(range(TRIES)):
            read_at = self.env["customer.churn.purchase"]._read_watermark()
            if not self._try_lock(self.company_id) or self.state != "running":
                return
            date = max(self.date, self._get_next_date(self.company_id))
            if date != self.date:  # the row stays free: a manager may ask for a full run meanwhile
                self.date = date
            try:
                self._execute(read_at, retry=tries_left > 0)
                return self.env.flush_all()
            except MEANWHILE:
                self.env.cr.rollback()

    @api.model
    def _ask_for_runs(self, companies=None, full=False):
        """The unfinished runs, and one for each company that has neither such a one nor one done today;
        all of them full ones where these are asked for."""
        companies = companies or self.env["res.company"].search([("active", "=", True)])
        for company in companies:  # now, as a run is long: meanwhile somebody may want to see the limits
            self.env["customer.churn.policy"]._get_policies(company)
        pending = self.search([("state", "=", "running"), ("company_id", "in", companies.ids)], order="id")
        done = self.search([("state", "=", "done"), ("company_id", "in", companies.ids),
                            ("date", ">=", fields.Date.today() - relativedelta(days=1))])
        fresh = {(run.company_id, run.date) for run in done} if not full else set()
        missing = (companies - pending.company_id).filtered(lambda c: (c, self._get_today(c)) not in fresh)
        if full:
            pending.filtered(lambda run: run.kind != "full").kind = "full"
        return pending | self._ask_for(
            [self._prepare_run_vals(company, self._get_next_date(company), full) for company in missing])

    @api.model
    def _is_asked_for(self):
        return bool(self.search_count([("state", "=", "running")], limit=1))

    @api.model
    def _ask_for(self, vals_list):
        """Records without a word in their chatter: that is for what people have to say."""
        return self.with_context(mail_create_nolog=True).create(vals_list).with_env(self.env)

    def action_run(self):
        """*Analyse now*: ask for full runs of the companies at hand, follow them, and wake the scheduled action."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._(
                "Only managers of Customer Retention may start an analysis. Ask one of them, or wait for the night."))
        # sudo: nobody may write runs by hand; the right was checked above and the values are the code's own
        runs = self.sudo()._ask_for_runs(self.env.companies, full=True)
        runs.message_subscribe(self.env.user.partner_id.ids)
        self.env.ref("customer_churn.ir_cron_customer_churn_run")._trigger()
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_churn_run_action")
        if len(runs) == 1:
            return {**action, "res_id": runs.id, "views": [(False, "form")]}
        return {**action, "target": "main"}
