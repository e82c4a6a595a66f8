"""The web process's side of an upload: take the archive, queue it, wait for the worker."""

import time
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from embeddings.pipeline import Pipeline

from . import busy, compute
from .archive import Archive
from .errors import QueueFull, Refusal
from .ingest import describe, identify
from .listing import address
from .models import RESULTS, Dataset, Status, WorkerState
from .tasks import compute_dataset
from .tilemap import CAPACITY

_AWAITED, _BEFORE_OTHERS = 50, 10
"""Priorities in the queue; what is sent to be computed some time has 0."""
_POLL_SECONDS = 0.05
_WORKER_MAY_BE_AWAY = timedelta(seconds=60)


def receive(file: "UploadedFile[bytes]") -> Dataset:
    """An archive → its ready dataset: at once if it has been here before, else when the worker is done with it.

    Of the uploads that wait for nobody, one that is being computed is finished first; the queued ones stand back.
    Raises `Refusal` for an archive that is no good, and `Busy` while another upload is awaited.
    """
    pipeline = compute.pipeline()
    identity = identify(file, pipeline)
    if known := _known(identity):
        return known
    expected = _expected(file)
    with busy.hold():
        return _wait(_queue(identity, file, expected, pipeline, awaited=True))


def accept(file: "UploadedFile[bytes]") -> Dataset:
    """An archive → its dataset, ready if it has been here before, else queued: the worker takes one after the other.

    Raises `Refusal` for an archive that is no good, and `QueueFull`. The busy flag is neither heeded nor raised.
    """
    pipeline = compute.pipeline()
    identity = identify(file, pipeline)
    if known := _known(identity):
        return known
    dataset = _queue(identity, file, _expected(file), pipeline, awaited=False)
    dataset.refresh_from_db()
    return dataset


def retry(dataset: Dataset) -> bool:
    """Queue a failed dataset again, with the archive that was kept. No client waits for it."""
    if not dataset.can_be_retried:
        return False
    _reset(dataset, awaited=False)
    compute_dataset.enqueue(dataset.hash)
    return True


def enqueue_again(dataset: Dataset) -> None:
    """For a queued dataset whose task was lost: it has waited already."""
    compute_dataset.using(priority=_AWAITED if dataset.awaited else _BEFORE_OTHERS).enqueue(dataset.hash)


def _known(identity: str) -> Dataset | None:
    known = Dataset.objects.ready().filter(hash=identity).first()
    return known if known is not None and default_storage.exists(known.tilemap.name or "") else None


def _expected(file: "UploadedFile[bytes]") -> int:
    """How many pictures there may be. Raises `Refusal`."""
    return min(len(Archive(file, compute.limits()).names), CAPACITY)


def _queue(identity: str, file: "UploadedFile[bytes]", expected: int, pipeline: Pipeline, *, awaited: bool) -> Dataset:
    task = compute_dataset.using(priority=_AWAITED) if awaited else compute_dataset
    with transaction.atomic():
        dataset, created = Dataset.objects.get_or_create(hash=identity, defaults={"awaited": awaited})
        if not created and dataset.status in (Status.QUEUED, Status.PROCESSING):
            # Its end is awaited, not a second beginning; the first to be done with it is done for both.
            if awaited:
                task.enqueue(identity)
            else:
                Dataset.objects.filter(pk=dataset.pk).update(awaited=False)
            return dataset
        waiting = Dataset.objects.waiting().exclude(pk=dataset.pk).count()
        if not awaited and waiting >= settings.MAX_QUEUE:
            raise QueueFull(settings.MAX_QUEUE)
        dataset.name = (file.name or "")[:255]
        dataset.archive, dataset.archive_size = "", file.size or 0
        dataset.expected = expected
        describe(dataset, pipeline)
        _reset(dataset, awaited=awaited)
    dataset.remove_files()
    dataset.store("archive", "archive.zip", file)
    dataset.save(update_fields=["archive"])
    task.enqueue(identity)
    return dataset


def _reset(dataset: Dataset, *, awaited: bool) -> None:
    dataset.status, dataset.stage, dataset.progress = Status.QUEUED, "", 0.0
    dataset.error, dataset.error_status, dataset.awaited, dataset.attempts = "", 0, awaited, 0
    dataset.created_at, dataset.started_at, dataset.finished_at = timezone.now(), None, None
    for result in RESULTS:
        setattr(dataset, result, "")
    dataset.save()


def _wait(dataset: Dataset) -> Dataset:
    began = timezone.now()
    while True:
        try:
            dataset.refresh_from_db()
        except Dataset.DoesNotExist:
            raise Refusal("The dataset was deleted while it was being computed.", 409) from None
        if dataset.status == Status.READY:
            return dataset
        if dataset.status == Status.FAILED:
            about = f"{address(dataset)}/report" if dataset.has("report") else ""
            raise Refusal(dataset.error, dataset.error_status, about=about)
        patient = timezone.now() - began < _WORKER_MAY_BE_AWAY
        if dataset.status == Status.QUEUED and not patient and WorkerState.objects.current() is None:
            if not dataset.awaited:  # it was in the queue before this client came, and may stay there
                raise Refusal(_NO_WORKER, 500)
            dataset.fail(_NO_WORKER, status=500)
        if Dataset.objects.filter(pk=dataset.pk).stale().give_up(WORKER_DIED):
            dataset.refresh_from_db()
            if dataset.status == Status.QUEUED:
                enqueue_again(dataset)
        time.sleep(_POLL_SECONDS)


_NO_WORKER = "No worker is running, so nothing can be computed. Try again later."
WORKER_DIED = "The worker died while it computed this upload. Nothing is lost: send it again."
SERVICE_DIED = "The service was stopped while it computed this upload. Nothing is lost: send it again."
