#!/usr/bin/env python3
"""How the runs grow with the customers: time ~ customers ** exponent, and the memory at the larger size.

    CHURN_LEDGER_LARGEST=1000000 ./dev bench growth    takes a third size along (much time, 30 GB of disk)
"""

import os
import statistics
from math import log

from _common import LARGE, REPEAT, SMALL, Figure, in_a_process, tell, with_addon

SIZES = [SMALL, LARGE, *map(int, os.environ.get("CHURN_LEDGER_LARGEST", "").split())]


def figures():
    databases = {size: with_addon(size) for size in SIZES}
    found = {size: [] for size in SIZES}
    for _ in range(REPEAT):
        for size, database in databases.items():
            found[size].append(in_a_process("_runs.py", database))
    middle = {
        size: {what: statistics.median(run[what] for run in runs) for what in ("first", "full", "memory")}
        for size, runs in found.items()
    }
    for small, large in zip(SIZES, SIZES[1:], strict=False):
        for what in ("first", "full"):
            exponent = log(middle[large][what] / middle[small][what]) / log(large / small)
            name = f"{what} run, {small:,} -> {large:,} customers, exponent"
            yield Figure(name, middle[large][what], ratio=exponent, goal="<= 1.05")
        yield Figure(f"memory at {large:,} customers", middle[large]["memory"], "MB", goal="<= 1024 MB")


if __name__ == "__main__":
    tell(list(figures()))
