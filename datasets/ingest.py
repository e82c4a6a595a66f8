"""The story of an upload: from the archive that a client sends to the vectors and the tilemap that it gets."""

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any, BinaryIO, cast

import numpy as np
from django.conf import settings
from django.core.files.base import File

from embeddings.features import Features
from embeddings.pipeline import Pipeline
from embeddings.vectors import Vectors

from . import compute, metadata_files
from .archive import Archive, Skipped
from .busy import beating
from .errors import Refusal
from .facts import as_columns
from .gather import Pictures, gather, prepare
from .models import Dataset, parses_as_number
from .report import reported
from .tilemap import CAPACITY

logger = logging.getLogger(__name__)

# How far each stage brings the whole, for the progress bar: the network takes most of the time.
_STAGES = {"features": (0.0, 0.80), "pca": (0.80, 0.82), "umap": (0.82, 0.97), "storing": (0.97, 1.0)}


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


def process(dataset: Dataset, worker: str) -> None:
    """Do the work of one queued upload, and record how it ended. Runs in the worker process."""
    if not dataset.take(worker):
        return
    started = time.monotonic()
    try:
        with _reporting(dataset) as report:
            _process(dataset, compute.pipeline(), report)
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
    # Kept beside the vectors: other pictures can be placed among these later.
    places = pipeline.place(
        pictures.features, report.stage, lambda reducer: reducer.save(dataset.folder / f"{reducer.name}.npz")
    )
    report.stage("storing")
    dataset.store("tilemap", "tilemap.jpg", pictures.tilemap)
    dataset.store("features", "features.npy", _npy(pictures.features))
    for reducer, vectors in places.items():
        dataset.store(reducer, f"{reducer}.npy", _npy(vectors))
    space = pipeline.space.identity if pipeline.space else None
    dataset.store("pictures", "pictures.json", json.dumps(_columns(pictures, archive) | {"space": space}).encode())
    dataset.count, dataset.names = len(pictures.names), pictures.names
    if table.columns:
        dataset.store("metadata", "metadata.npz", table.dumped())
    dataset.store("report", "report.json", json.dumps(reported(archive, pictures, remarks)).encode())
    dataset.skipped = [skipped.told() for skipped in archive.replaced + pictures.skipped]
    dataset.passed_over = archive.passed_over + len(pictures.passed_over)
    dataset.backbone, dataset.network = pipeline.weights.backbone.name, pipeline.network
    dataset.engine = str(pipeline.extractor.info)
    dataset.space = "catalogue" if pipeline.space else "own"
    dataset.timings = report.timings()
    archive_name = dataset.archive.name or ""
    if not settings.KEEP_ARCHIVES:
        dataset.archive = ""
    if not dataset.finish():
        wanted = Dataset.objects.filter(pk=dataset.pk).exists()  # else an administrator deleted it meanwhile
        dataset.remove_files(keep=archive_name if wanted else "")
    elif not settings.KEEP_ARCHIVES:
        dataset.archive.storage.delete(archive_name)


def _gather(archive: Archive, pipeline: Pipeline, progress: Callable[[float], None]) -> Pictures:
    """The first 1000 readable pictures. Raises `Refusal` where not one can be read."""
    expected = min(len(archive.names), CAPACITY)
    prepared = prepare(archive.names, archive.read, pipeline.weights.backbone, settings.MAX_MEGAPIXELS * 1_000_000)
    with closing(prepared):
        pictures = gather(prepared, pipeline.extract, lambda count: progress(count / expected))
    if not pictures.names:
        raise Refusal(_none_readable(pictures.skipped), 413 if pictures.over_limit else 400)
    return pictures


class Report:
    """How far one upload is: its stage, its share of the whole, and what the stages took."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._stage = ""
        self._share = 0.0
        self._began: dict[str, float] = {}

    def stage(self, name: str) -> None:
        self._stage, self._share = name, 0.0
        self._began[name] = time.monotonic()
        self.beat()

    def progress(self, share: float) -> None:
        """`share` 0 … 1 of the stage; kept, and written by the next beat."""
        self._share = min(share, 1.0)

    def beat(self) -> None:
        low, high = _STAGES.get(self._stage, (0.0, 0.0))
        self._dataset.beat(self._stage, low + (high - low) * self._share)

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


def _npy(array: Features | Vectors) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _none_readable(skipped: list[Skipped]) -> str:
    if not skipped:
        return "The ZIP has no pictures at its top level."
    first = skipped[0]
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
