"""The engine in a process of its own: a web worker asks it, and never loads the numeric libraries itself."""

import io
import json
import subprocess
import sys
from pathlib import Path

from odoo.tools import SQL

SECONDS = 30


def copy_csv(cr, query):
    """The rows of `query` (SQL) as CSV with a header, bytes."""
    buffer = io.BytesIO()
    cr.copy_expert(cr.mogrify(SQL("COPY (%s) TO STDOUT (FORMAT CSV, HEADER)", query)).decode(), buffer)
    return buffer.getvalue()


def ask(task, csv):
    """The answer to a task of `engine/__main__.py`.

    :param dict task: the task's name under `task`, the forecaster's JSON, and what else it needs
    :param bytes csv: its table
    :raise subprocess.SubprocessError: it failed, took too long, or could not be started
    """
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "engine"], cwd=Path(__file__).parent, check=True, timeout=SECONDS,
            capture_output=True, input=json.dumps(task).encode() + b"\n" + csv)
    except OSError as error:
        raise subprocess.SubprocessError(str(error)) from error
    return json.loads(answer.stdout)
