"""Past days of a log, each seen as it was then: who was known, what the model said, what came."""

import numpy as np

from . import pareto_nbd
from .customers import Customers

CUTS, LEAST_STEP, STEPS_IN_HORIZON = 4, 30, 3
BEFORE = 90  # days of history that a cut needs
LEARNED, SHORT, ONE_SIDED = 'learned', 'history too short', 'all bought, or nobody did'


def date_of(day):
    """ISO date of a day since 1970-01-01."""
    return str(np.datetime64(day, 'D'))


class Past:
    """What a log knew before day `at`; each day looked at is fitted once.

    A look takes the history of its day and the purchases until `at`: what came later is never read.
    `unit` of money: that of the day of the fit.
    """

    def __init__(self, log, at, unit):
        self.log, self.at, self.unit, self._looks = log, at, unit, {}
        self.first = int(log.day[log.bought].min(initial=at))

    def first_cut(self, horizon):
        """The date from which on the history reaches back to a cut, for the report."""
        return date_of(self.first + BEFORE + horizon)

    def look(self, day):
        """The Look of a day since 1970-01-01, always the same one."""
        if day not in self._looks:
            self._looks[day] = Look(self.log, day, self.unit)
        return self._looks[day]

    def cuts(self, horizon):
        """The looks to learn the ranking of `horizon` from, newest first.

        at - horizon - j max(30, horizon / 3), j = 0..3, as far back as the history reaches.
        """
        step = max(LEAST_STEP, horizon // STEPS_IN_HORIZON)
        days = [self.at - horizon - step * back for back in range(CUTS)]
        return [self.look(day) for day in days if day - self.first >= BEFORE]


class Look:
    """One past day: the customers of that day and the model fitted to them."""

    def __init__(self, log, day, unit):
        self.day, self._log = day, log
        self._history = log.history(np.datetime64(day, 'D'))
        self.customers = Customers.of(self._history, np.datetime64(day, 'D'), unit)
        who = self.customers
        self.model = pareto_nbd.fit(who.x, who.t, who.T)[0]
        self._alive = self.model.alive(who.x, who.t, who.T)

    @property
    def date(self):
        """The day as an ISO date."""
        return date_of(self.day)

    def came(self, horizon):
        """Purchases in the `horizon` days after the day, (customers,)."""
        return self._log.came(self._history, self.day, self.day + horizon)[0]

    def chance(self, horizon):
        """P(any) within `horizon` days, as the model said."""
        return self._alive * self.model.chance_if_alive(
            self.customers.x, self.customers.T, horizon
        )

    def count(self, horizon):
        """E[purchases] within `horizon` days, as the model said."""
        return self._alive * self.model.count_if_alive(self.customers.x, self.customers.T, horizon)
