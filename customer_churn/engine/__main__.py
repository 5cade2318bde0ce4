"""`python -m engine`: small tasks in a process of its own, for who must not load the numeric libraries.

Standard input: a line of JSON (`task`: a name of TASKS, `parameters`: a forecaster's JSON, and what the task
needs), then CSV. Standard output: the answer as JSON.
"""
import datetime
import json
import sys

import pandas as pd

from . import Forecaster, Policy, PurchaseLog

HISTORY = ['purchase_count', 'first_date', 'last_date', 'revenue_total']


def preview(task, forecaster, lines):
    """Count the statuses that `limits` (the fields of Policy) give `at`, and those that each of `tried`, a list
    of limits, would have given on the day `past` (none: null), beside the customers who bought nothing since.

    CSV: customer_id, the history `at`, then the same as of `past` with past_ before the names, empty for who was
    not known. -> {counts: {status: customers}, past: [{status: [customers, bought nothing since]}]}
    """
    dates = ['first_date', 'last_date', 'past_first_date', 'past_last_date']
    table = pd.read_csv(lines, index_col='customer_id', parse_dates=dates)
    now = _classify(forecaster, table[HISTORY], task['at'], task['limits'])
    answer = {'counts': {status: int(count) for status, count in now.value_counts().items()}, 'past': []}
    if task['past']:
        then = table[table.past_purchase_count > 0]
        gone = then.last_date <= pd.Timestamp(task['past'])
        history = then[[f'past_{name}' for name in HISTORY]].set_axis(HISTORY, axis=1)
        for limits in task['tried']:
            status = _classify(forecaster, history, task['past'], limits)
            sums = gone.groupby(status).agg(['count', 'sum'])
            answer['past'].append({name: [int(count), int(lost)] for name, count, lost in sums.itertuples()})
    return answer


def chances(task, forecaster, lines):
    """Chance of a purchase within `horizon_days`, as it was on each day `at`.

    CSV: at, customer_id, date, amount: the documents of one customer that were known on that day.
    -> {at: chance}; a day on which the customer had not bought yet has none
    """
    table = pd.read_csv(lines, parse_dates=['at', 'date'])
    answer = {}
    for at, known in table.groupby('at'):
        history = PurchaseLog.from_frame(known).history(at)
        for chance in forecaster.predict(history, at, task['horizon_days']).purchase_probability:
            answer[str(at.date())] = float(chance)
    return answer


def _classify(forecaster, history, at, limits):
    return forecaster.classify(history, datetime.date.fromisoformat(at), Policy(**limits)).status


TASKS = {'preview': preview, 'chances': chances}


def main():
    """Standard input to standard output, as described above; a bad task ends with a traceback."""
    task = json.loads(sys.stdin.readline())
    forecaster = Forecaster.from_json(task['parameters'])
    json.dump(TASKS[task['task']](task, forecaster, sys.stdin), sys.stdout)


if __name__ == '__main__':
    main()
