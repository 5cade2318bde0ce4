"""Deadlines: the day on which a customer who buys nothing turns at_risk, dormant, lost.

All chances fall with silence, so a rule that starts to hold keeps holding, and its deadline is the
first whole day on which it holds. It depends on the customer's own x, t and value alone: neither on
the day of looking, nor on who else is looked at.
"""

import numpy as np

from .policy import NEVER

GRID = np.array([32, 64, 128, 256, 512, 1024, 2048, NEVER - 1])
TINY = 1e-300


def days_of_silence(forecaster, customers, policy):
    """Days after the last purchase of at_risk, dormant, lost: int64 (customers, 3).

    NEVER beyond 20 years. Customers alike in all but silence are worked out once.
    """
    if not len(customers):
        return np.empty((0, 3), np.int64)
    first, kind = customers.alike()
    customers = customers.take(first)
    days = np.tile(
        [policy.at_risk_days, policy.dormant_days, policy.lost_days], (len(customers), 1)
    ).astype(np.int64)
    ruled = (customers.x > 0) | (policy.single_rule != 'days')
    ruled &= policy.rule != 'days'
    if ruled.any() and (fixed := forecaster.days_in_force(policy)):
        days[ruled] = _by_fixed_days(*fixed, policy)
    elif ruled.any():
        days[ruled] = _by_chance(Silence(forecaster, customers.take(ruled), policy), policy)
    return _within_limits(days, policy)[kind]


def _by_chance(silence, policy):
    """Days of at_risk, dormant, lost (customers, 3); at_risk always leaves its lead to act, and nobody is
    lost while the near horizon after the last purchase is not over."""
    risk, dormant, lost = (silence.first_day(*margin) for margin in _margins(silence, policy))
    dormant = np.maximum(dormant, policy.floor_days + policy.at_risk_lead)
    lost = np.maximum(lost, np.maximum(dormant, policy.near_days))
    if policy.at_risk_lead:
        risk = np.minimum(risk, np.where(dormant < NEVER, dormant - policy.at_risk_lead, NEVER))
    return np.column_stack([np.minimum(risk, dormant), dormant, lost])


def _by_fixed_days(dormant, lost, policy):
    """Days of at_risk, dormant, lost where the forecast's own record speaks for fixed days."""
    return max(dormant - policy.at_risk_lead, 0), dormant, max(lost, policy.near_days)


def _within_limits(days, policy):
    days = np.maximum(days, policy.floor_days)
    if policy.ceiling_days:
        days = np.minimum(days, policy.ceiling_days)
    return np.minimum(days, NEVER)


def _margins(silence, policy):
    """Three pairs: a function above 0 where the chance has fallen, is not active, is lost, and the
    longest horizon it looks at.

    Each takes the near and the far chance, and the near chance on the day of the last purchase.
    """
    near, far = policy.near_days, policy.far_days
    if policy.rule == 'chance':
        dormant, lost = _margins_of_chance(policy)
        return (_fallen(policy), near), (dormant, near), (lost, far)
    dormant, lost = _margins_of_share(silence.forecaster.class_weights(policy))
    return (_fallen(policy), near), (dormant, far), (lost, far)


def _fallen(policy):
    return lambda near, far, start: _log(policy.at_risk_share * start) - _log(near)


def _margins_of_chance(policy):
    return (
        lambda near, far, start: policy.active_chance - near,
        lambda near, far, start: np.minimum(
            policy.active_chance - near, policy.dormant_chance - far
        ),
    )


def _margins_of_share(weights):
    active, dormant, gone = weights
    return (
        lambda near, far, start: (
            _log(np.maximum(dormant * (far - near), gone * (1 - far))) - _log(active * near)
        ),
        lambda near, far, start: (
            _log(gone * (1 - far)) - _log(np.maximum(active * near, dormant * (far - near)))
        ),
    )


def _log(values):
    return np.log(np.maximum(values, TINY))


class Silence:
    """The chances of customers as functions of the days since their last purchase."""

    def __init__(self, forecaster, customers, policy):
        self.forecaster, self.customers, self.policy = forecaster, customers, policy
        # an answer below the floor counts as the floor: nobody looks between the two
        self.grid = np.unique([0, policy.floor_days, *GRID[GRID > policy.floor_days]])
        everybody, size = slice(None), len(customers)
        self.coarse = [
            self.chances(everybody, np.full(size, day), policy.far_days) for day in self.grid
        ]

    def chances(self, rows, day, until):
        """(near, far) chances of the customers `rows` after `day` days of silence; the far one is
        None where only the near one is asked for."""
        chances = self.forecaster.outlook.chances(self.customers.take(rows).after(day), until)
        return chances[self.policy.near_days], chances.get(self.policy.far_days)

    def first_day(self, margin, until):
        """First whole day with margin > 0, NEVER if none: coarse grid, then safeguarded secants."""
        start = self.coarse[0][0]
        coarse = np.stack([margin(*chances, start) for chances in self.coarse])
        holds = coarse > 0
        place = np.where(holds.any(axis=0), holds.argmax(axis=0), len(self.grid))
        high = np.append(self.grid, NEVER)[place]
        inside = np.flatnonzero((high > self.policy.floor_days) & (place < len(self.grid)))
        low, top = self.grid[place[inside] - 1], high[inside]
        below, above = coarse[place[inside] - 1, inside], coarse[place[inside], inside]

        def look(rows, day):
            return margin(*self.chances(rows, day, until), start[rows])

        high[inside] = _close_in(look, inside, low, top, below, above)
        return high


def _close_in(look, rows, low, high, below, above):
    """Narrow low (does not hold) < high (holds) to neighbouring days -> high.

    Illinois steps in ln(day + 8), every fourth a halving, on the rows still open.
    """
    low, high, below, above = low.copy(), high.copy(), below.copy(), above.copy()
    side = np.zeros(len(rows), np.int8)
    for step in range(60):
        todo = np.flatnonzero(high - low > 1)
        if not len(todo):
            break
        a, b = np.log(low[todo] + 8.0), np.log(high[todo] + 8.0)
        share = below[todo] / (below[todo] - above[todo]) if step % 4 != 3 else 0.5
        day = np.rint(np.exp(a + (b - a) * share) - 8).astype(np.int64)
        day = np.clip(day, low[todo] + 1, high[todo] - 1)
        value = look(rows[todo], day)
        holds = value > 0
        up, down = todo[holds], todo[~holds]
        below[up[side[up] == 1]] /= 2
        above[down[side[down] == -1]] /= 2
        high[up], above[up], side[up] = day[holds], value[holds], 1
        low[down], below[down], side[down] = day[~holds], value[~holds], -1
    return high
