"""The folder of a build: a collection that is being made, and how far that is.

data/build/source.json       what is being built from what; another source needs another folder
data/build/ranges/000.json   names and facts of a range: written after its features and its tilemap, and counts
data/build/layouts/space.json   counts for the fitted reducers and their vectors
data/build/…                 all else as in every collection (`datasets.collection.folder`)
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from datasets.collection.folder import CollectionFolder, discard, link_tree
from datasets.pictures.extraction import Pictures
from datasets.pictures.image_stats import as_columns
from datasets.pictures.zip_archive import Member
from datasets.tilemaps.ranges import range_id
from embeddings.extractors import Features
from embeddings.pipeline import Pipeline
from embeddings.vector_files import replacing, save

from .installation import built_collection
from .sources import Source

FORMAT = 1


class BuildError(Exception):
    """A build cannot go on; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class BuildDirectory(CollectionFolder):
    """The folder of one build."""

    @classmethod
    def begun(cls, data: Path) -> "BuildDirectory":
        """The build in progress, else one of what was built last, its files being linked. Raises `BuildError` where
        there is neither."""
        work = cls(path=data / "build")
        if work.source_path.exists():
            return work
        built = built_collection(data)
        if built is None:
            raise BuildError("No features have been extracted yet: run `manage.py extract_features SOURCE` first.")
        part = cls(path=work.path.with_name(".build.part"))
        discard(part.path)
        discard(work.path)
        link_tree(built.path, part.path)
        part.manifest_path.unlink(missing_ok=True)  # of what it was
        part.path.rename(work.path)
        return work

    @property
    def source_path(self) -> Path:
        return self.path / "source.json"

    @cached_property
    def source(self) -> dict[str, Any]:
        """What is built from what."""
        source: dict[str, Any] = json.loads(self.source_path.read_text())
        return source

    def record_path(self, number: int) -> Path:
        return self.path / "ranges" / f"{range_id(number)}.json"

    def ranges(self) -> list[dict[str, Any]]:
        """The records of the finished ranges, in order."""
        records: list[dict[str, Any]] = []
        while (path := self.record_path(len(records))).exists():
            records.append(json.loads(path.read_text()))
        return records

    def blocks(self) -> list[Features]:
        """Features of the finished ranges, memory-mapped."""
        finished = takewhile(lambda number: self.record_path(number).exists(), count())
        return self.features(sum(1 for _ in finished))

    def put(
        self, number: int, pictures: Pictures, taken: int, member: Callable[[str], Member | None]
    ) -> dict[str, Any]:
        """Store a finished range. Returns its record."""
        save(self.features_path(number), pictures.features)
        with replacing(self.tilemap_path(number)) as file:
            file.write(pictures.tilemap)
        record = {
            "names": pictures.names,
            "facts": as_columns(pictures.facts) | {"member": [member(name) for name in pictures.names]},
            "skipped": [skipped.as_dict() for skipped in pictures.skipped],
            "taken": taken,
        }
        with replacing(self.record_path(number)) as file:
            file.write(json.dumps(record).encode())
        return record

    def write_table(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Put what is known of all pictures into one table."""
        from datasets.collection import image_table  # heavy, and the web process imports this module too

        names = [name for record in records for name in record["names"]]
        known = [record.get("facts", {}) for record in records]
        columns = {name for facts in known for name in facts}
        facts = {
            name: [
                each
                for record, facts in zip(records, known, strict=True)
                for each in facts.get(name, [None] * len(record["names"]))
            ]
            for name in columns | {"member"}
        }
        members = [Member(*member) if member else None for member in facts["member"]]
        with replacing(self.table_path) as file:
            image_table.write(file, names, stats=facts, members=members, metadata=())

    @property
    def is_fitted(self) -> bool:
        return (self.layouts / "space.json").exists()

    def note_fit(self, seed: int, versions: Mapping[str, str], sample: int | None) -> None:
        """What the vectors depend on beside the features; `sample` is the number of rows that they were fitted on,
        where it was not all."""
        with replacing(self.layouts / "fit.json") as file:
            file.write(json.dumps({"seed": seed, "versions": versions, "fit_sample": sample}).encode())

    def forget_fit(self) -> None:
        """Have `fit` do its work again."""
        (self.layouts / "space.json").unlink(missing_ok=True)


def open_work(
    data: Path, source: Source, pipeline: Pipeline, *, name: str, demo: bool, restart: bool
) -> BuildDirectory:
    """The build folder for this source and this network, new or begun. Raises `BuildError` for another one's."""
    work = BuildDirectory(path=data / "build")
    listing = hashlib.sha256("\0".join(source.names).encode()).hexdigest()
    # What decides whether a begun build can go on; where the source lies may change.
    described = {
        "format": FORMAT,
        "source": source.label,
        "files": len(source.names),
        "listing": listing,
        "backbone": pipeline.weights.backbone.name,
        "weights": pipeline.weights.digest,
        "precision": pipeline.choice.precision,
        "network": pipeline.network,
        "name": name,
        "demo": demo,
    }
    if restart:
        discard(work.path)
    if work.source_path.exists():
        begun = {"network": described["network"]} | work.source  # older builds do not name it
        different = [key for key, value in described.items() if begun.get(key) != value]
        if different:
            raise BuildError(
                f"{work.path} holds a build begun with another {', '.join(different)} (source: "
                f"{work.source.get('source')}). Finish that one, or throw it away with --restart."
            )
    else:
        with replacing(work.source_path) as file:
            file.write(json.dumps(described | {"pictures": source.location}, indent=1).encode())
    for part in work.path.glob("**/.*.part"):  # what a killed build was writing
        part.unlink()
    return work
