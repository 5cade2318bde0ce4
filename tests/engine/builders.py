"""Logs to test with."""

import datetime
import pathlib

import engine
import numpy as np
import pandas as pd

START = np.datetime64('2020-01-01')
AT = datetime.date(2023, 1, 1)
CDNOW = pathlib.Path(engine.__file__).resolve().parent.parent / 'demo' / 'cdnow_sample.csv.gz'


def cdnow():
    return pd.read_csv(CDNOW, parse_dates=['date'], dtype={'customer_id': str})


def bought(*days, customer=1, amount=10.0):
    """Rows of one customer who bought on these days after 2020-01-01."""
    return pd.DataFrame(
        {
            'customer_id': customer,
            'date': START + np.array(days, 'timedelta64[D]'),
            'amount': amount,
        }
    )


def log_of(*frames):
    empty = pd.DataFrame({'customer_id': [], 'date': np.array([], 'datetime64[s]'), 'amount': []})
    return engine.PurchaseLog.from_frame(pd.concat(frames, ignore_index=True) if frames else empty)


def simulate(customers=1500, days=1096, seed=7, r=0.8, alpha=60.0, s=0.6, beta=250.0):
    """Rows of customers who live as the Pareto/NBD says, in days, until 2023-01-01."""
    rng = np.random.default_rng(seed)
    rate, leaving = rng.gamma(r, 1 / alpha, customers), rng.gamma(s, 1 / beta, customers)
    born = rng.integers(0, days, customers)
    end = np.minimum(born + rng.exponential(1 / np.maximum(leaving, 1e-9)), days)
    who, when, parts = np.arange(customers), born.astype(float), [(np.arange(customers), born)]
    while len(who):
        when = when + rng.exponential(1 / np.maximum(rate[who], 1e-9))
        who, when = who[when <= end[who]], when[when <= end[who]]
        parts.append((who, when.astype(int)))
    owner, day = (np.concatenate(column) for column in zip(*parts, strict=True))
    money = rng.gamma(6, 1 / rng.gamma(4, 1 / 15, customers)[owner])
    return pd.DataFrame(
        {'customer_id': owner, 'date': START + day.astype('timedelta64[D]'), 'amount': money}
    )
