"""The ranking learns what the model leaves out, keeps the total, and never lets silence help."""

import dataclasses
import datetime

import engine
import numpy as np
import pytest
from builders import AT, START, bought, log_of, simulate
from engine import past, ranking
from engine.customers import Customers
from engine.past import LEARNED, ONE_SIDED, SHORT, Past
from engine.ranking import Ranking
from scipy.optimize import check_grad
from scipy.special import expit

CUT = datetime.date(2022, 6, 1)


def customers(size=4000, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.poisson(1.5, size).astype(float)
    t = np.where(x > 0, rng.integers(1, 700, size), 0.0)
    return Customers(x, t, rng.integers(0, 500, size) * 1.0, rng.integers(-9, 10, size) * 1.0)


def come(line, counted, seed=4):
    rng = np.random.default_rng(seed)
    return rng.poisson(np.exp(line)) if counted else (rng.random(len(line)) < expit(line)) * 1.0


@pytest.mark.parametrize('counted', [False, True])
def test_the_slopes_come_back(counted):
    who = customers()
    true = Ranking(own=-0.3, value=0.4, single=-0.5, silence=-0.2, overdue=-0.1)
    said = np.random.default_rng(5).normal(-0.5, 1, len(who))
    terms = ranking.terms_of(who)
    got = ranking.learn(said, terms, come(true.apply(said, who), counted), counted)
    wanted, error = dataclasses.astuple(true)[:-1], 0.1 if counted else 0.13
    assert dataclasses.astuple(got)[:-1] == pytest.approx(wanted, abs=error)


@pytest.mark.parametrize('counted', [False, True])
def test_silence_that_helped_is_not_believed(counted):
    who = customers()
    said = np.full(len(who), -1.0)
    came = come(said + 0.3 * np.log1p(who.silence) - 1, counted)
    got = ranking.learn(said, ranking.terms_of(who), came, counted)
    assert got.silence <= 0 and got.overdue <= 0 and got.own >= ranking.LEAST_OWN


@pytest.mark.parametrize('counted', [False, True])
def test_the_gradient_is_that_of_the_loss(counted):
    rng = np.random.default_rng(6)
    columns, said = rng.normal(0, 1, (7, 80)), rng.normal(-1, 1, 80)
    args = said, columns, come(said, counted), counted
    wrong = check_grad(
        lambda slopes: ranking._loss(slopes, *args)[0],
        lambda slopes: ranking._loss(slopes, *args)[1],
        rng.normal(0, 0.3, 8),
    )
    assert wrong < 1e-4


@pytest.mark.parametrize('counted', [False, True])
def test_the_intercept_gives_the_total_back(counted):
    line = np.random.default_rng(7).normal(-2, 1, 500)
    moved = line + ranking.intercept_for(line, 123.0, counted)
    assert (np.exp(moved) if counted else expit(moved)).sum() == pytest.approx(123, rel=1e-9)


def test_without_slopes_nothing_changes():
    said = np.linspace(-5, 5, 40)
    assert (Ranking().apply(said, customers(40)) == said).all()
    terms = ranking.terms_of(customers(40))
    for came in (np.zeros(40), np.ones(40)):
        assert ranking.learn(said, terms, came, False) == Ranking(), 'one side teaches nothing'


def test_twice_the_customers_are_believed_more():
    def silence(size):
        who = customers(size)
        said = np.full(size, -1.0)
        came = come(-0.5 * np.log1p(who.silence) + 1, False)
        return ranking.learn(said, ranking.terms_of(who), came, False).silence

    slopes = [silence(size) for size in (40, 160, 640, 2560)]
    assert slopes == sorted(slopes, reverse=True) and slopes[0] > -0.05 and slopes[-1] < -0.2


def rows_where_money_stays():
    """Customers of whom the dear ones stay and the cheap ones leave."""
    rows, other = simulate(1500, seed=1, beta=1200.0), simulate(1500, seed=2, beta=60.0)
    rng = np.random.default_rng(8)
    dear, cheap = rng.lognormal(5, 0.3, len(rows)), rng.lognormal(3, 0.3, len(other))
    return rows.assign(amount=dear), other.assign(customer_id=other.customer_id + 9999, amount=cheap)


def test_it_ranks_better_than_the_model_alone_where_money_tells(monkeypatch):
    log = log_of(*rows_where_money_stays())
    learned = engine.backtest(log, CUT, 180)
    monkeypatch.setattr(past, 'CUTS', 0)
    alone = engine.backtest(log, CUT, 180)
    assert learned['auc'] > alone['auc'] + 0.005 and learned['brier'] < alone['brier']


def test_the_order_changes_and_the_total_does_not(monkeypatch):
    log = log_of(*rows_where_money_stays())
    history, learned = log.history(CUT), engine.fit(log, CUT)
    monkeypatch.setattr(past, 'CUTS', 0)
    alone = engine.fit(log, CUT)
    for days in (90, 180, 365):
        with_it, without = (f.predict(history, CUT, days) for f in (learned, alone))
        columns = ['purchase_probability', 'expected_purchases']
        assert with_it[columns].sum().to_numpy() == pytest.approx(
            without[columns].sum().to_numpy(), rel=0.03
        )


def test_the_cuts_end_before_the_day_and_begin_after_ninety_days():
    log = log_of(simulate())
    at = int(np.datetime64(AT, 'D').astype(int))
    view = Past(log, at, 1.0)
    days = [look.day for look in view.cuts(90)]
    assert days == [at - 90, at - 120, at - 150, at - 180]
    assert [look.day for look in view.cuts(365)] == [at - 365, at - 486, at - 607, at - 728]
    assert view.cuts(at - view.first - 89) == [] and len(view.cuts(at - view.first - 90)) == 1


def test_a_look_is_what_a_fit_on_that_day_would_have_said():
    rows = simulate(600)
    log, at = log_of(rows), int(np.datetime64(AT, 'D').astype(int))
    look = Past(log, at, 1.0).look(at - 90)
    then = np.datetime64(at - 90, 'D')
    until = log_of(rows[rows.date <= then])
    model = engine.fit(until, then).outlook.purchases
    who = Customers.of(until.history(then), then, 0)
    assert look.model == model and (look.customers.T == who.T).all()
    np.testing.assert_allclose(
        look.chance(90), model.alive(who.x, who.t, who.T) * model.chance_if_alive(who.x, who.T, 90)
    )
    later = rows[(rows.date > then) & (rows.date <= np.datetime64(AT))]
    wanted = later.groupby('customer_id').date.nunique().reindex(until.customers).fillna(0)
    assert (look.came(90) == wanted).all()


def test_the_report_says_what_was_used_and_why_not():
    said = engine.fit(log_of(simulate()), AT).report['ranking']['90']
    assert said['why'] == LEARNED and said['cuts'][0] == '2022-10-03' and len(said['cuts']) == 4
    assert 0 < said['buyers'] < said['customers']
    young = engine.fit(log_of(bought(900, 1000), bought(950, customer=2)), AT).report['ranking']
    assert young['90'] == {'cuts': ['2022-10-03'], 'customers': 2, 'buyers': 0, 'why': ONE_SIDED}
    none = {'cuts': [], 'customers': 0, 'buyers': 0, 'why': SHORT}
    assert young['365'] == {**none, 'from': '2023-09-17'}
    soon = [datetime.date(2023, 9, day) for day in (16, 17)]
    log = log_of(bought(900, 1000), bought(950, customer=2))
    assert [len(engine.fit(log, at).report['ranking']['365']['cuts']) for at in soon] == [0, 1]


def test_from_one_day_to_the_next_and_one_customer_to_the_next_nothing_jumps():
    rows = simulate(400)
    first = log_of(rows[rows.customer_id < 200])
    for day in (179, 180, 181, 300, 548, 549, 550):
        totals = []
        for at in (START + np.timedelta64(day, 'D'), START + np.timedelta64(day + 1, 'D')):
            table = engine.fit(first, at).predict(first.history(at), at, 90)
            totals.append(table.purchase_probability.mean())
        assert abs(totals[1] - totals[0]) < 0.02, day
    for size in (20, 50, 200):
        logs = [log_of(rows[rows.customer_id < number]) for number in (size, size + 1)]
        tables = [engine.fit(log, AT).predict(log.history(AT), AT, 90) for log in logs]
        gap = tables[0].purchase_probability - tables[1].purchase_probability
        assert gap.abs().max() < 0.05, size
