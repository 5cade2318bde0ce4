"""What moves a customer's chance: facts whose weights add up, against a customer of average figures."""

import datetime
from dataclasses import astuple

import engine
import numpy as np
import pytest
from builders import AT, bought, cdnow, log_of, simulate
from engine import ranking
from engine.average import Average
from engine.customers import Customers
from engine.pareto_nbd import ParetoNBD
from engine.ranking import Ranking
from engine.weights import FACTS, weigh
from scipy.special import expit
from test_outlook import DAYS, customers, outlook

AVERAGE = Average(4, 60, 80)
COLUMNS = [f'{fact}_weight' for fact in FACTS]


def one(x, t, silence, value=0):
    return Customers(*(np.array([number], float) for number in (x, t, silence, value)))


def log_odds(lens, who, until):
    """As the outlook is defined: the largest of the corrected horizons, each at its level."""
    alive, terms, lines = lens.purchases.alive(who.x, who.t, who.T), ranking.terms_of(who), []
    for horizon in lens.horizons:
        own, *slopes, intercept = astuple(horizon.chance)
        forecast = ranking.log_odds(alive * lens.purchases.chance_if_alive(who.x, who.T, horizon.days))
        corrected = sum(slope * term for slope, term in zip(slopes, terms, strict=True))
        lines.append((1 + own) * forecast + corrected + intercept + horizon.level.odds)
    return np.max([line for h, line in zip(lens.horizons, lines, strict=True) if h.days <= until], axis=0)


@pytest.fixture(scope='module')
def learnt():
    log = log_of(simulate(800))
    return log.history(AT), engine.fit(log, AT)


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('until', DAYS)
def test_the_weights_add_up_to_the_difference_of_the_log_odds(seed, until):
    """Over every fitted horizon, the largest of several too, and slopes as wild as they may be."""
    lens, who = outlook(seed), customers(seed)
    weights = weigh(lens, AVERAGE, who, until)
    assert tuple(weights) == FACTS and all(np.isfinite(weight).all() for weight in weights.values())
    [average] = log_odds(lens, one(4, 240, 80), until)
    told = average + sum(weights.values())
    assert np.abs(told - log_odds(lens, who, until)).max() < 1e-9
    np.testing.assert_allclose(expit(told), lens.chances(who, until)[until], rtol=0, atol=1e-9)


@pytest.mark.parametrize('seed', range(12))
def test_the_average_customer_has_no_weights(seed):
    for until in DAYS:
        weights = weigh(outlook(seed), AVERAGE, one(4, 240, 80), until)
        assert all(weight == pytest.approx([0], abs=1e-12) for weight in weights.values())


@pytest.mark.parametrize('seed', range(12))
def test_silence_lowers_its_own_weight_and_moves_no_other(seed):
    lens, who = outlook(seed), customers(seed)
    before = weigh(lens, AVERAGE, who, 90)
    for days in (1, 30, 400):
        after = weigh(lens, AVERAGE, who.after(who.silence + days), 90)
        assert (after['silence'] <= before['silence'] + 1e-9).all()
        assert all(np.array_equal(after[fact], before[fact]) for fact in ('count', 'gap'))
        before = after


@pytest.mark.parametrize('seed', range(12))
def test_of_one_purchase_no_gap_is_told_and_of_the_usual_value_nothing(seed):
    who = customers(seed)
    weights = weigh(outlook(seed), AVERAGE, who, 180)
    assert (weights['gap'][who.x == 0] == 0).all()
    assert (weights['value'][who.value == 0] == 0).all()


def test_a_shorter_gap_raises_and_a_longer_one_lowers():
    """A frequent buyer who is silent for long is told of the silence, never that buying often is bad."""
    lens = outlook(0)
    lens = type(lens)(lens.purchases, lens.unit, tuple(type(h)(h.days) for h in lens.horizons))
    x, gap = (grid.ravel().astype(float) for grid in np.meshgrid([1, 2, 5, 20], [3, 20, 59, 61, 90, 300]))
    for silence in (0, 80, 500):
        weights = weigh(lens, AVERAGE, Customers(x, x * gap, x * 0 + silence, x * 0), 90)
        assert (np.sign(weights['gap']) == np.sign(AVERAGE.gap - gap)).all()


def test_a_case_by_hand():
    """r + x over alpha + T, and slopes that can be read: each step is written out."""
    purchases, slopes = ParetoNBD(0.6, 60.0, 0.5, 200.0), Ranking(0.5, 0.2, 0.1, -0.3, 0.4, -0.1, -0.6, 9)
    lens = outlook(0)
    lens = type(lens)(purchases, 10.0, (type(lens.horizons[0])(90, slopes),))

    def line(x, t, silence):
        who = np.array([x]), np.array([t]), np.array([t + silence + 0.5])
        chance = purchases.alive(*who) * purchases.chance_if_alive(who[0], who[2], 90)
        return 1.5 * np.log(chance / (1 - chance)).item()

    weights = weigh(lens, AVERAGE, one(9, 90, 50, 3), 90)
    carried = 10 * 80 / 60  # days that are to a gap of 10 what 80 are to one of 60
    assert weights['count'] == pytest.approx(line(9, 540, 80) - line(4, 240, 80) + 0.4 * np.log(10 / 5))
    overdue = np.log((1 + carried) / 11) - np.log(81 / 61)
    assert weights['gap'] == pytest.approx(
        line(9, 90, carried) - line(9, 540, 80) - 0.1 * np.log((1 + carried) / 81) - 0.6 * overdue
    )
    assert weights['silence'] == pytest.approx(
        line(9, 90, 50) - line(9, 90, carried) - 0.7 * np.log(51 / (1 + carried))
    )
    assert weights['value'] == pytest.approx(0.2 * 3 / 2)
    once = weigh(lens, AVERAGE, one(0, 0, 50, 3), 90)
    assert once['count'] == pytest.approx(
        line(0, 0, 80) - line(4, 240, 80) - 0.3 - 0.4 * np.log(5) + 0.6 * np.log(81 / 61)
    )
    assert once['silence'] == pytest.approx(line(0, 0, 50) - line(0, 0, 80) - 0.1 * np.log(51 / 81))
    assert once['value'] == pytest.approx(0.3 * 3 / 2)


def test_the_average_is_of_the_fit_and_in_whole_numbers(learnt):
    history, forecaster = learnt
    count, gaps = history.purchase_count, (history.last_date - history.first_date).dt.days
    back = count > 1
    assert forecaster.average == Average(
        round(count.mean() - 1),
        round((gaps[back] / (count[back] - 1)).mean()),
        round((AT - history.last_date.dt.date).map(lambda gap: gap.days).mean()),
    )
    assert engine.Forecaster.from_json(forecaster.to_json()).average == forecaster.average


def test_while_nobody_came_back_the_average_gap_is_the_silence():
    log = log_of(*(bought(1000 + c % 50, customer=c) for c in range(100)))
    assert engine.fit(log, AT).average == Average(0, 72, 72)
    assert engine.fit(log_of(), AT).average == Average()


def test_assess_tells_the_weights_of_the_chance_it_tells(learnt):
    history, forecaster = learnt
    for policy in (engine.Policy(), engine.Policy(near_days=180), engine.Policy(rule='days')):
        table = forecaster.assess(history, AT, policy)
        average = log_odds(forecaster.outlook, _average_of(forecaster), policy.near_days)
        told = expit(average + table[COLUMNS].sum(axis=1))
        np.testing.assert_allclose(told, table.purchase_probability, rtol=1e-9)


def _average_of(forecaster):
    average = forecaster.average
    return one(average.x, average.x * average.gap, average.silence)


def test_a_weight_depends_on_its_own_row_only(learnt):
    history, forecaster = learnt
    whole = forecaster.assess(history, AT, engine.Policy())[COLUMNS]
    for few in (history.iloc[::7], history[::-1], *(history.iloc[[n]] for n in range(25))):
        assert forecaster.assess(few, AT, engine.Policy())[COLUMNS].equals(whole.loc[few.index])


def test_on_a_real_log_buying_often_is_never_held_against_anybody():
    log, at = log_of(cdnow()), datetime.date(1998, 1, 1)
    history = log.history(at)
    forecaster = engine.fit(log, at)
    table = forecaster.assess(history, at, engine.Policy())
    more = history.purchase_count > forecaster.average.x + 1
    assert more.sum() > 500 and (table.count_weight[more] > 0).all()
    gap = (history.last_date - history.first_date).dt.days / (history.purchase_count - 1)
    assert (table.gap_weight[gap < forecaster.average.gap - 5] > 0).all()
    assert (table.gap_weight[gap > forecaster.average.gap + 5] < 0).all()
