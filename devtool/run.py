"""./dev run: a purchase log as posted invoices, the analysis, and Odoo serving it."""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path

from devtool.common import (
    ADDON,
    CONFIG,
    HOME,
    LOGS,
    MOST_WORKERS,
    PYTHON,
    ROOT,
    Refusal,
    digest,
    file_digest,
    say,
    step,
)
from devtool.databases import base_database, base_key, closure, drop_others, ensure, installer, odoo, task, tree_digest
from devtool.postgres import databases, drop_database, sql
from devtool.setup import enter

SAMPLE = ROOT / ADDON / "demo" / "cdnow_sample.csv.gz"
SAMPLE_COMPANY = "CDNOW sample"


def check_port(port):
    if not 0 < port < 65536:
        raise Refusal(f"{port} is no port: choose one from 1024 to 65535, such as --port 8069")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Refusal(
                f"Port {port} cannot be used: {error}.\n"
                f"Another program listens there; choose another one: ./dev run --port {port + 1}"
            ) from error


def demo_module(name):
    """`purchase_log` reads, `purchase_ledger` posts: beside the sample, no part of the addon's package."""
    folder = str(SAMPLE.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def read_ledger(path):
    log = demo_module("purchase_log")
    try:
        return log.read(path)
    except log.PurchaseLogError as error:
        raise Refusal(f"The purchase log cannot be loaded.\n{error}") from error


def command_run(options):
    if options.ledger and options.database:
        raise Refusal("--ledger fills a database of its own, --database looks at one that exists: choose one of them")
    if not options.no_serve:
        check_port(options.port)
    ledger = Path(options.ledger).expanduser().resolve() if options.ledger else SAMPLE
    if not options.database:
        read_ledger(ledger)
    enter(options)
    if options.database:
        database, answer = options.database, run_existing(options.database)
    else:
        database, answer = prepared_database(ledger)
    import psutil

    say(table(answer))
    say(f"\nReady after {time.time() - psutil.Process().create_time():.0f} s: database {database}")
    if not options.no_serve:
        serve(database, options.port, own=not options.database)


def prepared_database(ledger):
    key = digest(tree_digest(*closure([ADDON])[0]), file_digest(ledger), date.today(), base_key())
    name = f"churn_run_{key}"
    answer = HOME / f"{name}.json"
    if name not in databases() or not answer.is_file():
        drop_database(name)
        drop_others("churn_run_", keep=2)
        ensure(name, ledger_database(ledger), lambda work: compute(work, answer))
    return name, json.loads(answer.read_text())


def compute(database, answer):
    installer([ADDON])(database)
    answer.write_text(json.dumps(statuses(database, own=True)))


def statuses(database, own):
    log = f"statuses-{database}.log"
    with step("who is silent, and since when"):
        answer = task("statuses", log, database=database, own=own)
    for company in answer["companies"]:
        if company["state"] != "done":
            reason = (company["error"] or "no reason is known").splitlines()[0]
            raise Refusal(
                f"The analysis of {company['name']} ended as {company['state']}: {reason}\nThe whole log: {LOGS / log}"
            )
    return answer


def ledger_database(ledger):
    """The invoices alone, without our addon: they stay when only the addon's code changes."""
    loader = (file_digest(path) for path in sorted(SAMPLE.parent.glob("*.py")))
    key = digest(file_digest(ledger), *loader, date.today(), base_key())
    name = f"churn_ledger_{key}"
    if name not in databases():
        base = base_database()
        drop_others("churn_ledger_", keep=1)
        ensure(name, base, lambda work: load_ledger(work, ledger))
    return name


def load_ledger(database, ledger):
    name = SAMPLE_COMPANY if ledger == SAMPLE else f"Purchase log {ledger.stem.split('.')[0]}"
    values = {"database": database, "ledger": str(ledger)}
    parts = min(os.cpu_count(), MOST_WORKERS)
    with step(f"invoices of {ledger.name}"), ThreadPoolExecutor(parts) as pool:
        values["company"] = task("company", f"company-{database}.log", database=database, name=name)
        answers = list(pool.map(lambda part: load_part(part=part, parts=parts, **values), range(parts)))
        # A part took the numbers of the others for gaps.
        query = "UPDATE account_move SET made_sequence_gap = false WHERE company_id = %s"
        sql(database, query, values["company"])
        say(f"  {sum(answer['documents'] for answer in answers)} documents posted in the company {name}")
        if answers[0]["shifted"]:
            say(f"  the log is old: its dates moved by {answers[0]['shifted']} days to end yesterday")


def load_part(**values):
    return task("load", f"load-{values['database']}-{values['part']}.log", **values)


def run_existing(database):
    check_database(database)
    query = "SELECT state FROM ir_module_module WHERE name = %s"
    if sql(database, query, ADDON) != [("installed",)]:
        with step(f"install {ADDON}"):
            odoo(database, f"install-{database}.log", "-i", ADDON)
    return statuses(database, own=False)


def check_database(database):
    if database not in databases():
        others = ", ".join(sorted(name for name in databases() if "template" not in name))
        raise Refusal(f"There is no database {database}. There are: {others}.")
    tables = sql(database, "SELECT to_regclass('ir_module_module')")
    version = tables[0][0] and sql(database, "SELECT latest_version FROM ir_module_module WHERE name = 'base'")
    found = (version and version[0][0]) or ""
    if not found.startswith("19.0."):
        what = f"of Odoo {found}" if found else "no Odoo database"
        raise Refusal(f"The database {database} is {what}; Odoo 19.0 is needed.")


def table(answer):
    lines = []
    for company in answer["companies"]:
        lines += [
            "",
            f"{company['name']}: {company['customers']} customers, "
            f"computed in {company['duration']:.1f} s ({company['state']})",
        ]
        lines.append(f"{'status':<12}{'customers':>12}{'revenue 12 months':>20}{'at stake':>16}")
        for status, customers, revenue, stake in company["statuses"]:
            lines.append(f"{status:<12}{customers:>12,}{revenue:>20,.2f}{stake:>16,.2f}")
    return "\n".join(lines)


def serve(database, port, own):
    command = [PYTHON, "-m", "odoo", "-c", CONFIG, "-d", database, f"--http-port={port}"]
    command += [f"--db-filter=^{re.escape(database)}$"]
    log = LOGS / "serve.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_for_login(server, port, log)
        login = "user admin, password admin" if own else "the users of that database"
        say(f"\nOdoo: http://localhost:{port}  ({login})\nCtrl-C stops it. Log: {log}")
        server.wait()
    except KeyboardInterrupt:
        say("\nStopping Odoo ...")
    finally:
        server.terminate()
        server.wait()


def wait_for_login(server, port, log):
    address = f"http://127.0.0.1:{port}/web/login"
    for _second in range(120):
        if server.poll() is not None:
            raise Refusal(f"Odoo stopped by itself; the reason is in {log}")
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(address, timeout=60).close()
            return
        time.sleep(0.5)
    raise Refusal(f"Odoo does not answer at {address}; look at {log}")
