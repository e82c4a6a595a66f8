"""The pictures of a catalogue, by row."""

import re
from pathlib import Path

from django.conf import settings

from datasets.collection.base import THUMBNAIL_REMAINS, Collection
from datasets.collection.similarity import SimilarityTables
from datasets.errors import NotFound
from datasets.pictures.zip_archive import MemberError
from embeddings.vector_files import Vectors

from . import publication
from .installation import Catalogue, catalogue_store

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
