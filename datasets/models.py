"""What the database knows: every upload, the busy flag, and the worker's last sign of life."""

import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from embeddings.vectors import Vectors

from .errors import NotThere

ATTEMPTS = 3
"""How often the work on an upload may be begun that nobody holds a connection open for. One that brings its worker down
each time is given up, or it would do so for ever."""

STALE_AFTER = timedelta(seconds=15)
"""A dataset whose worker gave no sign of life for so long is given up. Its thread beats every second, but numba's
compiled loops hold the interpreter for a few."""


class Status(models.TextChoices):
    QUEUED = "queued", "queued"
    PROCESSING = "processing", "processing"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


_ID = re.compile("[0-9a-f]{32}")


def _place(dataset: "Dataset", filename: str) -> str:
    return f"{dataset.hash}/{filename}"


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def ready(self) -> Self:
        return self.filter(status=Status.READY)

    def brief(self) -> Self:
        """Without the columns that only the whole account of a dataset needs, and that may be long."""
        return self.defer("names", "skipped", "versions")

    def known(self, identity: str) -> "Dataset":
        """The dataset of this id, whatever its status, in brief. Raises `NotThere`."""
        dataset = self.brief().filter(hash=identity).first() if _ID.fullmatch(identity) else None
        if dataset is None:
            raise NotThere("There is no dataset of this id.")
        return dataset

    def readable(self, identity: str) -> "Dataset":
        """The same where it is ready. Raises `NotThere`."""
        dataset = self.known(identity)
        if dataset.status != Status.READY:
            raise NotThere(dataset.why_not_there)
        return dataset

    def unfinished(self) -> Self:
        return self.filter(status__in=[Status.QUEUED, Status.PROCESSING])

    def stale(self) -> Self:
        """Taken by a worker that has not been heard of since."""
        return self.filter(status=Status.PROCESSING, beat_at__lt=timezone.now() - STALE_AFTER)

    def queued(self) -> Self:
        return self.filter(status=Status.QUEUED)

    def waiting(self) -> Self:
        """In the queue, and no client holds its connection open for them."""
        return self.queued().filter(awaited=False)

    def abandoned(self) -> Self:
        """What no one will finish or fetch once the whole service was killed: work begun, clients waited for, and
        archives that had not been stored yet."""
        return self.filter(Q(status=Status.PROCESSING) | Q(status=Status.QUEUED) & (Q(awaited=True) | Q(archive="")))

    def expired(self, age: timedelta) -> Self:
        """What ended longer ago than `age`."""
        return self.filter(finished_at__lt=timezone.now() - age).exclude(status__in=[Status.QUEUED, Status.PROCESSING])

    def give_up(self, reason: str) -> int:
        """Put back into the queue what nobody waits for, and mark the rest as failed through no fault of its archive,
        which is kept for another try. Returns the number of both."""
        return sum(dataset.put_back() or dataset.fail(reason, status=500) for dataset in self)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Files go with their rows, in bulk too."""
        deleted = [dataset.delete() for dataset in self]
        return len(deleted), {"datasets.Dataset": len(deleted)}

    # Django's own mark: without it the manager would have this too, and `Dataset.objects.delete()` would take all.
    delete.queryset_only = True  # type: ignore[attr-defined]


class Dataset(models.Model):
    """One upload: its archive, what was made of it, and how that went."""

    hash = models.CharField("id", max_length=32, unique=True, editable=False)
    name = models.CharField("archive's name", max_length=255, editable=False)
    archive_size = models.PositiveBigIntegerField("archive's size", default=0, editable=False)

    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED, editable=False, db_index=True)
    stage = models.CharField(max_length=20, blank=True, editable=False)
    progress = models.FloatField(default=0, editable=False, help_text="0 … 1, of the whole way")
    error = models.TextField(blank=True, editable=False)
    error_status = models.PositiveSmallIntegerField(default=0, editable=False)
    """The HTTP status that the error answers with."""
    awaited = models.BooleanField(default=False, editable=False)
    """Whether a client holds its connection open for the answer."""
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often the work was begun."""

    expected = models.PositiveIntegerField("pictures expected", default=0, editable=False)
    """As the names in the archive promise; some may turn out to be damaged."""
    count = models.PositiveIntegerField("pictures", default=0, editable=False)
    names = models.JSONField(default=list, editable=False)
    """File names: name k belongs to row k and tile k."""
    skipped = models.JSONField(default=list, editable=False)
    """`[{"name", "reason"}]` of files that should have been pictures."""
    passed_over = models.PositiveIntegerField(default=0, editable=False, help_text="files that are no pictures")

    backbone = models.CharField(max_length=40, blank=True, editable=False)
    precision = models.CharField(max_length=10, blank=True, editable=False, help_text="fp32, bf16 or int8")
    network = models.CharField(max_length=200, blank=True, editable=False)
    """Backbone, weights and precision: features of equal networks can be compared."""
    engine = models.CharField(max_length=200, blank=True, editable=False)
    space = models.CharField(max_length=10, blank=True, editable=False, help_text="catalogue, or own")
    timings = models.JSONField(default=dict, editable=False)
    """Seconds by stage."""
    explained_variance = models.JSONField(default=list, editable=False)
    """Shares of the variance along PCA's three axes; empty before they are known."""
    seed = models.PositiveBigIntegerField(null=True, editable=False)
    versions = models.JSONField(default=dict, editable=False)
    """Package → version, of all that computed the vectors."""

    archive = models.FileField(upload_to=_place, blank=True, editable=False)
    tilemap = models.FileField(upload_to=_place, blank=True, editable=False)
    features = models.FileField(upload_to=_place, blank=True, editable=False)
    pca = models.FileField(upload_to=_place, blank=True, editable=False)
    umap = models.FileField(upload_to=_place, blank=True, editable=False)
    pictures = models.FileField(upload_to=_place, blank=True, editable=False)
    """What is known of each picture, JSON (`facts`)."""
    report = models.FileField(upload_to=_place, blank=True, editable=False)
    """What became of each file of the archive, JSON (`report`)."""
    metadata = models.FileField(upload_to=_place, blank=True, editable=False)
    """What the archive said of its pictures (`metadata`)."""

    created_at = models.DateTimeField("uploaded", default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=32, blank=True, editable=False)
    beat_at = models.DateTimeField(null=True, editable=False)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.hash

    @property
    def duration(self) -> timedelta | None:
        """From the start of the work to its end."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None

    @property
    def size_on_disk(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.folder.glob("*") if file.is_file())

    @property
    def folder(self) -> Path:
        """Of all its files."""
        return Path(default_storage.path(self.hash))

    @property
    def can_be_retried(self) -> bool:
        return self.status == Status.FAILED and bool(self.archive) and default_storage.exists(self.archive.name or "")

    @property
    def why_not_there(self) -> str:
        """A sentence for those who want a result that is not there."""
        if self.status == Status.FAILED:
            return f"This dataset could not be computed: {self.error}"
        return "This dataset is not ready yet."

    def has(self, result: str) -> bool:
        """Whether a result, such as `tilemap` or `pca`, may be read. What is known of its files outlives a failure."""
        if result == "report" and self.status == Status.FAILED:
            return bool(self.report)
        if self.status == Status.PROCESSING and self.awaited:
            return False
        return self.status in (Status.READY, Status.PROCESSING) and bool(getattr(self, result))

    def vectors(self, reducer: str) -> Vectors:
        """`(n, 3) float32` of a ready dataset."""
        with getattr(self, reducer).open("rb") as file:
            array: Vectors = np.load(file, allow_pickle=False)
            return array

    def store(self, field: str, filename: str, content: File[bytes] | bytes) -> None:
        """Put a file into the dataset's folder; the row is saved by whoever finishes the step."""
        file = ContentFile(content) if isinstance(content, bytes) else content
        getattr(self, field).save(filename, file, save=False)

    def take(self, worker: str) -> bool:
        """Begin the work, if it is still wanted and no one else has begun it."""
        now = timezone.now()
        if not Dataset.objects.filter(pk=self.pk, status=Status.QUEUED).update(
            status=Status.PROCESSING,
            worker=worker,
            attempts=F("attempts") + 1,
            started_at=now,
            beat_at=now,
            finished_at=None,
        ):
            return False
        self.refresh_from_db()
        return True

    def beat(self, stage: str, progress: float) -> bool:
        """Tell how far the work is, and that it goes on. False: it is not wanted any more."""
        return bool(
            Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, worker=self.worker).update(
                beat_at=timezone.now(), stage=stage, progress=progress
            )
        )

    def show(self, *fields: str) -> None:
        """Let readers have some results before the others. Not where a client of the contract waits: it is promised
        all of them at once, or none."""
        values = {name: _stored(getattr(self, name)) for name in fields}
        mine = Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, worker=self.worker)
        mine.filter(awaited=False).update(**values)

    def finish(self) -> bool:
        """Publish the results, all at once. False: the work was given up meanwhile, and nothing is published."""
        self.status, self.stage, self.progress = Status.READY, "", 1.0
        self.finished_at = timezone.now()
        self.error, self.error_status = "", 0
        names = [field.name for field in self._meta.concrete_fields if field.name not in {"id", "awaited"}]
        values = {name: _stored(getattr(self, name)) for name in names}
        return bool(Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, worker=self.worker).update(**values))

    def put_back(self) -> bool:
        """Queue work again that was begun and did not end. False where a client waits for it, or where it was begun
        too often already."""
        begun = Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, awaited=False, attempts__lt=ATTEMPTS)
        if not begun.update(
            status=Status.QUEUED, stage="", progress=0, worker="", started_at=None, beat_at=None, **_NO_RESULTS
        ):
            return False
        self.refresh_from_db()
        self.remove_files(self.archive.name)
        return True

    def fail(self, reason: str, *, status: int, keep_archive: bool = True) -> bool:
        """Mark unfinished work as failed and remove what it left half done; the archive too, where none are kept.

        The report stays, if it got that far: it tells why.
        """
        keep_archive = keep_archive and settings.KEEP_ARCHIVES
        left = _NO_RESULTS | {"report": _stored(self.report)} | ({} if keep_archive else {"archive": ""})
        failed = (
            Dataset.objects.unfinished()
            .filter(pk=self.pk)
            .update(
                status=Status.FAILED,
                stage="",
                error=reason,
                error_status=status,
                finished_at=timezone.now(),
                **left,
            )
        )
        if failed:
            self.refresh_from_db()
            self.remove_files(self.archive.name, self.report.name)
        return bool(failed)

    def remove_files(self, *keep: str | None) -> None:
        """Everything in the dataset's folder but the files named, if any."""
        kept = {Path(name).name for name in keep if name}
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for file in self.folder.glob("*"):
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        # The row first: without it the files are swept at the next start, if this process dies in between.
        result = super().delete(*args, **kwargs)
        self.remove_files()
        return result


RESULTS = ("tilemap", "features", "pca", "umap", "pictures", "report", "metadata")
"""The files that are made of an archive."""
_NO_RESULTS: dict[str, Any] = dict.fromkeys(RESULTS, "")


def _stored(value: Any) -> Any:
    """A file field's name, which is what its column holds; every other value as it is."""
    return value.name or "" if isinstance(value, models.fields.files.FieldFile) else value


_JSON_NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")


def parses_as_number(hexadecimal: str) -> bool:
    """Whether a client that tries `JSON.parse` on an id would take it for a number, such as 7020…9 or 70207e49…"""
    return bool(_JSON_NUMBER.fullmatch(hexadecimal))


class BusyFlagQuerySet(models.QuerySet["BusyFlag"]):
    def is_up(self) -> bool:
        return self.filter(expires_at__gt=timezone.now()).exists()

    def take(self, holder: str, lifetime: timedelta) -> bool:
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
    def beat(self, identity: str, **facts: Any) -> None:
        self.update_or_create(pk=1, defaults={"identity": identity, "beat_at": timezone.now(), **facts})

    def current(self) -> "WorkerState | None":
        """The worker, if it has been heard of lately."""
        return self.filter(pk=1, beat_at__gt=timezone.now() - STALE_AFTER).first()


class WorkerState(models.Model):
    """One row: the worker's last sign of life, and what it computes with once it is warm."""

    identity = models.CharField(max_length=32, editable=False)
    beat_at = models.DateTimeField(editable=False)
    ready = models.BooleanField(default=False, editable=False)
    engine = models.CharField(max_length=200, blank=True, editable=False)

    objects = WorkerStateQuerySet.as_manager()

    class Meta:
        verbose_name = "worker"

    def __str__(self) -> str:
        return self.engine or "warming up"
