"""What the ledger answers: cases are closed as a purchase comes, and opened again as the purchase counts no more."""

from odoo import api, models
from odoo.tools import SQL, format_date, formatLang

WON_FROM = SQL("GREATEST(k.opened_date, k.silent_since + 1)")  # from this day on a purchase wins the customer back


class CustomerChurnCase(models.Model):
    _inherit = "customer.churn.case"

    # ------------------------------------------------------------------ closing
    @api.model
    def _close_answered(self, run):
        """Won back where a purchase came since the opening. One before it was only booked late: a false alarm, unless
        the customer is silent all the same. And a false alarm where no purchase is left that counts."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT k.id, p.last_purchase_date,
                      CASE WHEN p.id IS NULL THEN 'vanished' WHEN p.last_purchase_date >= %s THEN 'won'
                           WHEN p.status IN ('new', 'active') THEN 'late' ELSE 'silent' END
                 FROM customer_churn_case k
                 LEFT JOIN customer_churn_profile p ON p.company_id = k.company_id AND p.partner_id = k.partner_id
                WHERE k.company_id = %s AND k.state = 'open'
                  AND (p.id IS NULL OR p.last_purchase_date > COALESCE(k.silent_since, k.opened_date - 1))""",
            WON_FROM, run.company_id.id))
        last_purchase = {case: date for case, date, _answer in rows}
        kinds = {"won": self._close_won, "late": self._close_late, "silent": self._keep_silent,
                 "vanished": self._close_vanished}
        for answer, close in kinds.items():
            cases = self.browse([case for case, _date, found in rows if found == answer])
            if cases:
                close(cases, run, last_purchase)

    @api.model
    def _close_won(self, cases, run, last_purchase):
        found = self._get_won(cases, run)
        for case in cases:
            date, bought, credited = found.get(case.id, (None, 0, 0))
            case.won_date, case.won_revenue = date or last_purchase[case.id], max(bought - credited, 0)
        cases._close("won_back", run)
        cases._say(lambda case: case._say_won(*found.get(case.id, (None, 0, 0))[1:]))

    @api.model
    def _get_won(self, cases, run):
        """{case id: (day of the first purchase, money bought, money credited) since the opening}, without what an
        earlier win of the customer counted already"""
        purchases = self.env["customer.churn.purchase"].with_context(customer_churn_customers=cases.partner_id.ids)
        rows = self.env.execute_query(SQL(
            """SELECT k.id, min(d.date) FILTER (WHERE d.amount > 0),
                      COALESCE(sum(d.amount) FILTER (WHERE d.amount > 0), 0),
                      COALESCE(-sum(d.amount) FILTER (WHERE d.amount < 0), 0)
                 FROM (%s) d JOIN customer_churn_case k ON k.partner_id = d.partner_id AND d.date >= %s
                WHERE k.id = ANY(%s) AND NOT EXISTS (
                      SELECT FROM customer_churn_case w
                       WHERE w.company_id = k.company_id AND w.partner_id = k.partner_id AND w.outcome = 'won_back'
                         AND d.date BETWEEN w.opened_date AND w.closed_date)
                GROUP BY k.id""", purchases._known(run.date, run.company_id), WON_FROM, cases.ids))
        return {case: won for case, *won in rows}

    def _say_won(self, bought, credited):
        def money(amount):
            return formatLang(self.env, amount, currency_obj=self.currency_id)

        date = format_date(self.env, self.won_date)
        if not bought:
            return self.env._("Won back: bought again on %(date)s, which was counted for an earlier case.", date=date)
        if credited >= bought:
            return self.env._(
                "Won back: bought again on %(date)s, %(bought)s since the opening. Credit notes of %(credited)s in the "
                "same time outweigh it, so that no money counts as won.",
                date=date, bought=money(bought), credited=money(credited))
        return self.env._(
            "Won back: bought again on %(date)s, %(money)s since the opening.", date=date,
            money=money(self.won_revenue))

    @api.model
    def _close_late(self, cases, run, last_purchase):
        cases._correct_silence(last_purchase)
        cases._close("false_alarm", run)
        cases._say(lambda case: case.env._(
            "False alarm: the customer had bought before the case was opened, which was booked only later."))

    @api.model
    def _keep_silent(self, cases, run, last_purchase):
        cases._correct_silence(last_purchase)
        cases._say(lambda case: case.env._(
            "The customer had bought on %(date)s, which was booked only later, and is silent all the same: the case "
            "stays open.", date=format_date(case.env, case.silent_since)))

    def _correct_silence(self, last_purchase):
        for case in self:
            case.silent_since = last_purchase[case.id]

    @api.model
    def _close_vanished(self, cases, run, last_purchase):
        cases._close("false_alarm", run)
        cases._say(lambda case: case.env._(
            "False alarm: no purchase of the customer counts any more. All were reversed, or the customer was "
            "excluded from retention."))

    # ------------------------------------------------------------------ opening again
    @api.model
    def _reopen_refuted(self, run):
        """What the ledger answered is taken back with its grounds: won back, but no purchase since the opening counts
        any more; without purchases, but they count again and the customer is still in the status of then. The
        customer's last case is open again; an earlier one has won nothing."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT k.id, k.outcome = 'won_back', NOT EXISTS (
                      SELECT FROM customer_churn_case n WHERE n.company_id = k.company_id
                         AND n.partner_id = k.partner_id AND n.id <> k.id AND (n.id > k.id OR n.state = 'open'))
                 FROM customer_churn_case k
                 JOIN customer_churn_profile p ON p.company_id = k.company_id AND p.partner_id = k.partner_id
                WHERE k.company_id = %s AND (
                      k.outcome = 'won_back' AND p.last_purchase_date < %s
                   OR k.outcome = 'false_alarm' AND k.closed_run_id IS NOT NULL
                      AND p.status IN ('at_risk', 'dormant') AND p.status_date <= k.opened_date)
                ORDER BY k.revenue_at_stake DESC, k.id""", run.company_id.id, WON_FROM))
        again = self.browse([case for case, _won, last in rows if last])
        earlier = self.browse([case for case, won, last in rows if won and not last])
        won = {case for case, won, _last in rows if won}
        again._reopen()
        again._say(lambda case: case._say_refuted(case.id in won))
        for owner, cases in again.filtered("user_id").grouped("user_id").items():
            cases._tell_owner(owner)
        earlier.write({"outcome": "false_alarm", "won_revenue": 0, "won_date": False})
        earlier._say(lambda case: case.env._(
            "The purchase that had won the customer back does not count any more, so that this case has won nothing."))

    def _say_refuted(self, won):
        if won:
            return self.env._(
                "Open again: the purchase that had won the customer back does not count any more.")
        return self.env._("Open again: purchases of the customer count again, and none is new.")
