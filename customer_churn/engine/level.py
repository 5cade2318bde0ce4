"""Level: how high the forecast should stand, from the same season of earlier years.

On the same date of up to three earlier years k the model is fitted to what was known and compared
with what came:

    count = ((sum w actual + 50) / (sum w predicted + 50)) ^ (m / (m + 1))     m = sum of w
    odds  = d n / (n + 50) m / (m + 1)

where d, added to the log-odds of the chances of those days, would have made them add up to the
buyers (a half more of both buyers and others, so that nobody or everybody is no infinite odds), and
n is the fewer of buyers and others, midway between predicted and actual. Both are shrunk towards
"as the model says": the 50 is a pseudo-count, the 1 a year in which the model was right. Chances
move on the log-odds and not by a factor, which would leave 0..1 or saturate. The weight w of a year
grows from 0 with 90 days of history before its date to 1 with 150, so that no level comes
overnight. The days just before are never used: they are of another season, and make the level worse
than none.
"""

from dataclasses import dataclass

import numpy as np

from .past import LEARNED, SHORT, date_of
from .ranking import FAITH, intercept_for, log_odds

YEAR = 365
YEARS = 3
BEGIN, FULL = 90, 150  # days of history before: a year counts from the one on, wholly from the other
HALF = 0.5


@dataclass(frozen=True)
class Level:
    """A factor on the number of purchases, a shift of the log-odds of the chances."""

    count: float = 1.0
    odds: float = 0.0


def learn(past, horizon):
    """(the Level for the `horizon` days after the day of `past`, what was used)."""
    looks = list(_earlier_years(past, horizon))
    if not looks:
        return Level(), {'seasons': [], 'why': SHORT, 'from': _begin(past, horizon)}
    came = np.concatenate([look.came(horizon) for look, _ in looks])
    count = np.concatenate([look.count(horizon) for look, _ in looks])
    chance = np.concatenate([look.chance(horizon) for look, _ in looks])
    weight = np.concatenate([np.full(len(look.customers), weight) for look, weight in looks])
    years, customers = sum(weight for _, weight in looks), weight.sum()
    trust, buyers = years / (years + 1), (weight * (came > 0)).sum()
    midway = (buyers + (weight * chance).sum()) / 2
    fewer = min(midway, customers - midway)
    target = (buyers + HALF) * customers / (customers + 2 * HALF)
    factor = (((weight * came).sum() + FAITH) / ((weight * count).sum() + FAITH)) ** trust
    shift = intercept_for(log_odds(chance), target, False, weight) * fewer / (fewer + FAITH) * trust
    return Level(float(factor), float(shift)), {
        'seasons': [look.date for look, _ in looks],
        'why': LEARNED,
    }


def _begin(past, horizon):
    """The date from which on there is a year to learn from; None where the horizon is too long."""
    years = max(1, -(-horizon // YEAR))
    return date_of(past.first + BEGIN + 1 + years * YEAR) if years <= YEARS else None


def _earlier_years(past, horizon):
    """(the look at the same date of an earlier year, its weight), its `horizon` days over by now."""
    for back in range(1, YEARS + 1):
        day = past.at - YEAR * back
        weight = min(1.0, (day - past.first - BEGIN) / (FULL - BEGIN))
        if weight > 0 and day + horizon <= past.at:
            yield past.look(day), weight
