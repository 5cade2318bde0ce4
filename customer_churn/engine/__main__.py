"""`python -m engine`: count the statuses a policy would give, in a process of its own.

Standard input: a line of JSON (`parameters`: a forecaster's JSON, `policy`: the fields of Policy, `at`), then
the histories as CSV with customer_id, purchase_count, first_date, last_date, revenue_total. Standard output:
JSON {status: customers}.
"""
import datetime
import json
import sys

import pandas as pd

from . import Forecaster, Policy


def main():
    """Standard input to standard output, as described above; a bad task ends with a traceback."""
    task = json.loads(sys.stdin.readline())
    dates = ['first_date', 'last_date']
    history = pd.read_csv(sys.stdin, index_col='customer_id', parse_dates=dates)
    table = Forecaster.from_json(task['parameters']).classify(
        history, datetime.date.fromisoformat(task['at']), Policy(**task['policy']))
    json.dump({status: int(count) for status, count in table.status.value_counts().items()}, sys.stdout)


if __name__ == '__main__':
    main()
