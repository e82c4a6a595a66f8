"""The pictures of the installed catalogue, by row."""

import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from datasets.collection.base import THUMBNAIL_REMAINS, Collection
from datasets.collection.similarity import SimilarityTables
from datasets.errors import NotFound
from datasets.pictures.zip_archive import MemberError
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.reducers import REDUCERS
from embeddings.vector_files import BadVectors, load

from .builder import BuildDirectory
from .installation import Catalogue, content_fingerprint, shelf, tilemap_path


class InstalledCatalogue(Collection):
    """Of the catalogue."""

    def __init__(self, catalogue: Catalogue, data: Path) -> None:
        self.catalogue = catalogue
        self.vectors_folder = data / "vectors"
        self.work = _work(data, catalogue.fingerprint)
        self.total = catalogue.total
        self.name = catalogue.name
        self.network = self.work.network if self.work else ""
        # The records come a moment after the vectors, and go with `data/catalogue/`.
        self.cache_key = f"catalogue/{catalogue.fingerprint}/{'named' if self.work else 'bare'}"

    @property
    def is_named(self) -> bool:
        """Whether its pictures have names of their own: an old server left none."""
        return self.work is not None

    @property
    def table_path(self) -> Path | None:
        return self.work.table_path if self.work else None

    @property
    def metadata_path(self) -> Path:
        # Beside the vectors, and named as they are: an old server's catalogue has no other folder.
        return self.vectors_folder / f"metadata-{self.catalogue.fingerprint}.parquet"

    def finder(self) -> NeighbourSearch:
        if self.work is None:
            raise NotFound(
                "The features of this catalogue are not at hand: neighbours can be found once it has been built here.",
                code="features-missing",
            )
        return _finder(self.work, self.catalogue.fingerprint, self.work.index_version)

    def similarity(self) -> SimilarityTables:
        """Its copies and outliers. Raises `NotFound` where they have not been looked for."""
        found = _similarity(self.work, self.catalogue.fingerprint, self.total) if self.work else None
        if found is None:
            raise NotFound(
                "Copies and outliers of this catalogue have not been looked for: where it was built here, "
                "`manage.py fit_reducers` does it.",
                code="kin-missing",
            )
        return found

    def tilemap(self, number: int) -> Path:
        return tilemap_path(self.catalogue.folder, number)

    def read(self, row: int) -> bytes:
        source = self.work.manifest.get("pictures") if self.work else None
        if not source:
            sentence = f"The pictures of this catalogue are not at hand here. {THUMBNAIL_REMAINS}"
            raise NotFound(sentence, code="original-missing")
        member = self.images.member(row)
        try:
            if member is None:
                return (Path(source) / self.names([row])[0]).read_bytes()
            with Path(source).open("rb") as file:
                return member.read(file)
        except (OSError, MemberError) as error:  # moved, changed or damaged since
            sentence = f"This picture is not where the catalogue was built from any more. {THUMBNAIL_REMAINS}"
            raise NotFound(sentence, code="original-missing") from error


def installed() -> InstalledCatalogue:
    """Raises `NotFound` where no catalogue is installed."""
    catalogue = shelf().catalogue()
    if not catalogue.total:
        raise NotFound("No catalogue is installed.", code="catalogue-missing")
    return InstalledCatalogue(catalogue, settings.DATA_DIR)


@lru_cache(maxsize=1)
def _finder(work: BuildDirectory, fingerprint: str, index: int) -> NeighbourSearch:
    return NeighbourSearch(work.blocks(), work.neighbours if index else None)


def _work(data: Path, fingerprint: str) -> BuildDirectory | None:
    """The installed build, if the installed vectors are its own: others may have been imported since."""
    folder = data / "catalogue"
    try:
        version = (folder / "source.json").stat().st_mtime_ns
        return _checked(folder, version, fingerprint)
    except (OSError, BadVectors, json.JSONDecodeError):
        return None


@lru_cache(maxsize=4)
def _checked(folder: Path, version: int, fingerprint: str) -> BuildDirectory | None:
    fitted = {reducer: load(folder / "fitted" / f"{reducer}.npy") for reducer in REDUCERS}
    return BuildDirectory(folder=folder) if content_fingerprint(fitted) == fingerprint else None


def _similarity(work: BuildDirectory, fingerprint: str, total: int) -> SimilarityTables | None:
    try:
        return _load_similarity(work, fingerprint, total, work.similarity_path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _load_similarity(work: BuildDirectory, fingerprint: str, total: int, version: int) -> SimilarityTables | None:
    return work.similarity(total)
