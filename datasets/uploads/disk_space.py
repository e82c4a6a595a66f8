"""Room on the disk: whether an upload fits, and a reserve for recording failures.

SQLite needs room even to record that something failed. A file of a few megabytes is kept in the data folder, and
removed when that is all that is left.
"""

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from datasets.errors import DiskFull

logger = logging.getLogger(__name__)

RESERVE_BYTES = 4 * 2**20
_PICTURE_BYTES = 20_000
"""Of an upload's results: 2048 features in float32, a tile, names and facts in JSON and in the database."""
_RESULTS_BYTES = 4 * 2**20
"""Of an upload's results, however few the pictures: its tilemap, its fitted reducers, SQLite's log."""


def free_bytes() -> int:
    """What this user may still write in the data folder."""
    return shutil.disk_usage(settings.DATA_DIR).free


def has_reserve_left() -> bool:
    """Whether what a database needs to record a failure can still be written."""
    return free_bytes() >= RESERVE_BYTES


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


def _reserve() -> Path:
    folder: Path = settings.DATA_DIR
    return folder / "reserve"
