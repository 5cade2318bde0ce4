"""What must be true of the books whatever was done, asked of the database in plain SQL and of nothing in the addon.

Each rule is a question for what is wrong: it has no answer as long as the books are right.
"""

from odoo.tools import SQL

RULES = {
    "an entry balances, in its currency too": """
        SELECT m.name, SUM(l.balance), SUM(l.amount_currency)
          FROM account_move_line l JOIN account_move m ON m.id = l.move_id
         WHERE m.company_id = %(company)s AND m.state = 'posted'
         GROUP BY m.id
        HAVING SUM(l.balance) <> 0 OR COUNT(DISTINCT l.currency_id) = 1 AND SUM(l.amount_currency) <> 0""",
    "what is open is what was booked less what it is matched with": """
        SELECT m.name, l.id, l.balance, l.amount_residual, l.amount_currency, l.amount_residual_currency
          FROM account_move_line l
          JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
          JOIN account_account a ON a.id = l.account_id AND a.reconcile
          LEFT JOIN LATERAL (SELECT SUM(amount) a, SUM(debit_amount_currency) c
                               FROM account_partial_reconcile WHERE debit_move_id = l.id) d ON TRUE
          LEFT JOIN LATERAL (SELECT SUM(amount) a, SUM(credit_amount_currency) c
                               FROM account_partial_reconcile WHERE credit_move_id = l.id) c ON TRUE
         WHERE l.company_id = %(company)s
           AND (l.amount_residual <> l.balance - COALESCE(d.a, 0) + COALESCE(c.a, 0)
                OR l.amount_residual_currency <> l.amount_currency - COALESCE(d.c, 0) + COALESCE(c.c, 0)
                OR l.reconciled <> (l.amount_residual = 0 AND l.amount_residual_currency = 0)
                OR l.amount_residual_currency * l.amount_currency < 0)""",
    "an invoice says written off what is matched with write-offs": """
        SELECT m.name, m.amount_written_off, w.amount
          FROM account_move m
          LEFT JOIN LATERAL (
               SELECT SUM(p.debit_amount_currency) AS amount
                 FROM account_move_line i
                 JOIN account_account a ON a.id = i.account_id AND a.account_type = 'asset_receivable'
                 JOIN account_partial_reconcile p ON p.debit_move_id = i.id
                 JOIN account_move_line b ON b.id = p.credit_move_id
                 JOIN customer_bad_debt_writeoff d ON d.move_id = b.move_id
                WHERE i.move_id = m.id) w ON TRUE
         WHERE m.company_id = %(company)s AND m.move_type = 'out_invoice'
           AND (m.amount_written_off <> COALESCE(w.amount, 0)
                OR m.write_off_state = 'none' AND w.amount <> 0
                OR m.write_off_state <> 'none' AND COALESCE(w.amount, 0) = 0
                OR m.write_off_state = 'full' AND m.amount_residual <> 0
                OR m.write_off_state = 'partial' AND m.amount_residual = 0)""",
    "a document is shared into what its entries booked": """
        SELECT d.name, d.state, d.amount_total, d.amount_expense, d.amount_allowance, d.amount_tax, e.*
          FROM customer_bad_debt_writeoff d
          JOIN res_company c ON c.id = d.company_id
          CROSS JOIN LATERAL (
               SELECT -SUM(l.balance) FILTER (WHERE a.account_type = 'asset_receivable') AS total,
                      COALESCE(SUM(l.balance) FILTER (WHERE a.id = c.bad_debt_expense_account_id), 0) AS expense,
                      COALESCE(SUM(l.balance) FILTER (WHERE a.id = c.bad_debt_allowance_account_id), 0) AS allowance
                 FROM account_move_line l JOIN account_account a ON a.id = l.account_id
                WHERE l.move_id = d.move_id
                   OR l.move_id IN (SELECT relief_move_id FROM customer_bad_debt_writeoff_line
                                     WHERE writeoff_id = d.id)) e
         WHERE d.company_id = %(company)s AND d.move_id IS NOT NULL
           AND (d.amount_total <> e.total OR d.amount_expense <> e.expense OR d.amount_allowance <> e.allowance
                OR d.amount_total <> d.amount_expense + d.amount_allowance + d.amount_tax)""",
    "what moved on the receivable is what the document says": """
        SELECT d.name, d.state, d.amount_total, d.amount_undone, d.amount_recovered, e.*
          FROM customer_bad_debt_writeoff d
          CROSS JOIN LATERAL (
               SELECT SUM(l.balance) AS moved
                 FROM account_move_line l
                 JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
                WHERE l.move_id IN (d.move_id, d.reversal_move_id)) e
          CROSS JOIN LATERAL (
               SELECT COALESCE(SUM(amount), 0) AS recovered FROM customer_bad_debt_recovery
                WHERE writeoff_id = d.id AND state = 'posted') r
         WHERE d.company_id = %(company)s AND d.move_id IS NOT NULL
           AND (e.moved <> COALESCE(d.amount_undone, 0) - d.amount_total
                OR r.recovered <> COALESCE(d.amount_recovered, 0)
                OR d.state <> 'unmatched' AND (d.state = 'recovered') <> (r.recovered = d.amount_total)
                OR d.state = 'posted' AND r.recovered <> 0
                OR d.state = 'reversed' AND d.amount_undone + r.recovered <> d.amount_total)""",
    "nothing is left of what was undone and never recovered": """
        SELECT d.name, l.account_id, SUM(l.balance), SUM(l.amount_currency)
          FROM customer_bad_debt_writeoff d
          JOIN account_move m ON m.bad_debt_writeoff_id = d.id AND m.state = 'posted'
          JOIN account_move_line l ON l.move_id = m.id
         WHERE d.company_id = %(company)s AND d.state = 'reversed' AND d.amount_recovered = 0
         GROUP BY d.id, l.account_id, l.currency_id
        HAVING SUM(l.balance) <> 0 OR SUM(l.amount_currency) <> 0""",
    "what is booked is matched, and belongs to a document": """
        SELECT m.name, m.state, d.name, d.state
          FROM account_move m
          JOIN customer_bad_debt_writeoff d ON d.id = m.bad_debt_writeoff_id
          LEFT JOIN account_move_line l ON l.move_id = m.id AND l.id IN (
               SELECT booked_line_id FROM customer_bad_debt_writeoff_line WHERE writeoff_id = d.id)
         WHERE m.company_id = %(company)s
           AND (m.state <> 'posted' OR NOT l.reconciled AND d.state <> 'unmatched'
                OR m.id NOT IN (
                   SELECT unnest(ARRAY[d.move_id, COALESCE(d.reversal_move_id, d.move_id)])
                    UNION SELECT relief_move_id FROM customer_bad_debt_writeoff_line
                           WHERE writeoff_id = d.id AND relief_move_id IS NOT NULL
                    UNION SELECT unnest(ARRAY[move_id, COALESCE(reversal_move_id, move_id)])
                            FROM customer_bad_debt_recovery WHERE writeoff_id = d.id))""",
    "no exchange difference by what is given up, undone or recovered": """
        SELECT e.name, x.name, p.amount
          FROM account_partial_reconcile p
          JOIN account_move_line l ON l.id IN (p.debit_move_id, p.credit_move_id)
          JOIN account_move e ON e.id = l.move_id AND e.bad_debt_writeoff_id IS NOT NULL
          JOIN account_move x ON x.id = p.exchange_move_id
         WHERE e.company_id = %(company)s""",
    "no more tax comes back than was declared, but for a cent where a credit note rounds": """
        SELECT l.partner_id, l.tax_line_id, SUM(l.balance)
          FROM account_move_line l
          JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
          JOIN account_tax t ON t.id = l.tax_line_id AND t.tax_exigibility = 'on_invoice'
         WHERE l.company_id = %(company)s AND l.account_id = %(vat)s
           AND (m.move_type <> 'out_refund' OR m.reversed_entry_id IS NOT NULL)
         GROUP BY l.partner_id, l.tax_line_id
        HAVING SUM(l.balance) > 0.01 * COUNT(DISTINCT m.id) FILTER (WHERE m.move_type = 'out_refund')""",
    "no tax stands beside the tax lines": """
        SELECT m.name, l.balance
          FROM account_move_line l JOIN account_move m ON m.id = l.move_id AND m.state = 'posted'
         WHERE l.company_id = %(company)s AND l.account_id = %(vat)s AND l.tax_line_id IS NULL""",
    "tax due on payment is settled when the customer is": """
        SELECT t.partner_id, SUM(t.balance)
          FROM account_move_line t JOIN account_move m ON m.id = t.move_id AND m.state = 'posted'
         WHERE t.company_id = %(company)s AND t.account_id = %(trn)s
           AND NOT EXISTS (
               SELECT FROM account_move_line o
                 JOIN account_account a ON a.id = o.account_id AND a.account_type = 'asset_receivable'
                WHERE o.partner_id = t.partner_id AND o.company_id = t.company_id
                  AND o.parent_state = 'posted' AND NOT o.reconciled)
         GROUP BY t.partner_id
        HAVING SUM(t.balance) <> 0""",
}

# The tax in the entries of a document is that of its invoices, as far as the debt is given up and did not come back.
# A cent for each rounding; credit notes that are not, or not whole, matched with their invoice, or of another rate,
# lessen what comes back: for them the rules above hold.
TAX_FOLLOWS = """
    WITH share AS (
        SELECT m.id, m.partner_id,
               -SUM(l.balance) FILTER (WHERE l.account_id = %(vat)s)
               / NULLIF(SUM(l.balance) FILTER (WHERE a.account_type = 'asset_receivable'), 0) AS tax
          FROM account_move m
          JOIN account_move_line l ON l.move_id = m.id
          JOIN account_account a ON a.id = l.account_id
         WHERE m.company_id = %(company)s AND m.move_type = 'out_invoice' AND m.state = 'posted'
         GROUP BY m.id
    ), given_up AS (
        SELECT d.id, l.currency_id, SUM(l.amount) AS amount, SUM(l.amount * COALESCE(s.tax, 0)) AS tax,
               COUNT(*) AS items, SUM((
                   SELECT COALESCE(SUM((r.split::jsonb -> l.booked_line_id::text ->> 1)::numeric), 0)
                     FROM customer_bad_debt_recovery r WHERE r.writeoff_id = d.id AND r.state = 'posted')) AS back
          FROM customer_bad_debt_writeoff d
          JOIN customer_bad_debt_writeoff_line l ON l.writeoff_id = d.id AND l.booked_line_id IS NOT NULL
          JOIN share s ON s.id = l.move_id
         WHERE d.tax_relief = 'reduction' AND d.state <> 'reversed'
           AND NOT EXISTS (SELECT FROM customer_bad_debt_writeoff_line w
                            WHERE w.writeoff_id = d.id AND w.relief_date IS NOT NULL)
           AND NOT EXISTS (SELECT FROM account_move n
                            WHERE n.partner_id = d.partner_id AND n.company_id = %(company)s
                              AND n.move_type = 'out_refund' AND n.state = 'posted'
                              AND (n.currency_id <> %(currency)s OR n.amount_total <> (
                                   SELECT COALESCE(SUM(p.amount), 0) FROM account_partial_reconcile p
                                     JOIN account_move_line c ON c.id = p.credit_move_id AND c.move_id = n.id
                                     JOIN account_move_line i ON i.id = p.debit_move_id
                                    WHERE i.move_id = n.reversed_entry_id
                                      AND i.account_id = %(ar)s)))
         GROUP BY d.id, l.currency_id
    ), expected AS (
        SELECT id, SUM(tax * (1 + back / amount)) AS tax, SUM(items) AS items FROM given_up GROUP BY id
    )
    SELECT d.name, e.tax, b.tax
      FROM expected e
      JOIN customer_bad_debt_writeoff d ON d.id = e.id
     CROSS JOIN LATERAL (
           SELECT COALESCE(SUM(l.balance), 0) AS tax, COUNT(DISTINCT m.id) AS entries
             FROM account_move m JOIN account_move_line l ON l.move_id = m.id AND l.account_id = %(vat)s
            WHERE m.bad_debt_writeoff_id = d.id) b
     WHERE ABS(e.tax - b.tax) > 0.02 * (e.items + b.entries)"""

DIGEST = """
    SELECT md5(string_agg(row, ';' ORDER BY row)) FROM (
        SELECT (l.id, l.move_id, l.account_id, l.partner_id, l.balance, l.amount_currency, l.amount_residual,
                l.amount_residual_currency, l.reconciled, l.date, l.parent_state)::text AS row
          FROM account_move_line l WHERE l.company_id = %(company)s
        UNION ALL SELECT (m.id, m.name, m.state, m.payment_state, m.amount_written_off, m.write_off_state)::text
          FROM account_move m WHERE m.company_id = %(company)s
        UNION ALL SELECT (p.id, p.debit_move_id, p.credit_move_id, p.amount)::text
          FROM account_partial_reconcile p WHERE p.company_id = %(company)s
        UNION ALL SELECT (d.id, d.state, d.amount_total, d.amount_recovered, d.amount_undone)::text
          FROM customer_bad_debt_writeoff d WHERE d.company_id = %(company)s
        UNION ALL SELECT (r.id, r.state, r.amount)::text
          FROM customer_bad_debt_recovery r WHERE r.company_id = %(company)s) t"""


class LedgerRules:
    """For a test class of the books: `company`, `ar`, `vat` and `trn` are its own."""

    def _ask(self, question):
        self.env.flush_all()
        return self.env.execute_query(SQL(
            question, company=self.company.id, currency=self.company.currency_id.id, ar=self.ar.id, vat=self.vat.id,
            trn=self.trn.id))

    def _get_ledger_digest(self):
        return self._ask(DIGEST)[0][0]

    def assertLedgerHolds(self, after):
        for rule, question in (*RULES.items(), ("the tax follows the debt", TAX_FOLLOWS)):
            self.assertEqual(self._ask(question), [], f"{rule}, after {after}")
