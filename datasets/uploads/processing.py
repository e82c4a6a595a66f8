"""The story of an upload: from the archive that a client sends to the vectors and the tilemap that it gets."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db import transaction

from datasets.collection.clusters import Clusters
from datasets.collection.folder import CollectionFolder
from datasets.collection.similarity import THRESHOLD
from datasets.collection.uploaded import Upload
from datasets.errors import ApiError, DiskFull, EngineAway, NotFound, ServerError, TooLarge
from datasets.models import ARCHIVE, Dataset, NotStored, Status, file_path
from datasets.pictures import own_vectors, pipeline_settings
from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.metadata import files
from datasets.storage.objects import is_used
from datasets.tilemaps.layout import CAPACITY
from embeddings.pipeline import Pipeline, with_own_vectors
from embeddings.reducers import Reducer
from embeddings.vector_files import Vectors, dumped, save
from wwzd import request_id

from . import fetching, further_layouts, growth, outages, parents, projector_import, results
from .busy_flag import beating
from .copies import find_similar, near_copies
from .further_layouts import WantedLayout
from .import_report import reported, write_report
from .range_extraction import extract
from .selection import intake_of
from .watchdog import watchdog

logger = logging.getLogger(__name__)

STAGES = {"features": (0.0, 0.80), "pca": (0.80, 0.82), "umap": (0.82, 0.97), "storing": (0.97, 1.0)}
"""How far each stage brings the whole, for the progress bar: the network takes most of the time."""

_STAGE_SECONDS = {"features": 600, "pca": 120, "umap": 600, "storing": 300}
"""How long each may show no sign of life. Those are long in which a network may be converted, or UMAP compiled."""
_DELETED_SECONDS = 10
"""How long work may go on that nobody wants any more."""


class _NotWanted(Exception):
    """The dataset was deleted or given up while it was computed."""


def process(dataset: Dataset, worker: str) -> None:
    """Do the work of one queued upload, and record how it ended. Runs in the worker process."""
    if not dataset.claim(worker):
        return
    with request_id.answering(dataset.request):
        _process_claimed(dataset)


def _process_claimed(dataset: Dataset) -> None:
    started = time.monotonic()
    try:
        with _reporting(dataset) as report:
            fetching.expect(dataset.archive_size, f"dataset {dataset.hash}, its archive,")
            outages.insist(dataset.check_out)
            fetching.catch_up(dataset, report.progress)
            _process(dataset, pipeline_settings.pipeline(), report)
    except (_NotWanted, NotStored):
        _clear_away(dataset)
    except ApiError as error:
        _fail(dataset, error, keep_archive=False)
    except Exception as error:
        refused = outages.api_error(error)
        if isinstance(refused, EngineAway):
            logger.error("dataset %s is queued again: %s", dataset.hash, error)
            if not outages.insist(lambda: dataset.requeue() or dataset.fail(refused)):
                _clear_away(dataset)
        elif refused:
            logger.error("dataset %s failed: %s", dataset.hash, error)
            if isinstance(refused, DiskFull):
                dataset.remove_local_files()  # the archive too, and first: it makes room for recording the failure
            _fail(dataset, refused, keep_archive=is_used() or not isinstance(refused, DiskFull))
        else:
            if outages.insist(dataset.is_held):  # else its files were taken from under the work
                logger.exception("dataset %s failed", dataset.hash)
            sentence = f"The server failed on this upload ({type(error).__name__}); its log says why."
            _fail(dataset, ServerError(sentence))
    _log(dataset, time.monotonic() - started)


def _fail(dataset: Dataset, error: ApiError, *, keep_archive: bool = True) -> None:
    if "report" in dataset.files:
        with suppress(NotStored):
            outages.insist(dataset.store_files)
    if not outages.insist(lambda: dataset.fail(error, keep_archive=keep_archive)):
        _clear_away(dataset)


def _process(dataset: Dataset, pipeline: Pipeline, report: "Report") -> None:
    wanted: list[WantedLayout] = []
    shared: Mapping[str, Any] = {}
    if dataset.intake.get("parent"):
        space, shared, wanted = _grow(dataset, pipeline, report)
    else:
        space = _compute(dataset, pipeline, report)
    results.store_manifest(dataset, space, report.timings(), shared)
    outages.insist(lambda: dataset.store_files(*parents.stored_names(dataset)))
    archive_name = dataset.archive.name or ""
    is_kept = settings.KEEP_ARCHIVES and not dataset.intake.get("refit")
    if not is_kept:
        dataset.archive = ""
    if not outages.insist(lambda: further_layouts.finish(dataset, wanted)):
        raise _NotWanted
    if not is_kept:
        dataset.remove_archive(archive_name)


def _grow(
    dataset: Dataset, pipeline: Pipeline, report: "Report"
) -> tuple[str | None, Mapping[str, Any], list[WantedLayout]]:
    """Of pictures of another collection → as `_compute`, the manifest of that one, and which layouts are to follow."""
    parent = parents.parent_of(dataset)
    try:
        space, shared = parent.space, parent.manifest
        if dataset.intake.get("refit"):
            assert isinstance(parent, Upload)
            return None, shared, growth.refit(dataset, parent, pipeline, report.stage)
        return space, shared, growth.add(dataset, parent, pipeline, report.stage, report.progress)
    except (FileNotFoundError, NotFound, Dataset.DoesNotExist):
        parents.parent_of(dataset)  # its files are gone because it is
        raise


def _compute(dataset: Dataset, pipeline: Pipeline, report: "Report") -> str | None:
    """Of pictures that stand by themselves → the fingerprint of the space that they were placed in, if it is not their
    own."""
    report.stage("features")
    folder = CollectionFolder(path=dataset.folder)
    with projector_import.opened(dataset) as archive:
        first, limit = dataset.intake.get("first", 0), dataset.limit
        revision = decoding_revision(archive, first, limit)
        if own := own_vectors.of_archive(archive):
            pipeline = with_own_vectors(pipeline, own.digest)
        pictures = extract(dataset, archive, pipeline, first=first, limit=limit, progress=report.progress)
        if own and pictures.names:
            save(folder.all_features_path, own.of(pictures.names))
        described = files.of_archive(archive, pictures.names)
        intake = intake_of(archive, pictures, first, limit)
        is_large = len(pictures.names) > CAPACITY
        copies = [] if is_large else near_copies(dataset, pictures)
    # First of all: it stays, should the rest fail.
    write_report(dataset, reported(archive, pictures, described, intake, copies))
    if not pictures.names:
        raise results.none_readable(pictures, TooLarge if pictures.over_limit else ApiError)
    dataset.count = len(pictures.names)
    results.note_intake(dataset, archive, pictures, intake)
    dataset.note("tilemap")
    results.write_table(folder.table_path, archive, pictures, described.table.columns.values() if described else ())
    dataset.note("images")
    _publish_partial(dataset, "count", "skipped", "ignored", "intake", "files")

    def keep(reducer: str, vectors: Vectors) -> None:
        dataset.store(reducer, dumped(vectors))
        _publish_partial(dataset, "files")

    def keep_fitted(reducer: Reducer) -> None:
        """Beside the vectors: other pictures can be placed among these later."""
        reducer.save(folder.model_path(reducer.name))

    def show(reducer: str, vectors: Vectors) -> None:
        with suppress(OSError):  # nobody needs it
            save(folder.forming_path, vectors)

    features = folder.all_features()
    places = pipeline.place(features, report.stage, on_placed=keep, on_fitted=keep_fitted, on_moved=show)
    folder.forming_path.unlink(missing_ok=True)
    report.stage("storing")
    dataset.note("features")
    if is_large:
        tables = find_similar(dataset, pictures)
        copies = tables.pairs(THRESHOLD)
        write_report(dataset, reported(archive, pictures, described, intake, copies))
    Clusters.find(folder.features(0)).save(folder.clusters_path)
    dataset.explained_variance = places.explained_variance
    results.describe(dataset, pipeline)
    dataset.engine = results.engine(pipeline, own)
    dataset.versions = {"decoding": str(revision)}
    return pipeline.space.fingerprint if pipeline.space else None


def _publish_partial(dataset: Dataset, *fields: str) -> None:
    outages.insist(dataset.store_files)
    outages.insist(lambda: dataset.publish_partial(*fields))


def _clear_away(dataset: Dataset) -> None:
    """Remove what was made of it, unless another worker has computed it meanwhile, or computes it now: both write to
    one folder. The archive stays, if it was sent again, or is to be tried again."""
    with transaction.atomic():
        current = Dataset.objects.select_for_update().filter(hash=dataset.hash).first()
        if current is None:
            dataset.remove_local_files()
        elif current.status in (Status.QUEUED, Status.FAILED):
            dataset.remove_local_files(current.archive.name or file_path(current, ARCHIVE), *current.files.values())


class Report:
    """How far one upload is: its stage, its share of the whole, and what the stages took."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._stage = ""
        self._share = 0.0
        self._began: dict[str, float] = {}
        self._wanted = True

    def stage(self, name: str) -> None:
        """The next stage begins. Raises `_NotWanted`."""
        self._stage, self._share = name, 0.0
        self._began[name] = time.monotonic()
        watchdog.expect(_STAGE_SECONDS[name], f"dataset {self._dataset.hash}, {name},")
        outages.insist(self.beat)
        if not self._wanted:
            raise _NotWanted

    def progress(self, share: float) -> None:
        """`share` 0 … 1 of the stage; kept, and written by the next beat. Raises `_NotWanted`."""
        self._share = min(share, 1.0)
        if not self._wanted:
            raise _NotWanted
        seconds = fetching.FILE_SECONDS + settings.DECODE_SECONDS
        watchdog.expect(seconds, f"dataset {self._dataset.hash}, {self._stage},")

    def beat(self) -> None:
        low, high = STAGES.get(self._stage, (0.0, 0.0))
        self._wanted = self._dataset.beat(self._stage, low + (high - low) * self._share)
        if not self._wanted:
            watchdog.hurry(_DELETED_SECONDS)

    def timings(self) -> dict[str, float]:
        """Seconds by stage."""
        moments = [*self._began.values(), time.monotonic()]
        return {
            name: round(end - start, 3) for name, start, end in zip(self._began, moments, moments[1:], strict=False)
        }


def by_stage(timings: Mapping[str, float]) -> dict[str, float]:
    """Seconds in the order of the stages, which PostgreSQL does not keep."""
    return {stage: timings[stage] for stage in STAGES if stage in timings}


@contextmanager
def _reporting(dataset: Dataset) -> Iterator[Report]:
    report = Report(dataset)
    with beating(report.beat):
        yield report


def _log(dataset: Dataset, seconds: float) -> None:
    """One line an upload."""
    try:
        outages.insist(dataset.refresh_from_db)
    except Dataset.DoesNotExist:
        logger.info("upload", extra={"facts": {"dataset": dataset.hash, "status": "deleted", "total_s": seconds}})
        return
    facts = {
        "dataset": dataset.hash,
        "status": dataset.status,
        "pictures": dataset.count,
        "skipped": len(dataset.skipped),
        "megabytes": dataset.archive_size / 1e6,
        "backbone": dataset.backbone,
        "space": dataset.space,
        **{f"{stage}_s": seconds for stage, seconds in dataset.timings.items()},
        "total_s": seconds,
    }
    if dataset.error:
        facts["error"] = dataset.error
    logger.info("upload", extra={"facts": facts})
