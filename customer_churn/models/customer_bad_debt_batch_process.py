import logging

from odoo import api, fields, models
from odoo.exceptions import LockError, RedirectWarning, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .customer_bad_debt_writeoff import APPROVER
from .customer_bad_debt_writeoff_line import BOOKED

_logger = logging.getLogger(__name__)

CHUNK = 25  # documents in one transaction
TRIES = 3  # of a chunk whose rows somebody else was writing


class CustomerBadDebtBatch(models.Model):
    """Posting in the background, a chunk a transaction: whatever is killed, what is committed stays, and only what is
    still approved is taken up again."""

    _inherit = "customer.bad.debt.batch"

    draft_count = fields.Integer(compute="_compute_progress")
    to_approve_count = fields.Integer(compute="_compute_progress")
    waiting_count = fields.Integer(compute="_compute_progress")
    posted_count = fields.Integer(string="Booked", compute="_compute_progress")
    failed_count = fields.Integer(string="Failed", compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress", help="How much of what was to be posted is through, in %.")
    writeoff_count = fields.Integer(string="Write-Offs Prepared", compute="_compute_progress")
    amount_total = fields.Monetary(string="To Write Off", compute="_compute_progress")
    failed_ids = fields.One2many(
        "customer.bad.debt.writeoff", "batch_id", string="Failures", domain=[("state", "=", "failed")], readonly=True)

    @api.depends("state", "writeoff_ids.state", "writeoff_ids.amount_total")
    def _compute_progress(self):
        rows = self.env["customer.bad.debt.writeoff"]._read_group(
            [("batch_id", "in", self.ids), ("state", "!=", "cancelled")], ["batch_id", "state"],
            ["__count", "amount_total:sum"])
        for batch in self:
            own = {state: (count, amount) for other, state, count, amount in rows if other == batch._origin}
            counts = {state: count for state, (count, _amount) in own.items()}
            batch.draft_count, batch.to_approve_count = counts.get("draft", 0), counts.get("to_approve", 0)
            batch.waiting_count, batch.failed_count = counts.get("approved", 0), counts.get("failed", 0)
            batch.posted_count = sum(counts.get(state, 0) for state in (*BOOKED, "reversed"))
            batch.writeoff_count = sum(counts.values())
            batch.amount_total = sum(amount for _count, amount in own.values())
            through = batch.posted_count + batch.failed_count
            batch.progress = 100.0 * through / (through + batch.waiting_count) if through else 0.0

    def action_open_writeoffs(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("customer_churn.customer_bad_debt_writeoff_action")
        return {**action, "domain": [("batch_id", "in", self.ids)]}

    # ------------------------------------------------------------------ asked for by an approver
    def action_post(self):
        """Post what is approved, and what failed once more, in the background."""
        self._check_rights(APPROVER)
        for batch in self:
            batch._lock()
            batch._check_state("prepared", "posting", "failed", "done")
            batch._line_up()
        self._set(state="posting", posted_by_id=self.env.user.id, posted_date=fields.Datetime.now())
        self.env.ref("customer_churn.ir_cron_customer_bad_debt_batch")._trigger()

    def _line_up(self):
        """What failed was approved before, and nobody has changed it since: else it would be a draft again."""
        self.writeoff_ids.filtered(lambda writeoff: writeoff.state == "failed")._set(state="approved", error=False)
        self.writeoff_ids.filtered(lambda writeoff: writeoff.state == "draft")._ask()
        if not self.waiting_count:
            raise UserError(self.env._(
                "%(name)s: nothing to post. %(count)s write-offs wait for the approval of a second person.",
                name=self.name, count=self.to_approve_count))

    # ------------------------------------------------------------------ the job
    @api.model
    def _cron_process(self):
        cron = self.env["ir.cron"]
        batches = self.search([("state", "=", "posting")], order="id")
        left = cron._commit_progress(remaining=sum(batches.mapped("waiting_count")) + len(batches))
        for batch in batches:
            while left:
                done = batch._take_up()
                left = cron._commit_progress(done or 1)
                if not done:
                    break

    def _take_up(self):
        """Do the next chunk, from its start again where somebody wrote the same rows meanwhile."""
        for tries_left in reversed(range(TRIES)):
            done = self._try_chunk(last_try=not tries_left)
            if done is not None:
                return done
        return 0

    def _try_chunk(self, last_try):
        try:
            return self._process(last_try)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            return None

    def _process(self, last_try=False):
        """Book a chunk; the number of documents that are through, 0 where there is nothing left to do."""
        if not self.try_lock_for_update(allow_referencing=True):
            return 0  # another job is at it
        self.env.invalidate_all()
        if self.state != "posting":
            return 0
        writeoffs = self.env["customer.bad.debt.writeoff"].search(
            [("batch_id", "=", self.id), ("state", "=", "approved")], limit=CHUNK, order="id")
        if not writeoffs:
            self._finish()
        elif self._may_still_post():
            self._post_all(self._in_the_name_of_who_asked(writeoffs), last_try)
        else:
            writeoffs._set(state="failed", error=self._say_gone())
        return len(writeoffs)

    def _may_still_post(self):
        """Whoever asked for it may have left since: nothing is booked in the name of nobody, or of the job."""
        user = self.posted_by_id
        return user.active and user.has_group(APPROVER) and self.company_id in user.company_ids

    def _say_gone(self):
        translated = self._in_the_name_of_who_asked(self)
        return translated.env._(
            "%(user)s had asked to post it, and may not post here any more. Another approver has to press Try Again.",
            user=self.posted_by_id.name or translated.env._("Somebody who is no user any more"))

    def _in_the_name_of_who_asked(self, writeoffs):
        """Rights and exceptions from lock dates are those of this person, not of the job."""
        user = self.posted_by_id
        return writeoffs.with_user(user).with_context(
            allowed_company_ids=self.company_id.ids, lang=user.lang, tz=user.tz)

    def _post_all(self, writeoffs, last_try):
        try:
            with self.env.cr.savepoint():
                return writeoffs.action_post()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            if not last_try:
                raise
        # Whichever of them it is, the others are to be booked: each says below what is wrong with it, to whoever reads
        # the batch. The transaction is as it was before the savepoint.
        except Exception:
            _logger.info("batch %s: a chunk failed, its documents are posted one by one", self.id, exc_info=True)
        for writeoff in writeoffs:
            self._post_one(writeoff, last_try)

    def _post_one(self, writeoff, last_try):
        try:
            with self.env.cr.savepoint():
                writeoff.action_post()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            if not last_try:
                raise
            writeoff._set(state="failed", error=self._say_busy(writeoff))
        except LockError:
            writeoff._set(state="failed", error=self._say_busy(writeoff))
        except (UserError, RedirectWarning) as error:
            writeoff._set(state="failed", error=str(error.args[0]))
        # A fault of the program: this document says what it was, the log where. The savepoint has taken back what was
        # begun, so the others are booked in the same transaction.
        except Exception as error:
            _logger.exception("batch %s: %s failed", self.id, writeoff.display_name)
            writeoff._set(state="failed", error=f"{type(error).__name__}: {error}")

    def _say_busy(self, writeoff):
        return writeoff.env._("Busy: somebody else works on its invoices at this moment. Try again.")

    def _finish(self):
        self._settle()
        self._message_log(body=self._in_the_name_of_who_asked(self).env._(
            "Booked: %(posted)s. Failed: %(failed)s.", posted=self.posted_count, failed=self.failed_count))

    def _settle(self):
        """The state that its documents give it while no job is at it."""
        for batch in self:
            pending = batch.draft_count + batch.to_approve_count + batch.waiting_count
            batch._set(state="failed" if batch.failed_count else "prepared" if pending else "done")
