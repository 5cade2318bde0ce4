"""The models answer the published numbers, the integrals and the simulated truth."""

import itertools

import engine
import numpy as np
import pandas as pd
import pytest
from builders import cdnow
from engine import gamma_gamma, pareto_nbd
from engine.pareto_nbd import ParetoNBD
from scipy import integrate
from scipy.optimize import check_grad

MODELS = [
    ParetoNBD(0.5, 100.0, 0.5, 200.0),
    ParetoNBD(0.3, 20.0, 0.3, 600.0),
    ParetoNBD(2.0, 100.0, 0.1, 50.0),
    ParetoNBD(0.2, 300.0, 1.0, 10.0),
    ParetoNBD(1.0, 30.0, 3.0, 3000.0),
]
HISTORIES = [
    (0, 0, 0.5),
    (0, 0, 400.5),
    (1, 10, 60.5),
    (5, 100, 3000.5),
    (30, 500, 560.5),
    (1500, 1600, 1640.5),
]


def test_the_cdnow_sample_gives_the_published_parameters():
    rows = cdnow()
    days = (
        rows[rows.date <= '1997-09-30'].groupby('customer_id').date.agg(['nunique', 'min', 'max'])
    )
    t, T = (
        (until - days['min']).dt.days.to_numpy() / 7
        for until in (days['max'], pd.Timestamp('1997-09-30'))
    )
    got = engine.fit_pareto_nbd(days['nunique'].to_numpy() - 1.0, t, T)
    wanted = {'r': 0.5533, 'alpha': 10.578, 's': 0.6062, 'beta': 11.668}
    for name, value in wanted.items():
        assert got[name] == pytest.approx(value, rel=2e-3), name
    assert got['log_likelihood'] == pytest.approx(-9594.97, abs=0.01)


def by_quad(function, until):
    edges = until * np.array([0, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 1])
    return sum(
        integrate.quad(function, low, high, epsabs=0, epsrel=1e-11, limit=200)[0]
        for low, high in itertools.pairwise(edges)
    )


@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('x, t, T', HISTORIES)
def test_chances_are_the_integrals_of_the_paper(model, x, t, T):
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta

    def leaving(v):
        u = t + v
        return (
            s / (beta + u) * ((beta + T) / (beta + u)) ** s * ((alpha + T) / (alpha + u)) ** (r + x)
        )

    def buying(u):
        return (
            (r + x)
            / (alpha + T)
            * ((alpha + T) / (alpha + T + u)) ** (r + x + 1)
            * ((beta + T) / (beta + T + u)) ** s
        )

    one = [np.array([float(value)]) for value in (x, t, T)]
    assert model.alive(*one)[0] == pytest.approx(1 / (1 + by_quad(leaving, T - t)), abs=1e-9)
    for horizon in (7, 90, 365):
        assert model.chance_if_alive(one[0], one[2], horizon)[0] == pytest.approx(
            by_quad(buying, horizon), abs=1e-9
        )


def test_counts_pass_through_s_of_one_without_a_step():
    x, T = np.array([3.0]), np.array([200.0])
    below, at, above = (
        ParetoNBD(0.5, 90.0, s, 200.0).count_if_alive(x, T, 365)[0]
        for s in (1 - 1e-7, 1.0, 1 + 1e-7)
    )
    assert below == pytest.approx(at, rel=1e-6) == pytest.approx(above, rel=1e-6)


def test_gradients_are_those_of_the_objectives():
    rng = np.random.default_rng(3)
    t = rng.uniform(0, 1, 50)
    data = (
        rng.poisson(2, 50).astype(float),
        t,
        t + rng.uniform(0.01, 1, 50),
        np.full(50, 0.02),
        0.1,
    )
    for objective, args, size in (
        (pareto_nbd._objective, data, 4),
        (gamma_gamma._objective, (data[0] + 1, t + 0.1, *data[3:]), 3),
    ):
        wrong = check_grad(
            lambda v, f=objective, a=args: f(v, *a)[0],
            lambda v, f=objective, a=args: f(v, *a)[1],
            rng.normal(-0.3, 0.3, size),
        )
        assert wrong < 1e-5


def test_simulated_customers_give_their_parameters_back():
    rng = np.random.default_rng(11)
    size, r, alpha, s, beta = 6000, 0.8, 60.0, 0.9, 250.0
    rate, stay = rng.gamma(r, 1 / alpha, size), rng.exponential(1 / rng.gamma(s, 1 / beta, size))
    T = rng.uniform(200, 1500, size)
    until = np.minimum(stay, T)
    x = rng.poisson(rate * until).astype(float)
    t = np.where(x > 0, until * rng.uniform(0, 1, size) ** (1 / np.maximum(x, 1)), 0)
    model, known = pareto_nbd.fit(x, t, T)
    assert known['converged']
    assert (model.r, model.alpha, model.s, model.beta) == pytest.approx(
        (r, alpha, s, beta), rel=0.25
    )
    assert model.r / model.alpha == pytest.approx(r / alpha, rel=0.08)


def test_simulated_money_gives_its_mean_back():
    rng = np.random.default_rng(12)
    size, p, q, gamma = 5000, 6.0, 4.0, 15.0
    count = rng.integers(1, 12, size).astype(float)
    revenue = rng.gamma(p * count, 1 / rng.gamma(q, 1 / gamma, size))
    model, known = gamma_gamma.fit(count, revenue)
    assert known['converged'] and model.p * model.gamma / (model.q - 1) == pytest.approx(
        p * gamma / (q - 1), rel=0.05
    )
    assert model.p == pytest.approx(p, rel=0.2) and model.q == pytest.approx(q, rel=0.2)


@pytest.mark.parametrize(
    'amounts', [[0.0], [-5.0, -7.0], [1e-6, 2e-6], [1e12, 3e12], [1e-6, 1e12, -3.0, 0.0]]
)
def test_money_of_any_size_stays_finite(amounts):
    revenue = np.array(amounts)
    value = gamma_gamma.fit(np.ones(len(revenue)), revenue)[0].value(np.ones(len(revenue)), revenue)
    assert np.isfinite(value).all() and (value >= 0).all()
