"""Rows that say what the service does now: the busy flag, and each worker's last sign of life.

All times are the database's, whose clock the servers share.
"""

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from .dataset_queries import STALE_AFTER

_FORGET_AFTER = timedelta(days=1)


class BusyFlagQuerySet(models.QuerySet["BusyFlag"]):
    def is_up(self) -> bool:
        return self.filter(expires_at__gt=Now()).exists()

    def claim(self, holder: str, lifetime: timedelta) -> bool:
        """Raise the flag, unless someone holds it: one statement, so that of two takers one fails."""
        self.get_or_create(pk=1, defaults={"expires_at": Now()})
        free = self.filter(pk=1, expires_at__lte=Now())
        return bool(free.update(holder=holder, taken_at=Now(), expires_at=Now() + lifetime))

    def renew(self, holder: str, lifetime: timedelta) -> bool:
        return bool(self.filter(pk=1, holder=holder).update(expires_at=Now() + lifetime))

    def release(self, holder: str = "") -> None:
        """Lower the flag, where the name of who holds it begins so."""
        self.filter(pk=1, holder__startswith=holder).update(holder="", expires_at=Now())


class BusyFlag(models.Model):
    """One row: up while a client waits for its upload. It falls by itself when its holder stops renewing it."""

    holder = models.CharField(max_length=64, blank=True, editable=False)
    taken_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(editable=False)

    objects = BusyFlagQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "busy flag"

    def __str__(self) -> str:
        return "busy flag"


class WorkerStateQuerySet(models.QuerySet["WorkerState"]):
    def beat(self, worker_id: str, **facts: Any) -> None:
        """The worker lives, and these facts of it are so now."""
        self.update_or_create(worker_id=worker_id, defaults={"beat_at": Now(), **facts})

    def alive(self) -> Self:
        """Those that have been heard of lately."""
        return self.filter(beat_at__gt=Now() - STALE_AFTER)

    def silent(self, seconds: float) -> Self:
        return self.filter(beat_at__lt=Now() - timedelta(seconds=seconds))

    def current(self) -> "WorkerState | None":
        """The worker that speaks for all: one that is ready, else one that has told what it does."""
        return self.alive().order_by("-ready", "-engine", "-beat_at").first()

    def forget_dead(self) -> None:
        """Those of which nothing has been heard for a day."""
        self.filter(beat_at__lt=Now() - _FORGET_AFTER).delete()


class WorkerState(models.Model):
    """A worker's last sign of life, and what it computes with once it is warm."""

    worker_id = models.CharField("identity", max_length=32, unique=True, editable=False)
    """See `wwzd.identity`."""
    beat_at = models.DateTimeField(editable=False)
    ready = models.BooleanField(default=False, editable=False)
    engine = models.CharField(max_length=200, blank=True, editable=False)

    objects = WorkerStateQuerySet.as_manager()

    class Meta:
        verbose_name = "worker"
        ordering = ("-beat_at",)

    def __str__(self) -> str:
        return self.engine or "warming up"
