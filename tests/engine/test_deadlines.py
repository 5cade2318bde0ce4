"""A deadline is the first whole day on which the rule holds, found by trying every day."""

import datetime

import engine
import numpy as np
import pandas as pd
import pytest
from builders import AT, bought, log_of, simulate
from engine.customers import Customers
from engine.deadlines import NEVER, days_of_silence

DATES = ['at_risk_date', 'dormant_date', 'lost_date']
MANY = 2500  # days tried
POLICIES = [
    engine.Policy(),
    engine.Policy(share_exponent=0.5, at_risk_lead=0, floor_days=0),
    engine.Policy(rule='chance'),
    engine.Policy(rule='chance', active_chance=0.05, at_risk_share=0.9, floor_days=0),
    engine.Policy(rule='chance', active_chance=0.5, ceiling_days=200, single_rule='days'),
    engine.Policy(near_days=180),
    engine.Policy(rule='days', at_risk_days=20),
]


@pytest.fixture(scope='module')
def learnt():
    log = log_of(simulate())
    return log.history(AT), engine.fit(log, AT)


def first(holds):
    """First day on which each row of (rows, days) holds; NEVER if none."""
    return np.where(holds.any(axis=1), holds.argmax(axis=1), NEVER)


def by_trying_every_day(forecaster, who, policy):
    grid = who.take(np.repeat(np.arange(len(who)), MANY)).after(np.tile(np.arange(MANY), len(who)))
    chances = forecaster.outlook.chances(grid, policy.far_days)
    near, far = (
        chances[days].reshape(len(who), MANY) for days in (policy.near_days, policy.far_days)
    )
    if policy.rule == 'chance':
        dormant = first(near < policy.active_chance)
        lost = first((near < policy.active_chance) & (far < policy.dormant_chance))
    else:
        weights = forecaster.class_weights(policy)
        best = np.argmax(
            [weights[0] * near, weights[1] * (far - near), weights[2] * (1 - far)], axis=0
        )
        dormant, lost = first(best > 0), first(best == 2)
    risk = first(near < policy.at_risk_share * near[:, :1])
    dormant = np.maximum(dormant, policy.floor_days + policy.at_risk_lead)
    if policy.at_risk_lead:
        risk = np.minimum(risk, np.where(dormant < NEVER, dormant - policy.at_risk_lead, NEVER))
    lost = np.maximum(lost, np.maximum(dormant, policy.near_days))
    return np.column_stack([np.minimum(risk, dormant), dormant, lost])


def expected(forecaster, who, policy):
    fixed = np.tile([policy.at_risk_days, policy.dormant_days, policy.lost_days], (len(who), 1))
    if policy.rule == 'days':
        return np.maximum(fixed, policy.floor_days)
    found = by_trying_every_day(forecaster, who, policy)
    if policy.single_rule == 'days':
        found[who.x == 0] = fixed[who.x == 0]
    found = np.maximum(found, policy.floor_days)
    return np.minimum(found, policy.ceiling_days or NEVER)


@pytest.mark.parametrize('policy', POLICIES)
def test_deadlines_are_those_of_trying_every_day(learnt, policy):
    rng = np.random.default_rng(5)
    x = np.r_[0.0, 1.0, 1.0, 2.0, 40.0, 900.0, 0.0, 0.0, rng.integers(1, 30, 60)]
    t = np.where(
        x > 0, np.r_[0.0, 1.0, 700.0, 30.0, 400.0, 1000.0, 0.0, 0.0, rng.integers(30, 1000, 60)], 0.0
    )
    who = Customers(x, t, np.zeros(len(x)), rng.integers(-18, 19, len(x)).astype(float))
    got, wanted = days_of_silence(learnt[1], who, policy), expected(learnt[1], who, policy)
    later = (wanted >= NEVER) & (got >= MANY)
    assert ((got == wanted) | later).all(), (x, t, got, wanted)


@pytest.mark.parametrize('policy', POLICIES)
def test_the_status_is_the_day_compared_with_the_deadlines(learnt, policy):
    history, forecaster = learnt
    table = forecaster.classify(history, AT, policy)
    assert (table.at_risk_date <= table.dormant_date).all() and (
        table.dormant_date <= table.lost_date
    ).all()
    for days in (0, 1, 30, 200, 1000):
        at = AT + datetime.timedelta(days=days)
        then = forecaster.classify(history, at, policy)
        pd.testing.assert_frame_equal(then[DATES], table[DATES])
        passed = table[DATES].le(pd.Timestamp(at)).sum(axis=1)
        wanted = passed.map(dict(enumerate(('active', 'at_risk', 'dormant', 'lost'))))
        assert (then.status.replace('new', 'active') == wanted).all()
        young = (pd.Timestamp(at) - history.first_date).dt.days < policy.new_days
        assert ((then.status == 'new') == (young & (passed == 0))).all()


def test_deadlines_do_not_depend_on_who_else_is_asked(learnt):
    history, forecaster = learnt
    table = forecaster.classify(history, AT, engine.Policy())
    for few in (history.iloc[::7], history.iloc[[-1]], history.sample(frac=1, random_state=1)):
        pd.testing.assert_frame_equal(
            forecaster.classify(few, AT, engine.Policy()), table.loc[few.index]
        )


def test_what_would_take_twenty_years_never_comes(learnt):
    never = engine.Policy(rule='chance', active_chance=0.0, at_risk_share=0.0)
    table = learnt[1].classify(learnt[0], AT, never)
    assert table[DATES].isna().all(axis=None) and set(table.status) <= {'new', 'active'}


def test_a_ceiling_ends_every_wait(learnt):
    policy = engine.Policy(rule='chance', active_chance=0.0, at_risk_share=0.0, ceiling_days=500)
    table = learnt[1].classify(learnt[0], AT, policy)
    assert ((table.lost_date - learnt[0].last_date).dt.days == 500).all()


def test_a_faithful_customer_falls_due_sooner_than_a_rare_one(learnt):
    log = log_of(bought(*range(0, 1000, 7), customer=1), bought(*range(0, 1000, 90), customer=2))
    table = learnt[1].classify(log.history(AT), AT, engine.Policy())
    assert (table.dormant_date - log.history(AT).last_date).is_monotonic_increasing
