"""The purchase log: what was bought and when, as flat sorted arrays."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


def as_day(at):
    """Days since 1970-01-01 of a `datetime.date`, `datetime64` or timestamp (ValueError if
    none)."""
    moment = pd.NaT if at is None else pd.Timestamp(at)
    if moment is pd.NaT:
        raise ValueError(f'{at!r} is no date: give a datetime.date or a datetime64[D]')
    return int(moment.to_datetime64().astype('datetime64[D]').astype(np.int64))


def as_dates(days):
    """int days since 1970-01-01 -> datetime64[s] (pandas keeps no coarser unit)."""
    return np.asarray(days, np.int64).astype('datetime64[D]').astype('datetime64[s]')


def _linear_quantile(values, start, count, share):
    """Quantile per group of `values` sorted within groups; `start`, `count` (groups,) with count
    > 0."""
    place = share * (count - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, count - 1)
    below, above = values[start + low], values[start + high]
    return below + (above - below) * (place - low)


@dataclass(frozen=True)
class PurchaseLog:
    """One row a customer and day, sorted by customer, then day.

    `customers` pandas.Index (customers,), sorted; `code` int32 (rows,) places in it; `day` int32
    (rows,) days since 1970-01-01; `amount` float64 (rows,) net money of the day; `bought` bool
    (rows,) whether the day is a purchase: tested on the documents before they merge, so a refund
    never hides a purchase.
    """

    customers: pd.Index
    code: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    bought: np.ndarray

    @classmethod
    def from_frame(cls, frame):
        """Log of a frame with `customer_id`, `date`, `amount`; one row a document or a day, any
        order."""
        missing = [name for name in ('customer_id', 'date', 'amount') if name not in frame]
        if missing:
            raise ValueError(
                f'a purchase log needs the columns customer_id, date, amount: missing {missing}'
            )
        days = pd.to_datetime(frame['date']).to_numpy().astype('datetime64[D]')
        return cls.from_arrays(frame['customer_id'], days, frame['amount'].to_numpy(np.float64))

    @classmethod
    def from_arrays(cls, customer_ids, days, amounts, bought=None):
        """Log of arrays (documents,): ids, datetime64[D], float64, and bool where a positive amount
        alone is no purchase. ValueError on NaT, NaN, infinity."""
        days, amounts = np.asarray(days, 'datetime64[D]'), np.asarray(amounts, np.float64)
        if not len(customer_ids) == len(days) == len(amounts):
            raise ValueError('customer_ids, days and amounts must be equally long')
        if np.isnat(days).any() or not np.isfinite(amounts).all():
            raise ValueError(
                'every document needs a date and a finite amount: drop or mend the others'
            )
        code, customers = pd.factorize(customer_ids, sort=True)
        if (code < 0).any():
            raise ValueError('every document needs a customer: drop the rows without customer_id')
        bought = amounts > 0 if bought is None else np.asarray(bought, bool)
        return cls(
            pd.Index(customers, name='customer_id'),
            *_by_day(code, days.astype(np.int64), amounts, bought),
        )

    def history(self, at):
        """What is known of each customer with a purchase by the end of day `at`.

        DataFrame indexed by `customer_id`: purchase_count (days), first_date, last_date, gap_median
        and gap_spread (days; NaN below 2 and 3 purchases), revenue_total, revenue_12m in (at - 365,
        at], revenue_previous_12m in (at - 730, at - 365], in the currency of the log.
        """
        at = as_day(at)
        known = np.flatnonzero((self.day <= at) & self.bought)
        code, day = self.code[known], self.day[known]
        start = np.flatnonzero(np.diff(code, prepend=-1))
        count = np.diff(start, append=len(code))
        first, last = day[start], day[start + count - 1]
        median, spread = _gaps(code, day, start, count)
        owner = code[start]
        return pd.DataFrame(
            {
                'purchase_count': count.astype(np.int64),
                'first_date': as_dates(first),
                'last_date': as_dates(last),
                'gap_median': median,
                'gap_spread': spread,
                'revenue_total': self._money(owner, None, at),
                'revenue_12m': self._money(owner, at - 365, at),
                'revenue_previous_12m': self._money(owner, at - 730, at - 365),
            },
            index=self.customers[owner],
        )

    def came(self, history, after, until):
        """(purchases, net money) of each customer of `history` dated in (after, until], days; none of who is unknown
        here."""
        rows = (self.day > after) & (self.day <= until)
        owner = self.customers.get_indexer(history.index)  # -1: the place after the last
        return tuple(
            np.bincount(self.code[rows], weights, minlength=len(self.customers) + 1)[owner]
            for weights in (self.bought[rows], self.amount[rows])
        )

    def of(self, customers):
        """The log of some customers, an Index in the order of `customers` here; of who is unknown here there is
        nothing."""
        chosen = self.customers.isin(customers)
        rows = chosen[self.code]
        code = (np.cumsum(chosen, dtype=np.int32) - np.int32(1))[self.code[rows]]
        return PurchaseLog(
            self.customers[chosen], code, self.day[rows], self.amount[rows], self.bought[rows]
        )

    def _money(self, owner, after, until):
        """Net amounts dated in (after, until] of the customers in `owner` (places), also before
        a purchase."""
        rows = self.day <= until if after is None else (self.day > after) & (self.day <= until)
        total = np.bincount(self.code[rows], self.amount[rows], minlength=len(self.customers))
        return total[owner].astype(np.float64)


def _by_day(code, day, amount, bought):
    """Merge the documents of a customer's day: (code, day, amount, bought), sorted."""
    floor = day.min() if len(day) else 0
    span = int(day.max() - floor + 1) if len(day) else 1
    key = code.astype(np.int64) * span + (day - floor)
    if len(key) and (key[1:] < key[:-1]).any():
        order = np.argsort(key, kind='stable')
        key, amount, bought = key[order], amount[order], bought[order]
    start = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(start):
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0), np.empty(0, bool)
    key = key[start]
    return (
        (key // span).astype(np.int32),
        (key % span + floor).astype(np.int32),
        np.add.reduceat(amount, start),
        np.logical_or.reduceat(bought, start),
    )


def _gaps(code, day, start, count):
    """Median and interquartile range (linear interpolation) of the gaps in days, per customer."""
    median, spread = np.full(len(count), np.nan), np.full(len(count), np.nan)
    inner = np.diff(code) == 0
    if not inner.any():
        return median, spread
    gap = np.diff(day)[inner].astype(np.int64)
    owner = np.repeat(np.arange(len(count), dtype=np.int64), count - 1)
    span = int(gap.max()) + 1
    gap = np.sort(owner * span + gap) % span
    place = start - np.arange(len(count))
    two, three = count >= 2, count >= 3
    median[two] = _linear_quantile(gap, place[two], count[two] - 1, 0.5)
    wide = [_linear_quantile(gap, place[three], count[three] - 1, share) for share in (0.75, 0.25)]
    spread[three] = wide[0] - wide[1]
    return median, spread
