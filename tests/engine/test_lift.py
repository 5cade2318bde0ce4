"""The treated against those left alone: the published intervals, and pandas and scipy as oracles."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from engine.lift import Arm, compare_means, compare_shares, count_needed, judge
from scipy import stats


def arm(count, bought):
    return Arm(count, bought, bought, bought, count)


@pytest.mark.parametrize(('treated', 'control', 'low', 'high'), [
    ((70, 56), (80, 48), 0.0524, 0.3339),
    ((10, 9), (10, 3), 0.1705, 0.8090),
    ((7, 6), (7, 2), 0.0582, 0.8062),
    ((56, 5), (29, 0), -0.0381, 0.1926),
    ((10, 0), (20, 0), -0.1611, 0.2775),
    ((10, 0), (10, 0), -0.2775, 0.2775),
    ((10, 10), (20, 0), 0.6791, 1.0000),
    ((10, 10), (10, 0), 0.6075, 1.0000),
])
def test_intervals_are_those_of_newcombe_table_2(treated, control, low, high):
    _difference, found_low, found_high = compare_shares(arm(*treated), arm(*control))
    assert (found_low, found_high) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_a_share_is_wilsons():
    for count, bought in ((12, 0), (12, 5), (400, 398)):
        expected = stats.binomtest(bought, count).proportion_ci(method='wilson')
        assert arm(count, bought).share_interval() == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_same_customer_counts_once_however_often_it_is_met():
    often = Arm.of([(5 * bought, 5) for bought in [1] * 8 + [0] * 12])
    assert often.design_effect == pytest.approx(5)
    assert often.share_interval() == pytest.approx(arm(20, 8).share_interval())


def test_the_variance_by_customers_is_that_of_statistics_of_clusters():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({'customer': rng.integers(0, 60, 300), 'money': rng.gamma(2, 50, 300)})
    groups = frame.groupby('customer').money
    found = Arm.of(zip(groups.sum(), groups.count(), strict=True))
    residual = (frame.money - frame.money.mean()).groupby(frame.customer).sum()
    assert found.mean == pytest.approx(frame.money.mean())
    assert found.variance == pytest.approx((residual ** 2).sum() / len(frame) ** 2)


def test_money_is_compared_as_two_means_are():
    rng = np.random.default_rng(3)
    treated, control = rng.gamma(2, 60, 400), rng.gamma(2, 50, 100)
    difference, low, high = compare_means(*(Arm.of((value, 1) for value in arm) for arm in (treated, control)))
    error = np.sqrt(treated.var() / 400 + control.var() / 100)
    assert difference == pytest.approx(treated.mean() - control.mean())
    assert high - low == pytest.approx(2 * NormalDist().inv_cdf(0.975) * error)


def test_nothing_is_compared_with_nobody():
    assert compare_shares(arm(5, 1), arm(0, 0)) is None
    assert compare_means(arm(0, 0), arm(5, 1)) is None


@pytest.mark.parametrize(('treated', 'control', 'verdict'), [
    ((700, 300), (100, 20), 'works'),
    ((700, 140), (100, 43), 'harms'),
    ((9000, 2700), (3000, 900), 'no_difference'),
    ((70, 30), (10, 2), 'too_early'),
    ((70, 30), (0, 0), 'no_control'),
    ((0, 0), (10, 3), 'too_early'),
])
def test_verdicts(treated, control, verdict):
    assert judge(arm(*treated), arm(*control)) == verdict


@pytest.mark.parametrize(('treated', 'control', 'then'), [
    ((90, 45), (10, 3), 'works'),
    ((90, 18), (10, 4), 'harms'),
    ((90, 36), (10, 4), 'no_difference'),
])
def test_with_as_many_more_as_are_needed_it_is_no_more_too_early(treated, control, then):
    treated, control = arm(*treated), arm(*control)
    needed = count_needed(treated, control, 0.1)
    assert judge(treated.as_if(90 + 0.9 * needed), control.as_if(10 + 0.1 * needed)) == then
    assert judge(treated.as_if(90 + 0.9 * (needed - 1)), control.as_if(10 + 0.1 * (needed - 1))) == 'too_early'


def test_what_is_needed_can_be_said_before_anybody_is_left_alone():
    assert 50 < count_needed(arm(20, 5), arm(0, 0), 0.5) < 5000
    assert count_needed(arm(0, 0), arm(0, 0), 0.5) >= 1


def test_the_interval_holds_what_it_says():
    """Of samples drawn from known shares, some customers met twice, 95 of 100 intervals hold the difference."""
    rng, held = np.random.default_rng(11), 0
    for _ in range(1000):
        arms = []
        for customers, share in ((180, 0.35), (30, 0.2)):
            twice, bought = rng.integers(1, 3, customers), rng.random(customers) < share
            arms.append(Arm.of(zip(twice * bought, twice, strict=True)))
        _difference, low, high = compare_shares(*arms)
        held += low <= 0.15 <= high
    assert 0.935 <= held / 1000 <= 0.975
