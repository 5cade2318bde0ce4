"""./dev test: the tests that need no Odoo, then those of the addons, as many at once as there are cores."""

import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from devtool.common import ADDON, HOME, LOGS, MOST_WORKERS, PYTHON, ROOT, Refusal, log_problems, run_logged, say, step
from devtool.databases import addons, task, template_database
from devtool.postgres import create_database, drop_database
from devtool.setup import enter

COMPANIONS = ("hr_holidays", "l10n_cn", "l10n_de", "l10n_fr_account", "l10n_mx", "l10n_za", "sales_team")
COMPANIONS_TAG = "customer_churn_companions"  # tests that need these apps beside ours


def command_test(options):
    known = [*addons(), "engine"]
    if options.what and options.what not in known:
        raise Refusal(f"There is nothing called {options.what} to test; choose: {', '.join(known)}")
    enter(options, database=options.what != "engine")
    passed, failures = pytest_results(options) if options.what in (None, "engine") else (0, [])
    if options.what != "engine":
        more, found = addon_results(options)
        passed, failures = passed + more, failures + found
    for failure in failures:
        say(f"FAILED {failure}")
    say(f"\n{passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0


def pytest_results(options):
    folder = ROOT / "tests"
    if options.what == "engine" and (folder / "engine").is_dir():
        folder /= "engine"
    if not folder.is_dir():
        return 0, []
    report = HOME / "pytest.xml"
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "-p", "no:odoo", "-q", f"--junitxml={report}", folder]
    # A few tests by name are done before a second process has started.
    command += ["-k", options.name] if options.name else ["-n", min(os.cpu_count(), MOST_WORKERS)]
    with step("tests that need no Odoo"):
        threads = {"OMP_NUM_THREADS": "1"}  # those of numpy would fight for the cores with the other processes
        code = subprocess.run([str(part) for part in command], cwd=ROOT, env=os.environ | threads).returncode
    if code not in (0, 1, 5) or not report.is_file():
        return 0, [f"pytest itself (code {code})"]
    return junit_results(report)


def junit_results(report):
    passed, failures = 0, []
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        passed += not bad
        if bad:
            note = " (skipped, and no test may be)" if "skipped" in bad else ""
            failures.append(name + note)
    return passed, failures


def addon_results(options):
    tested = [options.what] if options.what else addons()
    browser = not options.no_browser
    if not browser:
        say("- The browser tests are left out, as asked.")
    values = {"name": options.name, "browser": browser}
    values["chromium"] = find_chromium() if browser else None
    log = f"test-{options.what or 'all'}"
    template = template_database(tested)
    # Whoever names a test wants it soon; a second database would only cost its copy.
    workers = 1 if options.name else min(os.cpu_count(), MOST_WORKERS)
    with tempfile.TemporaryDirectory() as claims, ThreadPoolExecutor(workers) as pool:
        values["claims"] = claims
        jobs = [pool.submit(companion_tests, log, values)] if wants_companions(options, tested) else []
        values |= {"addons": tested, "companions": False}
        jobs += [pool.submit(run_tests, template, f"{log}-{part + 1}", **values) for part in range(workers)]
    passed, failures = zip(*(job.result() for job in jobs), strict=True)
    return sum(passed), list(dict.fromkeys(chain.from_iterable(failures)))


def wants_companions(options, tested):
    if ADDON not in tested or not options.name:
        return ADDON in tested
    texts = (path.read_text() for path in (ROOT / ADDON / "tests").glob("test_*.py"))
    if any(COMPANIONS_TAG in text and options.name.lower() in text.lower() for text in texts):
        return True
    say("- The tests beside other apps are left out: -k names none of them.")
    return False


def companion_tests(log, values):
    template = template_database([ADDON], COMPANIONS)
    log = f"{log}-companions"
    passed, failures = run_tests(template, log, **values | {"addons": [ADDON], "companions": True})
    if not passed and not values["name"]:
        failures.append("no test beside other apps was run")
    return passed, failures


def run_tests(template, log, **values):
    """Run tests in a copy of the template."""
    database = f"churn_{log.replace('-', '_')}_{os.getpid()}"
    drop_database(database)
    create_database(database, template)
    try:
        with step(log):
            answer = task("tests", f"{log}.log", database=database, **values)
    finally:
        drop_database(database)
    return report_tests(answer, LOGS / f"{log}.log")


def report_tests(answer, log):
    for text in answer["details"]:
        say(text)
    noise = [line for line in log_problems(log) if not re.search(r": (FAIL|ERROR): ", line)]
    for line in noise:
        say(line)
    failures = answer["failures"] + [f"log: {line[:150]}" for line in noise]
    say(f"  log of the addons' tests: {log}")
    return answer["passed"], failures


def find_chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((shutil.which(name) for name in names if shutil.which(name)), None)
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("Chromium for the browser tests"):
            remedy = "Install Chromium, or leave those tests out: ./dev test --no-browser"
            failure = "Chromium could not be installed"
            run_logged(["apt-get", "update"], "chromium.log", failure, remedy)
            install_command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
            run_logged(install_command, "chromium.log", failure, remedy)
        found = shutil.which("chromium")
    return found
