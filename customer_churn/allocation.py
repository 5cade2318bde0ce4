"""Sharing an amount among parts so that the parts always add up to it, to the last cent."""

from fractions import Fraction
from math import floor


def allocate(total, weights, done=(), unit=0.01):
    """Share `total` among parts in proportion to their weights, by the largest remainder.

    What was shared before (`done`) counts: the parts follow the running total, so that many small amounts end where
    one large amount would have. No part goes backwards.

    >>> allocate(38.33, [100, 15])
    [33.33, 5.0]
    >>> allocate(38.34, [100, 15], done=[66.66, 10.0])
    [33.34, 5.0]
    """
    weights = [_units(weight, unit) for weight in weights]
    done = [_units(part, unit) for part in done] or [0] * len(weights)
    total, whole = _units(total, unit), sum(weights)
    if not whole:
        return [_amount(total, unit)] + [0.0] * (len(weights) - 1)
    reached = sum(done) + total
    quotas = [Fraction(weight * reached, whole) - part for weight, part in zip(weights, done, strict=True)]
    shares = [_forward(floor(quota), weight) for quota, weight in zip(quotas, weights, strict=True)]
    rest = total - sum(shares)
    step = 1 if rest > 0 else -1
    order = sorted(range(len(shares)), key=lambda i: (step * (shares[i] - quotas[i]), -abs(weights[i]), i))
    for turn in range(abs(rest)):
        shares[order[turn % len(order)]] += step
    return [_amount(share, unit) for share in shares]


def _forward(share, weight):
    return max(share, 0) if weight >= 0 else min(share, 0)


def _units(amount, unit):
    return round(Fraction(str(amount)) / Fraction(str(unit)))


def _amount(units, unit):
    return float(units * Fraction(str(unit)))
