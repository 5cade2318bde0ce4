#!/usr/bin/env python3
"""Time each step of the engine on a simulated ledger, one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 engine_speed.py [--customers 106000] [--repeat 3]

Customers of five years who buy about ten times each; best of the repeats, in seconds, and the peak of
memory with the simulated rows in it.
"""

import argparse
import datetime
import pathlib
import resource
import sys
import time

from _ledger import simulate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'customer_churn'))
import engine

AT = datetime.date(2024, 12, 31)


def steps(rows):
    """(name, seconds) of each step."""
    clock = time.perf_counter()

    def lap():
        nonlocal clock
        before, clock = clock, time.perf_counter()
        return clock - before

    log = engine.PurchaseLog.from_frame(rows)
    yield 'from_frame', lap()
    history = log.history(AT)
    yield 'history', lap()
    forecaster = engine.fit(log, AT)
    yield 'fit, 3 horizons', lap()
    engine.look_back(log, AT)
    yield 'look_back', lap()
    for days in (90, 180, 365):
        forecaster.predict(history, AT, days)
    yield 'predict, 3 horizons', lap()
    for rule in ('share', 'chance'):
        forecaster.classify(history, AT, engine.Policy(rule=rule))
        yield f'classify, {rule}', lap()
    forecaster.assess(history, AT, engine.Policy())
    yield 'assess', lap()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--customers', type=int, default=106_000)
    parser.add_argument('--repeat', type=int, default=3)
    args = parser.parse_args()
    rows = simulate(args.customers)
    print(f'{args.customers:,} customers, {len(rows):,} rows')
    best = {}
    for _ in range(args.repeat):
        for name, seconds in steps(rows):
            best[name] = min(seconds, best.get(name, seconds))
    for name, seconds in best.items():
        print(f'{name:20}{seconds:8.3f} s')
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'{"peak of memory":20}{peak:8,.0f} MB')


if __name__ == '__main__':
    main()
