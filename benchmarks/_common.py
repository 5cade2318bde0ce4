"""What the benchmarks share: the databases they work on, the clock, and how a figure is told.

Databases are built as `dev` builds its own: a ledger is made once and kept, its copy with the addon again for every
state of the code.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from devtool.common import ADDON, CONFIG, PYTHON, digest, file_digest, run_logged, step
from devtool.databases import base_database, base_key, drop_others, ensure, installer, tree_digest
from devtool.postgres import connection, create_database, databases, drop_database

HERE = Path(__file__).resolve().parent

LARGE = int(os.environ.get("CHURN_LEDGER_CUSTOMERS", 100_000))
SMALL = max(LARGE // 10, 10)
REPEAT = 3
# Found once: this process, its children and libpq read it there.
os.environ.update((f"PG{name.upper()}", str(value)) for name, value in connection().items())


# --- Databases --------------------------------------------------------------------------------


def ledger(customers):
    """Name of a database with accounting and a ledger of so many customers, without the addon."""
    script = Path(os.environ.get("CHURN_LEDGER_SCRIPT") or HERE / "_ledger.py").resolve()
    server = connection()

    def fill(database):
        command = [PYTHON, script, "--db", database, "--customers", customers]
        command += [part for name in ("host", "user") if name in server for part in (f"--{name}", server[name])]
        with step(f"ledger of {customers:,} customers"):
            run_logged(command, f"ledger-{customers}.log", f"{script.name} made no ledger")

    family = f"churn_ledger_{customers}_"
    name = family + digest(base_key(), file_digest(script))
    if name not in databases():
        drop_others(family, keep=1)
    return ensure(name, base_database(), fill)


def with_addon(customers):
    """Name of a copy of that database with the addon as it is now."""
    return extended(ledger(customers), f"churn_bench_{customers}_")


def extended(parent, family):
    """Name of a copy of a database with the addon as it is now, the only one of its family."""
    name = family + digest(parent, tree_digest(ADDON))
    if name not in databases():
        drop_others(family, keep=0)
    return ensure(name, parent, installer([ADDON]))


@contextmanager
def throwaway(parent):
    """Name of a copy of a database that may be written to."""
    name = f"churn_copy_of_{parent}"
    drop_database(name)  # of a benchmark that was killed
    create_database(name, parent)
    try:
        yield name
    finally:
        drop_database(name)


@contextmanager
def with_and_without(customers):
    """{'with': database, 'without': database}: the same ledger, with the addon and without."""
    with throwaway(with_addon(customers)) as extended, throwaway(ledger(customers)) as plain:
        yield {"with": extended, "without": plain}


def registry(database):
    """Odoo's registry of a database in this process."""
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = ["-c", str(CONFIG), "-d", database, "--no-http", "--log-level=error"]
    config.parse_config(options, setup_logging=True)
    return Registry(database)


# --- Clock ------------------------------------------------------------------------------------


def clock(work, *args, **kwargs):
    """(seconds, answer) of one call."""
    started = time.perf_counter()
    answer = work(*args, **kwargs)
    return time.perf_counter() - started, answer


def alternate(count):
    """'with' and 'without' in pairs, each one first as often as the other: what drifts hits both."""
    for number in range(count):
        yield from ("with", "without") if number % 2 else ("without", "with")


def median_ratio(measured):
    """Median of the ratios of the pairs in {'with': [...], 'without': [...]}."""
    return statistics.median(a / b for a, b in zip(measured["with"], measured["without"], strict=True))


def in_a_process(script, *arguments):
    """The JSON that a script of this folder prints, run in a process of its own: its memory is its own too."""
    command = [sys.executable, "-W", "ignore", str(HERE / script), *map(str, arguments)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(answer.stdout)


# --- Figures ----------------------------------------------------------------------------------


class Figure(NamedTuple):
    """A row of the table. The goal is about the value where it names the value's unit, else about the ratio."""

    name: str
    value: float
    unit: str = "s"
    ratio: float | None = None
    goal: str = ""

    @property
    def verdict(self):
        if not self.goal:
            return ""
        sign, limit, *unit = self.goal.split()
        measured, limit = self.value if unit else self.ratio, float(limit)
        return "met" if (measured <= limit if sign == "<=" else measured >= limit) else "MISSED"

    def cells(self):
        digits = 2 if self.unit == "s" else 0
        ratio = "" if self.ratio is None else f"{self.ratio:,.{1 if self.ratio >= 10 else 3}f}"
        return self.name, f"{self.value:,.{digits}f} {self.unit}".rstrip(), ratio, self.goal, self.verdict


def tell(figures):
    """Print the table, or leave the figures to who collects them all."""
    if "CHURN_FIGURES" in os.environ:
        with open(os.environ["CHURN_FIGURES"], "a") as collected:
            collected.writelines(f"{json.dumps(figure)}\n" for figure in figures)
    else:
        print(table(figures))


def table(figures):
    rows = [("figure", "value", "ratio", "goal", ""), *(figure.cells() for figure in figures)]
    name, value, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    line = f"| {{:{name}}} | {{:>{value}}} | " + " | ".join(f"{{:>{width}}}" for width in others) + " |"
    lines = [line.format(*row) for row in rows]
    rule = f"|{'-' * (name + 2)}|" + "".join(f"{'-' * (width + 1)}:|" for width in (value, *others))
    return "\n".join([lines[0], rule, *lines[1:]])
