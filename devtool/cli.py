"""One command for everything a developer does with customer_churn."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from devtool.common import CONFIG, PYTHON, ROOT, Refusal
from devtool.inside import task_company, task_load, task_statuses
from devtool.inside_tests import task_lint, task_tests
from devtool.lint import command_i18n, command_lint
from devtool.run import SAMPLE, check_database, command_run, prepared_database
from devtool.setup import enter
from devtool.test import command_test


def command_bench(options):
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    if options.name and not any(options.name in name for name in known):
        raise Refusal(f"There is no benchmark called {options.name}; choose: {', '.join(known)}")
    enter(options)
    command = [PYTHON, ROOT / "benchmarks", *filter(None, [options.name]), *options.arguments]
    paths = {"PYTHONPATH": str(ROOT)}  # they build their databases with this folder's code
    return subprocess.run([str(part) for part in command], env=os.environ | paths).returncode


def command_shell(options):
    enter(options)
    database = options.database or prepared_database(SAMPLE)[0]
    check_database(database)
    command = [PYTHON, "-m", "odoo", "shell", "-c", CONFIG, "-d", database, "--no-http"]
    return subprocess.run([str(part) for part in command]).returncode


def command_task(options):
    values = json.loads(options.values)
    answer = Path(values.pop("answer"))
    result = TASKS[options.task](**values)
    answer.write_text(json.dumps(result))


COMMANDS = {
    "run": command_run,
    "test": command_test,
    "bench": command_bench,
    "lint": command_lint,
    "i18n": command_i18n,
    "shell": command_shell,
    "task": command_task,
}
TASKS = {
    "company": task_company,
    "load": task_load,
    "statuses": task_statuses,
    "tests": task_tests,
    "lint": task_lint,
}


def parser():
    top = argparse.ArgumentParser(prog="./dev", description=__doc__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="Odoo with a computed example, in the browser")
    run.add_argument("--ledger", metavar="FILE", help="your own purchase log (CSV) as the example")
    run.add_argument("--database", metavar="NAME", help="an existing Odoo 19 database instead")
    run.add_argument("--no-serve", action="store_true", help="compute and print, start no server")
    run.add_argument("--port", type=int, default=8069, help="port of the web server (8069)")
    test = commands.add_parser("test", help="all tests, or those of the engine or of one addon")
    test.add_argument("what", nargs="?", metavar="engine|ADDON")
    test.add_argument("-k", dest="name", metavar="NAME", help="only tests with this in their name")
    test.add_argument("--no-browser", action="store_true", help="leave the browser tests out")
    bench = commands.add_parser("bench", help="the benchmarks that the published figures come from")
    bench.add_argument("name", nargs="?", metavar="NAME", help="only those with this in their name")
    bench.add_argument("arguments", nargs=argparse.REMAINDER, help="options of the one that is named")
    commands.add_parser("lint", help="style, Odoo's rules, and whether every term is translated")
    commands.add_parser("i18n", help="collect the terms and bring zh_CN.po up to date")
    shell = commands.add_parser("shell", help="Odoo's Python shell on the example database")
    shell.add_argument("--database", metavar="NAME")
    inner = commands.add_parser("task")
    inner.add_argument("task")
    inner.add_argument("values")
    commands.add_parser("help", help="this text")
    return top


def main(arguments=None):
    options = parser().parse_args(arguments)
    command = COMMANDS.get(options.command)
    if not command:
        parser().print_help()
        return 0
    try:
        return command(options) or 0
    except Refusal as refusal:
        print(f"\n{refusal}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted; what was finished is kept.", file=sys.stderr)
    return 1
