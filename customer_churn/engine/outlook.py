"""The outlook: the model, its ranking and its level, put together for each fitted horizon.

    chance(H) = max over h <= H of  expit(ranking(log-odds of the model's P(any in h)) + odds)
    count(H)  = max of chance(H) and, over h <= H,  min(h, count * exp(ranking(ln E[n in h])))

h runs over the fitted horizons. So, whatever was learned: with the horizon nothing falls, a number
covers its chance, nobody buys more often than daily, and with silence nothing rises (the maximum of
what falls falls). P(alive) is the model's, or the chance within the longest horizon if that is more:
who buys is alive.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from .level import Level
from .pareto_nbd import ParetoNBD
from .ranking import Ranking, log_number, log_odds, number_of


@dataclass(frozen=True)
class Horizon:
    """What was learned for the next `days`: of the chance, of the count, and of the level."""

    days: int
    chance: Ranking = Ranking()
    count: Ranking = Ranking()
    level: Level = Level()

    @classmethod
    def from_parts(cls, days, chance, count, level):
        """The horizon of `dataclasses.asdict`."""
        return cls(days, Ranking(**chance), Ranking(**count), Level(**level))


@dataclass(frozen=True)
class Outlook:
    """`unit` the usual value of a purchase, in the currency of the log; `horizons` ascending."""

    purchases: ParetoNBD
    unit: float
    horizons: tuple

    @classmethod
    def from_parts(cls, purchases, unit, horizons):
        """The outlook of `dataclasses.asdict`."""
        kept = tuple(Horizon.from_parts(**horizon) for horizon in horizons)
        return cls(ParetoNBD(**purchases), unit, kept)

    def alive(self, customers):
        """The model's P(alive), (customers,)."""
        return self.purchases.alive(customers.x, customers.t, customers.T)

    def chances(self, customers, until, alive=None):
        """{days: P(any purchase) (customers,)} of the horizons up to `until` days."""
        lines = self.lines(customers, self.forecasts(customers, until, alive))
        return {days: expit(line) for days, line in lines.items()}

    def forecasts(self, customers, until, alive=None):
        """The model's own log-odds of any purchase, (customers,) a horizon up to `until` days."""
        alive = self.alive(customers) if alive is None else alive
        return [
            log_odds(alive * self.purchases.chance_if_alive(customers.x, customers.T, horizon.days))
            for horizon in self._up_to(until)
        ]

    def lines(self, customers, forecasts):
        """{days: the log-odds of the chance (customers,)} from as many `forecasts`."""
        highest, answer = -np.inf, {}
        for horizon, forecast in zip(self.horizons, forecasts, strict=False):
            line = horizon.chance.apply(forecast, customers) + horizon.level.odds
            answer[horizon.days] = highest = np.maximum(highest, line)
        return answer

    def count(self, customers, days, alive, chance):
        """E[purchases in `days`] (customers,); `alive` as of `alive`, `chance` that of `days`."""
        highest = chance
        for horizon in self._up_to(days):
            if_alive = self.purchases.count_if_alive(customers.x, customers.T, horizon.days)
            number = number_of(horizon.count.apply(log_number(alive * if_alive), customers))
            highest = np.maximum(highest, np.minimum(number * horizon.level.count, horizon.days))
        return highest

    def count_if_alive(self, customers, days):
        """What `days` would bring of a customer who is still there, at the level of the season."""
        (horizon,) = (horizon for horizon in self.horizons if horizon.days == days)
        number = self.purchases.count_if_alive(customers.x, customers.T, days)
        return np.minimum(number * horizon.level.count, days)

    def _up_to(self, days):
        return [horizon for horizon in self.horizons if horizon.days <= days]
