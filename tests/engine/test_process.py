"""`python -m engine`: what the process answers is what the engine says."""

import json
import pathlib
import subprocess
import sys

import engine
import pandas as pd
import pytest
from builders import AT, log_of, simulate

FOLDER = pathlib.Path(engine.__file__).resolve().parent.parent
PAST = AT - pd.Timedelta(days=200)
LIMITS = {'near_days': 90, 'far_days': 365}
KEPT = ['purchase_count', 'first_date', 'last_date', 'revenue_total']


@pytest.fixture(scope='module')
def learnt():
    log = log_of(simulate())
    return log, engine.fit(log, AT)


def ask(forecaster, frame, **task):
    line = json.dumps({'parameters': forecaster.to_json(), **task}) + '\n'
    process = subprocess.run(
        [sys.executable, '-m', 'engine'], cwd=FOLDER, text=True, capture_output=True, check=True,
        input=line + frame.to_csv(),
    )
    return json.loads(process.stdout)


def test_the_chances_of_past_days_are_those_of_the_histories_of_these_days(learnt):
    log, forecaster = learnt
    customer = log.history(AT).purchase_count.idxmax()
    mine = log.of(pd.Index([customer]))
    dates = mine.day.astype('datetime64[D]')
    days = pd.to_datetime([PAST, AT, '1970-01-01'])
    known = pd.concat([
        pd.DataFrame({'at': at, 'customer_id': customer, 'date': dates, 'amount': mine.amount})[dates <= at]
        for at in days
    ])
    answer = ask(forecaster, known.set_index('at'), task='chances', horizon_days=90)
    assert answer == {
        str(at.date()): pytest.approx(
            forecaster.predict(mine.history(at), at, 90).purchase_probability.item(), abs=1e-12)
        for at in days[:2]
    }


def test_the_preview_counts_statuses_today_and_what_became_of_those_of_a_past_day(learnt):
    log, forecaster = learnt
    now, then = log.history(AT), log.history(PAST)
    table = now[KEPT].join(then[KEPT].add_prefix('past_'))
    task = {'task': 'preview', 'limits': LIMITS, 'tried': [LIMITS], 'at': str(AT), 'past': str(PAST)}
    answer = ask(forecaster, table, **task)
    policy = engine.Policy(**LIMITS)
    assert answer['counts'] == forecaster.classify(now, AT, policy).status.value_counts().to_dict()
    status = forecaster.classify(then, PAST, policy).status
    gone = now.last_date[then.index] == then.last_date
    assert answer['past'] == [
        {name: [int((status == name).sum()), int(gone[status == name].sum())] for name in status.unique()}
    ]
    assert ask(forecaster, table, **{**task, 'past': None})['past'] == []
