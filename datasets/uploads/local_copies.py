"""The copies that this host has of what lies in an object store. Those of catalogues follow the others' hosts. Those of
deleted uploads go, and of the others those that were not used for long, where all of them take too much room."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from datasets.catalogue import sharing
from datasets.collection.folder import discard
from datasets.models import Dataset, DerivedResult
from datasets.storage import local_copy
from datasets.storage.objects import is_used

from . import partial_upload
from .busy_flag import beating

_TIDY_SECONDS = 60.0
_EXPIRE_SECONDS = 3600.0
_LEAST_AGE_SECONDS = 600
"""Since a copy was last used: a request that has looked for it may still open its files."""


@contextmanager
def looked_after() -> Iterator[None]:
    """Do both now and then while the block runs."""
    if not is_used():
        yield
        return
    follow = partial(sharing.follow, settings.DATA_DIR)
    with beating(follow, every=sharing.EVERY_SECONDS), beating(tidy, every=_TIDY_SECONDS):
        yield


def look_after() -> None:
    """The same as long as this process lives, of a host that may have no worker. Uploads that were begun lie with the
    host that took them: their end comes here, too."""
    with looked_after(), beating(partial_upload.delete_expired, every=_EXPIRE_SECONDS):
        threading.Event().wait()


def tidy() -> int:
    """Remove copies. Returns their number."""
    if not is_used():
        return 0
    copies = sorted(_copies())
    known = dict(Dataset.objects.values_list("hash", "revision"))
    busy = _busy()
    old = [(used, folder) for used, folder in copies if time.time() - used > _LEAST_AGE_SECONDS]
    gone = [folder for _, folder in old if folder.name not in known]
    room = settings.LOCAL_COPIES_MB * 2**20 - sum(map(_size, (folder for _, folder in copies if folder not in gone)))
    for _, folder in old:
        if room >= 0:
            break
        if folder not in gone and known[folder.name] and folder.name not in busy and _is_stored(folder):
            room += _size(folder)
            gone.append(folder)
    return sum(_discard(folder) for folder in gone)


def _discard(folder: Path) -> bool:
    """Unless somebody has begun to use it since it was looked at."""
    try:
        is_in_use = time.time() - local_copy.last_used(folder) <= _LEAST_AGE_SECONDS or folder.name in _busy()
    except FileNotFoundError:  # another process of this host was first
        return False
    if not is_in_use:
        discard(folder)
    return not is_in_use


def _copies() -> Iterator[tuple[float, Path]]:
    """When each was last used, and where it lies."""
    for folder in Path(default_storage.path("")).glob("*/"):
        try:
            yield local_copy.last_used(folder), folder
        except FileNotFoundError:
            continue  # it has just been removed


def _busy() -> set[str]:
    """Uploads that are computed, or that others are computed from."""
    rows = list(Dataset.objects.unfinished().values_list("hash", "intake"))
    parents = {intake["parent"] for _, intake in rows if "parent" in intake}
    return {dataset for dataset, _ in rows} | parents | set(DerivedResult.objects.values_list("collection", flat=True))


def _is_stored(folder: Path) -> bool:
    """Whether the store has all that lies there."""
    known = local_copy.state(folder).files
    names = {path.relative_to(folder).as_posix(): path for path in local_copy.contents(folder)}
    return all(name in known and known[name].is_that(path) for name, path in names.items())


def _size(folder: Path) -> int:
    """Bytes that its removal gives back: without files that another copy has, too."""
    found = 0
    for path in local_copy.contents(folder):
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            continue
        found += stat.st_size // stat.st_nlink
    return found
