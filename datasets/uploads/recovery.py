"""What a new start puts right after the last one was killed."""

import logging
import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from datasets.collection.response_cache import kept
from datasets.models import BusyFlag, Dataset, Status, WorkerState

from . import disk_space, partial_upload, tasks
from .intake import SERVICE_DIED, WORKER_DIED

logger = logging.getLogger(__name__)

_SILENT = timedelta(seconds=60)


def after_service_death() -> None:
    """For a start at which nothing else of the service runs: no flag is up rightly, no work is under way."""
    orphans = _sweep()  # first: on a full disk it makes room for the rest
    disk_space.insist(BusyFlag.objects.release)
    disk_space.insist(WorkerState.objects.all().delete)
    given_up = disk_space.insist(lambda: Dataset.objects.abandoned().requeue_or_fail(SERVICE_DIED))
    disk_space.insist(tasks.forget_calls)
    disk_space.insist(tasks.deliver_again)
    if given_up or orphans:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up, "files_swept": orphans}})


def after_worker_death(worker: str) -> None:
    """For the moment at which a worker process has been seen to end."""
    disk_space.insist(WorkerState.objects.filter(worker_id=worker).delete)
    given_up = requeue_work_of(worker)
    disk_space.insist(lambda: tasks.forget_calls(worker))
    disk_space.insist(tasks.deliver_again)
    if given_up:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def requeue_work_of(worker: str) -> int:
    """Queue again, or give up, what a process had begun that has been seen to end. Returns the number of both."""
    begun = Dataset.objects.filter(worker=worker, status=Status.PROCESSING)
    return disk_space.insist(lambda: begun.all().requeue_or_fail(WORKER_DIED))


def what_is_wrong(worker: str, pid: int) -> str:
    """Why a running worker is to be ended: silent for long, as one that was stopped or hangs, or too large."""
    silent_since = timezone.now() - _SILENT
    if WorkerState.objects.filter(worker_id=worker, beat_at__lt=silent_since).exists():
        return f"no sign of life for {_SILENT.seconds} s"
    used = memory_of(pid) // 2**20
    if used > settings.WORKER_MB:
        return f"it takes {used} MiB of memory, over the limit of {settings.WORKER_MB} MiB (WORKER_MB)"
    return ""


def memory_of(pid: int) -> int:
    """Bytes that a process has in memory beside files; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
    except OSError:
        return 0


def after_silence(worker: str) -> None:
    """For any time: what another worker than this one has begun, and gives no sign of life of. Where a supervisor sees
    it die, there is nothing left to do."""
    given_up = Dataset.objects.stale().exclude(worker=worker).requeue_or_fail(WORKER_DIED)
    if given_up:
        tasks.deliver_again()
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def _sweep() -> int:
    """Remove half-received uploads, and folders and kept answers that belong to no dataset.

    Uploads that come in parts go on.
    """
    partial_upload.delete_expired()
    half_received = [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*") if path.is_file()]
    for path in half_received:
        path.unlink(missing_ok=True)
    known = set(Dataset.objects.values_list("hash", flat=True))
    folders = [path for path in Path(default_storage.path("")).glob("*") if path.is_dir() and path.name not in known]
    if folders and not known:
        logger.warning("the database knows no dataset, but %s is not empty: left as it is", default_storage.path(""))
        return len(half_received)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for owner in set(kept().owners("dataset")) - known:
        kept().forget("dataset", owner)
    return len(half_received) + len(folders)
