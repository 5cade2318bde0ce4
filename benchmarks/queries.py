#!/usr/bin/env python3
"""The number of queries of a run must not depend on the number of customers."""

from _common import SMALL, Figure, in_a_process, tell, with_addon

FEW = 100  # enough of them that the first run has cases to open


def figures():
    few, many = (in_a_process("_runs.py", with_addon(size))["queries"] for size in (FEW, SMALL))
    for what, count in many.items():
        name = f"queries, {what}, {SMALL:,} customers / {FEW}"
        yield Figure(name, count, "", ratio=count / few[what], goal="<= 1")


if __name__ == "__main__":
    tell(list(figures()))
