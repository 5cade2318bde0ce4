"""Whether statuses by the forecast were righter than statuses by fixed days of silence, on days that are over.

The fixed days are chosen as somebody would have who had no forecast: by what they would have said in the window
before the one that they are judged on. Where the ledger does not reach back to it they are chosen with hindsight,
and have to be surely better.
"""

from itertools import combinations_with_replacement

import numpy as np

from .backtesting import FIXED_DAYS
from .customers import days_of

LEAST = 20  # buyers, and as many others, below which a contest is a matter of chance
GROUPS = 20  # of customers, for the noise of a difference: each is left out once
SURE = 3  # times its noise: what days that were chosen with hindsight have to win by


def states_of(log, history, day, policy):
    """What came of customers after `day`, (customers,): 0 bought within the near horizon, 1 within the far, 2 not."""
    near, far = (
        log.came(history, day, day + days)[0] > 0 for days in (policy.near_days, policy.far_days)
    )
    return np.where(near, 0, np.where(far, 1, 2))


def states_said(status):
    """0 active, 1 dormant, 2 lost; who is new or at risk still counts as active."""
    return np.where(status == 'lost', 2, np.where(status == 'dormant', 1, 0))


def best_fixed_days(log, day, policy):
    """(dormant, lost): the days of silence that would have told best on `day` what came of it, by macro-F1."""
    history = log.history(np.datetime64(day, 'D'))
    truth, silence = states_of(log, history, day, policy), day - days_of(history.last_date)
    tried = sorted({*FIXED_DAYS, policy.near_days, policy.far_days})
    pairs = [pair for pair in combinations_with_replacement(tried, 2) if pair[1] >= policy.near_days]
    scores = [
        macro_f1(truth, (silence >= dormant).astype(np.int64) + (silence >= lost))
        for dormant, lost in pairs
    ]
    return pairs[int(np.argmax(scores))]


def figures(truth, ours, theirs):
    """f1, fixed_f1, noise (of their difference), right, fixed_right (shares) of states (customers,)."""
    return {
        'f1': macro_f1(truth, ours),
        'fixed_f1': macro_f1(truth, theirs),
        'noise': noise(macro_f1, truth, ours, theirs),
        'right': float((truth == ours).mean()),
        'fixed_right': float((truth == theirs).mean()),
    }


def fixed_days_win(told, fair):
    """Whether fixed days decide, from `figures`; `fair`: they were chosen beforehand.

    The forecast has to beat them: to have the higher macro-F1, or to name more customers rightly, for the macro-F1
    alone prefers labels at random to the likeliest one where the past says nothing. Else they win, by a tie too.
    Chosen with hindsight they have to be better by more than `SURE` times the noise.
    """
    gain = told['fixed_f1'] - told['f1']
    enough = gain >= 0 if fair else gain > SURE * told['noise']
    return bool(enough and told['fixed_right'] >= told['right'])


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
