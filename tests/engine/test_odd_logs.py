"""Whatever the ledger, the answers are plain numbers, in order, without a warning."""

import datetime
import functools
import itertools
import json
import warnings

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, START, bought, log_of, simulate

DATES = ['at_risk_date', 'dormant_date', 'lost_date']
CHANCES = ['alive_probability', 'purchase_probability']
WEIGHTS = ['count_weight', 'gap_weight', 'silence_weight', 'value_weight']


def many(*days, customers=300, **kwargs):
    """Enough customers for a ranking to be learned, each a few days apart from the others."""
    return [
        bought(*(day + c % 11 for day in days), customer=c, **kwargs) for c in range(customers)
    ]


@functools.cache
def odd_logs():
    weekly = [bought(*range(0, 500, 7 + c % 5), customer=c) for c in range(30)]
    yesterday = pd.concat([bought(1094 + c % 2, customer=c) for c in range(20)])
    return {
        'nobody': log_of(),
        'one customer': log_of(bought(0, 40, 95)),
        'one purchase': log_of(bought(1096)),
        'all single': log_of(*(bought(c * 30, customer=c) for c in range(36))),
        'all single, many': log_of(*(bought(c * 2, customer=c) for c in range(548))),
        'daily for years': log_of(bought(*range(1096)), bought(3, customer=2)),
        'all daily for years': log_of(*many(*range(1086), customers=60)),
        'a ledger begun yesterday': log_of(yesterday),
        'everybody left': log_of(*weekly),
        'everybody left, many': log_of(*many(0, 50, 100, 300)),
        'a pause of five years': log_of(bought(-900, -890, -880, 960, 970)),
        'all pause for five years': log_of(*many(-900, -890, -880, 960, 970)),
        'all come back after five years': log_of(*many(-804, -784, -764, 1066, 1076, customers=120)),
        'all come back once': log_of(*many(-804, 1060, customers=60)),
        'a burst on one day': log_of(*(bought(400, customer=c) for c in range(300)), *weekly),
        'refunds above purchases': log_of(bought(0, 50), bought(60, amount=-500.0)),
        'all refunded above purchases': log_of(*many(0, 50, 400), *many(60, amount=-500.0)),
        'amounts of nothing': log_of(*many(5, 9, amount=0.0), bought(10, customer=1000)),
        'tiny amounts': log_of(simulate(300).assign(amount=1e-6)),
        'huge amounts': log_of(simulate(300).assign(amount=1e12)),
        'tiny and huge': log_of(
            *(bought(c, c + 90, customer=c, amount=10.0 ** (c - 6)) for c in range(19))
        ),
        'tiny and huge, many': log_of(
            simulate(300).assign(amount=lambda rows: 10.0 ** (rows.customer_id % 19 - 6))
        ),
    }


@functools.cache
def learnt(name):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        return odd_logs()[name].history(AT), engine.fit(odd_logs()[name], AT)


@pytest.mark.parametrize('name', odd_logs())
@pytest.mark.parametrize('rule', ['share', 'chance', 'days'])
def test_the_answers_are_plain(name, rule):
    history, forecaster = learnt(name)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        table = forecaster.assess(history, AT, engine.Policy(rule=rule))
        text = forecaster.to_json()
    json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert engine.Forecaster.from_json(text) == forecaster
    numbers = table.drop(columns=['status', *DATES])
    assert len(table) == len(history) == forecaster.report['customers']
    assert np.isfinite(numbers).all(axis=None)
    assert (numbers.drop(columns=WEIGHTS) >= 0).all(axis=None)
    assert (numbers[CHANCES] <= 1).all(axis=None) and (table.expected_purchases <= 365).all()
    days = (table[DATES] - pd.Timestamp(AT)) / np.timedelta64(1, 'D')
    never = 1e6
    assert (days.fillna(never).diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


@pytest.mark.parametrize('name', odd_logs())
def test_silence_never_raises_a_chance(name):
    history, forecaster = learnt(name)
    before = forecaster.predict(history, AT, 90)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for days in (1, 30, 400, 4000):
            after = forecaster.predict(history, AT + datetime.timedelta(days=days), 90)
            assert (after <= before * (1 + 1e-12) + 1e-15).all(axis=None)
            before = after


@pytest.mark.parametrize('name', ['everybody left', 'everybody left, many'])
def test_who_left_is_lost(name):
    history, forecaster = learnt(name)
    assert (forecaster.classify(history, AT, engine.Policy()).status == 'lost').all()


@pytest.mark.parametrize('name', ['daily for years', 'all daily for years'])
def test_who_buys_daily_is_active_and_soon_at_risk(name):
    history, forecaster = learnt(name)
    table = forecaster.assess(history, AT, engine.Policy())
    daily = table[(history.purchase_count > 1000) & (history.last_date >= '2022-12-31')]
    assert len(daily)
    assert (daily.status == 'active').all() and (daily.expected_purchases > 200).all()
    assert ((daily.at_risk_date - history.last_date[daily.index]).dt.days < 90).all()


def random_ledger(seed):
    """Any ledger: few or many customers, days or years, yearly or weekly, any money, many refunds."""
    rng = np.random.default_rng(seed)
    size, span = int(rng.choice([1, 5, 60, 300])), int(rng.choice([1, 120, 900, 3000]))
    owner = np.repeat(np.arange(size), rng.poisson(rng.choice([0.2, 2, 10]), size) + 1)
    day = (rng.random(len(owner)) * span).astype(int)
    day = (day, day // 365 * 365, day // 7 * 7)[seed % 3]
    amount = rng.choice([1e-6, 1, 1e12], len(owner)) if seed % 2 else rng.lognormal(3, 1, len(owner))
    amount *= np.where(rng.random(len(owner)) < rng.choice([0, 0.4]), -rng.choice([0.2, 5]), 1)
    amount[0] = 1
    at = START + np.timedelta64(int(span * rng.choice([0.6, 1.2])) + 1, 'D')
    frame = {'customer_id': owner, 'date': START + day.astype('timedelta64[D]'), 'amount': amount}
    return log_of(pd.DataFrame(frame)), at


@pytest.mark.parametrize('seed', range(24))
def test_any_ledger_has_answers_in_order(seed):
    log, at = random_ledger(seed)
    history, days = log.history(at), (30, 90, 365)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        forecaster = engine.fit(log, at, days)
        tables = [forecaster.predict(history, at, horizon) for horizon in days]
        later = [forecaster.predict(history, at + np.timedelta64(9, 'D'), one) for one in days]
        whole = forecaster.assess(history, at, engine.Policy())
    for table, after in zip(tables, later, strict=True):
        assert np.isfinite(table).all(axis=None) and (table[CHANCES] <= 1).all(axis=None)
        assert (table.purchase_probability <= table.expected_purchases).all()
        assert (table.purchase_probability <= table.alive_probability).all()
        assert (after <= table * (1 + 1e-10) + 1e-14).all(axis=None)
    for near, far in itertools.pairwise(tables):
        assert (near <= far * (1 + 1e-12)).all(axis=None)
    assert forecaster.assess(history.iloc[::3], at, engine.Policy()).equals(whole.iloc[::3])
