"""One row for each upload: what it is, how far it is, how it ended, and where its files lie."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models
from django.db.models import Case, F, Q, When
from django.urls import reverse
from django.utils import timezone

from datasets.errors import ApiError, NotFound, ServerError
from embeddings.vector_files import Vectors, replacing

ATTEMPTS = 3
"""How often the work on an upload may be begun that nobody holds a connection open for. One that brings its worker down
each time is given up, or it would do so for ever."""

ARCHIVE = "source.zip"
"""The upload as it came, in a dataset's folder."""

RESULTS = {
    "report": "report.json",
    "images": "images.parquet",
    "tilemap": "tilemaps/000.jpg",
    "pca": "layouts/pca.npy",
    "umap": "layouts/umap.npy",
    "features": "features.npy",
    "manifest": "manifest.json",
}
"""What is made of an archive, and where each lies in the dataset's folder, in the order in which they are made."""

STALE_AFTER = timedelta(seconds=15)
"""A dataset whose worker gave no sign of life for so long is given up. Its thread beats every second, but numba's
compiled loops hold the interpreter for a few."""


class Status(models.TextChoices):
    QUEUED = "queued", "queued"
    PROCESSING = "processing", "processing"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


_ID = re.compile("[0-9a-f]{32}")


def file_path(dataset: "Dataset", filename: str) -> str:
    """Where a file of a dataset lies in the storage."""
    return f"{dataset.hash}/{filename}"


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
        return self.filter(status=Status.PROCESSING, beat_at__lt=timezone.now() - STALE_AFTER)

    def queued(self) -> Self:
        return self.filter(status=Status.QUEUED)

    def waiting(self) -> Self:
        """In the queue, and no client holds its connection open for them."""
        return self.queued().filter(is_synchronous=False)

    def ready_to_compute(self) -> Self:
        """In the queue, without those whose archives are still being stored."""
        return self.queued().exclude(archive="")

    def next_in_queue(self, preferred: str = "") -> "Dataset | None":
        """What to compute next: the preferred one if it is still queued, else what a client waits for, else the
        oldest."""
        order = Case(When(hash=preferred, then=0), default=1)
        return self.ready_to_compute().order_by(order, "-is_synchronous", "created_at").first()

    def abandoned(self) -> Self:
        """What no one will finish or fetch once the whole service was killed: work begun, clients waited for, and
        archives that had not been stored yet."""
        return self.filter(
            Q(status=Status.PROCESSING) | Q(status=Status.QUEUED) & (Q(is_synchronous=True) | Q(archive=""))
        )

    def expired(self, age: timedelta) -> Self:
        """What ended longer ago than `age`."""
        return self.filter(finished_at__lt=timezone.now() - age).exclude(status__in=[Status.QUEUED, Status.PROCESSING])

    def requeue_or_fail(self, reason: str) -> int:
        """Put back into the queue what nobody waits for, and mark the rest as failed through no fault of its archive,
        which is kept for another try. Returns the number of both."""
        return sum(dataset.requeue() or dataset.fail(ServerError(reason, code="worker-died")) for dataset in self)

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
    error_kind = models.CharField(max_length=40, blank=True, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    """Both as `errors.ApiError` has them."""
    error_params = models.JSONField(default=dict, editable=False)
    """What stands in its sentence."""
    is_synchronous = models.BooleanField(default=False, editable=False)
    """Whether a client holds its connection open for the answer."""
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often the work was begun."""

    expected = models.PositiveIntegerField("pictures expected", default=0, editable=False)
    """As the names in the archive promise; some may turn out to be damaged."""
    count = models.PositiveIntegerField("pictures", default=0, editable=False)
    skipped = models.JSONField(default=list, editable=False)
    """`[{"name", "reason"}]` of files that should have been pictures."""
    ignored = models.PositiveIntegerField(default=0, editable=False, help_text="files that are no pictures")
    intake = models.JSONField(default=dict, editable=False)
    """Which of the archive's pictures these are (`intake.Intake`)."""

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

    archive = models.FileField(upload_to=file_path, blank=True, editable=False)
    files = models.JSONField(default=dict, editable=False)
    """What was made of the archive and may be read: result → path in the storage. A new kind needs no column."""

    created_at = models.DateTimeField("uploaded", default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=32, blank=True, editable=False)
    beat_at = models.DateTimeField(null=True, editable=False)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        # Rows are long, so lists of thousands of them are read by it.
        indexes = (models.Index(fields=["-created_at", "hash"], name="dataset_newest_first"),)

    def __str__(self) -> str:
        return self.hash

    def get_absolute_url(self) -> str:
        """The call that tells of it."""
        return reverse("dataset", args=[self.hash])

    @property
    def duration(self) -> timedelta | None:
        """From the start of the work to its end."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None

    @property
    def size_on_disk(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    @property
    def folder(self) -> Path:
        """Of all its files."""
        return Path(default_storage.path(self.hash))

    def path(self, result: str) -> Path:
        """Where a result lies, or will lie. Raises `KeyError` for what is no result."""
        return Path(default_storage.path(self.files.get(result) or file_path(self, RESULTS[result])))

    def is_stored(self, result: str) -> bool:
        """Whether a result was made, and its file is still there."""
        return result in self.files and self.path(result).exists()

    def _json(self, result: str) -> dict[str, Any]:
        """Empty where it is not there."""
        try:
            content: dict[str, Any] = json.loads(self.path(result).read_bytes()) if result in self.files else {}
        except FileNotFoundError:
            return {}
        return content

    @property
    def manifest(self) -> dict[str, Any]:
        """What belongs together in the folder of a ready dataset; empty before."""
        return self._json("manifest")

    @property
    def metadata_summary(self) -> dict[str, Any] | None:
        """How its metadata was matched, once its files have been read; None where there is none."""
        if self.status == Status.FAILED or not self.has_result("report"):
            return None
        summary: dict[str, Any] | None = self._json("report").get("metadata")
        return summary

    @property
    def has_more(self) -> bool:
        """Whether its archive, which was kept, has pictures beyond those that it has."""
        return self.status == Status.READY and bool(self.archive) and self.intake.get("over_capacity", 0) > 0

    @property
    def can_be_retried(self) -> bool:
        return self.status == Status.FAILED and bool(self.archive) and default_storage.exists(self.archive.name or "")

    @property
    def why_not_there(self) -> str:
        """A sentence for those who want a result that is not there."""
        if self.status == Status.FAILED:
            return f"This dataset could not be computed: {self.error}"
        return "This dataset is not ready yet."

    def not_there(self) -> NotFound:
        """The error for those who want a result that is not there."""
        code = "dataset-failed" if self.status == Status.FAILED else "dataset-not-ready"
        return NotFound(self.why_not_there, code=code)

    def failure(self, about: str = "") -> ApiError:
        """Why a failed dataset failed; `about` is where more of it is told."""
        kind = self.error_kind or ServerError.kind
        return ApiError(self.error, kind=kind, code=self.error_code, about=about, **self.error_params)

    def has_result(self, result: str) -> bool:
        """Whether a result, such as `tilemap` or `pca`, may be read. What is known of its files outlives a failure."""
        if result == "report" and self.status == Status.FAILED:
            return "report" in self.files
        if self.status == Status.PROCESSING and self.is_synchronous:
            return False
        return self.status in (Status.READY, Status.PROCESSING) and result in self.files

    def vectors(self, reducer: str) -> Vectors:
        """`(n, 3) float32` of a ready dataset."""
        array: Vectors = np.load(self.path(reducer), allow_pickle=False)
        return array

    def store(self, result: str, content: bytes) -> None:
        """Put a result into the dataset's folder; the row is saved by whoever finishes the step."""
        with self.writing(result) as file:
            file.write(content)

    @contextmanager
    def writing(self, result: str) -> Iterator[BinaryIO]:
        """The same, for who writes it piece by piece."""
        with replacing(self.folder / RESULTS[result]) as file:
            yield file
        self.files = self.files | {result: file_path(self, RESULTS[result])}

    def store_archive(self, content: File[bytes] | bytes) -> None:
        """Put the upload as it came into the dataset's folder; the row is saved by whoever finishes the step."""
        file = ContentFile(content) if isinstance(content, bytes) else content
        self.archive.save(ARCHIVE, file, save=False)

    def claim(self, worker: str) -> bool:
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

    def publish_partial(self, *fields: str) -> None:
        """Let readers have some results before the others. Not where a client of the contract waits: it is promised
        all of them at once, or none."""
        values = {name: _stored(getattr(self, name)) for name in fields}
        mine = Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, worker=self.worker)
        mine.filter(is_synchronous=False).update(**values)

    def finish(self) -> bool:
        """Publish the results, all at once. False: the work was given up meanwhile, and nothing is published."""
        self.status, self.stage, self.progress = Status.READY, "", 1.0
        self.finished_at = timezone.now()
        self.error, self.error_kind, self.error_code, self.error_params = "", "", "", {}
        names = [field.name for field in self._meta.concrete_fields if field.name not in {"id", "is_synchronous"}]
        values = {name: _stored(getattr(self, name)) for name in names}
        return bool(Dataset.objects.filter(pk=self.pk, status=Status.PROCESSING, worker=self.worker).update(**values))

    def requeue(self) -> bool:
        """Queue work again that was begun and did not end. False where a client waits for it, or where it was begun
        too often already."""
        begun = Dataset.objects.filter(
            pk=self.pk, status=Status.PROCESSING, is_synchronous=False, attempts__lt=ATTEMPTS
        )
        if not begun.update(
            status=Status.QUEUED, stage="", progress=0, worker="", started_at=None, beat_at=None, files={}
        ):
            return False
        self.refresh_from_db()
        self.remove_files(self.archive.name)
        return True

    def fail(self, error: ApiError, *, keep_archive: bool = True) -> bool:
        """Mark unfinished work as failed and remove what it left half done; the archive too, where none are kept.

        The report stays, if it got that far: it tells why.
        """
        keep_archive = keep_archive and settings.KEEP_ARCHIVES
        left = {"files": {name: path for name, path in self.files.items() if name == "report"}}
        failed = (
            Dataset.objects.unfinished()
            .filter(pk=self.pk)
            .update(
                status=Status.FAILED,
                stage="",
                error=str(error),
                error_kind=error.kind,
                error_code=error.code,
                error_params=error.params,
                finished_at=timezone.now(),
                **left,
                **({} if keep_archive else {"archive": ""}),
            )
        )
        if failed:
            self.refresh_from_db()
            self.remove_files(self.archive.name, *self.files.values())
        return bool(failed)

    def remove_files(self, *keep: str | None) -> None:
        """Everything in the dataset's folder but the files named by their paths in the storage, if any."""
        kept = {Path(default_storage.path(name)) for name in keep if name}
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for file in self.folder.glob("*"):
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)  # of results: what is kept lies beside them
            elif file not in kept:
                file.unlink(missing_ok=True)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        # The row first: without it the files are swept at the next start, if this process dies in between.
        result = super().delete(*args, **kwargs)
        self.remove_files()
        return result


def _stored(value: Any) -> Any:
    """A file field's name, which is what its column holds; every other value as it is."""
    return value.name or "" if isinstance(value, models.fields.files.FieldFile) else value


_JSON_NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")


def parses_as_number(hexadecimal: str) -> bool:
    """Whether a client that tries `JSON.parse` on an id would take it for a number, such as 7020…9 or 70207e49…"""
    return bool(_JSON_NUMBER.fullmatch(hexadecimal))
