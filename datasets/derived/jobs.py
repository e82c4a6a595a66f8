"""Compute the further results that are queued, one after the other. Runs in a process of its own beside the worker's
(`process`)."""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from datasets.catalogue import sharing
from datasets.catalogue.collection import is_id, of_id
from datasets.collection.base import Collection
from datasets.collection.uploaded import upload
from datasets.errors import ApiError, EngineAway, NotFound, ServerError
from datasets.models import Dataset, DerivedResult, NotStored
from datasets.uploads import fetching, outages
from datasets.uploads.busy_flag import beating
from datasets.uploads.watchdog import watchdog

from .kinds import KINDS

logger = logging.getLogger(__name__)

_STAGE_SECONDS = 3600
"""How long one stage may show no sign of life: t-SNE of 200,000 pictures takes most of it on two cores."""
_DELETED_SECONDS = 10
"""How long work may go on that nobody wants any more."""


class NotWanted(Exception):
    """The collection or the request was deleted while the result was computed."""


def compute_all(worker: str) -> None:
    """Until nothing is queued any more."""
    while (row := DerivedResult.objects.next_in_queue()) is not None:
        if row.claim(worker):
            _compute(row)


def collection_of(row: DerivedResult) -> Collection:
    """Raises `NotFound` where it has been deleted, or another catalogue has taken its place."""
    return of_id(row.collection) if is_id(row.collection) else upload(row.collection)


def _compute(row: DerivedResult) -> None:
    started = time.monotonic()
    try:
        # What another worker has just computed of a catalogue comes here a moment later.
        outages.insist(lambda: sharing.follow(settings.DATA_DIR))
        found = outages.insist(lambda: collection_of(row))
        if KINDS[row.kind].is_ready(found.folder, row.name):
            outages.insist(row.finish)
            return
        with _reporting(row) as report:
            if KINDS[row.kind].needs_features(row.parameters):
                fetching.fetch_all(found.folder.path, "features*")
            KINDS[row.kind].compute(found, row.name, row.parameters, report)
        remove_if_deleted(row, found)
        outages.insist(found.store_files)
        outages.insist(row.finish)
    except (NotWanted, NotStored):
        remove_if_deleted(row, found)
        outages.insist(row.finish)  # of a catalogue that was removed; any other's row has gone, or is another's
    except Exception as error:
        failure = _as_failure(error, row)
        if isinstance(failure, EngineAway):  # as an upload's, the work is not at fault
            outages.insist(
                lambda: DerivedResult.objects.begun_by(row.worker).filter(pk=row.pk).requeue_or_fail(failure)
            )
        else:
            outages.insist(lambda: row.fail(failure))
    facts = {"collection": row.collection, "kind": row.kind, "name": row.name, "total_s": time.monotonic() - started}
    logger.info("further result", extra={"facts": facts})


def _as_failure(error: Exception, row: DerivedResult) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if refused := outages.api_error(error):
        logger.error("%s failed: %s", row, error)
        return refused
    logger.exception("%s failed", row)
    return ServerError(f"The server failed on this result ({type(error).__name__}); its log says why.")


def remove_if_deleted(row: DerivedResult, found: Collection) -> None:
    """What was written after the collection had been deleted would lie there for ever."""
    if not is_id(row.collection) and Dataset.objects.filter(hash=row.collection).exists():
        return  # or sent again meanwhile
    try:
        collection_of(row)
    except NotFound:
        shutil.rmtree(found.folder.path, ignore_errors=True)


class _Report:
    """Keeps how far the work is, for the row; see `kinds.Report`."""

    def __init__(self, row: DerivedResult) -> None:
        self._row = row
        self._stage, self._share = "", 0.0
        self._wanted = True

    def stage(self, name: str) -> None:
        self._stage = name
        self._moved()
        outages.insist(self.beat)

    def progress(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)
        self._moved()

    def beat(self) -> None:
        self._wanted = self._row.beat(self._stage, self._share)
        if not self._wanted:
            watchdog.hurry(_DELETED_SECONDS)

    def _moved(self) -> None:
        if not self._wanted:
            raise NotWanted
        watchdog.expect(_STAGE_SECONDS, f"{self._row}, {self._stage},")


@contextmanager
def _reporting(row: DerivedResult) -> Iterator[_Report]:
    report = _Report(row)
    try:
        with beating(report.beat):
            yield report
    finally:
        watchdog.rest()
