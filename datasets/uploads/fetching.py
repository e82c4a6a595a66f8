"""Files from the object store that work needs on this host: a store that is away is waited for, and the watchdog knows
how long each may take."""

from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from datasets.storage import local_copy
from datasets.storage.objects import is_used

from . import outages
from .watchdog import watchdog

FILE_SECONDS = 120
"""How long work may show no sign of life from one file to the next."""
_LEAST_RATE = 1e6
"""Bytes a second that a file is fetched from a store."""


def expect(size: int, what: str) -> None:
    """Tell the watchdog that a file of so many bytes comes next."""
    watchdog.expect(FILE_SECONDS + size / _LEAST_RATE, what)


def fetch_all(folder: Path, pattern: str = "*") -> None:
    """Have all files of a pattern here. Raises `FileNotFoundError` where the folder was deleted, `StorageAway`."""
    if is_used():
        for name, file in local_copy.state(folder).files.items():
            if fnmatch(name, pattern):
                expect(file.size, f"{name} of {folder.name}")
                outages.insist(partial(local_copy.fetched, folder / name))
