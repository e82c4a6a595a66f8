"""The web process's side of an upload: take the archive, queue it, wait for the worker."""

import time
from datetime import timedelta

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from . import busy, compute
from .archive import Archive
from .errors import Refusal
from .ingest import identify
from .models import Dataset, Status, WorkerState
from .tasks import compute_dataset

_POLL_SECONDS = 0.05
_WORKER_MAY_BE_AWAY = timedelta(seconds=60)


def receive(file: "UploadedFile[bytes]") -> Dataset:
    """An archive → its ready dataset: at once if it has been here before, else when the worker is done with it.

    Raises `Refusal` for an archive that is no good, and `Busy` while another upload is awaited.
    """
    identity = identify(file, compute.pipeline())
    known = Dataset.objects.ready().filter(hash=identity).first()
    if known is not None and default_storage.exists(known.tilemap.name or ""):
        return known
    Archive(file, compute.limits())
    with busy.hold():
        return _wait(_queue(identity, file))


def retry(dataset: Dataset) -> bool:
    """Queue a failed dataset again, with the archive that was kept. No client waits for it."""
    if not dataset.can_be_retried:
        return False
    _reset(dataset, awaited=False)
    compute_dataset.enqueue(dataset.hash)
    return True


def _queue(identity: str, file: "UploadedFile[bytes]") -> Dataset:
    dataset, created = Dataset.objects.get_or_create(hash=identity, defaults={"awaited": True})
    if not created and dataset.status in (Status.QUEUED, Status.PROCESSING):
        return dataset  # an administrator's retry of the same archive: its end is awaited, not a second beginning
    dataset.remove_files()
    dataset.name = (file.name or "")[:255]
    dataset.archive_size = file.size or 0
    _reset(dataset, awaited=True)
    dataset.store("archive", "archive.zip", file)
    dataset.save(update_fields=["archive"])
    compute_dataset.enqueue(identity)
    return dataset


def _reset(dataset: Dataset, *, awaited: bool) -> None:
    dataset.status, dataset.stage, dataset.progress = Status.QUEUED, "", 0.0
    dataset.error, dataset.error_status, dataset.awaited = "", 0, awaited
    dataset.created_at, dataset.started_at, dataset.finished_at = timezone.now(), None, None
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
            raise Refusal(dataset.error, dataset.error_status)
        patient = timezone.now() - began < _WORKER_MAY_BE_AWAY
        if dataset.status == Status.QUEUED and not patient and WorkerState.objects.current() is None:
            dataset.fail("No worker is running, so nothing can be computed. Try again later.", status=500)
        Dataset.objects.filter(pk=dataset.pk).stale().give_up(WORKER_DIED)
        time.sleep(_POLL_SECONDS)


WORKER_DIED = "The worker died while it computed this upload. Nothing is lost: send it again."
SERVICE_DIED = "The service was stopped while it computed this upload. Nothing is lost: send it again."
