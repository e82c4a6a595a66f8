"""What is stored of an upload at last, however its pictures came."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datasets.collection import manifest
from datasets.errors import ApiError
from datasets.models import Dataset
from datasets.pictures.image_stats import as_columns
from datasets.pictures.metadata.columns import Column
from datasets.pictures.own_vectors import OwnVectors
from datasets.pictures.zip_archive import Archive, Skipped
from embeddings.pipeline import VERSION, OwnVectorsPipeline, Pipeline
from embeddings.reducers import SEED
from embeddings.vector_files import replacing
from embeddings.versions import versions

from .range_extraction import Extracted


def describe(dataset: Dataset, pipeline: Pipeline) -> None:
    """Note what the vectors are made with; it is known as soon as the id is, which depends on it."""
    is_own = isinstance(pipeline, OwnVectorsPipeline)
    dataset.backbone = "own" if is_own else pipeline.weights.backbone.name
    dataset.precision = "" if is_own else pipeline.choice.precision
    dataset.network = pipeline.network
    dataset.space = "catalogue" if pipeline.space else "own"


def write_table(path: Path, archive: Archive, pictures: Extracted, metadata: Iterable[Column]) -> None:
    """Of an archive's pictures; the row is told of it by whoever finishes the step."""
    from datasets.collection import image_table  # heavy, and the web process imports this module too

    with replacing(path) as file:
        image_table.write(
            file,
            pictures.names,
            stats=as_columns(pictures.facts),
            members=[archive.member(name) for name in pictures.names],
            metadata=metadata,
        )


def note_intake(dataset: Dataset, archive: Archive, pictures: Extracted, intake: Mapping[str, Any]) -> None:
    """Which of an archive's pictures it has."""
    dataset.skipped = [skipped.as_dict() for skipped in archive.replaced + archive.lost + pictures.skipped]
    taken_with = {"signature": dataset.intake["signature"]} if "signature" in dataset.intake else {}
    dataset.intake = taken_with | dict(intake)
    dataset.ignored = archive.ignored + len(pictures.ignored)


def engine(pipeline: Pipeline, own: OwnVectors | None) -> str:
    """What computed the features, or the file that they came in; as much of it as a row holds."""
    return (own.file if own else str(pipeline.extractor.info))[: Dataset._meta.get_field("engine").max_length]


def store_manifest(dataset: Dataset, space: str | None, timings: dict[str, float], shared: Mapping[str, Any]) -> None:
    """Last of all: it says what belongs together. `space` and `shared` are as in `manifest.of_upload`."""
    dataset.seed, dataset.versions = SEED, {"pipeline": str(VERSION), **dataset.versions, **versions()}
    dataset.timings = timings
    described = manifest.of_upload(dataset, dataset.folder, space, shared)
    dataset.store("manifest", json.dumps(described, indent=1).encode())


def none_readable(pictures: Extracted, error: type[ApiError]) -> ApiError:
    """Of an archive without a single picture that can be read."""
    skipped: list[Skipped] = pictures.skipped
    if not skipped:
        return error("The ZIP has no pictures at its top level.", code="zip-empty")
    first, count = skipped[0], len(skipped)
    which = (
        "The ZIP's only picture cannot be read" if count == 1 else f"Not one of the ZIP's {count} pictures can be read"
    )
    sentence = f"{which}; {first.name}: {first.reason}."
    return error(sentence, code="none-readable", count=count, name=first.name)
