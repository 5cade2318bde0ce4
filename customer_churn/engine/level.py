"""Level: how high the forecast should stand, from the same season of earlier years.

On the same date of up to three earlier years with 150 days of history before it, the model is
fitted to what was known and compared with what came. With m such years

    count = ((actual + 50) / (predicted + 50)) ^ (m / (m + 1))           (purchases; a factor)
    odds  = d m / (m + 1) n / (n + 50),  n = the fewer of buyers and others

where d, added to the log-odds of all chances, would have made them add up to the buyers. Chances
move on the log-odds and not by a factor, which would leave 0..1 or saturate. Both are shrunk
towards "as the model says" (the 50 is an Agresti-style pseudo-count; m / (m + 1) one year's worth
of faith in it). The days just before are never used: they are of another season, and make the
level worse than none.
"""

from dataclasses import dataclass

import numpy as np

from .past import LEARNED, SHORT
from .ranking import intercept_for, log_odds

YEAR = 365
YEARS = 3
BEFORE = 150  # days of history that a past forecast needs
FAITH = 50.0  # purchases or customers


@dataclass(frozen=True)
class Level:
    """A factor on the number of purchases, a shift of the log-odds of the chances."""

    count: float = 1.0
    odds: float = 0.0


def learn(past, horizon):
    """(the Level for the `horizon` days after the day of `past`, what was used)."""
    looks = [past.look(day) for day in _days(past, horizon)]
    if not looks:
        return Level(), {'seasons': [], 'why': SHORT}
    came = np.concatenate([look.came(horizon) for look in looks])
    count = np.concatenate([look.count(horizon) for look in looks])
    odds = np.concatenate([log_odds(look.chance(horizon)) for look in looks])
    trust, buyers = len(looks) / (len(looks) + 1), int((came > 0).sum())
    fewer = min(buyers, len(came) - buyers)
    shift = intercept_for(odds, buyers, counted=False) * trust * fewer / (fewer + FAITH)
    factor = ((came.sum() + FAITH) / (count.sum() + FAITH)) ** trust
    return Level(float(factor), shift), {'seasons': [look.date for look in looks], 'why': LEARNED}


def _days(past, horizon):
    """The same date of earlier years, its `horizon` days over by now."""
    days = [past.at - YEAR * back for back in range(1, YEARS + 1)]
    return [day for day in days if day - past.first >= BEFORE and day + horizon <= past.at]
