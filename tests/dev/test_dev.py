"""The script refuses what cannot work before it starts the long work."""

import shutil
import socket

import pytest

from devtool import postgres, setup
from devtool.cli import main
from devtool.common import Refusal, log_problems
from devtool.odoo_source import odoo_home
from devtool.postgres import connection
from devtool.test import junit_results


@pytest.fixture
def no_work(monkeypatch):
    """Any preparation would be work done before the refusal."""

    def fail(*_args):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(setup, "prepare", fail)
    monkeypatch.setattr(postgres, "connection", fail)


def odoo_tree(folder, version):
    package = folder / "odoo"
    package.mkdir()
    (package / "release.py").write_text(f"FINAL = 'final'\nversion_info = {version}\n")
    return folder


def test_a_busy_port_is_named_with_the_remedy(no_work, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["run", f"--port={port}"]) == 1
    message = capsys.readouterr().err
    assert f"Port {port}" in message
    assert f"--port {port + 1}" in message


@pytest.mark.parametrize("port", [0, 99999])
def test_what_is_no_port_is_refused(no_work, capsys, port):
    assert main(["run", f"--port={port}"]) == 1
    assert f"{port} is no port" in capsys.readouterr().err


def test_a_ledger_for_a_named_database_is_refused(no_work, capsys):
    assert main(["run", "--ledger=log.csv", "--database=mine"]) == 1
    assert "choose one of them" in capsys.readouterr().err


def test_a_full_disk_is_refused(no_work, monkeypatch, capsys):
    usage = shutil.disk_usage("/")._replace(free=2 * 1024**3)
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _folder: usage)
    assert main(["run", "--no-serve"]) == 1
    assert "2.0 GB are free" in capsys.readouterr().err


def test_a_bad_purchase_log_is_refused(no_work, tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("customer,date\n")
    assert main(["run", "--no-serve", f"--ledger={path}"]) == 1
    assert "column missing: amount" in capsys.readouterr().err


def test_an_unknown_addon_to_test_is_refused(no_work, capsys):
    assert main(["test", "sale"]) == 1
    assert "customer_churn" in capsys.readouterr().err


def test_an_unknown_benchmark_is_refused(no_work, capsys):
    assert main(["bench", "sale_half"]) == 1
    assert "sales_half" in capsys.readouterr().err


def test_odoo_19_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("ODOO_HOME", str(odoo_tree(tmp_path, "(19, 0, 0, FINAL, 0, '')")))
    assert odoo_home() == tmp_path


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("(18, 0, 0, FINAL, 0, '')", "Odoo 18.0"),
        ("('saas~19', 1, 0, FINAL, 0, '')", "Odoo saas~19.1"),
        ("(20, 0, 0, FINAL, 0, '')", "Odoo 20.0"),
    ],
)
def test_another_odoo_is_refused(tmp_path, monkeypatch, version, name):
    monkeypatch.setenv("ODOO_HOME", str(odoo_tree(tmp_path, version)))
    with pytest.raises(Refusal, match=f"{name}; 19.0 is needed"):
        odoo_home()


def test_a_folder_without_odoo_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ODOO_HOME", str(tmp_path))
    with pytest.raises(Refusal, match="no odoo/release.py"):
        odoo_home()


def test_the_users_own_server_comes_first(tmp_path, monkeypatch):
    config = tmp_path / "odoo.conf"
    config.write_text("[options]\ndb_host = db.example\ndb_user = shop\ndb_password = a%b\n")
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.setenv("ODOO_RC", str(config))
    assert connection() == {"host": "db.example", "user": "shop", "password": "a%b"}
    monkeypatch.setenv("PGHOST", "/run/postgresql")
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(Refusal, match="refuses to work as"):
        connection()


def test_a_warning_in_a_log_is_a_problem(tmp_path):
    log = tmp_path / "odoo.log"
    log.write_text(
        "2026-01-01 10:00:00,000 1 INFO db odoo.modules: fine\n"
        "2026-01-01 10:00:00,000 1 WARNING db odoo.addons.x: not fine\n"
    )
    assert log_problems(log) == ["WARNING odoo.addons.x: not fine"]


def test_a_skipped_test_is_a_failure(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a" name="ok"/>'
        '<testcase classname="a" name="left"><skipped/></testcase></testsuite></testsuites>'
    )
    passed, failures = junit_results(report)
    assert passed == 1
    assert failures == ["a.left (skipped, and no test may be)"]
