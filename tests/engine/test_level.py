"""The level is that of the same season of earlier years, shrunk, and never of the days before."""

import datetime

import engine
import numpy as np
import pandas as pd
import pytest
from builders import START, log_of, simulate
from engine import level
from engine.level import Level
from engine.past import LEARNED, SHORT, Past
from scipy.special import expit, logit

OCTOBER, JANUARY = datetime.date(2022, 10, 1), datetime.date(2023, 1, 1)


def seasonal(years=3, customers=250, months=(11, 12)):
    """Rows of customers who buy in some months only, from 2020 on, each on a few days of them."""
    rng = np.random.default_rng(9)
    days = [
        (customer, day)
        for customer in range(customers)
        for year in range(2020, 2020 + years)
        for month in months
        for day in pd.Timestamp(year, month, 1) + pd.to_timedelta(rng.integers(0, 30, 2), 'D')
        if rng.random() < 0.4
    ]
    return pd.DataFrame(days, columns=['customer_id', 'date']).assign(amount=10.0)


def day_of(date):
    return int(np.datetime64(date, 'D').astype(int))


def test_before_the_season_it_rises_and_after_it_it_falls():
    log = log_of(seasonal())
    before, after = (
        engine.fit(log, at).outlook.horizons[0].level for at in (OCTOBER, JANUARY)
    )
    assert before.count > 1.3 and before.odds > 0.3 and after.count < 0.7 and after.odds < -0.3


def test_it_beats_the_model_alone_where_there_is_a_season(monkeypatch):
    log = log_of(seasonal(4))
    cut = datetime.date(2023, 10, 1)
    told = engine.backtest(log, cut, 90)
    monkeypatch.setattr(level, 'YEARS', 0)
    alone = engine.backtest(log, cut, 90)
    assert told['brier'] < alone['brier'] - 0.05
    assert abs(told['total_error']) < abs(alone['total_error']) - 0.1


def test_it_is_the_formula_of_the_docstring():
    log, at = log_of(simulate()), day_of(JANUARY)
    past = Past(log, at, 1.0)
    got, used = level.learn(past, 90)
    looks = [past.look(at - 365), past.look(at - 730)]
    assert used == {'seasons': ['2022-01-01', '2021-01-01'], 'why': LEARNED}
    came = np.concatenate([look.came(90) for look in looks])
    said = sum(look.count(90).sum() for look in looks)
    assert got.count == pytest.approx(((came.sum() + 50) / (said + 50)) ** (2 / 3), rel=1e-9)
    chances = np.concatenate([look.chance(90) for look in looks])
    n = (chances.sum() + (came > 0).sum()) / 2
    n = min(n, len(came) - n)
    shift = got.odds * 3 / 2 * (n + 50) / n
    wanted = ((came > 0).sum() + 0.5) * len(came) / (len(came) + 1)
    assert expit(logit(chances) + shift).sum() == pytest.approx(wanted, rel=1e-6)


def test_the_days_just_before_are_not_looked_at():
    past = Past(log_of(simulate()), day_of(JANUARY), 1.0)
    level.learn(past, 90)
    assert set(past._looks) == {day_of(JANUARY) - 365, day_of(JANUARY) - 730}


@pytest.mark.parametrize('days, seasons', [(400, 0), (455, 0), (456, 1), (820, 1), (821, 2)])
def test_a_year_counts_from_ninety_days_of_history_on(days, seasons):
    rows = simulate()
    first = int(rows.date.min().to_datetime64().astype('datetime64[D]').astype(int))
    got, used = level.learn(Past(log_of(rows), first + days, 1.0), 90)
    assert len(used['seasons']) == seasons and (used['why'] == SHORT) == (not seasons)
    assert (got == Level()) == (not seasons)
    if not seasons:
        assert used['from'] == str(np.datetime64(first + 456, 'D'))


def test_it_comes_gradually():
    rows = seasonal()
    log, first = log_of(rows), START + np.timedelta64(306, 'D')
    levels = [
        engine.fit(log, first + np.timedelta64(day, 'D')).outlook.horizons[0].level
        for day in range(450, 530, 10)
    ]
    assert levels[0] == Level() and levels[-1] != Level()
    assert np.abs(np.diff([np.log(one.count) for one in levels])).max() < 0.35
    assert np.abs(np.diff([one.odds for one in levels])).max() < 0.35


def test_a_horizon_beyond_the_year_waits_for_the_year_it_fits_in():
    past = Past(log_of(simulate()), day_of(JANUARY), 1.0)
    assert level.learn(past, 500)[1]['seasons'] == ['2021-01-01']
