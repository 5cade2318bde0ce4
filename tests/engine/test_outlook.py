"""Whatever was learned, the chances and counts of an outlook stay in order."""

import itertools

import numpy as np
import pytest
from engine.customers import Customers
from engine.level import Level
from engine.outlook import Horizon, Outlook
from engine.pareto_nbd import ParetoNBD
from engine.ranking import LEAST_OWN, Ranking

DAYS = (30, 90, 180, 365)


def outlook(seed):
    """Slopes as wild as their bounds allow, other ones for every horizon."""
    rng = np.random.default_rng(seed)

    def wild():
        own, held = rng.uniform(LEAST_OWN, 1.5), -rng.exponential(0.4, 2) * rng.integers(0, 2, 2)
        return Ranking(own, *rng.normal(0, 0.8, 4), *held, rng.normal(0, 2))

    horizons = [Horizon(d, wild(), wild(), Level(rng.lognormal(0, 1), rng.normal())) for d in DAYS]
    return Outlook(ParetoNBD(0.6, 60.0, 0.5, 200.0), 10.0, tuple(horizons))


def customers(seed):
    rng = np.random.default_rng(seed)
    x = np.r_[0, 0, 1, 1000, rng.poisson(3, 200)].astype(float)
    t = np.where(x > 0, np.r_[0, 0, 1, 1200, rng.integers(1, 2000, 200)], 0.0)
    silence = np.r_[0, 4000, 0, 0, rng.integers(0, 900, 200)].astype(float)
    return Customers(x, t, silence, rng.integers(-9, 10, len(x)).astype(float))


def answers(one, who):
    alive, chances = one.alive(who), one.chances(who, DAYS[-1])
    return chances, {days: one.count(who, days, alive, chances[days]) for days in DAYS}


@pytest.mark.parametrize('seed', range(12))
def test_answers_are_in_order(seed):
    one, who = outlook(seed), customers(seed)
    chances, counts = answers(one, who)
    assert list(chances) == list(DAYS) and list(one.chances(who, 90)) == [30, 90]
    for days in DAYS:
        assert (chances[days] >= 0).all() and (chances[days] <= 1).all()
        assert (counts[days] >= chances[days]).all() and (counts[days] <= days).all()
        assert (one.count_if_alive(who, days) <= days).all()
    for near, far in itertools.pairwise(DAYS):
        assert (chances[near] <= chances[far]).all() and (counts[near] <= counts[far]).all()


@pytest.mark.parametrize('seed', range(12))
def test_answers_fall_with_silence(seed):
    one, who = outlook(seed), customers(seed)
    before = answers(one, who)
    for days in (1, 5, 40, 300, 3000):
        after = answers(one, who.after(who.silence + days))
        for old, new in zip(before, after, strict=True):
            assert all((new[horizon] <= old[horizon] + 1e-12).all() for horizon in DAYS)
        before = after


def test_customers_alike_in_all_but_silence_are_one_kind():
    who = customers(1)
    first, kind = who.take(np.r_[0:204, 0:204]).alike()
    wanted = {(x, t, value) for x, t, value in zip(who.x, who.t, who.value, strict=True)}
    assert len(first) == len(wanted) and (kind[:204] == kind[204:]).all()
    one = who.take(np.r_[0:204, 0:204]).take(first[kind])
    assert (one.x == np.r_[who.x, who.x]).all() and (one.value == np.r_[who.value, who.value]).all()
