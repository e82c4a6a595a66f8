"""What is put right after a process was killed: what it had begun is queued again, or given up.

A server knows which of its own processes are dead. Of others it knows only when their heartbeats stop.
"""

import logging
import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from datasets.collection.response_cache import kept
from datasets.errors import ServerError
from datasets.models import DATASETS, BusyFlag, Dataset, DerivedResult, StoredFolder, WorkerState
from datasets.storage.objects import is_used
from wwzd import identity

from . import outages, partial_upload, tasks
from .intake import SERVICE_DIED, WORKER_DIED

logger = logging.getLogger(__name__)

_SILENT_SECONDS = 60
_WRITTEN_WITHIN = timedelta(days=1)
"""What was stored that long ago, and no row speaks of, was left behind: a large catalogue takes hours to be stored."""
# A database that is away is not waited for: who calls these calls them again, and has other processes to look after.
_insist = partial(outages.insist, wait_seconds=0)

PROCESS_DIED = ServerError("The process that computed it died, and again when it was begun anew.", code="worker-died")


def after_service_death() -> None:
    """For a start at which nothing else of this server runs: no flag of its own is up rightly, no work of its own is
    under way."""
    orphans = _sweep()  # first: on a full disk it makes room for the rest
    server = identity.prefix()
    _insist(lambda: BusyFlag.objects.release(server))
    _insist(lambda: WorkerState.objects.filter(worker_id__startswith=server).delete())
    _insist(WorkerState.objects.forget_dead)
    given_up = _insist(lambda: Dataset.objects.left_by(server).requeue_or_fail(SERVICE_DIED))
    _insist(lambda: DerivedResult.objects.begun_by(server).requeue_or_fail(PROCESS_DIED))
    _insist(lambda: tasks.forget_calls(server))
    _insist(tasks.deliver_lost)
    if given_up or orphans:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up, "files_swept": orphans}})


def after_worker_death(worker: str) -> None:
    """For the moment at which a worker process has been seen to end."""
    _insist(WorkerState.objects.filter(worker_id=worker).delete)
    given_up = requeue_work_of(worker)  # and of the process beside it, whose name begins as its own
    _insist(lambda: tasks.forget_calls(worker))
    _insist(tasks.deliver_lost)
    if given_up:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def after_web_death(web: str) -> None:
    """For the moment at which the web process has been seen to end: what it was storing will never be there, and of
    what it had stored the call may not have been sent."""
    _insist(lambda: Dataset.objects.being_stored_by(identity.prefix()).requeue_or_fail(SERVICE_DIED))
    _insist(tasks.deliver_lost)


def requeue_work_of(prefix: str) -> int:
    """Queue again, or give up, what a process had begun that has been seen to end. Returns the number of both."""
    _insist(lambda: DerivedResult.objects.begun_by(prefix).requeue_or_fail(PROCESS_DIED))
    return _insist(lambda: Dataset.objects.begun_by(prefix).requeue_or_fail(WORKER_DIED))


def what_is_wrong(worker: str, pid: int) -> str:
    """Why a running worker is to be ended: silent for long, as one that was stopped or hangs, or too large."""
    outages.leave_broken_connection()
    if WorkerState.objects.filter(worker_id=worker).silent(_SILENT_SECONDS).exists():
        return f"no sign of life for {_SILENT_SECONDS} s"
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
    """For any time: what another worker than this one has begun, and gives no sign of life of, and what another server
    never stored. Where a supervisor sees it die, there is nothing left to do."""
    stale = Dataset.objects.stale().exclude(worker__startswith=worker)
    given_up = stale.requeue_or_fail(WORKER_DIED) + Dataset.objects.never_stored().requeue_or_fail(SERVICE_DIED)
    tasks.give_up_silent_calls()
    tasks.deliver_lost()
    if given_up:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def sweep_store() -> None:
    """Remove from the object store what no row speaks of: a process that was killed has left it."""
    if not is_used():
        return
    uploads = set(Dataset.objects.values_list("hash", flat=True))
    old = StoredFolder.objects.named(DATASETS).filter(changed_at__lt=Now() - _WRITTEN_WITHIN)
    for name in old.values_list("name", flat=True):
        if name.partition("/")[2] not in uploads:
            StoredFolder.objects.discard(name)
    StoredFolder.objects.remove_unknown(_WRITTEN_WITHIN)


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
