"""The forecast's own record: what it would have said on past days of this very ledger, and what came.

For each of `HORIZONS` the forecast is fitted again to what was known that many days ago and scored by
what was bought since, beside two rules that cost nothing: the best fixed number of days of silence, chosen
with hindsight, so a hard opponent; and `as last year`, each customer buying in these days what he bought
in the same days a year before. The longest of these looks also says what became of those who would have
been called at risk, dormant or lost, and whether statuses by fixed days would have been righter (contest.py).
"""

from dataclasses import replace

import numpy as np

from .backtesting import compare, score
from .contest import LEAST, best_fixed_days, figures, fixed_days_win, states_of, states_said
from .fitting import fit, sample
from .forecaster import YEAR
from .past import BEFORE, ONE_SIDED, SHORT, date_of
from .policy import Policy
from .purchase_log import as_day

HORIZONS = (90, 180, YEAR)
MATURE = 180  # days before a look: a younger ledger teaches the forecast too little for a fair contest
ENOUGH = 5000  # customers to fit a look on: a run makes three
CALLED = ('at_risk', 'dormant', 'lost')


def look_back(log, at, policy=None, others=(), known_on=None):
    """The record on day `at`, from nothing later -> a dict, strict as JSON.

    `policy` decides the statuses, `others` those of segments: with other horizons they have a contest of their own,
    on all customers. Customers are sampled as for a fit, and a look is fitted on `ENOUGH` of them. `known_on(day)` is
    the log as it was known on a day, with what was reversed since: forecasts are made from it, and judged by `log`.

    horizons    a dict each: horizon_days, cut (date), days_missing (of ledger; 0 = scored), why (None, or why
                there is no score, or only a part of one); if scored the keys of `backtest`, buyers, and
                `naive`, the same of as last year (None where the ledger does not reach back to it)
    cut         date of the longest look, None without any
    contest     `Look.contest` of that look, None where the ledger is too young for it, or the policy looks
                further ahead or goes by days
    fixed_days  (near_days, far_days, dormant, lost) for each pair of horizons whose contest the fixed days won
    called      {status: {'customers', 'silent'}} of that look: called so then, nothing bought since
    """
    policies, at, look = _contestants(policy or Policy(), others), as_day(at), None
    first = int(log.day[log.bought].min(initial=at))
    longest = max((days for days in HORIZONS if first + BEFORE + days <= at), default=0)
    rows = []
    for days in HORIZONS:
        missing = max(first + BEFORE + days - at, 0)
        rows.append({'horizon_days': days, 'cut': date_of(at - days), 'days_missing': missing, 'why': SHORT})
        if not missing:
            then = known_on(np.datetime64(at - days, 'D')) if known_on else log
            look = Look(log, at - days, days, policies if days == longest else (), then)
            rows[-1].update(look.scores(first))
    told = look.verdict(first) if look else {'cut': None, 'contest': None, 'fixed_days': (), 'called': {}}
    return {'at': date_of(at), 'horizons': rows, **told}


def _contestants(policy, others):
    """`policy`, and of `others` that go by the forecast the first of each further pair of horizons."""
    found = {}
    for one in (policy, *others):
        if one.rule != 'days':
            found.setdefault((one.near_days, one.far_days), one)
    return policy, *(one for one in found.values() if one is not policy)


class Look:
    """Day `cut` of a log: the forecast of then, and the `days` after it that are over; `policies`, the company's first,
    where statuses are asked for. `then`: the log as it was known on that day."""

    def __init__(self, log, cut, days, policies=(), then=None):
        self.cut, self.days, self.policies = cut, days, policies
        self.at, then = np.datetime64(cut, 'D'), then or log
        self.history = sample(then.history(self.at), self.at)
        self.log, self.then = (some.of(self.history.index) for some in (log, then))
        pairs = ((policy.near_days, policy.far_days) for policy in policies)
        self.forecaster = fit(self.then, self.at, (days, *(day for pair in pairs for day in pair)), at_most=ENOUGH)
        self.came = self.log.came(self.history, cut, cut + days)[0] > 0

    def scores(self, first):
        """The row of this horizon; `first` the day of the ledger's first purchase."""
        buyers = int(self.came.sum())
        return {
            'why': None if 0 < buyers < len(self.came) else ONE_SIDED,
            'buyers': buyers,
            **compare(self.forecaster, self.log, self.history, self.at, self.days),
            'naive': self._as_last_year() if first <= self.cut - YEAR else None,
        }

    def _as_last_year(self):
        """The scores of: who bought in these days a year before buys again, as often and as much."""
        ago = self.cut - YEAR
        count, value = self.then.came(self.history, ago, ago + self.days)
        came = self.log.came(self.history, self.cut, self.cut + self.days)
        return score((count > 0) * 1.0, count, value, *came)

    def status(self, policy, fixed_days=()):
        """Statuses as of the cut (customers,), by the chances or by fixed days of silence."""
        pairs = ((policy.near_days, policy.far_days, *fixed_days),) if fixed_days else ()
        forecaster = replace(self.forecaster, fixed_days=pairs)
        return forecaster.classify(self.history, self.at, policy).status.to_numpy()

    def verdict(self, first):
        """{'cut', 'contest', 'fixed_days', 'called'} of `look_back`; `first` as of `scores`."""
        contests = [self.contest(policy, first) for policy in self.policies]
        won = [told for told in contests if told and told['fixed_days']]
        return {
            'cut': date_of(self.cut),
            'contest': contests[0],
            'fixed_days': tuple((told['near_days'], told['far_days'], *told['fixed_days']) for told in won),
            'called': self.called(self.policies[0], contests[0]['fixed_days'] if contests[0] else ()),
        }

    def called(self, policy, fixed_days):
        """{status: how many were called so, and how many of them bought nothing since}."""
        status = self.status(policy, fixed_days)
        return {
            name: {
                'customers': int((status == name).sum()),
                'silent': int(((status == name) & ~self.came).sum()),
            }
            for name in CALLED
        }

    def contest(self, policy, first):
        """Statuses by the chances against statuses by the fixed days that told best in the window before.

        None: the ledger is too young, too few bought or too few did not, or the policy looks further ahead or goes by
        days. Else near_days, far_days, customers, the `figures`, chosen_on (date of the day on which the
        fixed days were chosen; None = with hindsight), best_days, and fixed_days: these where they win, else empty.
        """
        if policy.rule == 'days' or policy.far_days > self.days or self.cut - first < MATURE:
            return None
        truth = states_of(self.log, self.history, self.cut, policy)
        if min((truth == 0).sum(), (truth > 0).sum()) < LEAST:
            return None
        before = self.cut - policy.far_days
        fair = before >= first + BEFORE
        best = best_fixed_days(self.then, before, policy) if fair else best_fixed_days(self.log, self.cut, policy)
        ours, theirs = (states_said(self.status(policy, fixed)) for fixed in ((), best))
        told = figures(truth, ours, theirs)
        return {
            'near_days': policy.near_days,
            'far_days': policy.far_days,
            'customers': len(truth),
            **told,
            'chosen_on': date_of(before) if fair else None,
            'best_days': best,
            'fixed_days': best if fixed_days_win(told, fair) else (),
        }
