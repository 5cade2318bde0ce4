"""What runs tests inside an Odoo process, Odoo's own lint among them."""

import os
import socket
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

from devtool.common import ADDON, ROOT
from devtool.inside import configure
from devtool.test import COMPANIONS_TAG

BROWSER_TAG = "customer_churn_browser"
# Of Odoo's own lint: eslint needs Node.js; the other one tests the checkers, not our code.
LINT_LEFT_OUT = ("test_eslint", "test_checkers", "test_markers")


def task_tests(database, addons, name, browser, chromium, companions, claims):
    """Run the test classes that no other process has claimed, until none is left."""
    from odoo.tests import loader

    os.environ["ODOO_TEST_MAX_FAILED_TESTS"] = "100000"
    if chromium:
        os.environ.setdefault("CHROME_BIN", chromium)
    with http_server(database):
        cases = [
            case
            for addon in addons
            for module in loader.get_test_modules(addon)
            for case in loader.get_module_test_cases(module)
        ]
        chosen = [case for case in cases if wanted(case, name, browser, companions)]
        chosen.sort(key=lambda case: getattr(case, "test_sequence", 0))
        answer = run_cases(unclaimed(chosen, Path(claims)))
    answer["failures"] += never_run(addons)
    return answer


def unclaimed(cases, claims):
    """The suite of each class of these cases that this process is the first to ask for."""
    from odoo.tests.suite import OdooSuite

    for test_class, group in groupby(cases, key=type):
        with suppress(FileExistsError):
            (claims / f"{test_class.__module__}.{test_class.__name__}").mkdir()
            yield OdooSuite(group)


def never_run(addons):
    """Tests that Odoo silently leaves out: those of plain test cases, and inherited ones."""
    import unittest

    from odoo.tests import BaseCase, loader

    modules = [module for addon in addons for module in loader.get_test_modules(addon)]
    for module in modules:
        for name, value in vars(module).items():
            if not isinstance(value, type) or value.__module__ != module.__name__:
                continue
            if issubclass(value, unittest.TestCase) and not issubclass(value, BaseCase):
                yield f"{module.__name__}.{name} is no test case of Odoo, which leaves it out"
            elif issubclass(value, BaseCase):
                yield from inherited_tests(value)


def inherited_tests(test_class):
    if getattr(test_class, "allow_inherited_tests_method", False):
        return
    own_parents = [base for base in test_class.__mro__[1:] if ADDON in base.__module__]
    names = {name for base in own_parents for name in vars(base) if name.startswith("test_")}
    for name in sorted(names - set(vars(test_class))):
        if callable(getattr(test_class, name)):
            yield f"{test_class.__module__}.{test_class.__name__}.{name} is inherited: never run"


def wanted(case, name, browser, companions):
    if not hasattr(case, "test_tags"):  # reported by never_run
        return False
    named = not name or name.lower() in case.id().lower()
    here = (COMPANIONS_TAG in case.test_tags) == companions
    return named and here and (browser or BROWSER_TAG not in case.test_tags)


def task_lint(database, addons):
    """Odoo's own checks of code and manifests, which by themselves would read all of Odoo."""
    from odoo.modules import Manifest
    from odoo.tests import loader
    from odoo.tests.suite import OdooSuite

    with http_server(database):
        ours = [Manifest.for_addon(addon) for addon in addons]
        Manifest.all_addon_manifests = lambda: ours
        cases = []
        for module in loader.get_test_modules("test_lint"):
            if module.__name__.rpartition(".")[2] in LINT_LEFT_OUT:
                continue
            if hasattr(module, "get_modules"):
                module.get_modules = lambda: addons
            if module.__name__.endswith("test_pylint"):
                module.tools = NarrowTools()
            cases += loader.get_module_test_cases(module)
        return run_cases([OdooSuite(cases)])


class NarrowTools:
    """Odoo's `tools` as the pylint check sees it: with our addon in the place of all of Odoo."""

    def __init__(self):
        from odoo import tools

        self.tools, self.config, self.root_path = tools, self, str(ROOT / ADDON)

    def __getattr__(self, name):
        return getattr(self.tools, name)

    def __getitem__(self, option):
        return self.tools.config[option]


@contextmanager
def http_server(database):
    """The web server that browser and controller tests need; without it they would be skipped."""
    import threading

    from odoo import http
    from odoo.modules.registry import Registry
    from odoo.service import server
    from odoo.tools import config

    configure(database)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        config["http_port"] = probe.getsockname()[1]
    threading.current_thread().testing = True
    Registry(database)
    server.load_server_wide_modules()
    server.server = server.ThreadedServer(http.root)
    server.server.start(stop=False)
    config["test_enable"] = True
    try:
        yield
    finally:
        server.server.httpd.shutdown()


def run_cases(suites):
    from odoo.modules import module

    result = test_result()
    module.current_test = True
    for suite in suites:
        suite(result)
    module.current_test = False
    return {"passed": result.passed, "failures": result.failures, "details": result.details}


def test_result():
    from odoo.tests.result import OdooTestResult

    class Result(OdooTestResult):
        """Odoo counts; this one also knows which test failed, and takes a skip for a failure."""

        def __init__(self):
            super().__init__()
            self.passed, self.failures, self.details = 0, [], []

        def addSuccess(self, test):
            super().addSuccess(test)
            self.passed += 1

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            self.failures.append(f"{test.id()} (skipped, and no test may be: {reason})")

        def addError(self, test, err):
            super().addError(test, err)
            self.note(test, err)

        def addFailure(self, test, err):
            super().addFailure(test, err)
            self.note(test, err)

        def note(self, test, err):
            self.failures.append(test.id())
            self.details.append(f"\n{test.id()}\n{self._exc_info_to_string(err, test)}")

    return Result()
