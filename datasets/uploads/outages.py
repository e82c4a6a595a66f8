"""What is there at other times: room on the disk, the database, the object store. Which errors speak of that, what a
client is told, and how to record what must be recorded all the same."""

import errno
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from datasets.errors import ApiError, DatabaseAway, DatabaseLocked, DiskFull, EngineAway, ReadOnlyData, StorageAway
from datasets.storage import objects

from . import disk_space

T = TypeVar("T")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_ATTEMPTS, _PAUSE_SECONDS = 3, 0.2
_AWAY_SECONDS = 60.0
"""How long a database or a store that cannot be reached is waited for: a restart takes a few."""


def api_error(error: BaseException | None) -> ApiError | None:
    """What a client is told of an error that speaks of the disk, or of a database or a store that cannot be used now;
    None for any other."""
    if isinstance(error, objects.StorageAway):
        return StorageAway()
    if isinstance(error, OSError) and error.errno in _FULL:
        return DiskFull()
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return ReadOnlyData()
    if isinstance(error, DatabaseError | InterfaceError | sqlite3.Error):
        return _of_database(error)
    return None


def _of_database(error: Exception) -> ApiError | None:
    sentence = str(error)
    if "is full" in sentence or "No space left on device" in sentence:
        return DiskFull()
    if "readonly database" in sentence or "read-only transaction" in sentence:
        return ReadOnlyData()
    # SQLite says this of a log that cannot grow. Its own reason is lost, so the disk is asked.
    if ("disk I/O error" in sentence or "unable to open" in sentence) and not disk_space.has_reserve_left():
        return DiskFull()
    if connection.vendor == "sqlite" and "is locked" in sentence:
        return DatabaseLocked()
    # A server's errors of this class are broken and refused connections, restarts, and too many clients.
    if connection.vendor != "sqlite" and isinstance(error, OperationalError | InterfaceError):
        return DatabaseAway()
    return None


def insist(work: Callable[[], T], wait_seconds: float = _AWAY_SECONDS) -> T:
    """Do what must be recorded: on a full disk the reserve is given away, and a database or a store that cannot be used
    now is waited for, for `wait_seconds` at most.

    `work` may run twice where the first time succeeded and its answer was lost. Raises what it raises at last.
    """
    failures, give_up_at = 0, time.monotonic() + wait_seconds
    while True:
        try:
            return work()
        except Exception as error:
            found = api_error(error)
            failures += 1
            is_last = time.monotonic() >= give_up_at if isinstance(found, EngineAway) else failures >= _ATTEMPTS
            if found is not None:
                make_way(found)
            if found is None or is_last:
                raise
            time.sleep(_PAUSE_SECONDS)


def make_way(error: ApiError) -> None:
    """Before another attempt: leave a broken connection, or give the reserve away."""
    if isinstance(error, DatabaseAway):
        leave_broken_connection()
    elif not isinstance(error, EngineAway):
        disk_space.release_reserve()


def leave_broken_connection() -> None:
    """Have this thread's next query open another one. Django itself looks only between requests."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
