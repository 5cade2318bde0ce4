"""What a command needs before its own work: room on the disk, Odoo, the Python packages."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from devtool.common import GIGABYTE, HOME, PYTHON, ROOT, VENV, Refusal, file_digest, run_logged, say, step
from devtool.odoo_source import odoo_home
from devtool.postgres import write_config

NEEDED_GIGABYTES = 3
PYTHONS = ("3.12", "3.11", "3.13", "3.10")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def check_disk():
    folder = next(parent for parent in (HOME, *HOME.parents) if parent.exists())
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < NEEDED_GIGABYTES:
        raise Refusal(
            f"Only {free:.1f} GB are free on the disk of {folder}; {NEEDED_GIGABYTES} GB are "
            "needed.\nFree some space, or set CUSTOMER_CHURN_HOME to a folder on another disk."
        )


def build_venv():
    """The virtual environment, made again whenever the list of packages changes."""
    stamp = VENV / "stamp"
    key = file_digest(REQUIREMENTS)
    if stamp.is_file() and stamp.read_text() == key:
        return
    python = suitable_python()
    with step("Python packages"):
        failure = "The Python packages could not be installed"
        shutil.rmtree(VENV, ignore_errors=True)
        run_logged([python, "-m", "venv", VENV], "venv.log", failure)
        # Python compiles what is used at its first use; compiling all of it takes as long as all the rest.
        pip = [PYTHON, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "-r", REQUIREMENTS]
        remedy = "Check the connection to the Python package index and try again."
        run_logged(pip, "pip.log", failure, remedy, {"PYTHONWARNINGS": "ignore"})
        stamp.write_text(key)


def suitable_python():
    for version in PYTHONS:
        for candidate in python_candidates(version):
            if python_answers(candidate) == version:
                return candidate
    raise Refusal(
        "No Python from 3.10 to 3.13 with the modules venv and ensurepip was found.\n"
        "Install one, for example: apt install python3-venv"
    )


def python_candidates(version):
    name = f"python{version}"
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield getattr(sys, "_base_executable", None) or sys.executable
    if shutil.which(name):
        yield shutil.which(name)
    pyenv = Path("~/.pyenv/versions").expanduser()
    yield from sorted(str(path) for path in pyenv.glob(f"{version}.*/bin/python"))


def python_answers(candidate):
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def prepare():
    """Odoo and the virtual environment at the same time: one waits for the net, one for pip."""
    HOME.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        odoo, venv = pool.submit(odoo_home), pool.submit(build_venv)
        venv.result()
        home = odoo.result()
    site = next(VENV.glob("lib/python*/site-packages"))
    (site / "odoo_home.pth").write_text(f"{home}\n")


def restart_inside():
    """Start this script again with the virtual environment's Python; the process stays the same."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), str(ROOT / "dev"), *sys.argv[1:]])


def keep_bytecode():
    """Every process of ours would compile Odoo again, for seconds, where the machine keeps none of its bytecode."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(HOME / "bytecode")


def enter(options, database=True):
    """Everything that a command needs before its own work."""
    check_disk()
    keep_bytecode()
    if Path(sys.prefix).resolve() != VENV.resolve():
        prepare()
        restart_inside()
    if database:
        with suppress_slow_start():
            write_config()


@contextmanager
def suppress_slow_start():
    start = time.monotonic()
    yield
    if time.monotonic() - start > 1:
        say(f"- PostgreSQL started: {time.monotonic() - start:.1f} s")
