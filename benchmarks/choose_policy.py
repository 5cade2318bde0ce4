#!/usr/bin/env python3
"""Choose the default policy by backtest: every rule on every log of a folder, out of time.

    choose_policy.py --data FOLDER [--logs NAME ...]

FOLDER holds NAME.csv.gz with customer_id, date, amount. The cuts of a log are 365 days before its
end and every 180 days before that, three at most, while half a year of history is left. Per rule,
the mean over the logs of their mean over the cuts:

states    macro-F1 and accuracy of active (bought within 90 days) / dormant (within 365) / lost
alarms    customers whose at_risk_date falls in the 90 days after the cut and who had not bought by
          then; true when nothing is bought in the 90 days after the alarm. `false per true` comes
          from the mean share of true ones, `warning` is the median number of days from at_risk to
          dormant, `before the last` that to the last day on which a purchase is still expected (a
          year's chance of one has fallen to a half; the same day for every rule), `caught` the
          share of the customers turning dormant in the days 30 to 90 after the cut who were told
          so at least a week before
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import pandas as pd

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'customer_churn'))
import engine

NEAR, FAR, STEP, SHORTEST, MOST_CUTS = 90, 365, 180, 178, 3
STATES = ('active', 'dormant', 'lost')
LAST_EXPECTED = engine.Policy(rule='chance', active_chance=0.5, dormant_chance=0.5, floor_days=0)
DATES = ['at_risk_date', 'dormant_date', 'lost_date']
RULES = {
    **{
        f'days {near}/{far}': {
            'rule': 'days',
            'at_risk_days': near * 2 // 3,
            'dormant_days': near,
            'lost_days': far,
        }
        for near, far in ((60, 180), (90, 180), (90, 365), (180, 365))
    },
    **{
        f'chance {near}/{far}': {'rule': 'chance', 'active_chance': near, 'dormant_chance': far}
        for near, far in ((0.3, 0.5), (0.4, 0.4), (0.4, 0.5), (0.5, 0.5), (0.5, 0.6), (0.6, 0.6))
    },
    **{
        f'share ^{power}': {'rule': 'share', 'share_exponent': power}
        for power in (0.25, 0.5, 0.6, 0.75, 1.0)
    },
}
CUTS_OF_RISK = {
    f'at_risk: chance x{share}, lead {lead}': {'at_risk_share': share, 'at_risk_lead': lead}
    for share in (0.0, 0.4, 0.5, 0.6, 0.7)
    for lead in (0, 14, 30, 45)
    if share or lead
}

FLOORS = {
    f'floor {days}, single {single}': {'floor_days': days, 'single_rule': single}
    for days in (0, 7, 14, 30)
    for single in ('same', 'days')
}


def read(path):
    """Documents of a log without the fully reversed pairs: opposite amounts within 90 days,
    nearest first."""
    rows = pd.read_csv(path, dtype={'customer_id': str})[['customer_id', 'date', 'amount']]
    rows['date'], rows['cents'] = (
        pd.to_datetime(rows.date),
        (rows.amount * 100).round().astype('int64'),
    )
    rows = rows.reset_index(names='row')
    refunds = rows[rows.amount < 0].assign(cents=lambda some: -some.cents)
    pairs = rows[rows.amount > 0].merge(
        refunds, on=['customer_id', 'cents'], suffixes=('', '_back')
    )
    pairs = (
        pairs.assign(gap=(pairs.date_back - pairs.date).dt.days)
        .query('0 <= gap <= 90')
        .sort_values(['gap', 'date'])
    )
    pairs = pairs.drop_duplicates('row').drop_duplicates('row_back')
    return rows[~rows.row.isin([*pairs.row, *pairs.row_back])]


def cases(folder, names):
    """One (log name, cut, forecaster, history, days to the next purchase, next purchase) per
    cut."""
    for path in sorted(folder.glob('*.csv.gz')):
        name = path.name.removesuffix('.csv.gz')
        if names and name not in names:
            continue
        rows = read(path)
        newest, begin = rows.date.max() - pd.Timedelta(days=FAR), rows.date.min()
        for back in range(MOST_CUTS):
            cut = newest - pd.Timedelta(days=STEP * back)
            if (cut - begin).days < SHORTEST:
                break
            log = engine.PurchaseLog.from_frame(rows[rows.date <= cut])
            history, forecaster = log.history(cut), engine.fit(log, cut, (NEAR, FAR))
            after = rows[(rows.date > cut) & (rows.amount > 0)]
            coming = after.groupby('customer_id').date.min().reindex(history.index)
            yield name, cut, forecaster, history, coming, after


def score_states(status, days):
    """(macro-F1, accuracy) of statuses against the days to the next purchase (NaN = none)."""
    said = status.replace({'new': 'active', 'at_risk': 'active'}).to_numpy()
    true = np.where(days <= NEAR, 'active', np.where(days <= FAR, 'dormant', 'lost'))
    f1 = [
        2
        * np.sum((said == name) & (true == name))
        / max(1, np.sum(said == name) + np.sum(true == name))
        for name in STATES
    ]
    return np.mean(f1), np.mean(said == true)


def score_alarms(table, last_expected, cut, coming):
    """(true, false, median warnings, told, turned dormant) of the 90 days after the cut."""
    silent_until = coming.fillna(pd.Timestamp.max.floor('D'))
    ahead = {name: (table[name] - cut).dt.days for name in DATES[:2]}
    alarm = (
        (ahead['at_risk_date'] > 0)
        & (ahead['at_risk_date'] <= 90)
        & (silent_until > table.at_risk_date)
    )
    false = alarm & ((silent_until - table.at_risk_date).dt.days <= NEAR)
    turned = (
        (ahead['dormant_date'] > 30)
        & (ahead['dormant_date'] <= 90)
        & (silent_until > table.dormant_date)
    )
    lead = (table.dormant_date - table.at_risk_date).dt.days
    return {
        'true': (alarm & ~false).sum(),
        'untrue': false.sum(),
        'warning': lead[alarm].median(),
        'before': (last_expected - table.at_risk_date).dt.days[alarm].median(),
        'told': (turned & (lead >= 7)).sum(),
        'turned': turned.sum(),
    }


def row_of(name, cut, forecaster, history, coming, policy):
    table = forecaster.classify(history, cut, policy)
    f1, accuracy = score_states(table.status, (coming - cut).dt.days.to_numpy())
    last = forecaster.classify(history, cut, LAST_EXPECTED).lost_date
    return {'log': name, 'f1': f1, 'accuracy': accuracy, **score_alarms(table, last, cut, coming)}


def table_of(found, choices, base):
    lines = []
    for words, changes in choices.items():
        rows = pd.DataFrame(
            [row_of(*case[:5], engine.Policy(**{**base, **changes})) for case in found]
        )
        sums = rows.groupby('log').sum(numeric_only=True)
        mean = rows.groupby('log')[['f1', 'accuracy', 'warning', 'before']].mean().mean()
        true, caught = (
            (sums.true / (sums.true + sums.untrue)).mean(),
            (sums.told / sums.turned).mean(),
        )
        false = 1 / true - 1 if true else np.inf
        lines.append((words, *mean, false, caught, sums.true.sum()))
    print(
        f'\n| {"rule":30} | macro-F1 | accuracy | warning | before the last | false per true | caught | true alarms |'
    )
    print(f'|{"-" * 32}|' + '---:|' * 7)
    for words, *numbers in lines:
        print(
            '| {:30} | {:.3f} | {:.3f} | {:.0f} d | {:.0f} d | {:.2f} | {:.2f} | {:.0f} |'.format(
                words, *numbers
            )
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--data', required=True, type=pathlib.Path, help='folder of NAME.csv.gz')
    parser.add_argument('--logs', nargs='*', default=(), help='only these')
    parser.add_argument(
        '--rule', dest='rules', nargs='*', type=json.loads, help='JSON of Policy to cut at_risk from'
    )
    args = parser.parse_args()
    found = list(cases(args.data, args.logs))
    if not found:
        parser.error(f'{args.data} holds no log NAME.csv.gz (of those names) that is long enough')
    print(f'{len(found)} cuts: ' + ', '.join(f'{name} {cut.date()}' for name, cut, *_ in found))
    table_of(found, RULES, {})
    for rule in args.rules or [{}]:
        table_of(found, CUTS_OF_RISK, rule)
    table_of(found, FLOORS, {})


if __name__ == '__main__':
    main()
