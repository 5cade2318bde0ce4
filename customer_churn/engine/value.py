"""Value: who brings the money, and where a customer stands by recency, frequency and money (RFM).

Both are learned at a fit, as limits. What a customer gets is its own figures compared with these,
so that a night that looks at few customers says what it would say if it looked at all of them, and
a silent customer's scores stay as they are until the next fit.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from .purchase_log import as_dates, as_day

CLASSES = ['a', 'b', 'c']
SCORES = 5
MIDDLE = 3  # of a company that had no customer to compare with
SLACK = 1e-9  # of the mean money: the same amounts added in another order stay equal
FORMAT = 1


@dataclass(frozen=True)
class ValueLimits:
    """`classes`: the yearly money from which on a customer is 'a', 'b'. `recency` (ISO dates of the
    last purchase), `frequency` (purchases), `monetary` (total revenue): from which on a score is 2,
    3, 4, 5; empty if there was nobody."""

    classes: tuple
    recency: tuple
    frequency: tuple
    monetary: tuple

    def rate(self, history):
        """DataFrame like `history`: value_class (categories a, b, c), rfm_score (555 the best)."""
        money = yearly_money(history)
        a, b = ((money >= limit) & (money > 0) for limit in self.classes)
        recency, frequency, monetary = _figures(history)
        rfm = (
            100 * _score(recency, [as_day(date) for date in self.recency])
            + 10 * _score(frequency, self.frequency)
            + _score(monetary, self.monetary)
        )
        classes = pd.Categorical.from_codes(2 - a.astype(np.int8) - b, CLASSES)
        return pd.DataFrame({'value_class': classes, 'rfm_score': rfm}, index=history.index)

    def to_json(self):
        """Strict JSON text; `from_json` gives equal limits."""
        return json.dumps({'format': FORMAT, **asdict(self)}, allow_nan=False, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """ValueError if the text is none of `to_json`, or of another format: learn again."""
        try:
            kept = json.loads(text)
            if kept.pop('format') != FORMAT:
                raise KeyError('format')
            return cls(**{name: tuple(limits) for name, limits in kept.items()})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f'these are no limits of format {FORMAT}: learn again') from error


def yearly_money(history):
    """The better of the last and the previous 12 months, at least 0, float64 (customers,).

    The better one, because this year's alone would call a dear customer cheap just when it goes
    silent, which is when its class is needed; a new one has no other year.
    """
    years = history[['revenue_12m', 'revenue_previous_12m']].to_numpy(np.float64)
    return years.max(axis=1, initial=0)


def fit_value(history, a_share=0.7, b_share=0.2):
    """Learn from everybody of `history` -> ValueLimits.

    The dearest who together make `a_share` of the yearly money are 'a', the next who make `b_share`
    are 'b'; whoever reaches the share belongs to it, and so do all with the same money. ValueError
    for shares that are not above 0 and together below 1.
    """
    if not (a_share > 0 and b_share > 0 and a_share + b_share < 1):
        raise ValueError(
            f'a_share {a_share!r} and b_share {b_share!r} must be above 0 and together below 1:'
            ' lower the larger one'
        )
    money = yearly_money(history)
    recency, frequency, monetary = _figures(history)
    slack = _slack(monetary)
    return ValueLimits(
        _class_limits(money, (a_share, a_share + b_share)),
        tuple(str(date)[:10] for date in as_dates(_cuts(recency, 1))),
        tuple(_cuts(frequency, 1)),
        tuple(cut - slack / 2 for cut in _cuts(monetary, slack)),
    )


def _figures(history):
    """Day of the last purchase, purchases, total revenue: the more, the better."""
    recency = history.last_date.to_numpy().astype('datetime64[D]').astype(np.int64)
    return recency, history.purchase_count.to_numpy(), history.revenue_total.to_numpy(np.float64)


def _slack(money):
    return SLACK * (float(np.abs(money).mean()) or 1.0) if len(money) else SLACK


def _class_limits(money, shares):
    """The money of the customer who completes each of `shares`; 0 where there is no money."""
    dearest = np.sort(money)[::-1]
    reached = dearest.cumsum()
    if not len(money) or not reached[-1]:
        return (0.0,) * len(shares)
    places = np.searchsorted(reached, np.array(shares) * (reached[-1] * (1 - SLACK)))
    return tuple((dearest[places] - _slack(money)).tolist())


def _cuts(values, step):
    """Where the scores 2 to 5 begin, by the middle of the ranks that equal values share.

    Equal values so have one score, the middle one if all are equal. Values less than `step` apart
    are equal; what no value reaches begins a step above the dearest.
    """
    if not len(values):
        return []
    values, counts = np.unique(values, return_counts=True)
    begins = np.flatnonzero(np.append(True, np.diff(values) >= step))
    counts = np.add.reduceat(counts, begins)
    upto = counts.cumsum()
    parts = np.arange(1, SCORES) * upto[-1]
    places = np.searchsorted(SCORES * (2 * upto - counts), 2 * parts)
    return np.append(values[begins], values[-1] + step)[places].tolist()


def _score(values, cuts):
    if not len(cuts):
        return np.full(len(values), MIDDLE)
    return 1 + np.searchsorted(cuts, values, side='right')
