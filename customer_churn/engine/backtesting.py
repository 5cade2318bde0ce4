"""Backtest: what the engine would have said on a past day, against what happened."""

import numpy as np

from .customers import days_of
from .fitting import fit
from .purchase_log import as_day

FIXED_DAYS = (30, 60, 90, 120, 180, 270, 365, 545, 730)
TENTHS = 10


def backtest(log, cut, horizon_days):
    """Fit on what was known on day `cut`, compare with the `horizon_days` after it -> dict.

    auc (of buying again; None if all or none did), brier, calibration (list of predicted and actual
    share and customers, by tenths of the prediction), total_error and value_error (predicted /
    actual - 1, None if nothing was bought), customers; `fixed_rule` the same for the best fixed
    number of days of silence, chosen with hindsight by AUC, and its `days`. The log must be
    complete until the end of the horizon: it cannot tell quiet days from days not yet known.
    """
    return compare(fit(log, cut, (horizon_days,)), log, log.history(cut), cut, horizon_days)


def compare(forecaster, log, history, cut, horizon_days):
    """The scores of `backtest` for a forecaster that was fitted on day `cut`, and its `history`."""
    count, value = log.came(history, as_day(cut), as_day(cut) + int(horizon_days))
    predicted = forecaster.predict(history, cut, horizon_days)
    answer = score(
        predicted.purchase_probability.to_numpy(),
        predicted.expected_purchases.to_numpy(),
        predicted.expected_revenue.to_numpy(),
        count,
        value,
    )
    silence = as_day(cut) - days_of(history.last_date)
    return {**answer, 'fixed_rule': _best_fixed_rule(silence, history, horizon_days, count, value)}


def score(chance, expected, revenue, count, value):
    """Predictions against purchases and money, all (customers,): the scores of `backtest`."""
    bought = count > 0
    return {
        'auc': auc(bought, chance),
        'brier': float(np.mean((chance - bought) ** 2)) if len(count) else None,
        'calibration': _calibration(chance, bought),
        'total_error': _error(expected, count),
        'value_error': _error(revenue, value),
        'customers': len(count),
    }


def auc(bought, chance):
    """Area under the ROC curve, ties counting half; None when only one class is there."""
    yes, no = int(bought.sum()), int((~bought).sum())
    if not yes or not no:
        return None
    _, place, ties = np.unique(chance, return_inverse=True, return_counts=True)
    rank = (np.cumsum(ties) - (ties - 1) / 2)[place.ravel()]
    return float((rank[bought].sum() - yes * (yes + 1) / 2) / (yes * no))


def _error(predicted, actual):
    total = float(actual.sum())
    return float(predicted.sum() / total - 1) if total > 0 else None


def _calibration(chance, bought):
    """Tenths of the customers; those with equal chances bought as often as all of them did."""
    _, place, ties = np.unique(chance, return_inverse=True, return_counts=True)
    bought = (np.bincount(place.ravel(), bought, len(ties)) / ties)[place.ravel()]
    order = np.argsort(chance, kind='stable')
    return [
        {
            'predicted': float(chance[part].mean()),
            'actual': float(bought[part].mean()),
            'customers': len(part),
        }
        for part in np.array_split(order, TENTHS)
        if len(part)
    ]


def _best_fixed_rule(silence, history, horizon, count, value):
    """The best fixed number of days by AUC; within it a customer goes on at his own pace."""
    best = None
    age = silence + (history.last_date - history.first_date).dt.days.to_numpy() + 1
    pace = history.purchase_count.to_numpy() * np.minimum(horizon / np.maximum(age, horizon), 1)
    money = np.maximum(history.revenue_total.to_numpy(), 0) * np.minimum(
        horizon / np.maximum(age, horizon), 1
    )
    for days in sorted({*FIXED_DAYS, int(horizon)}):
        within = (silence <= days).astype(np.float64)
        told = {**score(within, within * pace, within * money, count, value), 'days': days}
        if best is None or (told['auc'] or 0) > (best['auc'] or 0):
            best = told
    return best
