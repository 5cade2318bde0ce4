"""The customers as the models see them: four numbers each."""

from dataclasses import dataclass, replace

import numpy as np

from .purchase_log import as_day

HALF_DAY = 0.5  # a customer who bought today has been known for some hours
STEPS = 2  # a unit of the logarithm of money is told in so many steps
FURTHEST = 9  # steps: beyond 90 times the usual, or below its inverse, counts as that


@dataclass(frozen=True)
class Customers:
    """float64 (customers,) each.

    x repeat purchases; t whole days from the first purchase to the last; silence whole days since;
    value in steps of a half on the scale ln(net money per purchase / the usual): so coarse that
    customers who are alike in all four are many, and that a cent moves nobody.
    """

    x: np.ndarray
    t: np.ndarray
    silence: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, history, at, unit):
        """Customers of `history` on day `at`, nothing bought since; `unit` as of `usual_value`.

        ValueError when `at` lies before a purchase of the history.
        """
        first, last = days_of(history.first_date), days_of(history.last_date)
        silence = as_day(at) - last
        if (silence < 0).any():
            raise ValueError('the history knows purchases after `at`: give a later day')
        count = history.purchase_count.to_numpy(np.float64)
        value = np.zeros(len(count))
        if unit:
            mean = np.maximum(history.revenue_total.to_numpy(np.float64) / count, 0) / unit
            edge = np.exp(FURTHEST / STEPS)
            value = np.rint(STEPS * np.log(np.clip(mean, 1 / edge, edge)))
        return cls(count - 1, (last - first).astype(np.float64), silence.astype(np.float64), value)

    def __len__(self):
        return len(self.x)

    @property
    def T(self):
        """Age on the day looked at, in days."""
        return self.t + self.silence + HALF_DAY

    def take(self, rows):
        """Some of them: places, a mask or a slice."""
        return Customers(self.x[rows], self.t[rows], self.silence[rows], self.value[rows])

    def after(self, silence):
        """The same after another silence, in days, (customers,)."""
        return replace(self, silence=silence.astype(np.float64))

    def alike(self):
        """(place of one of each kind, kind of each customer); silence makes no kind."""
        width = 2 * FURTHEST + 1
        kind = (self.x * (self.t.max(initial=0) + 1) + self.t) * width + self.value + FURTHEST
        _, first, kinds = np.unique(kind, return_index=True, return_inverse=True)
        return first, kinds.ravel()


def usual_value(history):
    """Median net money per purchase of those who have any, 0 if nobody has."""
    mean = history.revenue_total.to_numpy(np.float64) / history.purchase_count.to_numpy(np.float64)
    return float(np.median(mean[mean > 0])) if (mean > 0).any() else 0.0


def days_of(dates):
    """Dates -> int64 days since 1970-01-01."""
    return dates.to_numpy().astype('datetime64[D]').astype(np.int64)
