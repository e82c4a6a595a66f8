"""The pictures of a catalogue, by row."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.collection import source_pictures
from datasets.collection.base import Collection
from datasets.collection.similarity import SimilarityTables
from datasets.errors import NotFound
from embeddings.reducers import Pca
from embeddings.vector_files import Vectors

from . import installed_catalogue, publication, sharing
from .installed_catalogue import Catalogue, catalogue_store

_ID = re.compile("[0-9a-f]{16}(-2)?")


class CatalogueCollection(Collection):
    """Of a catalogue, installed or not."""

    without_features = (
        "The features of this catalogue are not at hand: neighbours can be found once it has been built here."
    )

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.folder = catalogue.folder
        self.id = catalogue.folder.path.name
        self.total = catalogue.total
        self.name = catalogue.name
        self.network = catalogue.network
        # The same vectors may have come from pickles, and then from a build.
        self.is_named = self.folder.table_path.exists()
        self.cache_key = f"catalogue/{catalogue.fingerprint}/{'named' if self.is_named else 'bare'}"

    @property
    def table_paths(self) -> tuple[Path, ...]:
        return self.folder.table_paths if self.is_named else ()

    @property
    def metadata_path(self) -> Path:
        return self.catalogue.metadata_path

    @property
    def cluster_labels_path(self) -> Path:
        return self.catalogue.cluster_labels_path

    @property
    def saved_views_path(self) -> Path:
        return self.catalogue.cluster_labels_path.with_name(f"saved-views-{self.catalogue.fingerprint}.json")

    @property
    def has_report(self) -> bool:
        """Whether it is known what became of the files of its source."""
        return self.folder.report_path.exists()

    @property
    def metadata_report_path(self) -> Path:
        """Of how files of metadata were matched, beside those."""
        return self.catalogue.cluster_labels_path.with_name(f"metadata-report-{self.catalogue.fingerprint}.json")

    @property
    def manifest(self) -> dict[str, Any]:
        return installed_catalogue.manifest_of(self.folder)

    @property
    def explained_variance(self) -> list[float]:
        model = self.folder.model_path(Pca.name)
        return Pca.load(model).explained_variance() if model.exists() else []

    @property
    def added_total(self) -> int:
        return 0

    def store_files(self) -> None:
        sharing.store_collection(self.folder)

    def editing(self) -> AbstractContextManager[None]:
        return sharing.editing(self.catalogue.data)

    def editing_layouts(self) -> AbstractContextManager[None]:
        return sharing.editing_collection(self.folder)

    def vectors(self, reducer: str) -> Vectors:
        return self.catalogue.vectors[reducer]

    def similarity(self) -> SimilarityTables:
        """Its copies and outliers. Raises `NotFound` where they have not been looked for."""
        found = super().similarity()
        if found is None:
            raise NotFound(
                "Copies and outliers of this catalogue have not been looked for: where it was built here, "
                "`manage.py fit_reducers` does it.",
                code="kin-missing",
            )
        return found

    def tilemap(self, number: int) -> Path:
        return self.catalogue.tilemap_path(number)

    def read(self, row: int) -> bytes:
        source = self.catalogue.pictures
        # What came without a source came without a table, too.
        member = self.images.member(row) if source else None
        return source_pictures.read(source, self.names([row])[0], member)


def of_id(catalogue_id: str) -> CatalogueCollection:
    """Raises `NotFound`."""
    return CatalogueCollection(publication.catalogue(settings.DATA_DIR, catalogue_id))


def is_id(text: str) -> bool:
    """Whether a catalogue may be called so; the ids of uploads are longer."""
    return _ID.fullmatch(text) is not None


def installed() -> CatalogueCollection:
    """Raises `NotFound` where no catalogue is installed."""
    catalogue = catalogue_store().catalogue()
    if not catalogue.total:
        raise NotFound("No catalogue is installed.", code="catalogue-missing")
    return CatalogueCollection(catalogue)
