"""The forecaster: from a fitted log to chances, counts, money, statuses and deadlines."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from . import gamma_gamma, pareto_nbd
from .deadlines import NEVER, days_of_silence
from .purchase_log import as_dates, as_day

SAMPLE = 10_000
ALL_UP_TO = 25_000  # customers: below it the total moves by 1 to 2 % with the sample
LEAST_SHARE = 0.1  # a state so rare that its share is mostly chance weighs no more than this one
YEAR = 365
PREDICTED = ['alive_probability', 'purchase_probability', 'expected_purchases', 'expected_revenue']
FORMAT = 1


@dataclass(frozen=True)
class Forecaster:
    """What one fit learned; its answers are pure functions of a customer's row.

    `mean_chances` P(any) per horizon over the customers of the fit, for the shares. A correction of
    the ranking or of the level by the company's own past would enter in `_alive_and_chances`.
    """

    purchases: pareto_nbd.ParetoNBD
    money: gamma_gamma.GammaGamma
    horizons: tuple
    mean_chances: tuple
    report: dict

    def predict(self, history, at, horizon_days):
        """What comes within `horizon_days`: DataFrame like `history`.

        alive_probability, purchase_probability in 0..1; expected_purchases (days); expected_revenue
        (currency, >= 0). `at` at or after the day of the history: nothing was bought since.
        ValueError for a horizon that was not fitted.
        """
        self._check(horizon_days)
        x, t, T = statistics(history, at)
        alive, (chance,) = self._alive_and_chances(x, t, T, (horizon_days,))
        count = alive * self.purchases.count_if_alive(x, T, horizon_days)
        columns = alive, chance, count, count * self._worth(history)
        return pd.DataFrame(dict(zip(PREDICTED, columns, strict=True)), index=history.index)

    def classify(self, history, at, policy):
        """Status and deadlines: DataFrame like `history`; dates are datetime64[s], NaT = never.

        Columns status, at_risk_date, dormant_date, lost_date. ValueError for a policy whose
        horizons were not fitted.
        """
        self._check(policy.near_days, policy.far_days)
        x, t, _T = statistics(history, at)
        days = days_of_silence(self, x, t, policy)
        last = _days(history.last_date)
        dates = as_dates(last[:, None] + days)
        dates[days >= NEVER] = np.datetime64('NaT', 's')
        status = _status(as_day(at) - last, as_day(at) - _days(history.first_date), days, policy)
        table = pd.DataFrame({'status': status}, index=history.index)
        table['at_risk_date'], table['dormant_date'], table['lost_date'] = dates.T
        return table

    def assess(self, history, at, policy):
        """All that is kept of a customer: `predict`, the revenue at stake and `classify` in one.

        The chance is that of policy.near_days; counts and revenue are of 365 days; revenue_at_stake
        is a year's revenue if alive, times 1 - the chance within policy.far_days.
        """
        self._check(policy.near_days, policy.far_days)
        x, t, T = statistics(history, at)
        horizons = policy.near_days, policy.far_days
        alive, (near, far) = self._alive_and_chances(x, t, T, horizons)
        if_alive, worth = self.purchases.count_if_alive(x, T, YEAR), self._worth(history)
        columns = alive, near, alive * if_alive, alive * if_alive * worth
        table = pd.DataFrame(dict(zip(PREDICTED, columns, strict=True)), index=history.index)
        table['revenue_at_stake'] = if_alive * worth * (1 - far)
        return table.join(self.classify(history, at, policy))

    def chances(self, x, t, T, horizons):
        """P(any purchase) within each of `horizons` (days), of arrays x, t, T: see `statistics`."""
        return self._alive_and_chances(x, t, T, horizons)[1]

    def _alive_and_chances(self, x, t, T, horizons):
        alive = self.purchases.alive(x, t, T)
        return alive, [alive * self.purchases.chance_if_alive(x, T, days) for days in horizons]

    def class_weights(self, policy):
        """Weights of the chances of active, dormant, lost: mean share to the -share_exponent."""
        mean = dict(zip(self.horizons, self.mean_chances, strict=True))
        near, far = mean[policy.near_days], mean[policy.far_days]
        return np.maximum([near, far - near, 1 - far], LEAST_SHARE) ** -policy.share_exponent

    def to_json(self):
        """Strict JSON text; `from_json` gives an equal forecaster."""
        kept = {
            'format': FORMAT,
            'purchases': asdict(self.purchases),
            'money': asdict(self.money),
            'horizons': self.horizons,
            'mean_chances': self.mean_chances,
            'report': self.report,
        }
        return json.dumps(kept, allow_nan=False, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """ValueError if the text is none of `to_json`, or of another format: fit again."""
        try:
            kept = json.loads(text)
            if kept['format'] != FORMAT:
                raise KeyError('format')
            return cls(
                pareto_nbd.ParetoNBD(**kept['purchases']),
                gamma_gamma.GammaGamma(**kept['money']),
                tuple(kept['horizons']),
                tuple(kept['mean_chances']),
                kept['report'],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f'this is no forecaster of format {FORMAT}: fit again') from error

    def _worth(self, history):
        """Expected net value of one purchase (customers,), in the currency of the log."""
        return self.money.value(
            history.purchase_count.to_numpy(np.float64), history.revenue_total.to_numpy(np.float64)
        )

    def _check(self, *horizons):
        for days in horizons:
            if days not in self.horizons:
                raise ValueError(
                    f'{days} days were not fitted: fit with horizons={(*self.horizons, days)}'
                )


def fit(log, at, horizons=(90, 180, 365)):
    """Learn from what `log` knew on day `at` -> Forecaster. Deterministic; nobody is too few.

    `horizons` in days, above 0 (ValueError); 365 is always added. Above 25,000 customers 10,000 of
    them are used, evenly spaced in the order of their histories. `report` says what was used and
    why.
    """
    if any(days != int(days) or days <= 0 for days in horizons):
        raise ValueError('horizons must be whole numbers of days above 0')
    horizons = tuple(sorted({int(days) for days in (*horizons, YEAR)}))
    history = log.history(at)
    rows = _sample(*statistics(history, at))
    x, t, T = (array[rows] for array in statistics(history, at))
    purchases, known = pareto_nbd.fit(x, t, T)
    money, money_known = gamma_gamma.fit(x + 1, history.revenue_total.to_numpy(np.float64)[rows])
    plain = Forecaster(purchases, money, horizons, (), {})
    # one customer's worth of the usual chances, half within a year: an empty log has shares too
    means = tuple(
        float((chance.sum() + days / (days + YEAR)) / (len(x) + 1))
        for chance, days in zip(plain.chances(x, t, T, horizons), horizons, strict=True)
    )
    return Forecaster(
        purchases, money, horizons, means, _report(history, at, x, known, money_known)
    )


def statistics(history, at):
    """Repeat purchases x, last - first t, at - first + 1/2 T (days), float64 (customers,) each.

    ValueError when `at` lies before a purchase of the history.
    """
    first, last = _days(history.first_date), _days(history.last_date)
    age = as_day(at) - first
    if (age < last - first).any():
        raise ValueError('the history knows purchases after `at`: give a later day')
    x = history.purchase_count.to_numpy(np.float64) - 1
    return x, (last - first).astype(np.float64), age + 0.5


def _days(dates):
    return dates.to_numpy().astype('datetime64[D]').astype(np.int64)


def _sample(x, t, T):
    """Places of the customers to learn from, however they are called and ordered."""
    if len(x) <= ALL_UP_TO:
        return np.arange(len(x))
    order = np.lexsort((T, t, x))
    return order[((np.arange(SAMPLE) + 0.5) * len(x) / SAMPLE).astype(np.int64)]


def _report(history, at, x, known, money_known):
    return {
        'at': str(np.datetime64(as_day(at), 'D')),
        'customers': len(history),
        'customers_used': len(x),
        'single_purchases': int((history.purchase_count == 1).sum()),
        'purchases': _how(known),
        'log_likelihood': known['log_likelihood'],
        'time_unit_days': known['unit'],
        'money': _how(money_known),
        'money_unit': money_known['unit'],
        'ranking': 'the model alone',
        'level': 'the model alone',
    }


def _how(known):
    return 'prior' if known['prior'] else 'fitted' if known['converged'] else 'stopped early'


def _status(silence, age, days, policy):
    """The status is the day compared with the deadlines; `new` only while none has passed."""
    passed = (silence[:, None] >= days).sum(axis=1)
    passed[(passed == 0) & (age < policy.new_days)] = -1
    return np.array(['active', 'at_risk', 'dormant', 'lost', 'new'], dtype=object)[passed]
