"""The web process's side of a dataset that is made of another one: with more pictures, or laid out anew."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile

from datasets.collection.base import Collection
from datasets.collection.folder import numbered
from datasets.errors import ApiError, TooLarge
from datasets.models import ARCHIVE, Dataset, Status
from datasets.pictures import pipeline_settings
from datasets.pictures.zip_archive import Archive

from . import disk_space, parents, worker_readiness
from .dataset_id import dataset_id_of, id_of_refit
from .intake import known, queue_in_background

_IN_MEMORY = 16 * 2**20
"""Bytes of pictures that are packed without a file."""
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of all files in such an archive: the same pictures make the same one."""


def accept_added(parent: Collection, files: "Sequence[UploadedFile[bytes]]") -> Dataset:
    """A ZIP, or picture files, → the dataset of a collection's pictures and these, ready if it has been computed
    before, else queued.

    Raises `ApiError`, among others where the pictures lack vectors of their own or have them without need; `Conflict`
    where no pictures can be placed among those of the collection.
    """
    worker_readiness.refuse_until_prepared()
    pipeline = pipeline_settings.pipeline()
    parents.check(parent, pipeline)
    # A catalogue may be of any size.
    room = settings.MAX_PICTURES - parent.added_total
    if room < 1:
        beside = " beside those of the catalogue" if parent.added_total < parent.total else ""
        sentence = (
            f"This dataset has {parent.added_total} pictures already{beside}, and the limit is {settings.MAX_PICTURES}."
        )
        raise TooLarge(sentence, code="collection-full", limit=settings.MAX_PICTURES)
    with _one_archive(files) as content:
        file = File(content, name=parent.name)
        archive = Archive(file, pipeline_settings.limits())
        parents.check_vectors(parent, archive)
        dataset_id = dataset_id_of(file, archive, pipeline, limit=room, parent=parent.id)
        if there := known(dataset_id):
            return there
        expected = min(len(archive.names), room)
        disk_space.check(0, expected)
        return queue_in_background(
            dataset_id,
            file,
            expected,
            pipeline,
            limit=room,
            archive_name=numbered(Path(ARCHIVE), parent.folder.parts).name,
            parent=parent.id,
        )


def accept_refit(parent: Dataset) -> Dataset:
    """The dataset of a ready one's pictures, laid out by themselves as if they had come together; ready, or queued.

    Raises `NotFound`.
    """
    worker_readiness.refuse_until_prepared()
    pipeline = pipeline_settings.pipeline()
    if parent.status != Status.READY:
        raise parent.not_there()
    dataset_id = id_of_refit(parent.hash)
    if there := known(dataset_id):
        return there
    # The queue holds archives; this one says that there is nothing to read.
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    return queue_in_background(
        dataset_id,
        ContentFile(empty.getvalue(), name=parent.name),
        parent.count,
        pipeline,
        limit=parent.limit,
        archive_name="refit.zip",
        parent=parent.hash,
        refit=True,
    )


@contextmanager
def _one_archive(files: "Sequence[UploadedFile[bytes]]") -> Iterator[IO[bytes]]:
    """The only file, if it is a ZIP; else one of all files, which are taken for pictures."""
    zips = [file.name or "" for file in files if zipfile.is_zipfile(file)]
    for file in files:
        file.seek(0)
    if zips and len(files) > 1:
        sentence = f"{zips[0][:60]} is a ZIP: send one ZIP, or pictures alone."
        raise ApiError(sentence, code="several-files", count=len(files))
    if zips:
        yield cast(IO[bytes], files[0])
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(settings.FILE_UPLOAD_TEMP_DIR)) as packed:
        taken: set[str] = set()
        with zipfile.ZipFile(packed, "w") as archive:
            for file in files:
                with archive.open(zipfile.ZipInfo(_unused(file.name or "picture", taken), _MOMENT), "w") as member:
                    for chunk in file.chunks():
                        member.write(chunk)
        packed.seek(0)
        yield cast(IO[bytes], packed)


def _unused(name: str, taken: set[str]) -> str:
    """A name that no file before it has: `a.jpg`, then `a (2).jpg`."""
    path = PurePosixPath(name)
    number = 1
    while name in taken:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    taken.add(name)
    return name
