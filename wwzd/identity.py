"""Names of the servers that share a database, and of their workers: who holds what, and whose work it was that died.

A server is a data folder, on which only one service runs at a time. Its workers' names begin with its own, so that a
new start knows what the last one had begun. What is begun under another name is given up only when its heartbeats stop.
"""

import os
import secrets
from functools import cache
from pathlib import Path

from django.conf import settings

from .data_folder import server_id

WORKER_VARIABLE = "WWZD_WORKER"
BESIDE = "+"
"""Ends the name of the process beside a worker, which computes for long: it dies with the worker."""


def prefix() -> str:
    """What the names begin with of all that this server holds."""
    return f"{_server_id(settings.DATA_DIR)}-"


def new_name() -> str:
    """For a process or a request of this server."""
    return prefix() + secrets.token_hex(6)


def worker_name() -> str:
    """This process's, which its supervisor gave it. One that was started by hand belongs to no server: only its
    heartbeats tell of it."""
    return os.environ.get(WORKER_VARIABLE) or secrets.token_hex(6)


@cache
def _server_id(data: Path) -> str:
    return server_id(data)
