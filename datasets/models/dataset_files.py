"""Where the files of an upload lie, and how they get there."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models

from embeddings.vector_files import Vectors, replacing

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

    class Meta:
        abstract = True

    @property
    def size_on_disk(self) -> int:
        """Bytes of all its files."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    @property
    def folder(self) -> Path:
        """Of all its files."""
        return Path(default_storage.path(self.hash))

    def path(self, result: str) -> Path:
        """Where a result lies, or will lie. Raises `KeyError` for what is no result."""
        return Path(default_storage.path(self.files.get(result) or file_path(self, RESULTS[result])))

    def is_stored(self, result: str) -> bool:
        """Whether a result was made, and its file is still there."""
        return result in self.files and self.path(result).exists()

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
        with replacing(self.folder / RESULTS[result]) as file:
            yield file
        self.note(result)

    def store_archive(self, content: File[bytes] | bytes, name: str = ARCHIVE) -> None:
        """Put the upload as it came into the dataset's folder; the row is saved by whoever finishes the step."""
        file = ContentFile(content) if isinstance(content, bytes) else content
        self.archive.save(name, file, save=False)

    def remove_files(self, *keep: str | None) -> None:
        """Everything in the dataset's folder but the files named by their paths in the storage, if any."""
        kept = {Path(default_storage.path(name)) for name in keep if name}
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        for file in self.folder.glob("*"):
            if file.is_dir():
                shutil.rmtree(file, ignore_errors=True)  # of results: what is kept lies beside them
            elif file not in kept:
                file.unlink(missing_ok=True)
