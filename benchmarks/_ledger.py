#!/usr/bin/env python3
"""A large ledger for the benchmarks: customers, contacts, posted invoices and reversals of two companies.

    _ledger.py --db NAME --customers 100000 [--host HOST] [--user USER]

The database must have accounting and two companies with a sales journal (Odoo's demo data has). Customers buy like
a Pareto/NBD population, about ten times in five years; 10 % buy from both companies, 30 % have an invoicing contact
that every other document goes to, 2 % of the documents are reversed, 1 % are drafts, and what is older than 60 days
is paid, a month after its day, by an entry of its own. The same arguments give the same ledger, which ends yesterday.
"""

import argparse
import datetime
import io

import numpy as np
import pandas as pd

START, DAYS = np.datetime64("2020-01-01"), 1826
REVERSED_AFTER = 10  # days


def simulate(customers):
    """Documents of a Pareto/NBD ledger: customer_id, date, amount."""
    rng = np.random.default_rng(20240101)
    rate, leaving = rng.gamma(0.7, 1 / 45, customers), rng.gamma(0.6, 1 / 250, customers)
    born = rng.integers(0, DAYS, customers)
    end = np.minimum(born + rng.exponential(1 / np.maximum(leaving, 1e-9)), DAYS - 1)
    who, when, parts = np.arange(customers), born * 1.0, [(np.arange(customers), born)]
    while len(who):
        when = when + rng.exponential(1 / np.maximum(rate[who], 1e-9))
        who, when = who[when <= end[who]], when[when <= end[who]]
        parts.append((who, when.astype(int)))
    owner, day = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = rng.permutation(len(owner))
    dates = (START + day[order]).astype("datetime64[s]")
    amounts = rng.lognormal(4, 1, len(order)).round(2)
    return pd.DataFrame({"customer_id": owner[order], "date": dates, "amount": amounts})


def documents(customers):
    """The simulated purchases as documents in the order of their days; `origin` is the id that one reverses."""
    rows = simulate(customers).sort_values(["date", "customer_id"], kind="stable", ignore_index=True)
    rows["date"] += pd.Timestamp(datetime.date.today()) - pd.Timestamp(START + DAYS)
    rng = np.random.default_rng(19)
    home = rng.choice(3, customers, p=[0.7, 0.2, 0.1])[rows.customer_id]
    rows["company"] = np.where(home == 2, rng.integers(0, 2, len(rows)), home)
    rows["contact"] = (rows.customer_id % 10 < 3) & (rng.random(len(rows)) < 0.5)
    rows["draft"], rows["origin"] = rng.random(len(rows)) < 0.01, np.nan
    chosen = ~rows.draft & (rng.random(len(rows)) < 0.02)
    back = rows[chosen & (rows.date < rows.date.max() - pd.Timedelta(days=REVERSED_AFTER))]
    back = back.assign(
        date=back.date + pd.Timedelta(days=REVERSED_AFTER), amount=-back.amount, origin=back.index
    )
    rows = pd.concat([rows, back], ignore_index=True).sort_values("date", kind="stable")
    place = np.empty(len(rows), dtype=int)
    place[rows.index] = np.arange(1, len(rows) + 1)
    rows["id"] = place[rows.index]
    rows["origin"] = rows.origin.map(lambda row: place[int(row)], na_action="ignore").astype("Int64")
    return rows[["id", "customer_id", "company", "contact", "draft", "date", "amount", "origin"]]


STAGE = """
CREATE TEMP TABLE bench_company ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY c.id) - 1 AS company, c.id AS company_id, c.currency_id, j.id AS journal_id, j.code,
       j.default_account_id AS income_id,
       (SELECT min(a.id) FROM account_account a
          JOIN account_account_res_company_rel r ON r.account_account_id = a.id AND r.res_company_id = c.id
         WHERE a.account_type = 'asset_receivable' AND a.active) AS receivable_id,
       b.id AS bank_id, b.code AS bank_code, COALESCE(b.default_account_id, j.default_account_id) AS bank_account_id
  FROM res_company c
  JOIN LATERAL (SELECT * FROM account_journal WHERE company_id = c.id AND type = 'sale' AND active
                 ORDER BY id LIMIT 1) j ON true
  JOIN LATERAL (SELECT * FROM account_journal WHERE company_id = c.id AND type IN ('bank', 'general') AND active
                 ORDER BY type, id LIMIT 1) b ON true
 ORDER BY c.id LIMIT 2;
CREATE TEMP TABLE bench_document (id int, customer int, company int, contact bool, draft bool, date date,
                                  amount numeric, origin int) ON COMMIT DROP
"""
PARTNERS = """
INSERT INTO res_partner (id, name, complete_name, commercial_company_name, commercial_partner_id, parent_id, type,
       is_company, active, lang, partner_share, customer_rank, supplier_rank, autopost_bills, email,
       create_uid, write_uid, create_date, write_date)
SELECT {partner} + part * {customers} + i, 'Customer ' || i, 'Customer ' || i, 'Customer ' || i, {partner} + i,
       CASE part WHEN 1 THEN {partner} + i END, CASE part WHEN 1 THEN 'invoice' ELSE 'contact' END, part = 0, true,
       'en_US', true, 1 - part, 0, 'ask', 'customer' || i || '@example.com', 1, 1, '2020-01-01', '2020-01-01'
  FROM generate_series(0, 1) part, generate_series(0, {customers} - 1) i WHERE part = 0 OR i % 10 < 3
"""
MOVES = """
INSERT INTO account_move (id, company_id, currency_id, journal_id, partner_id, partner_shipping_id,
       commercial_partner_id, move_type, state, name, sequence_prefix, sequence_number, auto_post, payment_state,
       date, invoice_date, invoice_date_due, reversed_entry_id, invoice_currency_rate, amount_untaxed, amount_total,
       amount_residual, amount_tax, amount_tax_signed, amount_untaxed_signed, amount_untaxed_in_currency_signed,
       amount_total_signed, amount_total_in_currency_signed, amount_residual_signed, posted_before, checked,
       always_tax_exigible, made_sequence_gap, is_manually_modified,
       invoice_partner_display_name, create_uid, write_uid, create_date, write_date)
SELECT {move} + d.id, company_id, currency_id, journal_id, partner, customer, customer,
       CASE WHEN amount < 0 THEN 'out_refund' ELSE 'out_invoice' END, CASE WHEN draft THEN 'draft' ELSE 'posted' END,
       CASE WHEN NOT draft THEN prefix || lpad(number::text, 6, '0') END, CASE WHEN NOT draft THEN prefix END,
       CASE WHEN NOT draft THEN number ELSE 0 END, 'no', CASE WHEN paid THEN 'paid' ELSE 'not_paid' END,
       date, date, date + 30, {move} + origin, 1, abs(amount), abs(amount), abs(due), 0, 0, amount, amount, amount,
       amount, due, NOT draft, NOT draft, false, false, false, 'Customer', 1, 1, date, date
  FROM (SELECT d.id, d.draft, d.date, d.amount, d.origin, d.paid, c.*, prefix, {partner} + customer AS customer,
               {partner} + customer + CASE WHEN contact THEN {customers} ELSE 0 END AS partner,
               CASE WHEN paid THEN 0 ELSE amount END AS due,
               row_number() OVER (PARTITION BY c.journal_id, draft, prefix ORDER BY d.id) AS number
          FROM (SELECT *, NOT draft AND date < max(date) OVER () - 60 AS paid FROM bench_document) d
          JOIN bench_company c USING (company),
               LATERAL concat(CASE WHEN amount < 0 THEN 'R' END, code, '/', extract(year FROM date), '/') AS prefix
         ORDER BY d.id) d
"""
LINES = """
INSERT INTO account_move_line (move_id, company_id, company_currency_id, currency_id, journal_id, partner_id,
       account_id, move_name, name, parent_state, display_type, sequence, date, invoice_date, date_maturity, debit,
       credit, balance, amount_currency, amount_residual, amount_residual_currency, reconciled, quantity, price_unit,
       price_subtotal, price_total, discount, deductible_amount, create_uid, write_uid, create_date, write_date)
SELECT m.id, m.company_id, m.currency_id, m.currency_id, m.journal_id, m.commercial_partner_id,
       CASE WHEN owed THEN c.receivable_id ELSE c.income_id END, m.name, 'Goods', m.state,
       CASE WHEN owed THEN 'payment_term' ELSE 'product' END, CASE WHEN owed THEN 12000 ELSE 100 END, m.date,
       m.invoice_date, CASE WHEN owed THEN m.invoice_date_due END, greatest(amount, 0), greatest(-amount, 0), amount,
       amount, residual, residual, owed AND residual = 0, CASE WHEN owed THEN 0 ELSE 1 END,
       CASE WHEN owed THEN 0 ELSE m.amount_total END, CASE WHEN owed THEN 0 ELSE m.amount_total END,
       CASE WHEN owed THEN 0 ELSE m.amount_total END, 0, 100, 1, 1, m.create_date, m.write_date
  FROM account_move m JOIN bench_company c USING (company_id), (VALUES (true), (false)) side (owed),
       LATERAL (SELECT CASE WHEN owed THEN m.amount_total_signed ELSE -m.amount_total_signed END AS amount,
                       CASE WHEN owed THEN m.amount_residual_signed ELSE 0 END AS residual) money
 WHERE m.id > {move} ORDER BY m.id
"""

PAYMENTS = """
CREATE TEMP TABLE bench_payment ON COMMIT DROP AS
SELECT {move} + {documents} + row_number() OVER (ORDER BY m.invoice_date, m.id) AS id, owed.id AS owed_id,
       concat(bank_code, '/', extract(year FROM m.invoice_date_due), '/') AS prefix, c.*, m.invoice_date_due AS date,
       row_number() OVER (PARTITION BY bank_id, extract(year FROM m.invoice_date_due) ORDER BY m.id) AS number,
       m.commercial_partner_id AS customer, m.amount_total AS amount
  FROM account_move m JOIN bench_company c USING (company_id)
  JOIN account_move_line owed ON owed.move_id = m.id AND owed.display_type = 'payment_term'
 WHERE m.id > {move} AND m.payment_state = 'paid' AND m.move_type = 'out_invoice'
   AND NOT EXISTS (SELECT FROM account_move r WHERE r.reversed_entry_id = m.id);
INSERT INTO account_move (id, company_id, currency_id, journal_id, partner_id, commercial_partner_id, move_type, state,
       name, sequence_prefix, sequence_number, auto_post, payment_state, date, invoice_date_due, invoice_currency_rate,
       amount_untaxed, amount_total, amount_residual, amount_tax, amount_tax_signed, amount_untaxed_signed,
       amount_untaxed_in_currency_signed, amount_total_signed, amount_total_in_currency_signed,
       amount_residual_signed, posted_before, checked, always_tax_exigible, made_sequence_gap, is_manually_modified,
       invoice_partner_display_name, create_uid, write_uid, create_date, write_date)
SELECT id, company_id, currency_id, bank_id, customer, customer, 'entry', 'posted',
       prefix || lpad(number::text, 6, '0'), prefix, number, 'no', 'not_paid', date, date, 1, 0, amount, 0, 0, 0, 0, 0,
       amount, amount, 0, true, true, false, false, false, 'Customer', 1, 1, date, date
  FROM bench_payment ORDER BY id;
INSERT INTO account_move_line (move_id, company_id, company_currency_id, currency_id, journal_id, partner_id,
       account_id, move_name, name, parent_state, display_type, sequence, date, date_maturity, debit, credit, balance,
       amount_currency, amount_residual, amount_residual_currency, reconciled, quantity, price_unit, price_subtotal,
       price_total, discount, deductible_amount, create_uid, write_uid, create_date, write_date)
SELECT id, company_id, currency_id, currency_id, bank_id, customer,
       CASE WHEN owed THEN receivable_id ELSE bank_account_id END, prefix || lpad(number::text, 6, '0'), 'Payment',
       'posted', CASE WHEN owed THEN 'payment_term' ELSE 'product' END, 100, date, date,
       CASE WHEN owed THEN 0 ELSE amount END, CASE WHEN owed THEN amount ELSE 0 END,
       CASE WHEN owed THEN -amount ELSE amount END, CASE WHEN owed THEN -amount ELSE amount END, 0, 0, owed, 1, 0, 0,
       0, 0, 100, 1, 1, date, date
  FROM bench_payment, (VALUES (true), (false)) side (owed) ORDER BY id;
INSERT INTO account_partial_reconcile (debit_move_id, credit_move_id, company_id, debit_currency_id,
       credit_currency_id, amount, debit_amount_currency, credit_amount_currency, max_date, create_uid, write_uid,
       create_date, write_date)
SELECT p.owed_id, l.id, p.company_id, p.currency_id, p.currency_id, amount, amount, amount, p.date, 1, 1, p.date, p.date
  FROM bench_payment p JOIN account_move_line l ON l.move_id = p.id AND l.reconciled
"""


def fill(cursor, customers):
    cursor.execute("SET LOCAL work_mem = '256MB'; SET LOCAL jit = off")
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        cursor.execute("SET LOCAL session_replication_role = replica")  # foreign keys hold by construction
    cursor.execute(STAGE)
    cursor.execute("SELECT count(*) FROM bench_company WHERE receivable_id + income_id IS NOT NULL")
    if cursor.fetchone()[0] < 2:
        raise SystemExit("The ledger needs two companies with a sales journal; install Odoo's demo data.")
    rows = documents(customers)
    text = io.StringIO(rows.to_csv(index=False, header=False))
    cursor.copy_expert("COPY bench_document FROM STDIN (FORMAT csv)", text)
    first = {"customers": customers, "documents": len(rows)}
    for name, table in (("partner", "res_partner"), ("move", "account_move")):
        cursor.execute(f"SELECT last_value + 1 FROM {table}_id_seq")
        first[name] = cursor.fetchone()[0]
    for statement in (PARTNERS, MOVES, LINES, PAYMENTS):
        cursor.execute(statement.format(**first))
    for table in ("res_partner", "account_move"):
        cursor.execute(f"SELECT setval('{table}_id_seq', max(id)) FROM {table}")


def main():
    import psycopg2

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("db", "host", "user"):
        parser.add_argument(f"--{name}", required=name == "db")
    parser.add_argument("--customers", type=int, default=100_000)
    options = parser.parse_args()
    session = psycopg2.connect(dbname=options.db, host=options.host, user=options.user)
    with session, session.cursor() as cursor:
        fill(cursor, options.customers)
    session.autocommit = True
    with session.cursor() as cursor:
        for table in ("res_partner", "account_move", "account_move_line", "account_partial_reconcile"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")


if __name__ == "__main__":
    main()
