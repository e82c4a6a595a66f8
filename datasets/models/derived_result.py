"""What is still to be computed of a collection beside what an upload or a build computes: a row each, while it waits,
runs, or after it failed. What is ready has no row: its files in the collection's folder say so."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from datasets.errors import ApiError

from .dataset_queries import STALE_AFTER, Status

ATTEMPTS = 3
"""How often the work may be begun: what brings its process down each time is given up."""


class DerivedResultQuerySet(models.QuerySet["DerivedResult"]):
    def of(self, collection: str, kind: str) -> Self:
        return self.filter(collection=collection, kind=kind)

    def wanted(self, collection: str, kind: str) -> Self:
        """What is on its way."""
        return self.of(collection, kind).exclude(status=Status.FAILED)

    def queued(self) -> Self:
        return self.filter(status=Status.QUEUED)

    def begun(self) -> Self:
        return self.filter(status=Status.PROCESSING)

    def begun_by(self, prefix: str) -> Self:
        """Being computed by a process whose name begins so."""
        return self.begun().filter(worker__startswith=prefix)

    def stale(self) -> Self:
        """Begun by a process that has not been heard of since."""
        return self.begun().filter(beat_at__lt=Now() - STALE_AFTER)

    def next_in_queue(self) -> "DerivedResult | None":
        return self.queued().order_by("created_at", "pk").first()

    def requeue_or_fail(self, error: ApiError) -> int:
        """Queue again what was begun and did not end, but not for ever. Returns the number of both."""
        again = self.filter(attempts__lt=ATTEMPTS).update(
            status=Status.QUEUED, stage="", progress=0, worker="", beat_at=None
        )
        return again + sum(row.fail(error) for row in self.filter(attempts__gte=ATTEMPTS))


class DerivedResult(models.Model):
    """One further result of a collection."""

    collection = models.CharField(max_length=64, editable=False)
    """The id of an upload, or the name of a catalogue's folder."""
    kind = models.CharField(max_length=20, editable=False)
    """Of `datasets.derived.kinds.KINDS`."""
    name = models.CharField(max_length=80, editable=False)
    """Tells it from others of its kind."""
    parameters = models.JSONField(default=dict, editable=False)

    STATUSES: ClassVar = [Status.QUEUED, Status.PROCESSING, Status.FAILED]
    status = models.CharField(
        max_length=10,
        choices=[(status.value, status.label) for status in STATUSES],
        default=Status.QUEUED,
        editable=False,
    )
    stage = models.CharField(max_length=40, blank=True, editable=False)
    progress = models.FloatField(default=0, editable=False, help_text="0 … 1, of the whole way")
    error = models.TextField(blank=True, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    worker = models.CharField(max_length=32, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    beat_at = models.DateTimeField(null=True, editable=False)

    objects = DerivedResultQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=["collection", "kind", "name"], name="derived_result_is_computed_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.collection}"

    @property
    def running_for(self) -> timedelta | None:
        """Since the work was begun, while it goes on."""
        return timezone.now() - self.started_at if self.started_at and self.status == Status.PROCESSING else None

    def claim(self, worker: str) -> bool:
        """Begin the work, unless another process has begun it or nobody wants it any more."""
        claimed = DerivedResult.objects.queued().filter(pk=self.pk)
        if not claimed.update(
            status=Status.PROCESSING, worker=worker, attempts=F("attempts") + 1, started_at=Now(), beat_at=Now()
        ):
            return False
        self.refresh_from_db()
        return True

    def beat(self, stage: str, progress: float) -> bool:
        """Tell how far the work is, and that it goes on. False: it is not wanted any more."""
        return bool(self._mine().update(beat_at=Now(), stage=stage, progress=progress))

    def finish(self) -> None:
        """What was computed speaks for itself."""
        self._mine().delete()

    def fail(self, error: ApiError) -> bool:
        """Keep the reason, until someone asks for the result again. False where another process has it meanwhile."""
        return bool(self._unfinished().update(status=Status.FAILED, stage="", error=str(error), error_code=error.code))

    def _unfinished(self) -> Any:
        unfinished = [Status.QUEUED, Status.PROCESSING]
        return DerivedResult.objects.filter(pk=self.pk, worker=self.worker, status__in=unfinished)

    def _mine(self) -> Any:
        return DerivedResult.objects.begun().filter(pk=self.pk, worker=self.worker)
