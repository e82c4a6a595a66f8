"""A complete upload that came in parts → its dataset, as if it had come in one request; or why there is none."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from django.core.files.uploadedfile import UploadedFile

from datasets.errors import ApiError, Locked
from datasets.models import Dataset

from . import intake, partial_upload
from .partial_upload import PartialUpload

_FOR_GOOD = {"bad-request", "too-large", "unsupported-media-type"}
"""Kinds of errors that the same archive would meet again; of others the bytes are kept, and it can be tried again."""


class ReceivedFile(UploadedFile):  # type: ignore[type-arg]
    """A file that lies in the data folder already: storing it renames it."""

    def __init__(self, file: BinaryIO, path: Path, name: str) -> None:
        super().__init__(file, name, "application/zip", os.fstat(file.fileno()).st_size)
        self._path = path

    def temporary_file_path(self) -> str:
        """Where Django's storage takes it from."""
        return str(self._path)


def accept(upload: PartialUpload) -> PartialUpload:
    """Have a complete upload computed; one that is decided is returned as it is. The upload is locked.

    Raises the `ApiError` that sending the archive at once would have met, also again for one that was refused.
    """
    if upload.error:
        raise upload.error
    if upload.dataset:
        return upload
    try:
        dataset = _queue(upload)
    except ApiError as error:
        if error.kind in _FOR_GOOD:
            upload.decide(refused=error)
        raise
    return upload.decide(dataset=dataset.hash)


def settle(upload: PartialUpload) -> tuple[PartialUpload, ApiError | None]:
    """An upload as it is, accepted now if it is complete and nobody did so: a kill may have come in between.

    With it comes why that is not possible now, if it is not.
    """
    if upload.is_decided or not upload.is_complete:
        return upload, upload.error
    try:
        with partial_upload.locked(upload.id) as found:
            return accept(found), None
    except Locked:
        return upload, None  # it is being accepted
    except ApiError as error:
        return partial_upload.find(upload.id), error


def _queue(upload: PartialUpload) -> Dataset:
    """The bytes go into the dataset's folder under another name, and stay here until the dataset is known: a process
    that is killed in between leaves nothing that could not be done again."""
    path = upload.folder / "archive"
    path.unlink(missing_ok=True)
    try:
        os.link(upload.content, path)
    except OSError:  # the file system has no links
        shutil.copyfile(upload.content, path)
    try:
        with path.open("rb") as file:
            return intake.accept(ReceivedFile(file, path, upload.name), upload.limit)
    finally:
        path.unlink(missing_ok=True)
