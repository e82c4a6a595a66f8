"""The calls that the queue's library delivers to the worker: compute what is queued.

The rows of `Dataset` are the queue: their status says what waits and what runs, and a worker takes a row by one atomic
statement (`Dataset.claim`), its lease, which its heartbeats renew. The library's tasks say only that there is something
to compute, so none of them has to agree with a row: one too many finds nothing to do, and for a lost one
`deliver_lost` sends another.
"""

from django.conf import settings
from django.db.models.functions import Now
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from datasets.models import Dataset, Status, WorkerState
from wwzd import identity

from . import processing
from .watchdog import watchdog

WORKER = identity.worker_name()

AWAITED, BEFORE_OTHERS = 50, 10
"""Priorities of calls; what is sent to be computed some time has 0."""
_BEGIN_SECONDS = 60


@task()
def compute_dataset(dataset_id: str) -> None:
    """Compute one queued dataset: this one, or the next one if it is gone, done or begun already."""
    with watchdog.expecting(_BEGIN_SECONDS, f"dataset {dataset_id}"):
        dataset = Dataset.objects.next_in_queue(dataset_id)
        if dataset is not None:
            processing.process(dataset, WORKER)
            if dataset.status == Status.QUEUED:
                deliver(dataset)


def deliver(dataset: Dataset) -> None:
    """Have a queued dataset computed that has waited already."""
    if dataset.is_large:
        return  # the process beside the worker finds it
    compute_dataset.using(priority=AWAITED if dataset.is_synchronous else BEFORE_OTHERS).enqueue(dataset.hash)


def deliver_new(dataset: Dataset) -> None:
    """Have a dataset computed that has just been queued."""
    if dataset.is_large and settings.TASKS_BACKEND == "immediate":
        processing.process(dataset, WORKER)
    elif not dataset.is_large:
        task = compute_dataset.using(priority=AWAITED) if dataset.is_synchronous else compute_dataset
        task.enqueue(dataset.hash)


def deliver_lost() -> None:
    """Have all that is queued computed of which no call is on its way: who was to send it was killed, or who had it."""
    calls = DBTaskResult.objects.filter(task_path=compute_dataset.module_path)
    underway = calls.filter(status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING])
    called = {call["args"][0] for call in underway.values_list("args_kwargs", flat=True)}
    for dataset in Dataset.objects.ready_to_compute().exclude(hash__in=called).order_by("created_at"):
        deliver(dataset)


def give_up_silent_calls() -> None:
    """End the records of calls whose workers have not been heard of lately. They stay: a worker that comes back finds
    the one that it works on."""
    alive = set(WorkerState.objects.alive().values_list("worker_id", flat=True))
    for record in DBTaskResult.objects.running():
        if alive.isdisjoint(record.worker_ids[-1:]):
            lost = DBTaskResult.objects.running().filter(pk=record.pk)
            lost.update(status=TaskResultStatus.FAILED, finished_at=Now())


def forget_calls(prefix: str) -> None:
    """Delete the records of calls that dead workers had begun, whose names begin so: for the library they run for
    ever."""
    for record in DBTaskResult.objects.running():
        if any(worker.startswith(prefix) for worker in record.worker_ids):
            record.delete()
