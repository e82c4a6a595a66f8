"""What work needs on this host and others have: files from the object store, and catalogues. A store that is away is
waited for, and the watchdog knows how long each may take."""

import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.conf import settings

from datasets.catalogue import sharing
from datasets.models import Dataset
from datasets.pictures import pipeline_settings
from datasets.storage import local_copy
from datasets.storage.objects import is_used

from . import outages, parents
from .watchdog import watchdog

logger = logging.getLogger(__name__)

FILE_SECONDS = 120
"""How long work may show no sign of life from one file to the next."""
_LEAST_RATE = 1e6
"""Bytes a second that a file is fetched from a store."""
_CATCH_UP_SECONDS, _LOOK_SECONDS = 60, 0.2
"""How long a catalogue is waited for that another host has already."""
_FOLLOW_SECONDS = 600
"""How long one may take to be fetched."""


def expect(size: int, what: str) -> None:
    """Tell the watchdog that a file of so many bytes comes next."""
    watchdog.expect(FILE_SECONDS + size / _LEAST_RATE, what)


def fetch_all(folder: Path, pattern: str = "*") -> None:
    """Have all files of a pattern here. Raises `FileNotFoundError` where the folder was deleted, `StorageAway`."""
    if is_used():
        for name, file in local_copy.matching(folder, pattern).items():
            expect(file.size, f"{name} of {folder.name}")
            outages.insist(partial(local_copy.fetched, folder / name))


def catch_up(dataset: Dataset, progress: Callable[[float], object]) -> None:
    """Have the catalogues of the host that took an upload: its id says in which space its pictures are placed.

    `progress` is told that the work goes on. What all hosts have is not waited for: the catalogue was replaced since.
    """
    give_up_at = time.monotonic() + _CATCH_UP_SECONDS
    while is_used() and not _has_caught_up(dataset) and time.monotonic() < give_up_at:
        progress(0.0)
        watchdog.expect(_FOLLOW_SECONDS, f"dataset {dataset.hash}, its catalogue,")
        outages.insist(lambda: sharing.follow(settings.DATA_DIR))
        time.sleep(_LOOK_SECONDS)


def _has_caught_up(dataset: Dataset) -> bool:
    signature = pipeline_settings.pipeline().signature
    if dataset.intake.get("signature", signature) != signature:
        if not sharing.is_latest(settings.DATA_DIR):
            return False
        logger.warning("dataset %s was taken with another catalogue or network than there is now", dataset.hash)
    return parents.is_here(dataset)
