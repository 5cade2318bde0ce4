"""Pareto/NBD: who still buys, and how often.

Schmittlein, Morrison and Colombo (1987), in the notation of Fader and Hardie, "A Note on Deriving
the Pareto/NBD Model" (2005). While alive a customer buys at rate lambda ~ Gamma(r, alpha) and
leaves at rate mu ~ Gamma(s, beta). A history is x repeat purchases, t the age at the last one, T
the age now.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, exprel, gammaln

# r, alpha, s, beta in units of the mean age: typical of many purchase logs
PRIOR = (0.5, 0.3, 0.5, 0.6)
PRIOR_WEIGHT = 5.0  # customers' worth of faith in it
SHORTEST_UNIT = 90.0  # days: a ledger begun yesterday says nothing about its unit of time
BLOCK = 512  # rows at a time: with their nodes the arrays stay in the cache
NEGLIGIBLE = 40.0  # e^-40 of the integrand is left out
LOG_LARGEST = 600.0  # odds above e^600 are as good as certain
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
FEW_NODES, FEW_WEIGHTS = np.polynomial.legendre.leggauss(20)


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
        """I / A: having left on some day u from t to T, against having stayed to T."""
        pieces, *_ = _pieces((self.r, self.alpha, self.s, self.beta), self.r + x, t, T)
        return pieces.sum(axis=1)

    def chance_if_alive(self, x, T, horizon):
        """P(any purchase in the next `horizon` days | alive), (customers,)."""
        return in_blocks(lambda x, T: self._chance_if_alive(x, T, horizon), x, T)

    def _chance_if_alive(self, x, T, horizon):
        """Integral over u in 0..horizon of k/(alpha+T+u) (1+u/(alpha+T))^-k (1+u/(beta+T))^-s.

        Gauss-Legendre in ln(min(alpha, beta) + T + u), up to where the k-th power is negligible.
        """
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        k, age, stay = r + x, alpha + T, beta + T
        end = np.minimum(horizon, age * np.expm1(np.minimum(NEGLIGIBLE / k, 50)))
        near, far = (age, stay) if alpha <= beta else (stay, age)
        half = np.log1p(end / near) / 2
        log_near = half[:, None] * (1 + FEW_NODES)
        v = np.exp(log_near)
        log_far = np.log(1 + (near / far)[:, None] * (v - 1))
        log_age, log_stay = (log_near, log_far) if alpha <= beta else (log_far, log_near)
        power = (k + 1)[:, None] * log_age + s * log_stay
        total = (FEW_WEIGHTS * v * np.exp(-power)).sum(axis=1)
        chance = k / age * near * half * total
        return np.minimum(chance, np.minimum(self.count_if_alive(x, T, horizon), 1))

    def count_if_alive(self, x, T, horizon):
        """E[purchases in the next `horizon` days | alive], (customers,); no pole at s = 1."""
        longer = np.log1p(horizon / (self.beta + T))
        rest = (self.beta + T) * longer * exprel(-(self.s - 1) * longer)
        return (self.r + x) / (self.alpha + T) * rest


def _objective(log_theta, x, t, T, weight, penalty):
    """-mean log-likelihood plus the penalty, and its gradient, in ln(r, alpha, s, beta)."""
    theta = np.exp(log_theta)
    value, gradient = np.zeros(1), np.zeros(4)
    for begin in range(0, len(x), BLOCK):
        part = slice(begin, begin + BLOCK)
        one, slope = _log_likelihood(theta, x[part], t[part], T[part])
        value += one @ weight[part]
        gradient += slope @ weight[part]
    away = log_theta - np.log(PRIOR)
    return -value[0] + penalty * (away @ away), -gradient * theta + 2 * penalty * away


def _log_likelihood(theta, x, t, T):
    """ln L (rows,) and its gradient (4, rows) in r, alpha, s, beta."""
    r, alpha, s, beta = theta
    k = r + x
    log_a, log_b = np.log(alpha + T), np.log(beta + T)
    odds, slopes = _integrals(theta, k, t, T)
    alive = 1 / (1 + odds)
    stayed = np.stack([-log_a, -k / (alpha + T), np.log(beta) - log_b, s / beta - s / (beta + T)])
    gradient = stayed * alive + slopes * alive
    gradient[0] += digamma(k) - digamma(r) + np.log(alpha)
    gradient[1] += r / alpha
    log_stayed = s * (np.log(beta) - log_b) - k * log_a
    return gammaln(k) - gammaln(r) + r * np.log(alpha) + log_stayed + np.log1p(odds), gradient


def _integrals(theta, k, t, T):
    """I / A (rows,) and (dI / dtheta) / A (4, rows)."""
    _r, alpha, s, beta = theta
    pieces, u, log_au, log_bu = _pieces(theta, k, t, T)
    slopes = (
        -pieces * log_au,
        -pieces * k[:, None] / (alpha + u),
        pieces * (1 / s + np.log(beta) - log_bu),
        pieces * (s / beta - (s + 1) / (beta + u)),
    )
    return pieces.sum(axis=1), np.stack([slope.sum(axis=1) for slope in slopes])


def _pieces(theta, k, t, T):
    """The terms of the quadrature of I / A: piece, u, ln(alpha+u), ln(beta+u), all (rows, nodes).

    Gauss-Legendre in ln(min(alpha, beta) + u), up to where (alpha+u)^-k has become negligible:
    who bought daily for years needs every node in the first days of silence.
    """
    _r, alpha, s, beta = theta
    shift = min(alpha, beta)
    end = np.minimum(T, (alpha + t) * np.exp(np.minimum(NEGLIGIBLE / k, 50)) - alpha)
    begin = np.log(shift + t)
    half = (np.log(shift + end) - begin)[:, None] / 2
    stayed = k * np.log(alpha + T) + s * np.log(beta + T)
    log_v = begin[:, None] + half * (1 + NODES)
    v = np.exp(log_v)
    u = v - shift
    log_au, log_bu = (log_v, np.log(beta + u)) if alpha <= beta else (np.log(alpha + u), log_v)
    power = np.minimum(stayed[:, None] - k[:, None] * log_au - (s + 1) * log_bu, LOG_LARGEST)
    return s * WEIGHTS * half * v * np.exp(power), u, log_au, log_bu


def fit(x, t, T, prior_weight=PRIOR_WEIGHT, shortest_unit=SHORTEST_UNIT):
    """Penalised maximum likelihood -> (ParetoNBD, what was used).

    x, t, T float64 (customers,); time is divided by its mean, or by `shortest_unit`. The penalty
    prior_weight / customers * sum ln(theta / PRIOR)^2 makes a minimum number of customers
    unnecessary. The second is {'prior', 'converged', 'log_likelihood', 'unit' in days}.
    """
    from scipy.optimize import minimize  # the slowest to load: for who fits alone
    unit = max(float(T.mean()) if len(T) else 365.0, shortest_unit)
    start = np.log(PRIOR)
    known = {'prior': True, 'converged': False, 'log_likelihood': 0.0, 'unit': unit}
    if not len(x):
        return _in_days(start, unit), known
    rows, count = np.unique(np.column_stack([x, t / unit, T / unit]), axis=0, return_counts=True)
    data = (*np.ascontiguousarray(rows.T), count / len(x))
    found = minimize(
        _objective,
        start,
        (*data, prior_weight / len(x)),
        'L-BFGS-B',
        jac=True,
        bounds=[(np.log(1e-3), np.log(1e3))] * 4,
        options={'ftol': 1e-12, 'gtol': 1e-7},
    )
    if not (np.isfinite(found.fun) and np.isfinite(found.x).all()):
        return _in_days(start, unit), known
    mean = -_objective(found.x, *data, 0)[0]
    likelihood = len(x) * mean - x.sum() * np.log(unit)
    known.update(prior=False, converged=bool(found.success), log_likelihood=float(likelihood))
    return _in_days(found.x, unit), known


def _in_days(log_theta, unit):
    r, alpha, s, beta = np.exp(log_theta)
    return ParetoNBD(float(r), float(alpha * unit), float(s), float(beta * unit))


def fit_pareto_nbd(x, t, T):
    """The published Pareto/NBD, without penalty, in the unit of the arrays.

    x repeat purchases, t age at the last purchase, T age, each (customers,) -> dict of r, alpha, s,
    beta, log_likelihood (Fader and Hardie's CDNOW figures: .5533, 10.578, .6062, 11.668, -9594.97
    in weeks).
    """
    x, t, T = (np.asarray(array, np.float64) for array in (x, t, T))
    model, known = fit(x, t, T, prior_weight=0.0, shortest_unit=1e-9)
    return {
        'r': model.r,
        'alpha': model.alpha,
        's': model.s,
        'beta': model.beta,
        'log_likelihood': known['log_likelihood'],
    }
