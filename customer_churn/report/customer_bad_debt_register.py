"""What was written off, by whatever an accountant asks: month, reason, salesperson, age, relief, what came back."""

from odoo import fields, models
from odoo.tools import SQL

from ..models.customer_bad_debt_writeoff import KIND
from ..models.customer_bad_debt_writeoff_line import BOOKED, STATE

AGE = [
    ("0", "Up to 30 Days"),
    ("1", "31 to 90 Days"),
    ("2", "91 to 180 Days"),
    ("3", "181 to 365 Days"),
    ("4", "Older"),
]


class CustomerBadDebtRegister(models.Model):
    """One row an item that was written off, in company currency; what came back of its document by its share."""

    _name = "customer.bad.debt.register"
    _description = "Bad Debt by Reason"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "writeoff_id"

    writeoff_id = fields.Many2one("customer.bad.debt.writeoff", string="Write-Off", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    move_id = fields.Many2one("account.move", string="Invoice", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    country_id = fields.Many2one("res.country", readonly=True)
    reason_id = fields.Many2one("customer.churn.reason", readonly=True)
    kind = fields.Selection(KIND, readonly=True)
    state = fields.Selection(STATE, readonly=True)
    age = fields.Selection(AGE, string="Age at Write-Off", readonly=True)
    days_overdue = fields.Integer(readonly=True, aggregator="avg", help="When it was written off.")
    amount = fields.Monetary(string="Written Off", readonly=True)
    amount_undone = fields.Monetary(string="Undone", readonly=True)
    amount_standing = fields.Monetary(string="Written Off, Not Undone", readonly=True)
    amount_expense = fields.Monetary(string="Hits the Result", readonly=True)
    amount_tax = fields.Monetary(string="Tax Relief Claimed", readonly=True)
    amount_tax_back = fields.Monetary(string="Tax Relief Given Back", readonly=True, help="Due again on recoveries.")
    amount_allowance = fields.Monetary(string="Allowance Used", readonly=True)
    amount_recovered = fields.Monetary(string="Recovered", readonly=True)
    recovered_share = fields.Float(readonly=True, aggregator="avg")

    @property
    def _table_query(self):
        return SQL("SELECT %s FROM %s WHERE d.state IN %s", self._select(), self._from(), (*BOOKED, "reversed"))

    def _select(self):
        """What is the document's falls on the item by its share."""
        return SQL(
            """
                   l.id, l.writeoff_id, d.company_id, d.date, d.partner_id, l.move_id,
                   COALESCE(m.invoice_user_id, p.user_id) AS user_id, p.country_id, d.reason_id, d.kind, d.state,
                   GREATEST(s.days, 0) AS days_overdue,
                   CASE WHEN s.days <= 30 THEN '0' WHEN s.days <= 90 THEN '1' WHEN s.days <= 180 THEN '2'
                        WHEN s.days <= 365 THEN '3' ELSE '4' END AS age,
                   l.amount, s.share * COALESCE(d.amount_undone, 0) AS amount_undone,
                   l.amount - s.share * COALESCE(d.amount_undone, 0) AS amount_standing,
                   s.share * COALESCE(d.amount_expense, 0) AS amount_expense,
                   s.share * COALESCE(d.amount_tax, 0) AS amount_tax,
                   s.share * COALESCE(r.amount_tax, 0) AS amount_tax_back,
                   s.share * COALESCE(d.amount_allowance, 0) AS amount_allowance,
                   s.share * COALESCE(d.amount_recovered, 0) AS amount_recovered,
                   COALESCE(d.amount_recovered / NULLIF(d.amount_total - COALESCE(d.amount_undone, 0), 0), 0)
                       AS recovered_share
            """)

    def _from(self):
        return SQL(
            """
                   customer_bad_debt_writeoff_line l
              JOIN customer_bad_debt_writeoff d ON d.id = l.writeoff_id
              JOIN account_move_line i ON i.id = l.move_line_id
              JOIN account_move m ON m.id = l.move_id
              JOIN res_partner p ON p.id = d.partner_id
              CROSS JOIN LATERAL (SELECT COALESCE(l.amount / NULLIF(d.amount_total, 0), 0) AS share,
                                         d.date - COALESCE(i.date_maturity, i.date) AS days) s
              LEFT JOIN LATERAL (
                   SELECT SUM(amount_tax) AS amount_tax
                     FROM customer_bad_debt_recovery
                    WHERE writeoff_id = d.id AND state = 'posted') r ON TRUE
            """)
