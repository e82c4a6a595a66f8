"""What a new start puts right after the last one was killed."""

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django_tasks_db.models import DBTaskResult

from .http.answers import kept
from .models import BusyFlag, Dataset, Status, WorkerState
from .uploads import SERVICE_DIED, WORKER_DIED

logger = logging.getLogger(__name__)


def after_service_death() -> None:
    """For a start at which nothing else of the service runs: no flag is up rightly, no work is under way."""
    BusyFlag.objects.release()
    WorkerState.objects.all().delete()
    given_up = Dataset.objects.abandoned().give_up(SERVICE_DIED)
    _drop_dead_tasks()
    orphans = _sweep()
    if given_up or orphans:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up, "files_swept": orphans}})


def after_worker_death(worker: str) -> None:
    """For the moment at which a worker process has been seen to end."""
    WorkerState.objects.filter(identity=worker).delete()
    given_up = Dataset.objects.filter(worker=worker, status=Status.PROCESSING).give_up(WORKER_DIED)
    _drop_dead_tasks()
    if given_up:
        logger.warning("recovered", extra={"facts": {"datasets_given_up": given_up}})


def _drop_dead_tasks() -> None:
    """The queue's library leaves a killed worker's task "running" for ever, and keeps all that ended."""
    unfinished = Dataset.objects.unfinished().values_list("hash", flat=True)
    for task in DBTaskResult.objects.all():
        if task.args_kwargs["args"][:1] and task.args_kwargs["args"][0] not in unfinished:
            task.delete()


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
