from odoo import fields, models
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

WRITE_OFF_STATE = [
    ("none", "Not Written Off"),
    ("partial", "Partly Written Off"),
    ("full", "Written Off"),
    ("recovered", "Recovered"),
]
COLUMNS = {
    "amount_written_off": "numeric DEFAULT 0",
    "write_off_state": "varchar DEFAULT 'none'",
}


class AccountMove(models.Model):
    """Plain columns, written by the write-off alone: posting an invoice costs nothing more for them."""

    _inherit = "account.move"

    amount_written_off = fields.Monetary(string="Written Off", readonly=True, copy=False)
    write_off_state = fields.Selection(
        WRITE_OFF_STATE, string="Write-Off", readonly=True, copy=False, default="none")
    bad_debt_writeoff_id = fields.Many2one(
        "customer.bad.debt.writeoff", string="Write-Off Document", readonly=True, copy=False, index="btree_not_null",
        ondelete="restrict")

    _written_off_idx = models.Index("(write_off_state) WHERE write_off_state <> 'none'")

    def _auto_init(self):
        """A constant default makes the columns at once, however many entries there are."""
        for name, definition in COLUMNS.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, definition)
        return super()._auto_init()

    def _refresh_written_off(self):
        """What these invoices are matched with of write-offs. What was unmatched by hand is open, not written off."""
        self._keep_quiet()
        self.env["customer.bad.debt.writeoff.line"].flush_model()
        self.env["customer.bad.debt.writeoff"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        self.flush_recordset(["amount_written_off", "write_off_state", "amount_residual"])
        self.env.cr.execute(SQL(
            """
            UPDATE account_move m
               SET amount_written_off = COALESCE(w.amount, 0),
                   write_off_state = CASE
                       WHEN COALESCE(w.amount, 0) = 0 THEN 'none'
                       WHEN w.recovered THEN 'recovered'
                       WHEN m.amount_residual <> 0 THEN 'partial'
                       ELSE 'full' END
              FROM account_move o
              LEFT JOIN LATERAL (
                   SELECT SUM(CASE WHEN p.debit_move_id = l.move_line_id
                                   THEN p.debit_amount_currency ELSE p.credit_amount_currency END) AS amount,
                          BOOL_AND(d.state = 'recovered') AS recovered
                     FROM customer_bad_debt_writeoff_line l
                     JOIN customer_bad_debt_writeoff d ON d.id = l.writeoff_id
                     JOIN account_partial_reconcile p
                       ON p.debit_move_id = l.move_line_id AND p.credit_move_id = l.booked_line_id
                       OR p.credit_move_id = l.move_line_id AND p.debit_move_id = l.booked_line_id
                    WHERE l.move_id = o.id
                   ) w ON TRUE
             WHERE m.id = o.id AND o.id IN %s
            """, tuple(self.ids or [0])))
        self.invalidate_recordset(["amount_written_off", "write_off_state"])
