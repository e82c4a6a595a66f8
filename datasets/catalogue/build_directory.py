"""The folder of a build: a collection that is being made, and how far that is.

data/build/source.json       what is being built from what; another source needs another folder
data/build/ranges/000.json   names and facts of a range, and what of its files became no picture: written after its
                             features and its tilemap, and counts
data/build/passed_over.json  what of the source was not looked at
data/build/chunks-256/…      files that were extracted in chunks of so many and are in no range yet
data/build/computed.json     what computed them (`arithmetic`)
data/build/layouts/space.json   counts for the fitted reducers and their vectors
data/build/…                 all else as in every collection (`datasets.collection.folder`)
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from datasets.collection.folder import CollectionFolder, discard, link_tree
from datasets.pictures.extraction import Pictures
from datasets.pictures.image_stats import as_columns
from datasets.pictures.zip_archive import Member, Skipped
from datasets.tilemaps.ranges import range_id
from embeddings.extractors import Features
from embeddings.pipeline import Pipeline
from embeddings.vector_files import replacing, save

from .chunks import FILES
from .installed_catalogue import built_collection
from .sources import Source

FORMAT = 1
LISTED = 10_000
"""Files without a row that are kept by name, of a range and of the source; the others are counted."""


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

    @property
    def chunks(self) -> Path:
        return self.path / f"chunks-{FILES}"

    @property
    def taken(self) -> int:
        """How many of the source's files are in finished ranges."""
        number = sum(1 for _ in self._finished())
        return int(json.loads(self.record_path(number - 1).read_text())["taken"]) if number else 0

    def blocks(self) -> list[Features]:
        """Features of the finished ranges, memory-mapped."""
        return self.features(sum(1 for _ in self._finished()))

    def _finished(self) -> Iterator[int]:
        return takewhile(lambda number: self.record_path(number).exists(), count())

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
            "taken": taken,
            **_without_row(pictures),
        }
        self._write_record(number, record)
        return record

    def put_rest(self, records: Sequence[dict[str, Any]], pictures: Pictures, taken: int) -> None:
        """Add to the last record the files after its pictures, of which none became one."""
        last, rest = records[-1], _without_row(pictures)
        for key in ("skipped", "ignored"):
            last[key] = [*last.get(key, ()), *rest[key]][:LISTED]
        last |= {"counts": dict(_counted(last) + Counter(rest["counts"])), "taken": taken}
        self._write_record(len(records) - 1, last)

    def _write_record(self, number: int, record: Mapping[str, Any]) -> None:
        with replacing(self.record_path(number)) as file:
            file.write(json.dumps(record).encode())

    @property
    def passed_over_path(self) -> Path:
        return self.path / "passed_over.json"

    def note_passed_over(self, left: Sequence[Skipped]) -> None:
        """Keep what of the source is not looked at, as it is now."""
        listed = [(skipped.name, skipped.reason, skipped.kind) for skipped in left[:LISTED]]
        content = {"files": listed, "counts": Counter(skipped.kind for skipped in left)}
        with replacing(self.passed_over_path) as file:
            file.write(json.dumps(content).encode())

    def without_row(self, records: Sequence[Mapping[str, Any]]) -> tuple[list[Skipped], Counter[str]]:
        """The files that became no pictures, as far as they are kept by name, and how many there are, by their kind."""
        counts: Counter[str] = Counter()
        found: list[Skipped] = []
        if self.passed_over_path.exists():
            passed_over = json.loads(self.passed_over_path.read_text())
            counts.update(passed_over["counts"])
            found += [Skipped(name=name, reason=reason, kind=kind) for name, reason, kind in passed_over["files"]]
        for record in records:
            counts.update(_counted(record))
            found += [Skipped(**{"kind": "unreadable"} | entry) for entry in record["skipped"]]
            found += [_ignored(name) for name in record.get("ignored", ())]
        return found, counts

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


def _without_row(pictures: Pictures) -> dict[str, Any]:
    """What a record holds of files that became no pictures."""
    left = [*pictures.skipped, *map(_ignored, pictures.ignored)]
    return {
        "skipped": [skipped.as_dict() | {"kind": skipped.kind} for skipped in pictures.skipped[:LISTED]],
        "ignored": pictures.ignored[:LISTED],
        "counts": dict(Counter(skipped.kind for skipped in left)),
    }


def _ignored(name: str) -> Skipped:
    return Skipped(name=name, reason="it is no picture", kind="passed_over")


def _counted(record: Mapping[str, Any]) -> Counter[str]:
    """Of a record's files without a row; older builds named them all, without their kinds."""
    if "counts" in record:
        return Counter(record["counts"])
    return Counter(entry.get("kind", "unreadable") for entry in record["skipped"])


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
