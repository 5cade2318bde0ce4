"""The forecaster: from a fitted log to chances, counts, money, statuses and deadlines."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from . import FORMAT
from .average import Average
from .customers import Customers, days_of
from .deadlines import NEVER, days_of_silence
from .gamma_gamma import GammaGamma
from .outlook import Outlook
from .purchase_log import as_dates, as_day
from .weights import weigh

LEAST_SHARE = 0.1  # a state so rare that its share is mostly chance weighs no more than this one
YEAR = 365
PREDICTED = ['alive_probability', 'purchase_probability', 'expected_purchases', 'expected_revenue']


@dataclass(frozen=True)
class Forecaster:
    """What one fit learned; its answers are pure functions of a customer's row.

    `mean_chances` P(any) per horizon over the customers of the fit, for the shares; `average` who
    they are on average, for the weights; `fixed_days`: near_days, far_days and the days of silence of
    dormant and lost, for each pair of horizons for which these tell the status better (contest.py).
    """

    outlook: Outlook
    money: GammaGamma
    mean_chances: tuple
    average: Average
    report: dict
    fixed_days: tuple = ()

    @property
    def horizons(self):
        """The fitted horizons in days, ascending."""
        return tuple(horizon.days for horizon in self.outlook.horizons)

    def days_in_force(self, policy):
        """(dormant, lost): the fixed days that decide the statuses of a policy with such horizons; or None."""
        pair = policy.near_days, policy.far_days
        return next(((dormant, lost) for *own, dormant, lost in self.fixed_days if tuple(own) == pair), None)

    def predict(self, history, at, horizon_days):
        """What comes within `horizon_days`: DataFrame like `history`.

        alive_probability, purchase_probability in 0..1; expected_purchases (days); expected_revenue
        (currency, >= 0). `at` at or after the day of the history: nothing was bought since.
        ValueError for a horizon that was not fitted.
        """
        self._check(horizon_days)
        who = self._customers(history, at)
        model_alive, alive, chances = self._alive_and_chances(who)
        chance = chances[horizon_days]
        count = self.outlook.count(who, horizon_days, model_alive, chance)
        columns = alive, chance, count, count * self._worth(history)
        return pd.DataFrame(dict(zip(PREDICTED, columns, strict=True)), index=history.index)

    def classify(self, history, at, policy):
        """Status and deadlines: DataFrame like `history`; dates are datetime64[s], NaT = never.

        Columns status, at_risk_date, dormant_date, lost_date. ValueError for a policy whose
        horizons were not fitted.
        """
        self._check(policy.near_days, policy.far_days)
        days = days_of_silence(self, self._customers(history, at), policy)
        last = days_of(history.last_date)
        dates = as_dates(last[:, None] + days)
        dates[days >= NEVER] = np.datetime64('NaT', 's')
        status = _status(as_day(at) - last, as_day(at) - days_of(history.first_date), days, policy)
        table = pd.DataFrame({'status': status}, index=history.index)
        table['at_risk_date'], table['dormant_date'], table['lost_date'] = dates.T
        return table

    def assess(self, history, at, policy):
        """All that is kept of a customer: `predict`, the revenue at stake and `classify` in one.

        The chance is that of policy.near_days; counts and revenue are of 365 days; revenue_at_stake
        is a year's revenue if alive, times 1 - the chance within policy.far_days. `<fact>_weight`
        is how far each of weights.FACTS moves the log-odds of the chance.
        """
        self._check(policy.near_days, policy.far_days)
        who, worth = self._customers(history, at), self._worth(history)
        model_alive, alive, chances = self._alive_and_chances(who)
        count = self.outlook.count(who, YEAR, model_alive, chances[YEAR])
        columns = alive, chances[policy.near_days], count, count * worth
        table = pd.DataFrame(dict(zip(PREDICTED, columns, strict=True)), index=history.index)
        if_alive = self.outlook.count_if_alive(who, YEAR)
        table['revenue_at_stake'] = if_alive * worth * (1 - chances[policy.far_days])
        for fact, weight in weigh(self.outlook, self.average, who, policy.near_days, model_alive).items():
            table[f'{fact}_weight'] = weight
        return table.join(self.classify(history, at, policy))

    def _customers(self, history, at):
        return Customers.of(history, at, self.outlook.unit)

    def _alive_and_chances(self, customers):
        """The model's P(alive); P(alive) no lower than any chance; {horizon: P(any purchase)}."""
        alive = self.outlook.alive(customers)
        chances = self.outlook.chances(customers, self.horizons[-1], alive)
        return alive, np.maximum(alive, chances[self.horizons[-1]]), chances

    def class_weights(self, policy):
        """Weights of the chances of active, dormant, lost: mean share to the -share_exponent."""
        mean = dict(zip(self.horizons, self.mean_chances, strict=True))
        near, far = mean[policy.near_days], mean[policy.far_days]
        return np.maximum([near, far - near, 1 - far], LEAST_SHARE) ** -policy.share_exponent

    def to_json(self):
        """Strict JSON text; `from_json` gives an equal forecaster."""
        kept = {
            'format': FORMAT,
            'horizons': self.horizons,
            'outlook': asdict(self.outlook),
            'money': asdict(self.money),
            'mean_chances': self.mean_chances,
            'average': asdict(self.average),
            'report': self.report,
            'fixed_days': self.fixed_days,
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
                Outlook.from_parts(**kept['outlook']),
                GammaGamma(**kept['money']),
                tuple(kept['mean_chances']),
                Average(**kept['average']),
                kept['report'],
                tuple(map(tuple, kept['fixed_days'])),
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


def _status(silence, age, days, policy):
    """The status is the day compared with the deadlines; `new` only while none has passed."""
    passed = (silence[:, None] >= days).sum(axis=1)
    passed[(passed == 0) & (age < policy.new_days)] = -1
    return np.array(['active', 'at_risk', 'dormant', 'lost', 'new'], dtype=object)[passed]
