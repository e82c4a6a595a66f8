"""Pictures by row, whatever they belong to: names, sizes, metadata, files, tiles.

A collection consists of ranges of up to 1000 pictures, one to a tilemap. What an old server's data folder does not tell
(names, sizes, the files themselves) is None or refused, never made up; only a name falls back to the row's number.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from datasets.errors import ApiError, NotFound
from datasets.pictures.image_stats import ImageStats
from datasets.tilemaps import ranges
from embeddings import nearest_neighbours
from embeddings.extractors import Features
from embeddings.nearest_neighbours import NeighbourSearch, SupportsNearest
from embeddings.vector_files import Vectors

from .folder import CollectionFolder
from .similarity import NEIGHBOURS, SimilarityTables
from .tilemap_page import TilemapPage

if TYPE_CHECKING:
    from .clusters import Clusters
    from .image_table import ImageTable

_ROW = re.compile(r"[0-9]{1,12}")
THUMBNAIL_REMAINS = "Its thumbnail can still be had."


class Collection(ABC):
    """Pictures by row."""

    id: str
    """Of an upload, or the name of the catalogue's folder."""
    folder: CollectionFolder
    cache_key: str
    """Names the cached answers that are made of it; another key whenever they would differ."""
    total: int
    name: str
    network: str
    """What its features were computed with: those of equal networks can be compared. Empty where it is not known."""
    without_features: str
    """The sentence for who needs its features, where they are not at hand."""

    @property
    @abstractmethod
    def manifest(self) -> dict[str, Any]:
        """What belongs together in its folder; empty before that is complete."""

    @property
    def space(self) -> str | None:
        """The fingerprint of the catalogue's space that its pictures were placed in; None where they were laid out by
        themselves."""
        found: str | None = self.manifest.get("space")
        return found

    @property
    @abstractmethod
    def explained_variance(self) -> list[float]:
        """Shares of the variance along PCA's three axes; empty where they are not known."""

    @property
    @abstractmethod
    def added_total(self) -> int:
        """How many of its pictures people have sent: all but those of a catalogue."""

    @abstractmethod
    def store_files(self) -> None:
        """Put what was changed in its folder into the object store, where there is one. Raises `NotStored`,
        `StorageAway`."""

    @abstractmethod
    def editing(self) -> AbstractContextManager[None]:
        """Let no other host change saved views and names of clusters during the block, which changes some.

        Raises `NotFound`, `StorageAway`.
        """

    def editing_layouts(self) -> AbstractContextManager[None]:
        """The same for further layouts."""
        return self.editing()

    @abstractmethod
    def vectors(self, reducer: str) -> Vectors:
        """`(n, 3) float32` of PCA or UMAP."""

    @cached_property
    def images(self) -> "ImageTable":
        """What is known of each picture. Raises `FileNotFoundError` where an upload has just been deleted."""
        paths = self.metadata_path, self.folder.clusters_path
        return _opened(self.total, self.table_paths, *paths, *map(_version, (*self.table_paths, *paths)))

    @property
    def table_paths(self) -> tuple[Path, ...]:
        """Of `images.parquet`, a part after the other; none where nothing is known of the pictures but their number."""
        return self.folder.table_paths

    @property
    def metadata_path(self) -> Path | None:
        """Of fields beside those in the table, if it can have any."""
        return None

    @property
    def metadata_version(self) -> str:
        """Another one whenever the metadata, or the clusters beside them, may be others."""
        return f"{_version(self.metadata_path)}-{_version(self.folder.clusters_path)}"

    @property
    @abstractmethod
    def cluster_labels_path(self) -> Path:
        """Of the names that clusters were given."""

    @property
    @abstractmethod
    def saved_views_path(self) -> Path:
        """Of the views that people saved."""

    def clusters(self) -> "Clusters":
        """Raises `NotFound` where they have not been computed."""
        from . import clusters  # with the modules that compute them, which a start does not wait for

        found = clusters.read(self.folder.clusters_path, self.total)
        if found is None:
            raise NotFound(
                "The clusters of this collection have not been computed: ask for them with POST.",
                code="clusters-missing",
            )
        return found

    @property
    def lacks_clusters(self) -> bool:
        """Whether they have not been computed, and can be; of few pictures there are none."""
        from . import clusters  # as above

        if self.total < clusters.LEAST_PICTURES or clusters.is_current(self.folder.clusters_path):
            return False
        try:
            return bool(self.blocks())
        except NotFound:
            return False

    def tilemap(self, number: int) -> Path:
        """Of the rows 1000 · number …"""
        return self.folder.tilemap_path(number)

    def blocks(self) -> list[Features]:
        """Features range by range, memory-mapped. Raises `NotFound` where they are not at hand."""
        try:
            return self.folder.features(ranges.count(self.total))
        except FileNotFoundError:
            raise self.features_missing() from None

    def features_missing(self) -> NotFound:
        return NotFound(self.without_features, code="features-missing")

    def finder(self) -> SupportsNearest:
        """Finds neighbours among its pictures: by the database of SEARCH_URL where that has them, and they are many or
        not here, else by the index on disk. Raises `NotFound` where the features are not at hand, `SearchDatabaseAway`.
        """
        has_features = self.folder.has_features_here
        if settings.SEARCH_URL and (not has_features or self.total > nearest_neighbours.EXACT_ROWS):
            from . import database_search  # with a package that is not installed for those who do without it

            local = self._local_finder() if has_features else None
            found = database_search.find(self.id, self.features_version, local)
            if found is not None:
                return found
        local = self._local_finder()
        if local is None:
            raise self.features_missing()
        return local

    def _local_finder(self) -> NeighbourSearch | None:
        try:
            if self.total <= nearest_neighbours.EXACT_ROWS:
                return NeighbourSearch(self.blocks())
            return _finder(self.folder, self.total, self.folder.index_version)
        except (FileNotFoundError, NotFound):
            return None

    @property
    def features_version(self) -> str:
        """Another one for other features, wherever they lie."""
        return _features_version(self.folder.manifest_path, _version(self.folder.manifest_path))

    def similarity(self) -> SimilarityTables | None:
        """Its copies and outliers, where they have been looked for."""
        try:
            return _similarity(self.folder, self.total, self.folder.similarity_path.stat().st_mtime_ns)
        except FileNotFoundError:
            return None

    def outlier_scores(self) -> NDArray[np.float32]:
        """`(n,)`, those that are kept, or of a collection so small that none are. Raises `NotFound`."""
        if (tables := self.similarity()) is not None:
            return tables.outlier_scores
        return nearest_neighbours.outlier_scores(nearest_neighbours.nearest_of_all(self.blocks(), NEIGHBOURS)[1])

    @abstractmethod
    def read(self, row: int) -> bytes:
        """A picture's file as it came. Raises `NotFound`, `Gone`."""

    def row(self, text: str) -> int:
        """A row's number from what a client wrote. Raises `ApiError` or `NotFound`."""
        if not _ROW.fullmatch(text):
            sentence = f"“{text[:40]}” is no picture: pictures are numbered from 0."
            raise ApiError(sentence, code="picture-unknown")
        if int(text) >= self.total:
            known = f"the last one is {self.total - 1}" if self.total else "there is none at all"
            raise NotFound(f"There is no picture {int(text)}: {known}.", code="picture-unknown")
        return int(text)

    def page(self, number: int) -> TilemapPage:
        """The pictures of the rows 1000 · number … in their tilemap."""
        rows = range(number * ranges.SIZE, min((number + 1) * ranges.SIZE, self.total))
        shapes = self.images.shapes(rows.start, len(rows))
        return TilemapPage(names=self.names(rows), recorded_shapes=shapes, tilemap=self.tilemap(number))

    def names(self, rows: Sequence[int]) -> list[str]:
        return self.images.names(rows)

    def select(self, fields: Mapping[str, Iterable[str]], search: str) -> Sequence[int] | NDArray[np.int64]:
        """Ascending rows that have, for every field, one of the values, and whose names contain what is searched for.

        Raises `ApiError`.
        """
        return self.images.select(fields, search)

    def facts(self, row: int) -> ImageStats | None:
        return self.images.stats(row)


def _version(path: Path | None) -> str:
    try:
        return f"{path.stat().st_mtime_ns:x}" if path else "none"
    except FileNotFoundError:
        return "none"


@lru_cache(maxsize=16)
def _features_version(manifest: Path, version: str) -> str:
    try:
        files: dict[str, str] = json.loads(manifest.read_text()).get("files", {})
    except FileNotFoundError:
        return ""
    digests = sorted(f"{name} {digest}" for name, digest in files.items() if name.startswith("features"))
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:32]


@lru_cache(maxsize=2)
def _finder(folder: CollectionFolder, total: int, index: int) -> NeighbourSearch:
    return NeighbourSearch(folder.features(ranges.count(total)), folder.index if index else None)


@lru_cache(maxsize=2)
def _similarity(folder: CollectionFolder, total: int, version: int) -> SimilarityTables | None:
    return folder.similarity(total)


@lru_cache(maxsize=16)
def _opened(total: int, paths: tuple[Path, ...], metadata: Path | None, found: Path, *versions: str) -> "ImageTable":
    from . import clusters
    from .image_table import ImageTable  # takes half a second to import, which a start does not wait for

    return ImageTable(total, paths, metadata, clusters.read(found, total))
