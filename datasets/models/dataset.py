"""One row for each upload: what it is, how far it is, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from datasets.errors import ApiError, NotFound, ServerError
from datasets.storage.objects import is_used

from .dataset_files import DatasetFiles
from .dataset_queries import AT_ONCE, DatasetQuerySet, Status
from .derived_result import DerivedResult
from .stored_folder import NotStored, StoredFolder

ATTEMPTS = 3
"""How often the work on an upload may be begun that nobody holds a connection open for. One that brings its worker down
each time is given up, or it would do so for ever."""


class Dataset(DatasetFiles):
    """One upload: its archive, what was made of it, and how that went."""

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

    created_at = models.DateTimeField("uploaded", default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=32, blank=True, editable=False)
    """Who computes it, or did: `wwzd.identity`."""
    server = models.CharField(max_length=32, blank=True, editable=False)
    """Who took it, and holds the connection open if a client waits."""
    request = models.CharField(max_length=64, blank=True, editable=False)
    """The id of the request that brought it: `wwzd.request_id`."""
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
    def limit(self) -> int:
        """How many pictures it may have."""
        return int(self.intake.get("limit", AT_ONCE))

    @property
    def is_large(self) -> bool:
        """Whether it is computed beside the worker, which others wait for."""
        return self.expected > AT_ONCE

    @property
    def duration(self) -> timedelta | None:
        """From the start of the work to its end."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None

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
        return self.status == Status.FAILED and self.has_archive

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

    def claim(self, worker: str) -> bool:
        """Begin the work, if it is still wanted and no one else has begun it."""
        if not Dataset.objects.filter(pk=self.pk, status=Status.QUEUED).update(
            status=Status.PROCESSING,
            worker=worker,
            attempts=F("attempts") + 1,
            started_at=Now(),
            beat_at=Now(),
            finished_at=None,
        ):
            return False
        self.refresh_from_db()
        return True

    def beat(self, stage: str, progress: float) -> bool:
        """Tell how far the work is, and that it goes on. False: it is not wanted any more."""
        return bool(self._held().filter(status=Status.PROCESSING).update(beat_at=Now(), stage=stage, progress=progress))

    def beat_while_stored(self) -> None:
        """Tell that its archive is still being stored."""
        Dataset.objects.queued().filter(pk=self.pk, archive="").update(beat_at=Now())

    def is_held(self) -> bool:
        """Whether its work is still wanted from this worker."""
        return self._held().filter(status=Status.PROCESSING).exists()

    def publish_partial(self, *fields: str) -> None:
        """Let readers have some results before the others. Not where a client of the contract waits: it is promised
        all of them at once, or none."""
        values = {name: _stored(getattr(self, name)) for name in fields}
        self._held().filter(status=Status.PROCESSING, is_synchronous=False).update(**values)

    def finish(self) -> bool:
        """Publish the results, all at once. False: the work was given up meanwhile, and nothing is published."""
        self.status, self.stage, self.progress = Status.READY, "", 1.0
        self.error, self.error_kind, self.error_code, self.error_params = "", "", "", {}
        names = {field.name for field in self._meta.concrete_fields} - {"id", "is_synchronous", "beat_at"}
        values = {name: _stored(getattr(self, name)) for name in names} | {"finished_at": Now()}
        return bool(self._held().filter(status=Status.PROCESSING).update(**values))

    def store_files(self, *like: str) -> None:
        """Put what has been changed in its folder into the store, where there is one; `like` names folders that may
        have the same files. Raises `NotStored` where it was given up, or is another worker's; `StorageAway`."""
        if is_used():

            def publish(revision: str) -> int:
                kept = [Status.QUEUED, Status.PROCESSING, Status.READY]
                return self._held().filter(status__in=kept).update(revision=revision)

            if not self.revision:
                StoredFolder.objects.renew(self.stored_name)
            self.revision = StoredFolder.objects.store(self.stored_name, self.local_folder, like=like, publish=publish)

    @contextmanager
    def editing(self) -> Iterator[None]:
        """Let no other host change the files of a ready dataset during the block, which changes some of them.

        Raises `NotFound`, `StorageAway`."""
        if not (self.revision and is_used()):
            yield
            return
        try:
            with StoredFolder.objects.edited(self.stored_name, self.local_folder) as edit:
                yield
                self.revision = edit.store()
                Dataset.objects.filter(pk=self.pk).update(revision=self.revision)
        except NotStored:
            raise NotFound("This dataset has just been deleted.", code="dataset-unknown") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Change its row and its folder in the store together."""
        with transaction.atomic():
            if is_used():
                StoredFolder.objects.lock(self.stored_name)
            yield

    def _held(self) -> DatasetQuerySet:
        """Its row, unless another worker has taken it since it was read here."""
        return Dataset.objects.filter(pk=self.pk, worker=self.worker)

    def requeue(self) -> bool:
        """Queue work again that was begun and did not end. False where a client waits for it, or where it was begun
        too often already."""
        begun = self._held().filter(status=Status.PROCESSING, is_synchronous=False, attempts__lt=ATTEMPTS)
        with self.locked():  # nobody begins it before these files are gone
            if not begun.update(
                status=Status.QUEUED, stage="", progress=0, worker="", started_at=None, beat_at=None, files={}
            ):
                return False
            self.refresh_from_db()
            self.remove_files(self.archive.name)
        return True

    def fail(self, error: ApiError, *, keep_archive: bool = True) -> bool:
        """Mark unfinished work as failed and remove what it left half done; the archive too, where none are kept.

        The report stays, if it got that far: it tells why. False where another worker has it meanwhile.
        """
        keep_archive = keep_archive and settings.KEEP_ARCHIVES
        left = {"files": {name: path for name, path in self.files.items() if name == "report"}}
        with self.locked():  # nobody tries it again before these files are gone
            failed = (
                self._held()
                .unfinished()
                .update(
                    status=Status.FAILED,
                    stage="",
                    error=str(error),
                    error_kind=error.kind,
                    error_code=error.code,
                    error_params=error.params,
                    finished_at=Now(),
                    **left,
                    **({} if keep_archive else {"archive": ""}),
                )
            )
            if failed:
                self.refresh_from_db()
                self.remove_files(self.archive.name, *self.files.values())
        return bool(failed)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        # The row first: without it the files are swept at the next start, if this process dies in between.
        with self.locked():
            result = super().delete(*args, **kwargs)
            if not result[0]:  # by somebody else, and what is there now may be another upload of the same
                return result
            if is_used():
                StoredFolder.objects.discard(self.stored_name)
            DerivedResult.objects.filter(collection=self.hash).delete()
        self.remove_local_files()
        return result


def _stored(value: Any) -> Any:
    """A file field's name, which is what its column holds; every other value as it is."""
    return value.name or "" if isinstance(value, models.fields.files.FieldFile) else value
