"""The backtest tells what a reader of the later rows would tell."""

import datetime

import engine
import numpy as np
import pytest
from builders import bought, log_of, simulate
from engine.backtesting import auc, score

CUT = datetime.date(2022, 1, 1)


def test_the_engine_beats_the_best_fixed_number_of_days():
    told = engine.backtest(log_of(simulate()), CUT, 180)
    assert (
        told['auc'] > told['fixed_rule']['auc'] + 0.03
        and told['brier'] < told['fixed_rule']['brier'] - 0.03
    )
    assert (
        abs(told['total_error']) < 0.15
        and told['customers'] == told['fixed_rule']['customers'] > 800
    )
    assert sum(part['customers'] for part in told['calibration']) == told['customers']
    assert max(abs(part['predicted'] - part['actual']) for part in told['calibration']) < 0.12


def test_the_answer_is_that_of_the_log_read_by_hand():
    rows = simulate(400)
    told = engine.backtest(log_of(rows), CUT, 90)
    until, known = rows[rows.date <= np.datetime64(CUT)], rows[rows.date > np.datetime64(CUT)]
    log = log_of(until)
    table = engine.fit(log, CUT, (90,)).predict(log.history(CUT), CUT, 90)
    came = known[known.date <= np.datetime64(CUT) + np.timedelta64(90, 'D')]
    bought_days = came.groupby('customer_id').date.nunique().reindex(table.index).fillna(0)
    assert told['brier'] == pytest.approx(
        ((table.purchase_probability - (bought_days > 0)) ** 2).mean()
    )
    assert told['total_error'] == pytest.approx(
        table.expected_purchases.sum() / bought_days.sum() - 1
    )


def test_the_area_under_the_curve_counts_ties_half():
    rng = np.random.default_rng(1)
    truth, said = rng.random(80) < 0.4, rng.integers(0, 6, 80) / 5
    pairs = [(a > b) + (a == b) / 2 for a in said[truth] for b in said[~truth]]
    assert (
        auc(truth, said) == pytest.approx(np.mean(pairs))
        and auc(np.ones(3, bool), said[:3]) is None
    )


def test_a_log_that_ends_in_quiet_days_is_scored():
    told = engine.backtest(log_of(bought(0, 100)), datetime.date(2020, 4, 1), 90)
    assert told['customers'] == 1 and told['total_error'] > -1


def test_a_log_without_customers_has_no_score():
    told = engine.backtest(log_of(), datetime.date(2020, 4, 1), 90)
    assert told['customers'] == 0 and told['brier'] is None and told['calibration'] == []


def test_equal_chances_have_one_record_whoever_comes_first():
    bought = np.arange(1000) < 400
    for came in (bought, bought[::-1]):
        told = score(np.full(1000, 0.9), np.ones(1000), np.ones(1000), came * 1.0, came * 1.0)
        assert [part['actual'] for part in told['calibration']] == pytest.approx([0.4] * 10)


def test_a_log_where_nothing_came_has_no_ratio():
    told = engine.backtest(
        log_of(bought(0), bought(200, customer=2)), datetime.date(2020, 3, 1), 90
    )
    assert told['auc'] is None and told['total_error'] is None and told['customers'] == 1
