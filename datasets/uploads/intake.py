"""The web process's side of an upload: take the archive, queue it, wait for the worker."""

import re
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from datasets.errors import Conflict, Gone, NotFound, QueueFull, ServerError, Unavailable
from datasets.models import ARCHIVE, Dataset, NotStored, Status, WorkerState
from datasets.pictures import pipeline_settings
from datasets.pictures.zip_archive import Archive
from datasets.tilemaps.layout import CAPACITY
from embeddings.pipeline import Pipeline
from wwzd import identity, request_id

from . import busy_flag, disk_space, outages, projector_import, worker_readiness
from .dataset_id import dataset_id_of
from .results import describe
from .tasks import AWAITED, compute_dataset, deliver, deliver_new

_POLL_SECONDS = 0.05
_RECORD_SECONDS = 5
"""How long a client waits until the database is back and has recorded a failure; `recovery` records it later."""
_WORKER_MAY_BE_AWAY = timedelta(seconds=60)


def receive(file: "UploadedFile[bytes]") -> Dataset:
    """An archive → its ready dataset: at once if it has been here before, else when the worker is done with it.

    Of the uploads that wait for nobody, one that is being computed is finished first; the queued ones stand back.
    Raises `ApiError` for an archive that is no good, and `Busy` while a client waits for another upload.
    """
    found = _examined(file, CAPACITY)
    if isinstance(found, Dataset):
        return found
    with busy_flag.hold():
        return _wait(_queue(*found, is_synchronous=True, limit=CAPACITY))


def accept(file: "UploadedFile[bytes]", limit: int | None = None) -> Dataset:
    """An archive → its dataset, ready if it has been here before, else queued: the worker takes one after the other.

    `limit` is the most pictures that it may have, 1000 if it is not said: those of more are computed beside the worker.

    Raises `ApiError` for an archive that is no good, and `QueueFull`. The busy flag is neither heeded nor raised.
    """
    limit = limit or CAPACITY
    found = _examined(file, limit)
    if isinstance(found, Dataset):
        return found
    return queue_in_background(*found, limit=limit)


def accept_rest(dataset: Dataset, limit: int | None = None) -> Dataset:
    """The next pictures of a ready dataset's archive, `limit` at most in the order of their names, as a dataset of
    their own.

    Raises `Conflict` where there are none, `Gone` where the archive was not kept, and `QueueFull`.
    """
    limit = limit or CAPACITY
    first = dataset.intake.get("available", 0) - dataset.intake.get("over_capacity", 0)
    if dataset.status != Status.READY:
        raise dataset.not_there()
    if not dataset.intake.get("over_capacity", 0):
        raise Conflict("All pictures of this archive have been taken.", code="no-rest")
    if not dataset.archive:
        raise Gone("The archive was not kept: send its other pictures in one of their own.")
    pipeline = pipeline_settings.pipeline()
    with dataset.archive_path.open("rb") as stored:
        file = File(stored, name=_name_of_rest(dataset.name, first))
        archive = Archive(file, pipeline_settings.limits(), projector_import.fault_of(dataset))
        dataset_id = dataset_id_of(file, archive, pipeline, first=first, limit=limit)
        if there := known(dataset_id):
            return there
        expected = min(dataset.intake["over_capacity"], limit)
        disk_space.check(dataset.archive_size, expected)
        sent = {key: dataset.intake[key] for key in ("projector", "projector_fault") if key in dataset.intake}
        return queue_in_background(dataset_id, file, expected, pipeline, first=first, limit=limit, **sent)


def _name_of_rest(name: str, first: int) -> str:
    """`photos.zip` → `photos (1001–).zip`, and that → `photos (2001–).zip`."""
    stem = name.removesuffix(".zip")
    return f"{re.sub(r' [(][0-9]+–[)]$', '', stem)[:200]} ({first + 1}–){name[len(stem) :]}"


def retry(dataset: Dataset) -> bool:
    """Queue a failed dataset again, with the archive that was kept. No client waits for it."""
    if not dataset.can_be_retried:
        return False
    _reset(dataset, is_synchronous=False)
    deliver_new(dataset)
    return True


def _examined(file: "UploadedFile[bytes]", limit: int) -> Dataset | tuple[str, File[bytes], int, Pipeline]:
    """The ready dataset of an archive, or else what `_queue` takes: its id, the file, the pictures expected, the
    pipeline."""
    worker_readiness.refuse_until_prepared()
    pipeline = pipeline_settings.pipeline()
    archive = Archive(file, pipeline_settings.limits())
    dataset_id = dataset_id_of(file, archive, pipeline, limit=limit)
    if there := known(dataset_id):
        return there
    expected = min(len(archive.names), limit)
    disk_space.check(0, expected)
    return dataset_id, file, expected, pipeline


def known(dataset_id: str) -> Dataset | None:
    """The ready dataset of this id, if its files are there."""
    found = Dataset.objects.ready().filter(hash=dataset_id).first()
    return found if found is not None and found.path("tilemap").exists() else None


def queue_in_background(*upload: Any, **options: Any) -> Dataset:
    """As `_queue`, where no client waits for it: the dataset as it is then."""
    dataset = _queue(*upload, is_synchronous=False, **options)
    dataset.refresh_from_db()
    return dataset


def _queue(
    dataset_id: str,
    file: File[bytes],
    expected: int,
    pipeline: Pipeline,
    *,
    is_synchronous: bool,
    limit: int,
    first: int = 0,
    archive_name: str = ARCHIVE,
    **facts: Any,
) -> Dataset:
    """The dataset of an archive, queued, unless it is so already; its `intake` has the `facts` beside the others.

    Raises `QueueFull`.
    """
    with transaction.atomic():
        rows = Dataset.objects.select_for_update()
        dataset, created = rows.get_or_create(hash=dataset_id, defaults={"is_synchronous": is_synchronous})
        if not created and _is_underway(dataset):
            # Its end is awaited, not a second beginning; the first to be done with it is done for both.
            if is_synchronous:
                compute_dataset.using(priority=AWAITED).enqueue(dataset_id)
            else:
                Dataset.objects.filter(pk=dataset.pk).update(is_synchronous=False)
            return dataset
        waiting = Dataset.objects.waiting().exclude(pk=dataset.pk).count()
        if not is_synchronous and waiting >= settings.MAX_QUEUE:
            raise QueueFull(settings.MAX_QUEUE)
        dataset.server, dataset.request = identity.prefix(), request_id.current.get()
        dataset.name = (file.name or "")[:255]
        dataset.archive, dataset.archive_size, dataset.revision = "", file.size or 0, ""
        taken = {"first": first, "limit": limit, "signature": pipeline.signature, **facts}
        dataset.expected, dataset.intake = expected, taken
        describe(dataset, pipeline)
        _reset(dataset, is_synchronous=is_synchronous)
        dataset.beat_while_stored()
    try:
        dataset.remove_local_files()
        with busy_flag.beating(dataset.beat_while_stored):
            dataset.store_archive(file, archive_name)
            dataset.store_files()
        dataset.save(update_fields=["archive"])
        deliver_new(dataset)
    except NotStored:
        raise NotFound("This dataset was deleted while it came in: send it again.", code="dataset-unknown") from None
    except Exception as error:
        # A queued dataset without a task would never end, nor could it be sent again.
        refused = outages.api_error(error) or ServerError("The server could not take the upload; its log says why.")
        outages.insist(lambda: dataset.fail(refused, keep_archive=False), wait_seconds=_RECORD_SECONDS)
        raise
    return dataset


def _is_underway(dataset: Dataset) -> bool:
    """Whether it is queued, or being computed, by processes that live."""
    if dataset.status not in (Status.QUEUED, Status.PROCESSING):
        return False
    return not Dataset.objects.never_stored().filter(pk=dataset.pk).exists()


def _reset(dataset: Dataset, *, is_synchronous: bool) -> None:
    dataset.status, dataset.stage, dataset.progress = Status.QUEUED, "", 0.0
    dataset.error, dataset.error_kind, dataset.error_code, dataset.error_params = "", "", "", {}
    dataset.is_synchronous, dataset.attempts = is_synchronous, 0
    dataset.created_at, dataset.started_at, dataset.finished_at = timezone.now(), None, None
    dataset.files = {}
    dataset.save()


def _wait(dataset: Dataset) -> Dataset:
    began = timezone.now()
    while True:
        try:
            dataset.refresh_from_db()
        except Dataset.DoesNotExist:
            sentence = "The dataset was deleted while it was being computed."
            raise Conflict(sentence, code="dataset-deleted") from None
        if dataset.status == Status.READY:
            return dataset
        if dataset.status == Status.FAILED:
            about = reverse("dataset-report", args=[dataset.hash]) if dataset.has_result("report") else ""
            raise dataset.failure(about)
        if dataset.status == Status.QUEUED and worker_readiness.has_failed():
            dataset.fail(Unavailable(worker_readiness.NOT_PREPARED))
        patient = timezone.now() - began < _WORKER_MAY_BE_AWAY
        if dataset.status == Status.QUEUED and not patient and WorkerState.objects.current() is None:
            if not dataset.is_synchronous:  # it was in the queue before this client came, and may stay there
                raise ServerError(_NO_WORKER, code="no-worker")
            dataset.fail(ServerError(_NO_WORKER, code="no-worker"))
        if Dataset.objects.filter(pk=dataset.pk).stale().requeue_or_fail(WORKER_DIED):
            dataset.refresh_from_db()
            if dataset.status == Status.QUEUED:
                deliver(dataset)
        time.sleep(_POLL_SECONDS)


_NO_WORKER = "No worker is running, so nothing can be computed. Try again later."
WORKER_DIED = "The worker died while it computed this upload. Nothing is lost: send it again."
SERVICE_DIED = "The service was stopped while it computed this upload. Nothing is lost: send it again."
