"""The story of an upload: from the archive that a client sends to the vectors and the tilemap that it gets."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.base import File

from embeddings.pipeline import VERSION, Pipeline
from embeddings.reducers import SEED, Reducer
from embeddings.vectors import Vectors, dumped
from embeddings.versions import versions

from . import compute, metadata_files
from .archive import Archive, Skipped
from .busy import beating
from .errors import Refusal
from .facts import as_columns
from .gather import Pictures, gather, prepare
from .models import Dataset, Status, parses_as_number
from .report import reported
from .tilemap import CAPACITY

logger = logging.getLogger(__name__)

STAGES = {"features": (0.0, 0.80), "pca": (0.80, 0.82), "umap": (0.82, 0.97), "storing": (0.97, 1.0)}
"""How far each stage brings the whole, for the progress bar: the network takes most of the time."""


def identify(file: BinaryIO | File[bytes], pipeline: Pipeline) -> str:
    """An upload's id: 32 hexadecimal digits made from the archive's bytes and from all that decides its vectors."""
    file.seek(0)
    content = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    file.seek(0)
    for attempt in count():
        identity = hashlib.sha256(f"{content}:{pipeline.signature}:{attempt}".encode()).hexdigest()[:32]
        if not parses_as_number(identity):
            return identity
    raise AssertionError("count() does not end")


class _NotWanted(Exception):
    """The dataset was deleted or given up while it was computed."""


def process(dataset: Dataset, worker: str) -> None:
    """Do the work of one queued upload, and record how it ended. Runs in the worker process."""
    if not dataset.take(worker):
        return
    started = time.monotonic()
    try:
        with _reporting(dataset) as report:
            _process(dataset, compute.pipeline(), report)
    except _NotWanted:
        _clear_away(dataset)
    except Refusal as refusal:
        dataset.fail(str(refusal), status=refusal.status, keep_archive=False)
    except Exception as error:
        logger.exception("dataset %s failed", dataset.hash)
        dataset.fail(f"The server failed on this upload ({type(error).__name__}); its log says why.", status=500)
    _log(dataset, time.monotonic() - started)


def _process(dataset: Dataset, pipeline: Pipeline, report: "Report") -> None:
    report.stage("features")
    with dataset.archive.open("rb") as file:
        archive = Archive(file, compute.limits())
        pictures = _gather(archive, pipeline, report.progress)
        table, remarks = metadata_files.of_archive(archive, pictures.names)
    # First of all: it stays, should the rest fail.
    dataset.store("report", "report.json", json.dumps(reported(archive, pictures, remarks)).encode())
    if not pictures.names:
        raise Refusal(_none_readable(pictures.skipped), 413 if pictures.over_limit else 400)
    dataset.count, dataset.names = len(pictures.names), pictures.names
    dataset.skipped = [skipped.told() for skipped in archive.replaced + pictures.skipped]
    dataset.passed_over = archive.passed_over + len(pictures.passed_over)
    dataset.store("tilemap", "tilemap.jpg", pictures.tilemap)
    space = pipeline.space.identity if pipeline.space else None
    dataset.store("pictures", "pictures.json", json.dumps(_columns(pictures, archive) | {"space": space}).encode())
    if table.columns:
        dataset.store("metadata", "metadata.npz", table.dumped())
    dataset.show("count", "names", "skipped", "passed_over", "tilemap", "pictures", "report")

    def keep(reducer: str, vectors: Vectors) -> None:
        dataset.store(reducer, f"{reducer}.npy", dumped(vectors))
        dataset.show(reducer)

    def keep_fitted(reducer: Reducer) -> None:
        """Beside the vectors: other pictures can be placed among these later."""
        reducer.save(dataset.folder / f"{reducer.name}.npz")

    places = pipeline.place(pictures.features, report.stage, on_placed=keep, on_fitted=keep_fitted)
    report.stage("storing")
    dataset.store("features", "features.npy", dumped(pictures.features))
    dataset.explained_variance = places.explained_variance
    describe(dataset, pipeline)
    dataset.engine = str(pipeline.extractor.info)
    dataset.seed, dataset.versions = SEED, {"pipeline": str(VERSION), **versions()}
    dataset.timings = report.timings()
    archive_name = dataset.archive.name or ""
    if not settings.KEEP_ARCHIVES:
        dataset.archive = ""
    if not dataset.finish():
        raise _NotWanted
    if not settings.KEEP_ARCHIVES:
        dataset.archive.storage.delete(archive_name)


def describe(dataset: Dataset, pipeline: Pipeline) -> None:
    """Note what the vectors are made with; it is known as soon as the id is, which depends on it."""
    dataset.backbone = pipeline.weights.backbone.name
    dataset.precision = pipeline.choice.precision
    dataset.network = pipeline.network
    dataset.space = "catalogue" if pipeline.space else "own"


def _clear_away(dataset: Dataset) -> None:
    """Remove what was made of it; not the archive, if that was sent again meanwhile, or is to be tried again."""
    current = Dataset.objects.filter(hash=dataset.hash).first()
    if current is None:
        dataset.remove_files()
    elif current.status != Status.READY:  # else another worker has been faster
        dataset.remove_files(current.archive.name or "archive.zip", current.report.name)


def _gather(archive: Archive, pipeline: Pipeline, progress: Callable[[float], None]) -> Pictures:
    """The first 1000 readable pictures."""
    expected = min(len(archive.names), CAPACITY)
    prepared = prepare(archive.names, archive.read, pipeline.weights.backbone, settings.MAX_MEGAPIXELS * 1_000_000)
    with closing(prepared):
        return gather(prepared, pipeline.extract, lambda count: progress(count / expected))


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
        self.beat()
        self.progress(0.0)

    def progress(self, share: float) -> None:
        """`share` 0 … 1 of the stage; kept, and written by the next beat. Raises `_NotWanted`."""
        self._share = min(share, 1.0)
        if not self._wanted:
            raise _NotWanted

    def beat(self) -> None:
        low, high = STAGES.get(self._stage, (0.0, 0.0))
        self._wanted = self._dataset.beat(self._stage, low + (high - low) * self._share)

    def timings(self) -> dict[str, float]:
        """Seconds by stage."""
        moments = [*self._began.values(), time.monotonic()]
        return {
            name: round(end - start, 3) for name, start, end in zip(self._began, moments, moments[1:], strict=False)
        }


@contextmanager
def _reporting(dataset: Dataset) -> Iterator[Report]:
    report = Report(dataset)
    with beating(report.beat):
        yield report


def _columns(pictures: Pictures, archive: Archive) -> dict[str, list[Any]]:
    """What is known of each picture, and where it lies in the archive."""
    return as_columns(pictures.facts) | {"member": [archive.member(name) for name in pictures.names]}


def _none_readable(skipped: list[Skipped]) -> str:
    if not skipped:
        return "The ZIP has no pictures at its top level."
    first = skipped[0]
    if len(skipped) == 1:
        return f"The ZIP's only picture cannot be read; {first.name}: {first.reason}."
    return f"Not one of the ZIP's {len(skipped)} pictures can be read; {first.name}: {first.reason}."


def _log(dataset: Dataset, seconds: float) -> None:
    """One line an upload."""
    try:
        dataset.refresh_from_db()
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
