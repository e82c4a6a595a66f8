"""The pictures of an upload, by row."""

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

from datasets.errors import Gone, NotFound
from datasets.models import Dataset
from datasets.pictures.zip_archive import MemberError
from datasets.storage.local_copy import is_stored, opened
from embeddings.reducers import ModelError, Reducer, load_all
from embeddings.vector_files import StackedRows, Vectors

from . import saved_views, source_pictures
from .base import THUMBNAIL_REMAINS, Collection
from .folder import CollectionFolder

LABELS = "cluster_labels.json"
"""The names that clusters were given, in a dataset's folder."""


class Upload(Collection):
    """Of a ready dataset."""

    without_features = "The features of this dataset are gone."

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.id = dataset.hash
        self.folder = CollectionFolder(path=dataset.folder)
        # An id that was deleted and sent again is computed anew.
        computed = dataset.finished_at or dataset.started_at
        self.cache_key = f"dataset/{dataset.hash}/{computed:%Y%m%d%H%M%S%f}"
        self.total = dataset.count
        self.name = dataset.name
        self.network = dataset.network

    @property
    def cluster_labels_path(self) -> Path:
        return self.folder.path / LABELS

    @property
    def saved_views_path(self) -> Path:
        return self.folder.path / saved_views.FILE

    def store_files(self) -> None:
        self.dataset.store_files()

    def editing(self) -> AbstractContextManager[None]:
        return self.dataset.editing()

    def vectors(self, reducer: str) -> Vectors:
        return self.dataset.vectors(reducer)

    def features(self) -> StackedRows:
        """`(n, d) float32`, memory-mapped. Raises `NotFound` where they are gone."""
        try:
            return self.folder.all_features()
        except FileNotFoundError:
            raise self.features_missing() from None

    def reducers(self) -> dict[str, Reducer]:
        """Those that were fitted on its pictures; none for a dataset of another space, or of an older version."""
        try:
            return load_all(self.folder.layouts)
        except ModelError:
            return {}

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return self.dataset.manifest

    @property
    def explained_variance(self) -> list[float]:
        found: list[float] = self.dataset.explained_variance
        return found

    @property
    def _catalogue(self) -> dict[str, Any]:
        """What the manifest says of the catalogue whose pictures are its first ones; empty where there is none."""
        return self.manifest.get("catalogue") or {}

    @property
    def added_total(self) -> int:
        return self.total - int(self._catalogue.get("count", 0))

    def read(self, row: int) -> bytes:
        part = self.images.part_of(row)
        if part == 0 and self._catalogue:
            return source_pictures.read(self._catalogue["pictures"], self.names([row])[0], self.images.member(row))
        archive = self.folder.archive_path(part)
        if not is_stored(archive):
            how = "is gone" if self.dataset.archive else "was not kept"
            raise Gone(f"The archive with this picture {how}. {THUMBNAIL_REMAINS}", code="original-missing")
        member = self.images.member(row)
        if member is None:
            sentence = f"It is not known where this picture lies in its archive. {THUMBNAIL_REMAINS}"
            raise NotFound(sentence, code="original-missing")
        try:
            with opened(archive) as file:
                return member.read(file)
        except FileNotFoundError:
            sentence = f"The archive with this picture is gone. {THUMBNAIL_REMAINS}"
            raise Gone(sentence, code="original-missing") from None
        except MemberError as error:
            sentence = f"This picture cannot be read from its archive any more. {THUMBNAIL_REMAINS}"
            raise NotFound(sentence, code="original-missing") from error


def upload(dataset_id: str) -> Upload:
    """Raises `NotFound` where there is no such dataset, or none that is ready."""
    return Upload(Dataset.objects.readable(dataset_id))
