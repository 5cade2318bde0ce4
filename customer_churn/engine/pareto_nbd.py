"""Pareto/NBD: who still buys, and how often.

Schmittlein, Morrison and Colombo (1987), in the notation of Fader and Hardie, "A Note on Deriving the
Pareto/NBD Model" (2005). While alive a customer buys at rate lambda ~ Gamma(r, alpha) and leaves at rate
mu ~ Gamma(s, beta). A history is x repeat purchases, t the age at the last one, T the age now.
"""
from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, exprel, gammaln

PRIOR = (.5, .3, .5, .6)        # r, alpha, s, beta in units of the mean age: typical of many purchase logs
PRIOR_WEIGHT = 5.               # customers' worth of faith in it
SHORTEST_UNIT = 90.             # days: a ledger begun yesterday says nothing about its unit of time
BLOCK = 4096                    # rows at a time, so that the arrays stay in the cache
NEGLIGIBLE = 40.                # e^-40 of the integrand is left out
LOG_LARGEST = 690.              # odds above e^690 are as good as certain
NODES, WEIGHTS = (array.tolist() for array in np.polynomial.legendre.leggauss(32))
FEW_NODES, FEW_WEIGHTS = (array.tolist() for array in np.polynomial.legendre.leggauss(16))


def in_blocks(function, *arrays):
    """`function` of equally long arrays, block by block; elementwise, so no row knows another."""
    size = len(arrays[0])
    out = np.empty(size)
    for begin in range(0, size, BLOCK):
        part = slice(begin, begin + BLOCK)
        out[part] = function(*(array[part] for array in arrays))
    return out


@dataclass(frozen=True)
class ParetoNBD:
    """The four parameters; alpha and beta in days when x, t, T are."""
    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, x, t, T):
        """P(alive | x, t, T) = A / (A + I), arrays (customers,) -> (customers,)."""
        return 1 / (1 + in_blocks(self._death_odds, x, t, T))

    def _death_odds(self, x, t, T):
        """I / A: the integral over the day u of leaving, from t to T, against having stayed until T."""
        r, alpha, s, beta = astuple(self)
        k, shift = r + x, min(alpha, beta)
        log_a, log_b = np.log(alpha + T), np.log(beta + T)
        end = np.minimum(T, (alpha + t) * np.exp(np.minimum(NEGLIGIBLE / k, 50)) - alpha)
        begin = np.log(shift + t)
        half = (np.log(shift + end) - begin) / 2
        total = np.zeros(len(x))
        for node, weight in zip(NODES, WEIGHTS):
            v = np.exp(begin + half * (1 + node))
            u = v - shift
            power = k * (log_a - np.log(alpha + u)) + s * log_b - (s + 1) * np.log(beta + u)
            total += weight * v * np.exp(np.minimum(power, LOG_LARGEST))
        return s * half * total

    def chance_if_alive(self, x, T, horizon):
        """P(any purchase in the next `horizon` days | alive): the rate integrated over the days ahead."""
        return in_blocks(lambda x, T: self._chance_if_alive(x, T, horizon), x, T)

    def _chance_if_alive(self, x, T, horizon):
        """With v = ln((alpha+T+u)/(alpha+T)): integral of k e^-kv ((beta+T)/(beta+T+u))^s dv."""
        r, alpha, s, beta = astuple(self)
        k, age = r + x, alpha + T
        half = np.minimum(np.log1p(horizon / age), NEGLIGIBLE / k) / 2
        stay = age / (beta + T)
        total = np.zeros(len(x))
        for node, weight in zip(FEW_NODES, FEW_WEIGHTS):
            v = half * (1 + node)
            total += weight * np.exp(-k * v - s * np.log1p(stay * np.expm1(v)))
        return np.minimum(half * k * total, 1)

    def count_if_alive(self, x, T, horizon):
        """E[purchases in the next `horizon` days | alive] (Fader and Hardie, eq. 41 over P(alive))."""
        longer = np.log1p(horizon / (self.beta + T))
        rest = (self.beta + T) * longer * exprel(-(self.s - 1) * longer)
        return (self.r + x) / (self.alpha + T) * rest


def _objective(log_theta, x, t, T, weight, penalty):
    """-mean log-likelihood plus the penalty, and its gradient, in ln(r, alpha, s, beta)."""
    r, alpha, s, beta = theta = np.exp(log_theta)
    value, gradient = np.zeros(1), np.zeros(4)
    for begin in range(0, len(x), BLOCK):
        part = slice(begin, begin + BLOCK)
        one, slope = _log_likelihood(theta, x[part], t[part], T[part])
        value += one @ weight[part]
        gradient += slope @ weight[part]
    away = log_theta - np.log(PRIOR)
    return -value[0] + penalty * (away @ away), -gradient * theta + 2 * penalty * away


def _log_likelihood(theta, x, t, T):
    """ln L (rows,) and its gradient (4, rows) in r, alpha, s, beta: Fader and Hardie's sum A + I."""
    r, alpha, s, beta = theta
    k = r + x
    log_a, log_b = np.log(alpha + T), np.log(beta + T)
    odds, slopes = _integrals(theta, k, t, T, log_a, log_b)
    alive = 1 / (1 + odds)
    stayed = np.stack([-log_a, -k / (alpha + T), np.log(beta) - log_b, s / beta - s / (beta + T)])
    gradient = stayed * alive + slopes * alive
    gradient[0] += digamma(k) - digamma(r) + np.log(alpha)
    gradient[1] += r / alpha
    log_a_term = s * (np.log(beta) - log_b) - k * log_a
    return gammaln(k) - gammaln(r) + r * np.log(alpha) + log_a_term + np.log1p(odds), gradient


def _integrals(theta, k, t, T, log_a, log_b):
    """I / A (rows,) and (dI / dtheta) / A (4, rows)."""
    r, alpha, s, beta = theta
    shift = min(alpha, beta)
    begin = np.log(shift + t)
    half = (np.log(shift + T) - begin) / 2
    odds, slopes = np.zeros(len(k)), np.zeros((4, len(k)))
    for node, weight in zip(NODES, WEIGHTS):
        v = np.exp(begin + half * (1 + node))
        u = v - shift
        log_au, log_bu = np.log(alpha + u), np.log(beta + u)
        power = k * (log_a - log_au) + s * log_b - (s + 1) * log_bu
        piece = weight * half * s * v * np.exp(np.minimum(power, LOG_LARGEST / 2))
        odds += piece
        slopes[0] -= piece * log_au
        slopes[1] -= piece * k / (alpha + u)
        slopes[2] += piece * (1 / s + np.log(beta) - log_bu)
        slopes[3] += piece * (s / beta - (s + 1) / (beta + u))
    return odds, slopes


def fit(x, t, T, prior_weight=PRIOR_WEIGHT, shortest_unit=SHORTEST_UNIT):
    """Penalised maximum likelihood -> (ParetoNBD, {'converged', 'log_likelihood', 'unit'}).

    x, t, T float64 (customers,); time is divided by its mean, or by `shortest_unit`. The penalty
    prior_weight / customers * sum ln(theta / PRIOR)^2 makes a minimum number of customers unnecessary.
    """
    unit = max(float(T.mean()) if len(T) else 365., shortest_unit)
    start, known = np.log(PRIOR), {'converged': False, 'log_likelihood': 0., 'unit': unit}
    if not len(x):
        return _in_days(start, unit), known
    rows, count = np.unique(np.column_stack([x, t / unit, T / unit]), axis=0, return_counts=True)
    data = (*np.ascontiguousarray(rows.T), count / len(x))
    found = minimize(_objective, start, (*data, prior_weight / len(x)), 'L-BFGS-B', jac=True,
                     bounds=[(np.log(1e-3), np.log(1e3))] * 4, options={'ftol': 1e-12, 'gtol': 1e-7})
    if not (np.isfinite(found.fun) and np.isfinite(found.x).all()):
        return _in_days(start, unit), known
    mean = -_objective(found.x, *data, 0)[0]
    likelihood = len(x) * mean - x.sum() * np.log(unit)
    return _in_days(found.x, unit), {'converged': bool(found.success), 'log_likelihood': float(likelihood), 'unit': unit}


def _in_days(log_theta, unit):
    r, alpha, s, beta = np.exp(log_theta)
    return ParetoNBD(float(r), float(alpha * unit), float(s), float(beta * unit))


def fit_pareto_nbd(x, t, T):
    """The published Pareto/NBD, without penalty, in the unit of the arrays.

    x repeat purchases, t age at the last purchase, T age, each (customers,) -> dict of r, alpha, s, beta,
    log_likelihood (Fader and Hardie's CDNOW figures: .5533, 10.578, .6062, 11.668, -9594.97 in weeks).
    """
    x, t, T = (np.asarray(array, np.float64) for array in (x, t, T))
    model, known = fit(x, t, T, prior_weight=0., shortest_unit=1e-9)
    return {'r': model.r, 'alpha': model.alpha, 's': model.s, 'beta': model.beta,
            'log_likelihood': known['log_likelihood']}
