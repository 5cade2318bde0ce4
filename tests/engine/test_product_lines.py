"""Loss of a product line, against plain loops."""

from datetime import date, timedelta

import engine
import numpy as np
import pytest
from engine import product_lines

AT = date(2025, 6, 30)
POLICY = engine.Policy()


def ledger(customers=80, seed=3):
    """Rows (customer, category, date, amount): every customer buys something every ten days or so, of three
    categories in turn; each fourth stops buying category 1, and each tenth stops altogether, both 200 days ago."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        for ago in range(int(rng.integers(500, 900)), 200 if customer % 10 == 9 else 0, -10):
            for category in (1, 2, 3):
                given_up = category == 1 and customer % 4 == 0 and ago < 200
                if rng.random() < 0.6 and not given_up:
                    rows.append((customer, category, AT - timedelta(days=ago), round(float(rng.lognormal(3)), 2)))
    return rows


def find(rows, policy=POLICY, at=AT, **columns):
    customer, category, days, amount = (np.array(values) for values in zip(*rows, strict=True))
    lines = {'customer_id': customer, 'category_id': category, 'date': days.astype('datetime64[D]'), 'amount': amount,
             'bought': amount > 0, **columns}
    log = engine.PurchaseLog.from_arrays(
        customer, lines['date'], amount, lines['bought'])
    return engine.find_lost_lines(lines, log, at, policy)


def expected(rows, policy=POLICY):
    """{(customer, category): (count, last, money of the year before, status)} by loops."""
    found = {}
    for category in {row[1] for row in rows}:
        own = [row for row in rows if row[1] == category and row[3] > 0]
        days = {}
        for customer, _category, day, _amount in own:
            days.setdefault(customer, set()).add(day)
        if len(days) < 50 or sum(len(mine) > 1 for mine in days.values()) < 20:
            continue
        log = engine.PurchaseLog.from_arrays(
            np.array([row[0] for row in rows if row[1] == category]),
            np.array([row[2] for row in rows if row[1] == category], 'datetime64[D]'),
            np.array([row[3] for row in rows if row[1] == category]))
        status = engine.fit(log, AT, (90, 365)).classify(log.history(AT), AT, policy)['status']
        for customer, mine in days.items():
            last = max(mine)
            all_days = {row[2] for row in rows if row[0] == customer and row[3] > 0}
            before, since = sum(day <= last for day in all_days), sum(day > last for day in all_days)
            luck = ((before - len(mine) + 1) / (before + 1)) ** since
            gap = np.median(np.diff(sorted(day.toordinal() for day in mine))) if len(mine) > 1 else 0
            if (AT - last).days <= gap:
                continue
            if len(mine) < 3 or (AT - last).days >= 730 or luck > 0.02 or status[customer] not in ('dormant', 'lost'):
                continue
            money = sum(row[3] for row in rows if row[:2] == (customer, category) and 0 <= (last - row[2]).days < 365)
            found[customer, category] = (len(mine), last, round(money, 2), status[customer])
    return found


def as_dict(table):
    return {
        (row.customer_id, row.category_id):
            (row.purchase_count, row.last_date.date(), round(row.revenue_year_before, 2), row.status)
        for row in table.itertuples()}


def still_here(found):
    """Without those who left altogether: what their last purchases happened to lack."""
    return {(customer, category) for customer, category in found if customer % 10 != 9}


def test_losses_equal_those_of_plain_loops():
    rows = ledger()
    found = as_dict(find(rows))
    assert found == expected(rows)
    assert still_here(found) == {(customer, 1) for customer in range(0, 80, 4)}


def test_a_refund_lowers_the_money_and_buys_nothing():
    rows = ledger()
    rows += [(0, 1, AT - timedelta(days=220), -50.0), (0, 1, AT - timedelta(days=20), -7.0)]
    found = as_dict(find(rows))
    assert found == expected(rows)
    assert (0, 1) in found


def test_what_does_not_buy_keeps_no_line_alive():
    rows = [*ledger(), (0, 1, AT - timedelta(days=20), 9.0)]
    bought = np.array([row[3] > 0 for row in rows])
    assert (0, 1) not in as_dict(find(rows))
    bought[-1] = False
    assert (0, 1) in as_dict(find(rows, bought=bought))


@pytest.mark.parametrize(('customers', 'known'), [(50, True), (49, False)])
def test_a_category_needs_customers(customers, known):
    assert bool(len(find(ledger(customers)))) is known


def test_a_category_needs_customers_who_came_back():
    rows = [row for row in ledger() if row[1] != 1]
    rows += [(customer, 1, AT - timedelta(days=300 + n), 5.0) for customer in range(80)
             for n in range(12 if customer < 19 else 1)]
    assert 1 not in {category for _customer, category in as_dict(find(rows))}
    rows.append((19, 1, AT - timedelta(days=301), 5.0))
    found = as_dict(find(rows))
    assert found == expected(rows)
    assert 1 in {category for _customer, category in found}


@pytest.mark.parametrize(('silence', 'known'), [(100, False), (101, True)])
def test_a_line_is_not_given_up_within_its_usual_gap(silence, known):
    rows = [row for row in ledger() if row[0] != 0]
    rows += [(0, category, AT - timedelta(days=silence + 100 * n), 5.0) for n in range(5) for category in (1, 2)]
    rows += [(0, 2, AT - timedelta(days=n), 5.0) for n in range(20)]
    policy = engine.Policy(rule='days', at_risk_days=10, dormant_days=20, lost_days=30)
    assert ((0, 1) in as_dict(find(rows, policy))) is known


def test_nothing_is_found_in_nothing():
    empty = np.empty(0)
    lines = {'customer_id': empty.astype('i4'), 'category_id': empty.astype('i4'),
             'date': empty.astype('datetime64[D]'), 'amount': empty, 'bought': empty.astype(bool)}
    log = engine.PurchaseLog.from_arrays(empty.astype('i4'), lines['date'], empty)
    assert not len(engine.find_lost_lines(lines, log, AT, POLICY))
    assert not len(find(ledger(3)))


def test_losses_depend_on_no_order_and_no_name():
    rows = ledger()
    found = as_dict(find(rows))
    shuffled = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    assert as_dict(find(shuffled)) == found
    renamed = [(1000 - customer, category + 5, day, amount) for customer, category, day, amount in rows]
    assert as_dict(find(renamed)) == {
        (1000 - customer, category + 5): loss for (customer, category), loss in found.items()}


def test_a_sample_serves_as_well(monkeypatch):
    rows = ledger(400)
    whole = set(as_dict(find(rows)))
    monkeypatch.setattr(product_lines, 'SAMPLE', 100)
    assert set(as_dict(find(rows))) == whole


def test_every_rule_of_a_policy_judges_lines_too():
    rows = ledger()
    for policy in (engine.Policy(rule='days'), engine.Policy(rule='share'), engine.Policy(near_days=30, far_days=60)):
        assert still_here(as_dict(find(rows, policy))) == {(customer, 1) for customer in range(0, 80, 4)}


def test_a_fit_learns_from_no_more_than_it_is_told():
    rows = ledger(80)
    log = engine.PurchaseLog.from_arrays(
        np.array([row[0] for row in rows]), np.array([row[2] for row in rows], 'datetime64[D]'),
        np.array([row[3] for row in rows]))
    assert engine.fit(log, AT).report['customers_used'] == 80
    assert engine.fit(log, AT, at_most=80).to_json() == engine.fit(log, AT).to_json()
    assert engine.fit(log, AT, at_most=30).report['customers_used'] == 30
