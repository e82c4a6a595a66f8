"""The folder of a collection: where each of its files lies.

manifest.json           what belongs together, and the digests of the files; written last
images.parquet          a row a picture: name, size, digest, where it lies in its ZIP
features/000.npy …      `(n, d) float32`, a file a range; one features.npy in an upload
source.zip              the upload as it came, unless it is not kept
layouts/pca.npy …       `(n, 3) float32`; pca.npz … the fitted reducers, space.json what announces them
index/                  finds neighbours, in a collection of many; similarity.npz: copies and outliers; clusters.npz
tilemaps/000.jpg …
points/umap.json …      the layouts of many pictures as tiles (`datasets.collection.point_tiles`)
report.json             what became of each file

A collection that was made by adding pictures to another one has them in *parts*: images.parquet, features.npy and
source.zip are of the pictures that it began with, images-1.parquet … of those that were added first, and so on. What
it has in common with the other one is linked, not copied. Where that one was a catalogue, features/000.npy … are of the
first part, and no source.zip has its files: manifest.json says where the catalogue was built from.
"""

import os
import shutil
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

import numpy as np

from datasets.collection.similarity import SimilarityTables
from datasets.models import ARCHIVE
from datasets.storage.local_copy import fetch_all, fetched, is_stored
from datasets.tilemaps.ranges import SIZE, range_id
from embeddings.extractors import Features
from embeddings.reducers import REDUCERS
from embeddings.vector_files import StackedRows, Vectors, load

_FIRST_FEATURES = ("features.npy", f"features/{range_id(0)}.npy")
"""In one file, or in one a range."""


@dataclass(frozen=True, kw_only=True)
class CollectionFolder:
    """What is not there is what its collection lacks: vectors from elsewhere come without features and a table."""

    path: Path

    @property
    def manifest_path(self) -> Path:
        return self.path / "manifest.json"

    @property
    def table_path(self) -> Path:
        return self.path / "images.parquet"

    @property
    def report_path(self) -> Path:
        """Of what became of each file that it was made of."""
        return self.path / "report.json"

    @property
    def parts(self) -> int:
        """How many parts it has: one, unless pictures were added; none where its pictures are not known."""
        return next(part for part in count() if not numbered(self.table_path, part).exists())

    @property
    def table_paths(self) -> tuple[Path, ...]:
        """Of the parts that there are."""
        return tuple(numbered(self.table_path, part) for part in range(self.parts))

    def archive_path(self, part: int) -> Path:
        """Of the archive that a part's pictures came in; it may lie in the store alone."""
        return numbered(self.path / ARCHIVE, part)

    @property
    def layouts(self) -> Path:
        """The folder of coordinates and fitted reducers."""
        return self.path / "layouts"

    def layout_path(self, reducer: str) -> Path:
        return self.layouts / f"{reducer}.npy"

    def model_path(self, reducer: str) -> Path:
        """Of the reducer that was fitted on its pictures; not there where they were placed in another space."""
        return self.layouts / f"{reducer}.npz"

    def vectors(self) -> dict[str, Vectors]:
        """`(n, 3) float32` by reducer, memory-mapped. Raises `BadVectors`, `FileNotFoundError`."""
        return {reducer: load(self.layout_path(reducer)) for reducer in REDUCERS}

    def features_path(self, number: int) -> Path:
        return fetched(self.path / "features" / f"{range_id(number)}.npy")

    def features(self, ranges: int) -> list[Features]:
        """Of so many ranges, memory-mapped, in blocks of at most 1000 rows. Raises `FileNotFoundError`."""
        if self.parts > 1 or self.all_features_path.exists():
            arrays = self._features_of_parts()
            return [array[first : first + SIZE] for array in arrays for first in range(0, len(array), SIZE)]
        return [_mapped(self.features_path(number)) for number in range(ranges)]

    @property
    def all_features_path(self) -> Path:
        """Of the features of all ranges in one file, which uploads have; of the first part, where there are several and
        it was no catalogue's."""
        return self.part_features_path(0)

    def part_features_path(self, part: int) -> Path:
        return fetched(numbered(self.path / "features.npy", part))

    def part_features(self, part: int) -> Features:
        """Of the pictures of one part, memory-mapped. Raises `FileNotFoundError`."""
        return _mapped(self.part_features_path(part))

    def all_features(self) -> StackedRows:
        """`(n, d)`, memory-mapped. Raises `FileNotFoundError` where they are not there."""
        return StackedRows(self._features_of_parts())

    def models(self) -> list[Path]:
        """Of the fitted reducers that there are."""
        return [path for name in REDUCERS if (path := self.model_path(name)).exists()]

    @property
    def has_models(self) -> bool:
        """Whether other pictures can be placed among its own."""
        return len(self.models()) == len(REDUCERS)

    @property
    def has_features_here(self) -> bool:
        """Whether features lie on this host, and need not be fetched."""
        return any((self.path / name).exists() for name in _FIRST_FEATURES)

    @property
    def can_grow(self) -> bool:
        """Whether it has all that pictures can be added to, as catalogues from elsewhere have not."""
        has_features = any(is_stored(self.path / name) for name in _FIRST_FEATURES)
        return self.table_path.exists() and has_features and self.has_models

    def share(self, target: "CollectionFolder", *more: Path) -> None:
        """Link what a collection that grows out of this one has in common with it, and `more` files, if they are there:
        pictures, features and the index of them."""
        own = [*self.table_paths, *self._features_paths()]
        own += [self.archive_path(part) for part in range(self.parts)]
        own += [*(self.path / "tilemaps").glob("*.jpg"), *self.index.glob("index.*")]
        for path in (*own, *more):
            if path.exists():
                link(path, target.path / path.relative_to(self.path))

    def _features_of_parts(self) -> list[Features]:
        return list(map(_mapped, self._features_paths()))

    def _features_paths(self) -> list[Path]:
        """One a part; of a first part that was a catalogue's, one a range. One at least, be it there or not."""
        of_ranges = takewhile(Path.exists, map(self.features_path, count()))
        first = [] if self.all_features_path.exists() else list(of_ranges)
        later = map(self.part_features_path, range(1, self.parts))
        return [*(first or [self.all_features_path]), *later]

    def tilemap_path(self, number: int) -> Path:
        return fetched(self.path / "tilemaps" / f"{range_id(number)}.jpg")

    @property
    def points(self) -> Path:
        """The folder of layouts as tiles of points."""
        return self.path / "points"

    def point_index_path(self, layout: str) -> Path:
        return self.points / f"{layout}.json"

    def point_nodes_path(self, layout: str, digest: str) -> Path:
        """`digest` has 16 digits."""
        return self.points / f"{layout}-{digest}.bin"

    def point_paths(self, layout: str) -> list[Path]:
        """Of all files of a layout's tiles, the index first."""
        return [self.point_index_path(layout), *self.points.glob(self.point_nodes_path(layout, "?" * 16).name)]

    @property
    def forming_path(self) -> Path:
        """Of where the pictures lie while they are laid out; gone when they are."""
        return self.layouts / ".forming.npy"

    @property
    def index(self) -> Path:
        """The folder of the index."""
        fetch_all(self.path, "index/*")
        return self.path / "index"

    @property
    def index_version(self) -> int:
        """Another one for another index; 0 where there is none."""
        try:
            return fetched(self.path / "index" / "index.json").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @property
    def similarity_path(self) -> Path:
        return self.path / "index" / "similarity.npz"

    @property
    def clusters_path(self) -> Path:
        return self.path / "index" / "clusters.npz"

    def similarity(self, total: int) -> SimilarityTables | None:
        """Copies and outliers among its pictures, if they have been found."""
        return SimilarityTables.load(self.similarity_path, total)


def numbered(path: Path, part: int) -> Path:
    """The same file of another part: `features.npy`, `features-1.npy`, …"""
    return path.with_stem(f"{path.stem}-{part}") if part else path


def _mapped(path: Path) -> Features:
    # As a plain array: that of a memory map is of a kind of its own.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def link(source: Path, target: Path) -> None:
    """Put a file into a second place, atomically, without copying it where the file system can help it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    _link_or_copy(source, part)
    os.replace(part, target)


def link_tree(source: Path, target: Path) -> None:
    """The same for a folder; what is still being written in it stays behind. `target` must not be there."""
    shutil.copytree(source, target, copy_function=_link_or_copy, ignore=shutil.ignore_patterns(".*"))


def discard(folder: Path) -> None:
    """Remove a folder that may be there, in such a way that a process that is killed leaves nothing half removed
    under its name."""
    if folder.exists():
        removed = folder.with_name(f".{folder.name}.removed")
        shutil.rmtree(removed, ignore_errors=True)
        folder.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
