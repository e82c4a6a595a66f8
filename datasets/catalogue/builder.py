"""A big collection → the catalogue, range by range, so that a build that was killed goes on where it was.

data/build/source.json           what is being built from what; another source needs another folder
data/build/000.{npy,jpg,json}    a range: its features, its tilemap, its names; the .json comes last and counts
data/build/images.parquet        what is known of all pictures, once they are there
data/build/fitted/               the reducers fitted on all of it, and its vectors
data/build/neighbours/           the index that finds neighbours, of a catalogue of many
data/build/kin.npz               which pictures are copies, and which are like no other
data/catalogue/                  the whole folder, once it is installed
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from datasets.collection.similarity import SimilarityTables, fingerprints_of
from datasets.pictures.extraction import Pictures, extract_pictures, prepare
from datasets.pictures.image_stats import as_columns
from datasets.pictures.zip_archive import Member
from datasets.tilemaps.ranges import range_id
from embeddings import legacy_pickles, nearest_neighbours
from embeddings.backbones import BACKBONES
from embeddings.extractors import Features
from embeddings.images.decoding import RGB
from embeddings.nearest_neighbours import Index
from embeddings.pipeline import Pipeline, Space
from embeddings.principal_axes import Standardizer
from embeddings.reducers import REDUCERS, SEED
from embeddings.vector_files import Vectors, load, replacing, save

from .installation import install, pickle_path, tilemap_path
from .sources import Source

FORMAT = 1


class BuildError(Exception):
    """A build cannot go on; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class BuildDirectory:
    """The folder of one build."""

    folder: Path

    @classmethod
    def begun(cls, data: Path) -> "BuildDirectory":
        """The build in progress, else the one that was installed last. Raises `BuildError` where there is neither."""
        for folder in (data / "build", data / "catalogue"):
            if (folder / "source.json").exists():
                return cls(folder=folder)
        raise BuildError("No features have been extracted yet: run `manage.py extract_features SOURCE` first.")

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What is built from what."""
        manifest: dict[str, Any] = json.loads((self.folder / "source.json").read_text())
        return manifest

    def ranges(self) -> list[dict[str, Any]]:
        """The records of the finished ranges, in order."""
        records: list[dict[str, Any]] = []
        while (path := self._path(len(records), "json")).exists():
            records.append(json.loads(path.read_text()))
        return records

    def blocks(self) -> list[Features]:
        """Features of the finished ranges, memory-mapped."""
        finished = takewhile(lambda number: self._path(number, "json").exists(), count())
        return [np.load(self._path(number, "npy"), mmap_mode="r") for number in finished]

    def put(
        self, number: int, pictures: Pictures, taken: int, member: Callable[[str], Member | None]
    ) -> dict[str, Any]:
        """Store a finished range. Returns its record."""
        save(self._path(number, "npy"), pictures.features)
        with replacing(self._path(number, "jpg")) as file:
            file.write(pictures.tilemap)
        record = {
            "names": pictures.names,
            "facts": as_columns(pictures.facts) | {"member": [member(name) for name in pictures.names]},
            "skipped": [skipped.as_dict() for skipped in pictures.skipped],
            "taken": taken,
        }
        with replacing(self._path(number, "json")) as file:
            file.write(json.dumps(record).encode())
        return record

    def tilemap(self, number: int) -> Path:
        return self._path(number, "jpg")

    @property
    def table_path(self) -> Path:
        return self.folder / "images.parquet"

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
    def neighbours(self) -> Path:
        """The folder of the index."""
        return self.folder / "neighbours"

    @property
    def index_version(self) -> int:
        """Another one for another index; 0 where there is none."""
        try:
            return (self.neighbours / "index.json").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @property
    def similarity_path(self) -> Path:
        return self.folder / "kin.npz"

    def similarity(self, total: int) -> SimilarityTables | None:
        """Copies and outliers among its pictures, if they have been found."""
        return SimilarityTables.load(self.similarity_path, total)

    @property
    def network(self) -> str:
        """What the features were computed with; empty where an older version did not say it all."""
        manifest = self.manifest
        known = (
            f"{manifest['backbone']}:{manifest['weights']}:{manifest['precision']}"
            if manifest["precision"] != "int8"
            else ""
        )
        return str(manifest.get("network", known))

    def forget_fit(self) -> None:
        """Have `fit` do its work again."""
        (self.folder / "fitted" / "done").unlink(missing_ok=True)

    def _path(self, number: int, suffix: str) -> Path:
        return self.folder / f"{range_id(number)}.{suffix}"


def open_work(
    data: Path, source: Source, pipeline: Pipeline, *, name: str, demo: bool, restart: bool
) -> BuildDirectory:
    """The build folder for this source and this network, new or begun. Raises `BuildError` for another one's."""
    work = BuildDirectory(folder=data / "build")
    listing = hashlib.sha256("\0".join(source.names).encode()).hexdigest()
    # What decides whether a begun build can go on; where the source lies may change.
    manifest = {
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
    path = work.folder / "source.json"
    if restart:
        shutil.rmtree(work.folder, ignore_errors=True)
    if path.exists():
        begun = {"network": manifest["network"]} | work.manifest  # older builds do not name it
        different = [key for key, value in manifest.items() if begun.get(key) != value]
        if different:
            raise BuildError(
                f"{work.folder} holds a build begun with another {', '.join(different)} (source: "
                f"{work.manifest.get('source')}). Finish that one, or throw it away with --restart."
            )
    else:
        with replacing(path) as file:
            file.write(json.dumps(manifest | {"pictures": source.location}, indent=1).encode())
    for part in work.folder.glob("**/.*.part"):  # what a killed build was writing
        part.unlink()
    return work


def extract(
    work: BuildDirectory, source: Source, pipeline: Pipeline, max_pixels: int, on_files: Callable[[int], object]
) -> list[dict[str, Any]]:
    """Make every range that is not finished yet. `on_files` is told how many more of the source's files are done.

    Returns the records of all ranges. Raises `BuildError` where the source holds no pictures.
    """
    records = work.ranges()
    taken = records[-1]["taken"] if records else 0
    on_files(taken)
    prepared = prepare(source.names[taken:], source.read, pipeline.weights.backbone, max_pixels)
    with closing(prepared):
        while taken < len(source.names):
            pictures = extract_pictures(prepared, pipeline.extract, lambda count: on_files(1))
            if not pictures.names:
                break
            taken += pictures.taken
            records.append(work.put(len(records), pictures, taken, source.member))
    if not records:
        raise BuildError(f"Not one of the {len(source.names)} files of {source.label} is a picture.")
    return records


def fit(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Fit every reducer on the extracted features, keep the fitted ones and the vectors in the build folder."""
    fitted = work.folder / "fitted"
    if (fitted / "done").exists():
        return
    blocks = work.blocks()
    on_step("standardising, principal axes")
    standardizer = Standardizer.fit(blocks)
    coordinates = standardizer.project_all(blocks)
    reducers = []
    for name, kind in REDUCERS.items():
        on_step(name)
        reducer, places = kind.fit(standardizer, coordinates, seed=SEED)
        reducers.append(reducer)
        save(fitted / f"{name}.npy", places)
    Space.save(fitted, reducers, demo=work.manifest["demo"])
    (fitted / "done").touch()


def index(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Make the index that finds neighbours among many, if it is not there yet."""
    blocks = work.blocks()
    shape = sum(len(block) for block in blocks), blocks[0].shape[1]
    if shape[0] > nearest_neighbours.EXACT_ROWS and Index.open(work.neighbours, shape) is None:
        on_step("neighbours")
        nearest_neighbours.build(blocks, work.neighbours)


def measure_similarity(work: BuildDirectory, on_step: Callable[[str], object]) -> None:
    """Find copies and outliers, if that has not been done yet; after `index`, without which it takes far longer."""
    blocks = work.blocks()
    if work.similarity(sum(len(block) for block in blocks)) is not None:
        return
    on_step("copies, outliers")
    facts = [record.get("facts", {}) for record in work.ranges()]
    known = {
        name: [
            each
            for columns, block in zip(facts, blocks, strict=True)
            for each in columns.get(name, [None] * len(block))
        ]
        for name in ("fingerprint", "digest")
    }
    similarity = SimilarityTables.measure(
        blocks, fingerprints_of(known["fingerprint"]), known["digest"], work.neighbours
    )
    similarity.save(work.similarity_path)


def publish(data: Path, work: BuildDirectory) -> int:
    """Install a fitted build as the catalogue: tilemaps, models, pickles, vectors. Returns the number of pictures.

    Every step replaces whole files and can be repeated, so a publication that was killed is simply run again.
    """
    manifest, fitted = work.manifest, work.folder / "fitted"
    records = work.ranges()
    work.write_table(records)
    for number in range(len(records)):
        _link(work.tilemap(number), tilemap_path(data / "tilemaps", number))
    models = data / "models" / manifest["backbone"]
    for name in (*(f"{reducer}.npz" for reducer in REDUCERS), "space.json"):
        _link(fitted / name, models / name)
    arrays: dict[str, Vectors] = {reducer: load(fitted / f"{reducer}.npy") for reducer in REDUCERS}
    for reducer, array in arrays.items():
        legacy_pickles.write(pickle_path(data, reducer), array)
    install(data, arrays, name=manifest["name"], demo=manifest["demo"])
    target = data / "catalogue"
    if work.folder != target:
        shutil.rmtree(target, ignore_errors=True)
        work.folder.rename(target)
    return sum(len(record["names"]) for record in records)


def draw_tilemaps(data: Path, source: Source, max_pixels: int, on_files: Callable[[int], object]) -> int:
    """Tilemaps alone, straight into the folder they are served from. Returns their number.

    Decoded as for the network, so that they come out the same as a whole build's.
    """

    def look_away(crops: Iterable[RGB]) -> Features:
        for _ in crops:
            pass
        return np.empty((0, 0), np.float32)

    number = 0
    with closing(prepare(source.names, source.read, BACKBONES["resnet50"], max_pixels)) as prepared:
        while (pictures := extract_pictures(prepared, look_away)).taken:
            on_files(pictures.taken)
            if pictures.names:
                with replacing(tilemap_path(data / "tilemaps", number)) as file:
                    file.write(pictures.tilemap)
                number += 1
    return number


def skipped(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names and reasons of the files that could not be read."""
    for record in records:
        for entry in record["skipped"]:
            yield entry["name"], entry["reason"]


def _link(source: Path, target: Path) -> None:
    """Put a file into a second place, atomically, without copying it where the file system can help it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    os.replace(part, target)
