"""Value classes and RFM scores: comparison with limits, whoever else is looked at."""

import json

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, bought, log_of, simulate

DAY = np.datetime64('2022-01-01', 's')


@pytest.fixture(scope='module')
def history():
    return log_of(simulate()).history(AT)


def of(money, before=0.0, purchases=1, last=0, total=None):
    """History of customers with these figures; `last` in days after 2022-01-01."""
    money = np.array(money, np.float64)
    return pd.DataFrame(
        {
            'revenue_12m': money,
            'revenue_previous_12m': before,
            'revenue_total': money if total is None else total,
            'purchase_count': purchases,
            'last_date': DAY + np.array(last, 'timedelta64[D]'),
        },
        index=range(len(money)),
    )


def classes(history, **shares):
    return ''.join(engine.fit_value(history, **shares).rate(history).value_class)


def scores(history):
    return engine.fit_value(history).rate(history).rfm_score.tolist()


def test_the_dearest_make_the_shares_and_whoever_completes_one_belongs_to_it():
    assert classes(of([5, 60, 10, 4, 12, 9])) == 'cabcab'
    assert classes(of([5, 60, 10, 5, 10, 10])) == 'caacaa', 'equal money has one class'
    assert classes(of([50, 30, 20]), a_share=0.5, b_share=0.3) == 'abc'


def test_the_shares_add_up(history):
    money = history[['revenue_12m', 'revenue_previous_12m']].max(axis=1).clip(lower=0)
    found = engine.fit_value(history, 0.6, 0.3).rate(history).value_class
    share = money.groupby(found, observed=False).sum() / money.sum()
    dearest = money.max() / money.sum()
    assert 0.6 <= share['a'] <= 0.6 + dearest
    assert 0.9 <= share['a'] + share['b'] <= 0.9 + dearest
    assert share.sum() == pytest.approx(1)
    assert money[found == 'a'].min() > money[found == 'b'].max()


def test_who_went_silent_this_year_keeps_the_class_of_the_last():
    assert classes(of([0, 20, 80], before=[300, 20, 0])) == 'acb'


def test_without_money_nobody_is_dear():
    assert classes(of([0, -5, 0])) == 'ccc'
    assert classes(of([1, 0, -1])) == 'acc'


def test_scores_are_fifths_by_the_middle_of_equal_ranks(history):
    found = engine.fit_value(history).rate(history).rfm_score
    expected = 0
    for name in ('last_date', 'purchase_count', 'revenue_total'):
        middle = (2 * history[name].rank() - 1) / (2 * len(history))
        expected = 10 * expected + np.minimum(5 * middle, 4).astype(int) + 1
    pd.testing.assert_series_equal(found, expected, check_names=False)


def test_equal_values_have_equal_scores():
    assert scores(of([7] * 9)) == [333] * 9
    found = scores(of([1] * 20, purchases=[1] * 12 + [2] * 4 + [3] * 4))
    assert found == [323] * 12 + [343] * 4 + [353] * 4


@pytest.mark.parametrize('count, expected', [(1, [3]), (2, [2, 4]), (4, [1, 2, 4, 5])])
def test_few_customers_are_spread_around_the_middle(count, expected):
    few = np.arange(count)
    found = scores(of(few + 1, purchases=few + 1, last=few))
    assert found == [111 * score for score in expected]


def test_nobody_to_compare_with():
    limits = engine.fit_value(log_of().history(AT))
    assert limits.rate(log_of().history(AT)).empty
    first = limits.rate(log_of(bought(3)).history(AT))
    assert (first.value_class[1], first.rfm_score[1]) == ('c', 333), 'bought years ago'
    assert limits.rate(of([5, 0])).value_class.tolist() == ['a', 'c']


def test_what_the_fit_did_not_see_lies_beside_what_it_saw():
    limits = engine.fit_value(of([7, 7, 7], purchases=4))
    assert limits.rate(of([6, 8], purchases=[3, 5], last=[-1, 1])).rfm_score.tolist() == [111, 555]


def test_strict_json_there_and_back(history):
    for limits in (engine.fit_value(history), engine.fit_value(history.iloc[:0])):
        text = limits.to_json()
        json.loads(text, parse_constant=lambda name: pytest.fail(name))
        assert engine.ValueLimits.from_json(text) == limits


@pytest.mark.parametrize('text', [None, False, '', 'null', '[]', '{}', '{"format": 0}', '{"format": 1}'])
def test_what_is_no_limits_is_refused(text):
    with pytest.raises(ValueError, match='learn again'):
        engine.ValueLimits.from_json(text)


def test_the_order_of_the_customers_does_not_matter(history):
    shuffled = history.sample(frac=1, random_state=4)
    limits = engine.fit_value(shuffled)
    assert limits.classes == pytest.approx(engine.fit_value(history).classes)
    assert limits.frequency == engine.fit_value(history).frequency
    whole = engine.fit_value(history).rate(history)
    pd.testing.assert_frame_equal(limits.rate(shuffled).sort_index(), whole)


def test_few_get_what_all_get(history):
    limits = engine.fit_value(history)
    few = history.iloc[::17]
    pd.testing.assert_frame_equal(limits.rate(few), limits.rate(history).iloc[::17])


def test_the_same_amounts_added_in_another_order_stay_equal():
    money = np.array([0.1 + 0.2 + 0.3] * 5 + [0.3 + 0.2 + 0.1] * 5)
    assert money[0] != money[-1]
    for scale in (1e-6, 1, 1e12):
        found = engine.fit_value(of(scale * money)).rate(of(scale * money[::-1]))
        assert found.rfm_score.tolist() == [333] * 10
        assert set(found.value_class) == {'a'}


@pytest.mark.parametrize('money', [[0, 1e-6, 1e12], [1e-6] * 3, [-1e12, 1e12, 5]])
def test_odd_money_has_finite_limits(money):
    limits = engine.fit_value(of(money))
    assert np.isfinite(limits.classes + limits.monetary).all()
    assert list(limits.monetary) == sorted(limits.monetary)


@pytest.mark.parametrize('shares', [(0, 0.2), (0.7, 0), (-1, 0.5), (0.7, 0.3), (float('nan'), 0.2)])
def test_shares_that_make_no_sense_are_refused(shares):
    with pytest.raises(ValueError, match='a_share.*b_share.*: lower'):
        engine.fit_value(of([1]), *shares)
