"""The id of an upload: equal archives that are computed alike have equal ids."""

import hashlib
import re
from itertools import count
from typing import Any, BinaryIO, cast

from django.core.files.base import File

from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.zip_archive import Archive
from datasets.tilemaps.layout import CAPACITY
from embeddings.images.decode_revision import FIRST
from embeddings.pipeline import OWN_VERSION, VERSION, Pipeline

_JSON_NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")


def dataset_id_of(
    file: BinaryIO | File[bytes],
    archive: Archive,
    pipeline: Pipeline,
    *,
    first: int = 0,
    limit: int,
    parent: str = "",
) -> str:
    """An upload's id: 32 hexadecimal digits made from the archive's bytes and from all that decides its vectors.

    `archive` is `file`, opened; `first` is the first of its pictures that the upload has, `limit` the most of them,
    `parent` the id of the dataset that they are added to.
    """
    revision = decoding_revision(archive, first, limit)
    # As before there were revisions, for pictures that are decoded as then: their uploads keep their ids.
    decided_by = pipeline.signature if revision == FIRST else f"{pipeline.signature}:decoding-{revision}"
    if archive.vectors or archive.picture_vectors:
        decided_by += ":own-vectors"
    file.seek(0)
    content = hashlib.file_digest(cast(Any, file), "sha256").hexdigest()
    file.seek(0)
    if first:
        content = f"{content}:from {first}"
    taken, by_default = (min(len(archive.names) - first, most) for most in (limit, CAPACITY))
    if taken != by_default:
        content = f"{content}:up to {taken}"
    if parent:
        content = f"{content}:added to {parent}"
    return _id(content, decided_by)


def id_of_refit(parent: str) -> str:
    """The id of a dataset that lays out the pictures of another one anew."""
    return _id(f"refit of {parent}", f"{VERSION}:own-{OWN_VERSION}")


def _id(content: str, decided_by: str) -> str:
    for attempt in count():
        dataset_id = hashlib.sha256(f"{content}:{decided_by}:{attempt}".encode()).hexdigest()[:32]
        if not parses_as_number(dataset_id):
            return dataset_id
    raise AssertionError("count() does not end")


def parses_as_number(hexadecimal: str) -> bool:
    """Whether a client that tries `JSON.parse` on an id would take it for a number, such as 7020…9 or 70207e49…"""
    return bool(_JSON_NUMBER.fullmatch(hexadecimal))
