"""The engine in a process of its own: a web worker asks it, and never loads the numeric libraries itself."""

import io
import json
import subprocess
import sys
from pathlib import Path

from odoo.tools import SQL

SECONDS = 30
LOCK_CLASS = 0x636E6775  # the first key of the advisory locks of these processes; the second is the user


def ask(env, task, query):
    """The answer to a task of `engine/__main__.py`. One process a user at a time: the next one waits, in every worker,
    until the transaction that asked before is over.

    :param dict task: the task's name under `task`, the forecaster's JSON, and what else it needs
    :param SQL query: its table
    :raise subprocess.SubprocessError: it failed, took too long, or could not be started
    """
    env.cr.execute(SQL("SELECT pg_advisory_xact_lock(%s, %s)", LOCK_CLASS, env.uid))
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "engine"], cwd=Path(__file__).parent, check=True, timeout=SECONDS,
            capture_output=True, input=json.dumps(task).encode() + b"\n" + _copy_csv(env.cr, query))
    except OSError as error:
        raise subprocess.SubprocessError(str(error)) from error
    return json.loads(answer.stdout)


def _copy_csv(cr, query):
    """The rows of `query` as CSV with a header, bytes."""
    buffer = io.BytesIO()
    cr.copy_expert(cr.mogrify(SQL("COPY (%s) TO STDOUT (FORMAT CSV, HEADER)", query)).decode(), buffer)
    return buffer.getvalue()
