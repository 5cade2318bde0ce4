"""Ranking: what Pareto/NBD does not see, learned from how it did on the company's own past days.

A generalised linear model with the forecast as offset (McCullagh and Nelder, "Generalized Linear
Models", 2nd ed. 1989, ch. 4 and 6), with a ridge (Hoerl and Kennard 1970) on standardised terms:

    g(corrected) = g(forecast) + own g(forecast) + sum of slope * term + intercept
    terms: value, value if single, single, ln(1 + x), ln(1 + silence), ln overdue

where g is the log-odds for the chance of a purchase (logistic) and the logarithm for the number of
purchases (Poisson). Overdue is (1 + silence) / (1 + mean gap) of those who came back. The slopes
come from past days (`past.py`); the intercept gives the total of the forecast back, so the order of
the customers changes and the level does not.

All slopes are multiplied by n / (n + 50), n the fewer of buyers and others: a small base stays with
the model, and there is no number of customers at which the answers jump. The slopes on silence are
held at or below 0 and the forecast keeps a quarter of its own weight: where a yearly rhythm made
the chance rise with silence no deadline would have a meaning. All terms but silence stay still
while nothing is bought, so the corrected chances fall as the forecast does.
"""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, logsumexp

from .customers import STEPS

RIDGE = 20.0
FAITH = 50.0  # customers' worth of faith in the model as it is
LEAST_OWN = -0.75
SMALLEST = 1e-9  # chances and numbers below count as this: their logarithm stays finite
LARGEST = 30.0  # logarithm of a number of purchases


@dataclass(frozen=True)
class Ranking:
    """The slopes of one horizon; without any it changes nothing."""

    own: float = 0.0
    value: float = 0.0
    value_single: float = 0.0
    single: float = 0.0
    repeats: float = 0.0
    silence: float = 0.0
    overdue: float = 0.0
    intercept: float = 0.0

    def apply(self, forecast, customers):
        """`forecast` on the scale g, (customers,), corrected."""
        line = forecast * (1 + self.own) + self.intercept
        for slope, term in zip(self._slopes(), terms_of(customers), strict=True):
            line = line + slope * term
        return line

    def _slopes(self):
        return [getattr(self, field.name) for field in fields(self)][1:-1]


def terms_of(customers):
    """The six terms after the forecast, (customers,) each, in the order of `Ranking`."""
    value, single = customers.value / STEPS, customers.x == 0
    silence = np.log1p(customers.silence)
    gap = np.log1p(customers.t / np.maximum(customers.x, 1))
    overdue = np.where(single, 0.0, silence - gap)
    return value, value * single, single * 1.0, np.log1p(customers.x), silence, overdue


def log_odds(chance):
    """ln(chance / (1 - chance)), finite."""
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return np.log(chance) - np.log1p(-chance)


def log_number(number):
    """ln(number), finite."""
    return np.log(np.maximum(number, SMALLEST))


def number_of(line):
    """The inverse of `log_number`, finite."""
    return np.exp(np.minimum(line, LARGEST))


def learn(forecast, terms, came, counted):
    """The Ranking, without intercept, of customers whose future is known.

    `forecast` on the scale g; `terms` (6, customers); `came` purchases if `counted`, else 1 or 0.
    """
    from scipy.optimize import minimize  # the slowest to load: for who fits alone
    columns = np.stack([forecast, *terms])
    mean, spread = columns.mean(axis=1, keepdims=True), columns.std(axis=1, keepdims=True)
    spread = np.maximum(spread, SMALLEST)
    columns = (columns - mean) / spread
    bounds = [(None, None)] * (len(columns) + 1)
    bounds[1] = (LEAST_OWN * spread[0, 0], None)
    bounds[-2] = bounds[-1] = (None, 0.0)
    args = forecast, columns, came, counted
    found = minimize(_loss, np.zeros(len(bounds)), args, 'L-BFGS-B', jac=True, bounds=bounds)
    fewer = min((came > 0).sum(), (came == 0).sum())
    if not fewer or not np.isfinite(found.x).all():
        return Ranking()
    return Ranking(*(found.x[1:] / spread[:, 0] * (fewer / (fewer + FAITH))).tolist())


def _loss(slopes, forecast, columns, came, counted):
    """-log-likelihood plus the ridge and its gradient; summed in a fixed order."""
    line = forecast + slopes[0]
    for slope, column in zip(slopes[1:], columns, strict=True):
        line += slope * column
    if counted:
        expected = number_of(line)
        loss = (expected - came * line).sum()
    else:
        expected = expit(line)
        loss = (np.logaddexp(0, line) - came * line).sum()
    miss = expected - came
    gradient = np.array([miss.sum(), *((column * miss).sum() for column in columns)])
    gradient[1:] += RIDGE * slopes[1:]
    return loss + RIDGE / 2 * (slopes[1:] ** 2).sum(), gradient


def intercept_for(line, total, counted, weight=1.0):
    """What to add to `line` (customers,), so that its numbers or chances add up to `total`."""
    if counted:
        whole = logsumexp(np.minimum(line, LARGEST), b=weight)  # finite, however small the numbers
        return float(np.log(max(total, SMALLEST)) - whole)
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (weight * expit(line + middle)).sum() < total else (low, middle)
    return (low + high) / 2
