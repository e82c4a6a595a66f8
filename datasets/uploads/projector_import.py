"""The Embedding Projector's folder, as it was sent → an archive of its pictures, vectors and metadata in its place.

What comes after knows ordinary archives only. Of the folder itself `Dataset.intake` tells, for the report.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, BinaryIO

from django.conf import settings

from datasets.collection.spreadsheet import unsafe
from datasets.errors import ApiError
from datasets.models import Dataset
from datasets.pictures import pipeline_settings
from datasets.pictures.decoder_pool import decoders
from datasets.pictures.metadata.text import decoded
from datasets.pictures.projector import folder as projector_folder
from datasets.pictures.projector import naming
from datasets.pictures.projector.folder import ProjectorFolder
from datasets.pictures.projector.labels import Labels, with_labels
from datasets.pictures.projector.naming import Named
from datasets.pictures.storable import storable
from datasets.pictures.zip_archive import Archive, MemberError, Skipped
from embeddings import given_vectors
from embeddings.extractors import Features
from embeddings.given_vectors import BadGivenVectors
from embeddings.images.decoding import UnreadableImage
from embeddings.vector_files import dumped, replacing

_VECTORS, _METADATA = "vectors.npy", "metadata.json"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of all files in the archive: equal folders make equal ones."""
_LISTED = 1000
"""Files of the folder that the report lists."""
_KEPT_ENDINGS = (".json", ".jsonl", ".ndjson", ".parquet")
"""Of files that would be taken for what they are called."""


@contextmanager
def opened(dataset: Dataset) -> Iterator[Archive]:
    """The archive of a queued dataset; first, if it is a projector's folder, the one that takes its place.

    A folder that cannot be used is read as any ZIP, if it has pictures of its own. Raises `ApiError`.
    """
    with ExitStack() as stack:

        def reopened(fault: ApiError | None = None) -> Archive:
            stack.close()
            stored = stack.enter_context(dataset.archive_path.open("rb"))
            return Archive(stored, pipeline_settings.limits(), fault)

        archive = reopened(fault_of(dataset))
        if archive.projector:
            fault = None
            try:
                _rewrite(dataset, archive, archive.projector)
            except ApiError as error:
                fault = error
            archive = reopened(fault)
        if sent := dataset.intake.get("projector"):
            _tell(archive, sent)
        yield archive


def fault_of(dataset: Dataset) -> ApiError | None:
    """Why the projector's configuration in a dataset's archive is not used, where that is known."""
    sentence = dataset.intake.get("projector_fault")
    return ApiError(sentence, code="projector-config") if sentence else None


def _tell(archive: Archive, sent: dict[str, Any]) -> None:
    """What the archive is to report of the folder that it was made of."""
    archive.sent = sent
    archive.rename(sent["names"])
    archive.left += [Skipped(name=name, reason=reason, kind=kind) for name, reason, kind in sent["files"]]
    archive.ignored += len(sent["files"]) + sent["unlisted"]


def _rewrite(dataset: Dataset, archive: Archive, folder: ProjectorFolder) -> None:
    try:
        labels = projector_folder.labels_of(folder, archive.read, archive.size)
        vectors, of_rows = _vectors(folder, archive.read)
    except MemberError as error:
        raise projector_folder.unreadable(folder.config, error) from error
    if labels:
        _check_count(folder, labels, len(vectors))
    if labels := with_labels(labels, of_rows):
        rows = [[unsafe(cell) for cell in row] for row in labels.rows]
        labels = Labels(heads=[unsafe(head) for head in labels.heads], rows=rows)
    named = naming.named(labels, len(vectors), folder.pictures)
    with replacing(dataset.archive_path) as file:
        sent = _pack(file, archive, folder, vectors, labels, named)
        dataset.intake = dataset.intake | {"projector": storable(sent)}
        Dataset.objects.filter(pk=dataset.pk).update(intake=dataset.intake)


def _vectors(folder: ProjectorFolder, read: Callable[[str], bytes]) -> tuple[Features, list[str]]:
    """With the label of each one, empty where it has none."""
    data = read(folder.tensors)
    try:
        if not folder.is_text:
            return given_vectors.read_numbers(data, folder.embedding.shape), []
        vectors, labels = given_vectors.read_lines(data)
    except BadGivenVectors as error:
        name = folder.tensors[:200]
        raise ApiError(f"{name} cannot be used: {error}.", code="vectors-unreadable", name=name) from error
    text, _ = decoded(b"\n".join(label.replace(b"\r", b" ") for label in labels), [])
    return vectors, text.split("\n")


def _check_count(folder: ProjectorFolder, labels: Labels, count: int) -> None:
    if len(labels.rows) == count:
        return
    head = "" if len(labels.heads) > 1 else "; a single column has no head"
    sentence = (
        f"{folder.metadata} has {len(labels.rows):,} rows and {folder.tensors} {count:,}: give each vector a row, in "
        f"the same order{head}."
    )
    raise ApiError(sentence, code="projector-count", count=count)


def _pack(
    file: BinaryIO, archive: Archive, folder: ProjectorFolder, vectors: Features, labels: Labels | None, named: Named
) -> dict[str, Any]:
    """Write the archive → what is told of the folder."""
    cells = cache(lambda: _cells(archive, folder, len(vectors)))
    left_out = [(folder.config, "it says which files belong together", "projector")]
    taken = []
    with zipfile.ZipFile(file, "w") as packed:
        for row in sorted(range(len(vectors)), key=named.names.__getitem__):
            path, content = named.pictures[row], None
            if path is not None:
                try:
                    content = archive.read(path)
                except MemberError as error:
                    left_out.append((path, str(error), "unreadable"))
            if content is None and folder.sprite:
                content = cells()[row]
            if content is not None:
                packed.writestr(zipfile.ZipInfo(named.names[row], _MOMENT), content)
                taken.append(row)
        if not taken:
            raise ApiError(_nothing_to_show(folder), code="projector-sprite", count=len(vectors))
        packed.writestr(zipfile.ZipInfo(_VECTORS, _MOMENT), dumped(vectors[taken]))
        if table := _table(labels, named, taken):
            packed.writestr(zipfile.ZipInfo(_METADATA, _MOMENT), table)
    if folder.sprite:
        is_cut = cells.cache_info().currsize
        reason = "its cells are the pictures" if is_cut else "all of its pictures are in the ZIP as files"
        left_out.append((folder.sprite, reason, "projector"))
    named_ones = set(named.pictures)
    others = [
        (path, "no row of the projector's metadata names it") for path in folder.pictures if path not in named_ones
    ]
    others += [(path, "it is no part of the projector's folder") for path in folder.others]
    left_out += [(path, reason, "passed_over") for path, reason in others]
    return {
        "names": _names_of(folder),
        "files": [(path[:255], reason, kind) for path, reason, kind in left_out[:_LISTED]],
        "unlisted": max(len(left_out) - _LISTED, 0),
        "embeddings": folder.embeddings,
        "rows": len(vectors),
        "without_picture": len(vectors) - len(taken),
    }


def _names_of(folder: ProjectorFolder) -> dict[str, str]:
    """What the files of the archive are called in the folder."""
    pairs = ((_VECTORS, folder.tensors), (_METADATA, folder.metadata or f"{folder.tensors} (labels)"))
    return {ours: theirs for ours, theirs in pairs if theirs and not theirs.lower().endswith(_KEPT_ENDINGS)}


def _cells(archive: Archive, folder: ProjectorFolder, count: int) -> list[bytes]:
    """The sprite's cells as PNG files. Raises `ApiError`."""
    assert folder.sprite is not None
    name, config = folder.sprite[:200], folder.config[:200]
    if len(folder.embedding.cell) != 2:
        sentence = (
            f"{config} does not say how large a picture in {name} is: give single_image_dim twice, width and height."
        )
        raise ApiError(sentence, code="projector-config", name=config)
    width, height = folder.embedding.cell
    try:
        return decoders().cells(
            archive.read(folder.sprite),
            width=width,
            height=height,
            count=count,
            max_pixels=settings.MAX_MEGAPIXELS * 1_000_000,
        )
    except (MemberError, UnreadableImage) as error:
        sentence = f"The sprite {name} cannot be used: {error}."
        raise ApiError(sentence, code="projector-sprite", name=name, count=count) from error


def _nothing_to_show(folder: ProjectorFolder) -> str:
    return (
        f"{folder.config[:200]} names no sprite, and its metadata no pictures of the ZIP: put the pictures in, and a "
        "column of metadata with their names, or a sprite."
    )


def _table(labels: Labels | None, named: Named, rows: list[int]) -> bytes | None:
    """The metadata by the pictures' names; None where it says nothing else."""
    if labels is None:
        return None
    columns = [column for column in range(len(labels.heads)) if column != named.column]
    if not columns:
        return None
    heads = [labels.heads[column] for column in columns]
    key = "file"
    while key in heads:
        key += "_"
    data = [[named.names[row], *(labels.rows[row][column] for column in columns)] for row in rows]
    return json.dumps({"columns": [key, *heads], "data": data}, ensure_ascii=False, separators=(",", ":")).encode()
