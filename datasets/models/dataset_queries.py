"""Which uploads: by status, in the queue, abandoned, of an id."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Now

from datasets.errors import NotFound, ServerError

if TYPE_CHECKING:
    from .dataset import Dataset

STALE_AFTER = timedelta(seconds=15)
"""By the database's clock, which all hosts share. A dataset whose worker gave no sign of life for so long is given up.
Its thread beats every second, but numba's compiled loops hold the interpreter for a few."""

AT_ONCE = 1000
"""Pictures that the worker computes at a time; an upload of more is computed by a process beside it."""


class Status(models.TextChoices):
    QUEUED = "queued", "queued"
    PROCESSING = "processing", "processing"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


_ID = re.compile("[0-9a-f]{32}")


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def ready(self) -> Self:
        return self.filter(status=Status.READY)

    def brief(self) -> Self:
        """Without the columns that only the whole account of a dataset needs, and that may be long."""
        return self.defer("skipped", "versions")

    def known(self, dataset_id: str) -> "Dataset":
        """The dataset of this id, whatever its status, in brief. Raises `NotFound`."""
        dataset = self.brief().filter(hash=dataset_id).first() if _ID.fullmatch(dataset_id) else None
        if dataset is None:
            raise NotFound("There is no dataset of this id.", code="dataset-unknown")
        return dataset

    def readable(self, dataset_id: str) -> "Dataset":
        """The same where it is ready. Raises `NotFound`."""
        dataset = self.known(dataset_id)
        if dataset.status != Status.READY:
            raise dataset.not_there()
        return dataset

    def unfinished(self) -> Self:
        return self.filter(status__in=[Status.QUEUED, Status.PROCESSING])

    def stale(self) -> Self:
        """Taken by a worker that has not been heard of since."""
        return self.filter(status=Status.PROCESSING, beat_at__lt=Now() - STALE_AFTER)

    def queued(self) -> Self:
        return self.filter(status=Status.QUEUED)

    def waiting(self) -> Self:
        """In the queue, and no client holds its connection open for them."""
        return self.queued().filter(is_synchronous=False)

    def ready_to_compute(self) -> Self:
        """In the queue, without those whose archives are still being stored."""
        return self.queued().exclude(archive="")

    def large(self) -> Self:
        """Of more pictures than the worker takes."""
        return self.filter(expected__gt=AT_ONCE)

    def next_in_queue(self, preferred: str = "") -> "Dataset | None":
        """What to compute next: the preferred one if it is still queued, else what a client waits for, else the
        oldest."""
        order = Case(When(hash=preferred, then=0), default=1)
        small = self.ready_to_compute().filter(expected__lte=AT_ONCE)
        return small.order_by(order, "-is_synchronous", "created_at").first()

    def next_large(self) -> "Dataset | None":
        """The oldest of those in the queue that the worker does not take."""
        return self.ready_to_compute().large().order_by("created_at").first()

    def begun_by(self, prefix: str) -> Self:
        """Being computed by a worker whose name begins so."""
        return self.filter(status=Status.PROCESSING, worker__startswith=prefix)

    def left_by(self, server: str) -> Self:
        """What no one will finish or fetch once this server was killed: work that it began, clients that waited for
        it, and archives that it had not stored yet."""
        taken = Q(status=Status.QUEUED, server__in=[server, ""]) & (Q(is_synchronous=True) | Q(archive=""))
        return self.filter(Q(status=Status.PROCESSING, worker__startswith=server) | taken)

    def never_stored(self) -> Self:
        """Queued by a process that was to store their archives, and has not been heard of since."""
        return self.queued().filter(archive="", beat_at__lt=Now() - STALE_AFTER)

    def being_stored_by(self, server: str) -> Self:
        """Queued by this server, which has not stored their archives yet."""
        return self.queued().filter(archive="", server=server)

    def expired(self, age: timedelta) -> Self:
        """What ended longer ago than `age`."""
        return self.filter(finished_at__lt=Now() - age).exclude(status__in=[Status.QUEUED, Status.PROCESSING])

    def requeue_or_fail(self, reason: str) -> int:
        """Put back into the queue what nobody waits for, and mark the rest as failed through no fault of its archive,
        which is kept for another try. Returns the number of both."""
        return sum(self._requeue_or_fail(dataset, reason) for dataset in self)

    def _requeue_or_fail(self, dataset: "Dataset", reason: str) -> bool:
        with dataset.locked():
            # Whoever had the lock that was waited for may have shown that the worker lives.
            if not self.select_for_update().filter(pk=dataset.pk).exists():
                return False
            return dataset.requeue() or dataset.fail(ServerError(reason, code="worker-died"))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Files go with their rows, in bulk too."""
        deleted = [dataset.delete() for dataset in self]
        return len(deleted), {"datasets.Dataset": len(deleted)}

    # Django's own mark: without it the manager would have this too, and `Dataset.objects.delete()` would take all.
    delete.queryset_only = True  # type: ignore[attr-defined]
