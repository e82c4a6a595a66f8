"""Room on the disk: whether an error speaks of a full one, whether an upload fits, a reserve for recording failures.

SQLite needs room even to record that something failed. A file of a few megabytes is kept in the data folder, and
removed when that is all that is left.
"""

import errno
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError

from datasets.errors import ApiError, DiskFull, ReadOnlyData

logger = logging.getLogger(__name__)

T = TypeVar("T")

RESERVE_BYTES = 4 * 2**20
_PICTURE_BYTES = 20_000
"""Of an upload's results: 2048 features in float32, a tile, names and facts in JSON and in the database."""
_RESULTS_BYTES = 4 * 2**20
"""Of an upload's results, however few the pictures: its tilemap, its fitted reducers, SQLite's log."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_ATTEMPTS, _PAUSE_SECONDS = 3, 0.2


def api_error(error: BaseException | None) -> ApiError | None:
    """What a client is told of an error that speaks of the disk; None for any other error."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return DiskFull()
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return ReadOnlyData()
    if isinstance(error, DatabaseError | sqlite3.Error):
        sentence = str(error)
        if "is full" in sentence:
            return DiskFull()
        if "readonly database" in sentence:
            return ReadOnlyData()
        # SQLite says this of a log that cannot grow. Its own reason is lost, so the disk is asked.
        if ("disk I/O error" in sentence or "unable to open" in sentence) and free_bytes() < RESERVE_BYTES:
            return DiskFull()
    return None


def free_bytes() -> int:
    """What this user may still write in the data folder."""
    return shutil.disk_usage(settings.DATA_DIR).free


def check(incoming: int, pictures: int = 0) -> None:
    """Raises `DiskFull` where so many more bytes, and the results of so many pictures, would not fit."""
    results = _RESULTS_BYTES + _PICTURE_BYTES * pictures
    if free_bytes() < incoming + results:
        raise DiskFull
    keep_reserve()


def keep_reserve() -> None:
    """Make the reserve where it is missing and there is room for it."""
    path = _reserve()
    with suppress(OSError):
        if path.exists() or free_bytes() < 4 * RESERVE_BYTES:
            return
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def release_reserve() -> bool:
    """Give the reserve's room away. Returns whether there was any."""
    try:
        _reserve().unlink()
    except OSError:
        return False
    logger.warning("the disk is full: the reserve of %d MiB was given away", RESERVE_BYTES // 2**20)
    return True


def insist(work: Callable[[], T]) -> T:
    """Do what must be recorded, on a full disk too: the reserve is given away, and it is tried again.

    Raises what `work` raises at last.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return work()
        except Exception as error:
            if api_error(error) is None:
                raise
            release_reserve()
            time.sleep(_PAUSE_SECONDS)
    return work()


def _reserve() -> Path:
    folder: Path = settings.DATA_DIR
    return folder / "reserve"
