"""The forecast's own record: what it would have said on past days of this very ledger, and what came.

For each of `HORIZONS` the forecast is fitted again to what was known that many days ago and scored by
what was bought since, beside two rules that cost nothing: the best fixed number of days of silence, chosen
with hindsight, so a hard opponent; and `as last year`, each customer buying in these days what he bought
in the same days a year before. The longest of these looks also says what became of those who would have
been called at risk, dormant or lost, and whether statuses by fixed days would have been righter.
"""

from dataclasses import replace

import numpy as np

from .backtesting import compare, score
from .fitting import fit, sample
from .forecaster import YEAR
from .past import BEFORE, ONE_SIDED, SHORT, date_of
from .policy import Policy
from .purchase_log import as_day

HORIZONS = (90, 180, YEAR)
MATURE = 180  # days before a look: a younger ledger teaches the forecast too little for a fair contest
LEAST = 20  # buyers, and as many others, below which a contest is a matter of chance
ENOUGH = 5000  # customers to fit a look on: a run makes three
GROUPS = 20  # of customers, for the noise of a difference: each is left out once
SURE = 3  # times its noise: the fixed days were chosen with hindsight, and many months may pass
CALLED = ('at_risk', 'dormant', 'lost')


def look_back(log, at, policy=None, in_force=False):
    """The record on day `at`, from nothing later -> a dict, strict as JSON.

    `policy` decides the statuses; `in_force` whether they go by fixed days already: these stay until
    the forecast is no worse, and take over only where they are surely better. Customers are sampled as
    for a fit, and a look is fitted on `ENOUGH` of them.

    horizons    a dict each: horizon_days, cut (date), days_missing (of ledger; 0 = scored), why (None, or why
                there is no score, or only a part of one); if scored the keys of `backtest`, buyers, and
                `naive`, the same of as last year (None where the ledger does not reach back to it)
    cut         date of the longest look, None without any
    contest     `Look.contest` of that look, None where the ledger is too young for it, or the policy looks
                further ahead or goes by days
    called      {status: {'customers', 'silent'}} of that look: called so then, nothing bought since
    """
    policy, at, look = policy or Policy(), as_day(at), None
    first = int(log.day[log.bought].min(initial=at))
    longest = max((days for days in HORIZONS if first + BEFORE + days <= at), default=0)
    rows = []
    for days in HORIZONS:
        missing = max(first + BEFORE + days - at, 0)
        rows.append({'horizon_days': days, 'cut': date_of(at - days), 'days_missing': missing, 'why': SHORT})
        if not missing:
            look = Look(log, at - days, days, policy if days == longest else None)
            rows[-1].update(look.scores(first))
    told = look.verdict(policy, first, in_force) if look else {'cut': None, 'contest': None, 'called': {}}
    return {'at': date_of(at), 'horizons': rows, **told}


class Look:
    """Day `cut` of a log: the forecast of then, and the `days` after it that are over; `policy` where statuses are
    asked for."""

    def __init__(self, log, cut, days, policy=None):
        self.cut, self.days = cut, days
        self.at = np.datetime64(cut, 'D')
        self.history = sample(log.history(self.at), self.at)
        self.log = log.of(self.history.index)
        horizons = (days, policy.near_days, policy.far_days) if policy else (days,)
        self.forecaster = fit(self.log, self.at, horizons, at_most=ENOUGH)
        self.came = self._bought_within(days)

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
        count, value = self.log.came(self.history, ago, ago + self.days)
        came = self.log.came(self.history, self.cut, self.cut + self.days)
        return score((count > 0) * 1.0, count, value, *came)

    def status(self, policy, fixed_days=()):
        """Statuses as of the cut (customers,), by the chances or by fixed days of silence."""
        forecaster = replace(self.forecaster, fixed_days=fixed_days)
        return forecaster.classify(self.history, self.at, policy).status.to_numpy()

    def verdict(self, policy, first, in_force):
        """{'cut', 'contest', 'called'} of `look_back`; `first` as of `scores`."""
        contest = None
        old_enough = self.days >= policy.far_days and self.cut - first >= MATURE
        if old_enough and policy.rule != 'days':
            contest = self.contest(policy, in_force)
        called = self.called(policy, contest['fixed_days'] if contest else ())
        return {'cut': date_of(self.cut), 'contest': contest, 'called': called}

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

    def contest(self, policy, in_force):
        """Statuses by the chances against statuses by the fixed days that tell best who buys within
        the near horizon (else dormant) and within the far one (else lost).

        The fixed days take over where their macro-F1 of active, dormant, lost is surely higher and they name no
        fewer customers rightly; once in force they stay until the forecast's macro-F1 is no lower. A tie
        stays with the forecast. None: too few bought, or too few did not. Else near_days, far_days,
        customers, f1, fixed_f1, noise (of their difference), right, fixed_right (shares), best_days, and
        fixed_days: these where they decide, else empty.
        """
        near_days, far_days = (min(days, self.days) for days in (policy.near_days, policy.far_days))
        near, far = (self._bought_within(days) for days in (near_days, far_days))
        if min(near.sum(), (~near).sum()) < LEAST:
            return None
        truth = np.where(near, 0, np.where(far, 1, 2))
        best = self._best_fixed_days(near_days, far_days)
        ours, theirs = (_states(self.status(policy, fixed)) for fixed in ((), best))
        told = {
            'near_days': near_days,
            'far_days': far_days,
            'customers': len(truth),
            'f1': macro_f1(truth, ours),
            'fixed_f1': macro_f1(truth, theirs),
            'noise': noise(macro_f1, truth, ours, theirs),
            'right': float((truth == ours).mean()),
            'fixed_right': float((truth == theirs).mean()),
            'best_days': best,
        }
        return {**told, 'fixed_days': best if fixed_days_win(told, in_force) else ()}

    def _bought_within(self, days):
        return self.log.came(self.history, self.cut, self.cut + days)[0] > 0

    def _best_fixed_days(self, near_days, far_days):
        best = [
            compare(self.forecaster, self.log, self.history, self.at, days)['fixed_rule']['days']
            for days in (near_days, far_days)
        ]
        return best[0], max(best)


def fixed_days_win(told, in_force):
    """Whether statuses go by fixed days: see `Look.contest`."""
    gain = told['fixed_f1'] - told['f1']
    if in_force:
        return gain > 0
    return gain > SURE * told['noise'] and told['fixed_right'] >= told['right']


def _states(status):
    """0 active, 1 dormant, 2 lost; who is new or at risk still counts as active."""
    return np.where(status == 'lost', 2, np.where(status == 'dormant', 1, 0))


def macro_f1(truth, said):
    """Mean over the states that are there of 2 hits / (so in truth + called so)."""
    there, called = np.bincount(truth, minlength=3), np.bincount(said, minlength=3)
    hits = np.bincount(truth[truth == said], minlength=3)
    return float((2 * hits / np.maximum(there + called, 1))[there > 0].mean())


def noise(measure, truth, one, other):
    """Standard error of measure(other) - measure(one): the jackknife that leaves out a group at a time."""
    group = np.arange(len(truth)) % GROUPS
    left = []
    for number in range(GROUPS):
        rows = group != number
        left.append(measure(truth[rows], other[rows]) - measure(truth[rows], one[rows]))
    return float(np.sqrt((GROUPS - 1) * np.var(left)))
