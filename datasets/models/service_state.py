"""Rows that say what the service does now: the busy flag, and the worker's last sign of life."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone

from .dataset_queries import STALE_AFTER


class BusyFlagQuerySet(models.QuerySet["BusyFlag"]):
    def is_up(self) -> bool:
        return self.filter(expires_at__gt=timezone.now()).exists()

    def claim(self, holder: str, lifetime: timedelta) -> bool:
        """Raise the flag, unless someone holds it: one statement, so that of two takers one fails."""
        now = timezone.now()
        self.get_or_create(pk=1, defaults={"expires_at": now})
        free = self.filter(pk=1, expires_at__lte=now)
        return bool(free.update(holder=holder, taken_at=now, expires_at=now + lifetime))

    def renew(self, holder: str, lifetime: timedelta) -> bool:
        return bool(self.filter(pk=1, holder=holder).update(expires_at=timezone.now() + lifetime))

    def release(self, holder: str | None = None) -> None:
        """Lower the flag; without a holder's name, whoever holds it."""
        held = self.filter(pk=1) if holder is None else self.filter(pk=1, holder=holder)
        held.update(holder="", expires_at=timezone.now())


class BusyFlag(models.Model):
    """One row: up while a client waits for its upload. It falls by itself when its holder stops renewing it."""

    holder = models.CharField(max_length=64, blank=True, editable=False)
    taken_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(editable=False)

    objects = BusyFlagQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "busy flag"

    def __str__(self) -> str:
        return "busy" if self.is_up else "free"

    @property
    def is_up(self) -> bool:
        return self.expires_at > timezone.now()


class WorkerStateQuerySet(models.QuerySet["WorkerState"]):
    def beat(self, worker_id: str, **facts: Any) -> None:
        self.update_or_create(pk=1, defaults={"worker_id": worker_id, "beat_at": timezone.now(), **facts})

    def current(self) -> "WorkerState | None":
        """The worker, if it has been heard of lately."""
        return self.filter(pk=1, beat_at__gt=timezone.now() - STALE_AFTER).first()


class WorkerState(models.Model):
    """One row: the worker's last sign of life, and what it computes with once it is warm."""

    worker_id = models.CharField("identity", max_length=32, editable=False)
    beat_at = models.DateTimeField(editable=False)
    ready = models.BooleanField(default=False, editable=False)
    engine = models.CharField(max_length=200, blank=True, editable=False)

    objects = WorkerStateQuerySet.as_manager()

    class Meta:
        verbose_name = "worker"

    def __str__(self) -> str:
        return self.engine or "warming up"
