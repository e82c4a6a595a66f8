"""What a new start puts right after the last one was killed."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from .http.answers import kept
from .models import BusyFlag, Dataset, Status, WorkerState
from .uploads import SERVICE_DIED, WORKER_DIED, enqueue_again

logger = logging.getLogger(__name__)


def after_service_death() -> None:
    """For a start at which nothing else of the service runs: no flag is up rightly, no work is under way."""
    BusyFlag.objects.release()
    WorkerState.objects.all().delete()
    given_up = Dataset.objects.abandoned().give_up(SERVICE_DIED)
    _mend_queue(lambda task: True)
    orphans = _sweep()
    if given_up or orphans:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up, "files_swept": orphans}})


def after_worker_death(worker: str) -> None:
    """For the moment at which a worker process has been seen to end."""
    WorkerState.objects.filter(identity=worker).delete()
    given_up = Dataset.objects.filter(worker=worker, status=Status.PROCESSING).give_up(WORKER_DIED)
    _mend_queue(lambda task: worker in task.worker_ids)
    if given_up:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def after_silence(worker: str) -> None:
    """For any time: what another worker than this one has begun, and gives no sign of life of. Where a supervisor sees
    it die, there is nothing left to do."""
    given_up = Dataset.objects.stale().exclude(worker=worker).give_up(WORKER_DIED)
    if given_up:
        _mend_queue(lambda task: worker not in task.worker_ids)
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def _mend_queue(is_dead: Callable[[Any], bool]) -> None:
    """The queue's library leaves a killed worker's task "running" for ever, and keeps all that ended.

    `is_dead` tells whether a running task's worker is gone. In the end each queued dataset has a task.
    """
    unfinished = set(Dataset.objects.unfinished().values_list("hash", flat=True))
    tasks: set[str] = set()
    for task in DBTaskResult.objects.all():
        identity = next(iter(task.args_kwargs["args"]), None)
        if identity not in unfinished or (task.status == TaskResultStatus.RUNNING and is_dead(task)):
            task.delete()
        else:
            tasks.add(identity)
    # Those too that a client waits for: a worker may die between taking a task and beginning its dataset.
    for dataset in Dataset.objects.queued().exclude(archive="").exclude(hash__in=tasks).order_by("created_at"):
        enqueue_again(dataset)


def _sweep() -> int:
    """Remove half-received uploads, and folders and kept answers that belong to no dataset."""
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
