"""An archive's pictures → features and tilemaps in the folder of their dataset, a range of 1000 after the other."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from django.conf import settings

from datasets.collection.folder import CollectionFolder
from datasets.models import Dataset
from datasets.pictures.decode_limits import Allowance
from datasets.pictures.extraction import extract_pictures, prepare
from datasets.pictures.image_stats import ImageStats
from datasets.pictures.zip_archive import Archive, Skipped
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import CAPACITY
from embeddings.pipeline import Pipeline
from embeddings.vector_files import replacing, writing_rows


@dataclass(kw_only=True)
class Extracted:
    """What an archive's files came to: row k of the features, tile k and name k are the same picture."""

    names: list[str] = field(default_factory=list)
    facts: list[ImageStats] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Files that are no pictures and do not claim to be."""
    over_limit: bool = False
    """Whether a limit was the reason to skip any of them."""
    taken: int = 0
    """How many files were looked at."""


def extract(
    dataset: Dataset,
    archive: Archive,
    pipeline: Pipeline,
    *,
    first: int,
    limit: int,
    progress: Callable[[float], None],
    before: int = 0,
    part: int = 0,
) -> Extracted:
    """Take the readable pictures from the archive's `first` on, `limit` at most, in the order of their names.

    Writes `features.npy` and the tilemaps, none where no picture can be read; where pictures are added to those of
    `before`, the features of a `part` of their own, and on into the tilemap that is not full. `progress` is told the
    share done so far.
    """
    folder = CollectionFolder(path=dataset.folder)
    names = archive.names[first:]
    expected = min(len(names), limit)
    found = Extracted()
    allowance = _allowance(ranges.count(expected))
    prepared = prepare(
        names,
        archive.read,
        pipeline.weights.backbone,
        settings.MAX_MEGAPIXELS * 1_000_000,
        size=archive.size,
        allowance=allowance,
    )
    with closing(prepared), writing_rows(folder.part_features_path(part)) as features:
        for number in range(before // CAPACITY, ranges.count(before + expected)):
            done = len(found.names)
            there = (before + done) % CAPACITY
            room = min(limit - done, CAPACITY - there)
            pictures = extract_pictures(
                prepared,
                pipeline.extract,
                lambda count, done=done: progress((done + count) / expected),  # type: ignore[misc]
                allowance,
                room,
                (folder.tilemap_path(number).read_bytes(), there) if there else (b"", 0),
            )
            found.names += pictures.names
            found.facts += pictures.facts
            found.skipped += pictures.skipped
            found.ignored += pictures.ignored
            found.over_limit |= pictures.over_limit
            found.taken += pictures.taken
            if pictures.names:
                features.append(pictures.features)
                with replacing(folder.tilemap_path(number)) as file:
                    file.write(pictures.tilemap)
            if len(pictures.names) < room:
                break
    if not found.names:
        folder.part_features_path(part).unlink()
    return found


def _allowance(parts: int) -> Allowance:
    """What the settings grant an upload of 1000 pictures, for so many times as many."""
    return Allowance(
        pixels=parts * settings.MAX_TOTAL_MEGAPIXELS * 1_000_000, seconds=parts * 3 * settings.DECODE_SECONDS
    )
