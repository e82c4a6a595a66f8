"""Where the files of an upload lie, and how they get there."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models

from datasets.storage import local_copy
from datasets.storage.objects import is_used
from embeddings.vector_files import Vectors, replacing

from .stored_folder import DATASETS, StoredFolder

ARCHIVE = "source.zip"
"""The upload as it came, in a dataset's folder."""

RESULTS = {
    "report": "report.json",
    "images": "images.parquet",
    "tilemap": "tilemaps/000.jpg",
    "pca": "layouts/pca.npy",
    "umap": "layouts/umap.npy",
    "features": "features.npy",
    "manifest": "manifest.json",
}
"""What is made of an archive, and where each lies in the dataset's folder, in the order in which they are made."""


def file_path(dataset: "DatasetFiles", filename: str) -> str:
    """Where a file of a dataset lies in the storage."""
    return f"{dataset.hash}/{filename}"


class DatasetFiles(models.Model):
    """The columns that say which files there are, and the folder that has them."""

    hash = models.CharField("id", max_length=32, unique=True, editable=False)
    archive = models.FileField(upload_to=file_path, blank=True, editable=False)
    files = models.JSONField(default=dict, editable=False)
    """What was made of the archive and may be read: result → path in the storage. A new kind needs no column."""
    revision = models.CharField(max_length=16, blank=True, editable=False)
    """Of its folder in the object store, where there is one; another one whenever its files are others."""

    class Meta:
        abstract = True

    @property
    def size_on_disk(self) -> int:
        """Bytes of all its files."""
        if self.revision and (stored := StoredFolder.objects.filter(name=self.stored_name).first()):
            return stored.size
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    @property
    def folder(self) -> Path:
        """Of all its files: of this host's copy, up to date, where they lie in a store. Raises `StorageAway`."""
        folder = self.local_folder
        if self.revision and is_used():
            StoredFolder.objects.update_copy(self.stored_name, folder, self.revision)
        return folder

    @property
    def local_folder(self) -> Path:
        """Where its files lie on this host, as they are."""
        return Path(default_storage.path(self.hash))

    @property
    def stored_name(self) -> str:
        """Of its folder in the store."""
        return f"{DATASETS}/{self.hash}"

    def path(self, result: str) -> Path:
        """Where a result lies, or will lie. Raises `KeyError` for what is no result."""
        return self._path(self.files.get(result) or file_path(self, RESULTS[result]))

    def _path(self, name: str) -> Path:
        """Of a path in the storage."""
        return local_copy.fetched(self.folder.parent / name)

    @property
    def has_archive(self) -> bool:
        """Whether the upload as it came was kept, and is still there."""
        if self.revision and is_used():
            return bool(self.archive)
        return bool(self.archive) and default_storage.exists(self.archive.name or "")

    @property
    def archive_path(self) -> Path:
        """Of the upload as it came."""
        return self._path(self.archive.name or "")

    def is_stored(self, result: str) -> bool:
        """Whether a result was made, and its file is still there."""
        return result in self.sizes

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each result that is there, and of the `archive`, if it was kept."""
        names = self.files | ({"archive": self.archive.name} if self.archive else {})
        found = {result: local_copy.size_of(self.folder.parent / name) for result, name in names.items()}
        return {result: size for result, size in found.items() if size is not None}

    def _json(self, result: str) -> dict[str, Any]:
        """Empty where it is not there."""
        try:
            content: dict[str, Any] = json.loads(self.path(result).read_bytes()) if result in self.files else {}
        except FileNotFoundError:
            return {}
        return content

    @property
    def manifest(self) -> dict[str, Any]:
        """What belongs together in the folder of a ready dataset; empty before."""
        return self._json("manifest")

    def vectors(self, reducer: str) -> Vectors:
        """`(n, 3) float32` of a ready dataset."""
        array: Vectors = np.load(self.path(reducer), allow_pickle=False)
        return array

    def note(self, result: str) -> None:
        """A result that has been written lies in its place; the row is saved by whoever finishes the step."""
        self.files = self.files | {result: file_path(self, RESULTS[result])}

    def store(self, result: str, content: bytes) -> None:
        """Put a result into the dataset's folder; the row is saved by whoever finishes the step."""
        with self.writing(result) as file:
            file.write(content)

    @contextmanager
    def writing(self, result: str) -> Iterator[BinaryIO]:
        """The same, for who writes it piece by piece."""
        with replacing(self.local_folder / RESULTS[result]) as file:
            yield file
        self.note(result)

    def store_archive(self, content: File[bytes] | bytes, name: str = ARCHIVE) -> None:
        """Put the upload as it came into the dataset's folder; the row is saved by whoever finishes the step."""
        file = ContentFile(content) if isinstance(content, bytes) else content
        self.archive.save(name, file, save=False)

    def remove_files(self, *keep: str | None) -> None:
        """Everything in the dataset's folder but the files named by their paths in the storage, if any."""
        if is_used():
            kept = {name.removeprefix(f"{self.hash}/") for name in keep if name}
            self._keep_stored(kept.__contains__)
        self.remove_local_files(*keep)

    def remove_archive(self, name: str) -> None:
        """The upload as it came, by its path in the storage."""
        if is_used():
            self._keep_stored(lambda path: path != name.removeprefix(f"{self.hash}/"))
        default_storage.delete(name)

    def _keep_stored(self, is_kept: Callable[[str], bool]) -> None:
        self.revision = StoredFolder.objects.keep(self.stored_name, is_kept)
        type(self)._default_manager.filter(pk=self.pk).update(revision=self.revision)

    def check_out(self) -> None:
        """Before the work on it begins: its archive lies on this host, and nothing that another attempt left.

        Raises `StorageAway`.
        """
        if self.revision and is_used():
            local_copy.remove_unknown(self.folder)
            local_copy.fetched(self.archive_path)

    def remove_local_files(self, *keep: str | None) -> None:
        """The same on this host alone: what a store has stays there."""
        kept = {Path(default_storage.path(name)) for name in keep if name}
        if not kept:
            shutil.rmtree(self.local_folder, ignore_errors=True)
            return
        for file in self.local_folder.glob("*"):
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)  # of results: what is kept lies beside them
            elif file not in kept:
                file.unlink(missing_ok=True)
