"""What every part of the script uses: where things are, what the user is told, how a command is run."""

import hashlib
import os
import re
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("CUSTOMER_CHURN_HOME") or ROOT / ".churn").expanduser().resolve()
LOGS = HOME / "log"
VENV = HOME / "venv"
PYTHON = VENV / "bin" / "python"
CONFIG = HOME / "odoo.conf"
DATA = HOME / "data"
ADDON = "customer_churn"
MOST_WORKERS = 4  # processes that run tests at once, each with a database and a browser
GIGABYTE = 1024**3
LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ (WARNING|ERROR|CRITICAL) \S+ (.*)$")
# Lines that Odoo itself writes on a healthy machine. Anything else above INFO fails the run.
ALLOWED_LOG = {
    r"odoo\.tools\.config: .*(wkhtmltopdf|missing)": "an option that is not set",
    r"odoo\.addons\.base\.models\.ir_actions_report: .*wkhtmltopdf": "PDF printing is optional",
}


class Refusal(Exception):
    """Something expected is wrong; the message says what, and what to do."""


def say(text=""):
    print(text, flush=True)


@contextmanager
def step(what):
    start = time.monotonic()
    say(f"- {what} ...")
    yield
    say(f"  {what}: {time.monotonic() - start:.1f} s")


def run_logged(command, log, failure, remedy="", env=None, accepted=(0,)):
    """Run a command with its output in a log file; refuse with the end of the log if it fails."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / log
    with path.open("w") as output:
        code = subprocess.run(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | (env or {}),
        ).returncode
    if code not in accepted:
        tail = "\n".join(path.read_text(errors="replace").splitlines()[-12:])
        raise Refusal(f"{failure} (code {code}).\n{tail}\nThe whole log: {path}\n{remedy}".rstrip())
    return code


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


def file_digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def log_problems(path):
    found = (LOG_LINE.match(line) for line in path.read_text(errors="replace").splitlines())
    texts = [f"{match[1]} {match[2]}" for match in found if match]
    return [text for text in texts if not any(re.search(rule, text) for rule in ALLOWED_LOG)]
