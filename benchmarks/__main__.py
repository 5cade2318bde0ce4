"""All benchmarks that have goals, one after the other, and one table of their figures; or those named.

    ./dev bench [NAME [ITS OPTIONS]]
"""

import json
import os
import subprocess
import sys

from _common import HERE, Figure, table

from devtool.common import HOME, step

# The others have options of their own and no goals; they are run when named.
WITH_GOALS = ("queries", "posting", "worker", "growth", "sales_half", "writeoff_batch")


def chosen(name):
    if not name:
        return [HERE / f"{stem}.py" for stem in WITH_GOALS]
    return sorted(path for path in HERE.glob(f"*{name}*.py") if path.name[0] != "_")


def main(name=None, *options):
    collected = HOME / f"figures-{os.getpid()}.json"
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "CHURN_FIGURES": str(collected)}
    failed = 0
    try:
        for path in chosen(name):
            with step(f"benchmark {path.stem}"):
                command = [sys.executable, "-W", "ignore", path, *options]
                failed += subprocess.run(command, env=os.environ | one_thread).returncode != 0
        lines = collected.read_text().splitlines() if collected.exists() else []
    finally:
        collected.unlink(missing_ok=True)
    if lines:
        print("", table([Figure(*json.loads(line)) for line in lines]), sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
