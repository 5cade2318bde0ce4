#!/usr/bin/env python3
"""What if fixed days decided the statuses where the forecast did not beat them? On every log of a folder.

    choose_contest.py --data FOLDER [--logs NAME ...] [--near 90 45 30]

Every `near` days the contest of the record is held as of that day (the far horizon is four times as long, and a year
for 90), and the statuses of that day, by the forecast and by the fixed days, are scored by what followed. A row a log,
near horizon and kind of opponent: how many contests there were; macro-F1 and share named rightly of what followed if
the forecast had always decided; and by each rule for when the fixed days do: how often they did, how often for the
worse, and the two figures over all contests.
"""

import argparse
import pathlib
from dataclasses import replace

import numpy as np
from choose_policy import engine, read
from engine.contest import figures, fixed_days_win, states_of, states_said
from engine.record import Look

FAR = {90: 365, 45: 180, 30: 120}
RULES = {
    'in force': fixed_days_win,
    'macro-F1 alone': lambda told, fair: told['fixed_f1'] >= told['f1'],
    'by a standard error': lambda told, fair: told['fixed_f1'] > told['f1'] + told['noise'],
    'by three, and right': lambda told, fair: fixed_days_win(told, False),
}


def outcomes(log, policy):
    """(contest as of a day, figures of what followed it) of each day of the log that has both."""
    bought = log.day[log.bought]
    first, at = int(bought.min()), int(bought.max()) - policy.far_days
    while at - policy.far_days - first >= policy.far_days // 2:
        told = Look(log, at - policy.far_days, policy.far_days, (policy,)).contest(policy, first)
        if told:
            yield told, followed(log, at, policy, told['best_days'])
        at -= policy.near_days


def followed(log, at, policy, best):
    """`figures` of the statuses of day `at`."""
    day = np.datetime64(at, 'D')
    history, forecaster = log.history(day), engine.fit(log, day, (policy.near_days, policy.far_days))
    fixed = replace(forecaster, fixed_days=((policy.near_days, policy.far_days, *best),))
    said = (states_said(some.classify(history, day, policy).status.to_numpy()) for some in (forecaster, fixed))
    return figures(states_of(log, history, at, policy), *said)


def row_of(found):
    """The figures of a row, from the outcomes with the same opponent."""
    cells = [f'{len(found)}', f'{np.mean([after["f1"] for _, after in found]):.3f} / '
             f'{np.mean([after["right"] for _, after in found]):.3f}']
    for rule in RULES.values():
        fell = [rule(told, told['chosen_on'] is not None) for told, _ in found]
        worse = sum(after['fixed_f1'] < after['f1'] for (_, after), won in zip(found, fell, strict=True) if won)
        f1, right = (
            np.mean([after['fixed_' * won + name] for (_, after), won in zip(found, fell, strict=True)])
            for name in ('f1', 'right')
        )
        cells.append(f'{sum(fell)}, {worse} worse: {f1:.3f} / {right:.3f}')
    return ' | '.join(cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--data', required=True, type=pathlib.Path, help='folder of NAME.csv.gz')
    parser.add_argument('--logs', nargs='*', default=(), help='only these')
    parser.add_argument('--near', nargs='*', type=int, default=FAR, choices=FAR, help='near horizons')
    args = parser.parse_args()
    print('| log | near | opponent | contests | forecast |', ' | '.join(RULES), '|')
    for path in sorted(args.data.glob('*.csv.gz')):
        name = path.name.removesuffix('.csv.gz')
        if args.logs and name not in args.logs:
            continue
        log = engine.PurchaseLog.from_frame(read(path))
        for near in args.near:
            found = list(outcomes(log, engine.Policy(near_days=near, far_days=FAR[near])))
            for fair, words in ((True, 'before'), (False, 'hindsight')):
                if mine := [one for one in found if (one[0]['chosen_on'] is not None) == fair]:
                    print(f'| {name} | {near} | {words} | {row_of(mine)} |', flush=True)


if __name__ == '__main__':
    main()
