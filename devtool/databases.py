"""Databases that are built once and then copied, and processes that work on them."""

import ast
import json
import os

from devtool.common import (
    CONFIG,
    HOME,
    LOGS,
    PYTHON,
    ROOT,
    Refusal,
    digest,
    file_digest,
    log_problems,
    run_logged,
    step,
)
from devtool.postgres import create_database, databases, drop_database, rename_database, sql
from devtool.setup import REQUIREMENTS


def addons():
    return sorted(path.parent.name for path in ROOT.glob("*/__manifest__.py"))


def manifest(addon):
    return ast.literal_eval((ROOT / addon / "__manifest__.py").read_text())


def closure(names):
    """The addons of ours that these depend on, and all that depends on none of ours."""
    ours, others, todo = set(), set(), list(names)
    while todo:
        name = todo.pop()
        if name not in addons():
            others.add(name)
        elif name not in ours:
            ours.add(name)
            todo += manifest(name).get("depends", [])
    return sorted(ours), sorted(others)


def tree_digest(*folders):
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    kept = sorted(path for path in files if "__pycache__" not in path.parts)
    return digest(*(f"{path.relative_to(ROOT)} {file_digest(path)}" for path in kept))


def base_key():
    import odoo.release

    return digest(odoo.release.__file__, odoo.release.version, file_digest(REQUIREMENTS))


def ensure(name, parent, build):
    """Build a database beside its final name, so that an interrupted build is never taken."""
    if name in databases():
        return name
    unfinished = f"{name}_unfinished"
    drop_database(unfinished)
    create_database(unfinished, parent)
    build(unfinished)
    rename_database(unfinished, name)
    return name


def base_database():
    def build(database):
        with step("Odoo database with accounting and demo data"):
            install(database, ["account"])

    return ensure(f"churn_base_{base_key()}", "template0", build)


def template_database(names, charts=()):
    """A database with these addons: first what is not ours, which seldom changes, then ours."""
    ours, others = closure(names)
    base = base_database()
    foreign = sorted({*others, *charts} - {"account"})
    if foreign:
        base = ensure(f"churn_deps_{digest(base_key(), *foreign)}", base, installer(foreign))
    family = f"churn_addons_{digest(base, *ours)}"
    name = f"{family}_{tree_digest(*ours)}"
    if name not in databases():
        drop_others(f"{family}_", keep=0)
    return ensure(name, base, installer(ours))


def installer(names):
    def build(database):
        with step(f"install {', '.join(names)}"):
            install(database, names)

    return build


def drop_others(prefix, keep):
    """Remove what an older version of the code left behind, the oldest first."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid DESC"
    for (name,) in sql("postgres", query, prefix)[keep:]:
        drop_database(name)


def install(database, names, demo=True):
    log = f"install-{database}.log"
    odoo(database, log, "-i", ",".join(names), *(["--with-demo"] if demo else []))
    problems = log_problems(LOGS / log)
    if problems:
        listed = "\n".join(problems[:10])
        raise Refusal(f"Installing {', '.join(names)} wrote warnings or errors:\n{listed}\nThe whole log: {LOGS / log}")


def odoo(database, log, *options):
    command = [PYTHON, "-m", "odoo", "-c", CONFIG, "-d", database, *options]
    command += ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
    run_logged(command, log, f"Odoo failed on the database {database}")


def task(name, log, /, **values):
    """Run one of the tasks at the end of this file in an Odoo process; return its answer."""
    answer = HOME / f"answer-{os.getpid()}-{log}.json"
    command = [PYTHON, ROOT / "dev", "task", name, json.dumps(values | {"answer": str(answer)})]
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"  # Odoo's lint looks for pylint there
    failure = f"The step `{name}` failed on {values['database']}"
    try:
        run_logged(command, log, failure, env={"PATH": path})
        return json.loads(answer.read_text())
    finally:
        answer.unlink(missing_ok=True)
