"""Loss of a product line: who still buys, but nothing from a category that was a habit."""

import numpy as np
import pandas as pd

from .customers import days_of
from .fitting import fit
from .forecaster import YEAR
from .purchase_log import PurchaseLog, as_day

LEAST_CUSTOMERS = 50  # with a purchase of the category, and
LEAST_REPEATERS = 20  # so many of them with two: below, its rhythm would be the prior's, not its own
LEAST_PURCHASES = 3  # two gaps are the least of a habit; what was tried twice is not given up
MOST_LUCK = 0.02  # chosen on losses that were known (docs/method.md)
SAMPLE = 500  # customers to learn a category from: each category is a fit of its own
LOOK_BACK = 730  # days: what ended before is in neither of the two years that are compared
GONE = ('dormant', 'lost')


def find_lost_lines(lines, log, at, policy):
    """Categories that customers gave up while they bought on, known on `at`.

    `lines`: arrays (lines,) customer_id, category_id, date, amount, bought; `log`: the PurchaseLog
    of everything. A line is given up when the method that judges customers calls it dormant or
    lost, it is silent for longer than usual, and it is no luck that none of the customer's
    purchases since had it. DataFrame, a row a loss: customer_id, category_id, purchase_count,
    last_date, gap_median, revenue_12m, revenue_previous_12m, revenue_year_before (the 365 days up
    to last_date), purchase_probability, status; empty where nothing was given up.
    """
    bought = log.code[log.bought].astype(np.int64) << 32 | log.day[log.bought]
    parts = []
    for category, own in _logs(lines):
        history = own.history(at)
        silence = as_day(at) - days_of(history.last_date)
        history = history[
            (history.purchase_count >= LEAST_PURCHASES)
            & (silence < LOOK_BACK)
            & (silence > history.gap_median)
            & (_luck(history, bought, log.customers) <= MOST_LUCK)
        ]
        if len(history):
            lost = _judge(history, own, at, policy)
            parts.append(lost[lost.status.isin(GONE)].reset_index().assign(category_id=category))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _logs(lines):
    """(category, its PurchaseLog) of each category with enough data, one by one."""
    order = np.argsort(lines['category_id'], kind='stable')
    categories, start = np.unique(lines['category_id'][order], return_index=True)
    for category, rows in zip(categories, np.split(order, start[1:]), strict=False):
        log = PurchaseLog.from_arrays(
            *(lines[name][rows] for name in ('customer_id', 'date', 'amount', 'bought'))
        )
        count = np.bincount(log.code[log.bought])
        if (count > 0).sum() >= LEAST_CUSTOMERS and (count > 1).sum() >= LEAST_REPEATERS:
            yield int(category), log


def _luck(history, bought, customers):
    """The chance that a customer who goes on as before misses the category in every purchase since.

    Of `before` purchases until its last one n had it, of `since` none did:
    ((before - n + 1) / (before + 1)) ^ since. `bought`: sorted keys, code << 32 | day.
    """
    code = customers.get_indexer(history.index).astype(np.int64)
    first, next_one = np.searchsorted(bought, [code << 32, code + 1 << 32])
    last = np.searchsorted(bought, code << 32 | days_of(history.last_date), side='right')
    before, since = last - first, next_one - last
    return ((before - history.purchase_count + 1) / (before + 1)) ** since


def _judge(history, log, at, policy):
    """`history` of one category with its status, chance and the money that it stands for."""
    forecaster = fit(log, at, (policy.near_days, policy.far_days), at_most=SAMPLE)
    worth = history.assign(revenue_year_before=_year_before(log, history))
    return worth.join(forecaster.assess(history, at, policy))


def _year_before(log, history):
    """Net money of the year up to the last purchase (customers,)."""
    last = np.full(len(log.customers), -1, np.int64)
    places = log.customers.get_indexer(history.index)
    last[places] = days_of(history.last_date)
    rows = (log.day <= last[log.code]) & (log.day > last[log.code] - YEAR)
    return np.bincount(log.code[rows], log.amount[rows], minlength=len(last))[places]
