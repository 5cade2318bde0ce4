"""Deadlines: the day on which a customer who buys nothing turns at_risk, dormant, lost.

All chances fall with silence, so a rule that starts to hold keeps holding, and its deadline is the first
whole day on which it holds. It depends on the customer's own x and t alone: neither on the day of looking,
nor on who else is looked at.
"""

import numpy as np

NEVER = 7306  # days: what would take longer than 20 years never comes
GRID = np.array([0, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, NEVER - 1])
TINY = 1e-300


def days_of_silence(forecaster, x, t, policy):
    """int64 (customers, 3): days after the last purchase of at_risk, dormant, lost; NEVER beyond 20 years."""
    if not len(x):
        return np.empty((0, 3), np.int64)
    rows, inverse = np.unique(np.column_stack([x, t]), axis=0, return_inverse=True)
    x, t = np.ascontiguousarray(rows.T)
    days = np.tile(
        [policy.at_risk_days, policy.dormant_days, policy.lost_days], (len(x), 1)
    ).astype(np.int64)
    ruled = np.full(len(x), policy.rule != 'days') & ((x > 0) | (policy.single_rule != 'days'))
    if ruled.any():
        days[ruled] = _by_chance(Silence(forecaster, x[ruled], t[ruled], policy), policy)
    return _within_limits(days, policy)[inverse.ravel()]


def _by_chance(silence, policy):
    dormant, lost = (silence.first_day(margin) for margin in _margins(silence, policy))
    lost = np.maximum(lost, dormant)
    risk = silence.first_day(silence.fallen(policy.at_risk_share))
    if policy.at_risk_lead:
        risk = np.minimum(risk, np.where(dormant < NEVER, dormant - policy.at_risk_lead, NEVER))
    return np.column_stack([np.minimum(risk, dormant), dormant, lost])


def _within_limits(days, policy):
    days = np.maximum(days, policy.floor_days)
    if policy.ceiling_days:
        days = np.minimum(days, policy.ceiling_days)
    return np.minimum(days, NEVER)


def _margins(silence, policy):
    """Two functions of (near, far) chances, above 0 where a customer is no longer active, and where lost."""
    if policy.rule == 'chance':

        def dormant(near, far):
            return policy.active_chance - near

        def lost(near, far):
            return np.minimum(policy.active_chance - near, policy.dormant_chance - far)

        return dormant, lost
    active, later, never = silence.forecaster.class_weights(policy)

    def no_longer_active(near, far):
        return _log(np.maximum(later * (far - near), never * (1 - far))) - _log(active * near)

    def no_longer_expected(near, far):
        return _log(never * (1 - far)) - _log(np.maximum(active * near, later * (far - near)))

    return no_longer_active, no_longer_expected


def _log(values):
    return np.log(np.maximum(values, TINY))


class Silence:
    """The chances of customers (x, t) as functions of the days since their last purchase."""

    def __init__(self, forecaster, x, t, policy):
        self.forecaster, self.x, self.t, self.policy = forecaster, x, t, policy
        self.coarse = [self.chances(slice(None), np.full(len(x), day)) for day in GRID]

    def chances(self, rows, day):
        """(near, far) chances of the customers `rows` after `day` days of silence."""
        x, t = self.x[rows], self.t[rows]
        return self.forecaster.chances(
            x, t, t + day + 0.5, (self.policy.near_days, self.policy.far_days)
        )

    def fallen(self, share):
        """Margin of: the near chance is below `share` of its value on the day of the last purchase."""
        start = _log(self.coarse[0][0]) + np.log(max(share, TINY))

        def margin(near, far, rows=slice(None)):
            return start[rows] - _log(near)

        margin.by_row = True
        return margin

    def first_day(self, margin):
        """First whole day with margin > 0 (NEVER if none): the coarse grid, then safeguarded secants."""
        by_row = getattr(margin, 'by_row', False)
        coarse = np.stack([margin(*chances) for chances in self.coarse])
        holds = coarse > 0
        place = np.where(holds.any(axis=0), holds.argmax(axis=0), len(GRID))
        high = np.append(GRID, NEVER)[place]
        inside = np.flatnonzero((place > 0) & (place < len(GRID)))
        low, top = GRID[place[inside] - 1], high[inside]
        below, above = coarse[place[inside] - 1, inside], coarse[place[inside], inside]

        def look(rows, day):
            near, far = self.chances(rows, day)
            return margin(near, far, rows) if by_row else margin(near, far)

        high[inside] = _close_in(look, inside, low, top, below, above)
        return high


def _close_in(look, rows, low, high, below, above):
    """Narrow low (does not hold) < high (holds) to neighbouring days: Illinois in ln(day + 8), with halving."""
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
