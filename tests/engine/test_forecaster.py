"""What a forecast never does, whatever the log."""

import datetime
import itertools
import json
import pathlib

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, START, bought, log_of, simulate
from engine.customers import Customers

FOLDER = pathlib.Path(engine.__file__).resolve().parent
HORIZONS = (90, 180, 365)
COLUMNS = ['alive_probability', 'purchase_probability', 'expected_purchases', 'expected_revenue']


@pytest.fixture(scope='module')
def rows():
    return simulate()


@pytest.fixture(scope='module')
def learnt(rows):
    log = log_of(rows)
    return log, log.history(AT), engine.fit(log, AT)


def test_counts_cover_chances_and_both_grow_with_the_horizon(learnt):
    _log, history, forecaster = learnt
    tables = [forecaster.predict(history, AT, days) for days in HORIZONS]
    for table in tables:
        assert list(table) == COLUMNS and np.isfinite(table).all(axis=None)
        assert table[COLUMNS[:2]].stack().between(0, 1).all()
        assert (table.expected_purchases >= table.purchase_probability).all()
        assert (table.alive_probability >= table.purchase_probability).all()
    for near, far in itertools.pairwise(tables):
        assert (near[COLUMNS[1:]] <= far[COLUMNS[1:]]).all(axis=None)


def test_nothing_rises_with_silence(learnt):
    _log, history, forecaster = learnt
    before = forecaster.predict(history, AT, 365)
    for days in (1, 2, 10, 50, 200, 1000, 4000):
        after = forecaster.predict(history, AT + datetime.timedelta(days=days), 365)
        assert (after <= before + 1e-12).all(axis=None)
        before = after


def test_an_answer_depends_on_its_own_row_only(learnt):
    _log, history, forecaster = learnt
    whole = forecaster.assess(history, AT, engine.Policy())
    for few in (history.iloc[::7], history[::-1], *(history.iloc[n : 2 * n] for n in range(1, 40))):
        assert forecaster.assess(few, AT, engine.Policy()).equals(whole.loc[few.index])


def test_the_future_is_not_seen(rows, learnt):
    log = log_of(rows, bought(1100, 1200, customer=5), bought(1100, customer=99999))
    assert engine.fit(log, AT).to_json() == learnt[2].to_json()
    pd.testing.assert_frame_equal(log.history(AT), learnt[1])


def test_the_order_of_the_rows_is_nothing(rows, learnt):
    again = engine.fit(log_of(rows.sample(frac=1, random_state=2)), AT)
    for days in HORIZONS:
        pd.testing.assert_frame_equal(
            again.predict(learnt[1], AT, days), learnt[2].predict(learnt[1], AT, days)
        )


def test_the_json_is_strict_and_gives_an_equal_forecaster(learnt):
    def refuse(word):
        raise ValueError(word)

    text = learnt[2].to_json()
    kept = json.loads(text, parse_constant=refuse)
    assert kept['report']['customers'] == len(learnt[1]) and kept['horizons'] == list(HORIZONS)
    assert len(kept['mean_chances']) == len(HORIZONS)
    assert engine.Forecaster.from_json(text) == learnt[2]


@pytest.mark.parametrize(
    'text', ['{}', '[]', '{"format": 1, "purchases": {}, "money": {}}', '{"format": 2}', 'nothing']
)
def test_a_foreign_text_is_refused(text):
    with pytest.raises(ValueError):
        engine.Forecaster.from_json(text)


def test_a_horizon_that_was_not_fitted_is_refused(learnt):
    with pytest.raises(ValueError, match='77 days were not fitted'):
        learnt[2].predict(learnt[1], AT, 77)
    with pytest.raises(ValueError, match='77 days were not fitted'):
        learnt[2].classify(learnt[1], AT, engine.Policy(near_days=77))
    with pytest.raises(ValueError, match='above 0'):
        engine.fit(learnt[0], AT, (0, 90))


def test_a_day_before_the_last_purchase_is_refused(learnt):
    with pytest.raises(ValueError, match='later day'):
        learnt[2].predict(learnt[1], datetime.date(2021, 1, 1), 90)


def test_assess_is_predict_and_classify_in_one(learnt):
    _log, history, forecaster = learnt
    policy = engine.Policy()
    table = forecaster.assess(history, AT, policy)
    year, near = forecaster.predict(history, AT, 365), forecaster.predict(history, AT, 90)
    for name, wanted in (
        ('alive_probability', year),
        ('purchase_probability', near),
        ('expected_purchases', year),
        ('expected_revenue', year),
    ):
        pd.testing.assert_series_equal(table[name], wanted[name], rtol=1e-12)
    who = Customers.of(history, AT, forecaster.outlook.unit)
    if_alive = forecaster.outlook.count_if_alive(who, 365)
    stake = (
        if_alive
        * (year.expected_revenue / year.expected_purchases)
        * (1 - year.purchase_probability)
    )
    np.testing.assert_allclose(table.revenue_at_stake, stake, rtol=1e-9)
    dates = table[['status', 'at_risk_date', 'dormant_date', 'lost_date']]
    pd.testing.assert_frame_equal(dates, forecaster.classify(history, AT, policy))


def test_above_the_limit_a_fixed_sample_is_used(monkeypatch, rows, learnt):
    module = __import__('engine.fitting', fromlist=['fit'])
    monkeypatch.setattr(module, 'ALL_UP_TO', 1000)
    monkeypatch.setattr(module, 'SAMPLE', 700)
    forecasters = [
        engine.fit(log_of(rows.assign(customer_id=ids)), AT)
        for ids in (rows.customer_id, 5000 - rows.customer_id)
    ]
    assert forecasters[0].report['customers_used'] == 700
    assert forecasters[0].outlook.purchases.r == pytest.approx(
        forecasters[1].outlook.purchases.r, rel=1e-6
    )
    total = [
        f.predict(learnt[1], AT, 365).expected_purchases.sum() for f in (forecasters[0], learnt[2])
    ]
    assert total[0] == pytest.approx(total[1], rel=0.05)


def test_before_all_purchases_there_is_nobody_and_still_an_answer():
    log = log_of(bought(100))
    forecaster = engine.fit(log, START)
    assert forecaster.predict(log.history(START), START, 90).empty
    assert forecaster.assess(log.history(START), START, engine.Policy()).empty
    assert forecaster.report['purchases'] == 'prior'


def test_one_customer_passes_through_the_states_in_a_sensible_time():
    log = log_of(bought(0, 40, 95))
    table = engine.fit(log, AT).classify(log.history(AT), AT, engine.Policy())
    wait = (table.iloc[0, 1:] - pd.Timestamp(START + np.timedelta64(95, 'D'))).map(
        lambda gap: gap.days
    )
    assert 14 <= wait.at_risk_date < wait.dormant_date <= wait.lost_date < 900
