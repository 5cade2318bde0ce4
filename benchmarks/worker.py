#!/usr/bin/env python3
"""What the addon adds to an Odoo process: its start, and its memory after the login page and after a list.

Servers with the addon and without it start in turns; the ratios are the medians of the pairs'. A start is measured by
the processor time that the server has used when it answers: what else the machine does hardly counts.
"""

import socket
import statistics
import subprocess
import time
from contextlib import contextmanager, suppress

import psutil
import requests
from _common import SMALL, Figure, alternate, median_ratio, tell, with_and_without

from devtool.common import CONFIG, LOGS, PYTHON

PAIRS = 8
LOG = LOGS / "bench-worker.log"
NUMERIC = ("numpy", "pandas", "scipy")
STARTS_WITHIN = 120  # seconds


@contextmanager
def server(database):
    """(process, URL) of an Odoo server of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PYTHON, "-W", "ignore", "-m", "odoo", "-c", CONFIG, "-d", database, f"--http-port={port}",
               "--max-cron-threads=0"]
    with LOG.open("a") as log:
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_for_login(session, url):
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        with suppress(requests.ConnectionError):
            session.get(f"{url}/web/login", timeout=STARTS_WITHIN).raise_for_status()
            return
        time.sleep(0.01)
    raise SystemExit(f"Odoo did not start within {STARTS_WITHIN} s; look at {LOG}")


def call(session, url, path, **params):
    answer = session.post(f"{url}{path}", json={"params": params}, timeout=60).json()
    if "error" in answer:
        raise SystemExit(answer["error"]["data"]["debug"])


def open_customers(session, url, database):
    """Log in and open the list of the partners, as the web client does."""
    call(session, url, "/web/session/authenticate", db=database, login="admin", password="admin")
    session.get(f"{url}/odoo/customers", timeout=60).raise_for_status()
    for method, arguments in (
        ("get_views", {"views": [[False, "list"], [False, "form"], [False, "search"]]}),
        ("web_search_read", {"domain": [], "specification": {"name": {}, "email": {}}, "limit": 80}),
    ):
        call(session, url, "/web/dataset/call_kw", model="res.partner", method=method, args=[], kwargs=arguments)


def megabytes(process):
    return process.memory_info().rss / 2**20


def start(database):
    """{'start': seconds, 'login': MB, 'list': MB, 'numeric': libraries that are loaded}"""
    with server(database) as (process, url), requests.Session() as session:
        wait_for_login(session, url)
        used = process.cpu_times()
        found = {"start": used.user + used.system, "login": megabytes(process)}
        open_customers(session, url, database)
        found["list"] = megabytes(process)
        files = [mapping.path for mapping in process.memory_maps()]
        found["numeric"] = {name for name in NUMERIC if any(f"/{name}/" in path for path in files)}
    return found


def figures():
    found = {"with": [], "without": []}
    with with_and_without(SMALL) as databases:
        for database in databases.values():
            start(database)  # the first one makes the bundles of scripts and styles
        for side in alternate(PAIRS):
            found[side].append(start(databases[side]))
    of = {name: {side: [row[name] for row in rows] for side, rows in found.items()} for name in found["with"][0]}
    for name, words, unit in (
        ("start", "start of an Odoo process (processor time)", "s"),
        ("login", "its memory after the login page", "MB"),
        ("list", "its memory after the list of the partners", "MB"),
    ):
        middle = statistics.median(of[name]["with"])
        yield Figure(f"{words}, with the addon / without", middle, unit, median_ratio(of[name]), "<= 1.05")
    loaded = set().union(*of["numeric"]["with"])
    yield Figure(f"of {', '.join(NUMERIC)}: loaded by it", len(loaded), "libraries", goal="<= 0 libraries")


if __name__ == "__main__":
    tell(list(figures()))
