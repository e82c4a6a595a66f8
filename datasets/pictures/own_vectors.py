"""`vectors.npy` or `vectors.parquet` of a ZIP → a vector for each of its pictures, in place of the network's.

Row k of a `.npy` file is of the k-th file with a picture's ending, by the names' code points, readable or not: a
picture that is skipped takes its row with it. Rows of a Parquet table are of the pictures that a column of text names.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from datasets.errors import ApiError
from embeddings import given_vectors
from embeddings.extractors import Features
from embeddings.given_vectors import BadGivenVectors, GivenVectors

from . import pixplot
from .metadata.picture_names import PictureNames
from .zip_archive import Archive, MemberError, named_as_picture

_ONE_VECTOR_BYTES = 2**17
"""Of a file with one vector: 8192 numbers of float64 and the header."""
_ONE_NAME = "so each picture must have one row"


@dataclass(frozen=True, kw_only=True)
class OwnVectors:
    """The vectors of a ZIP's pictures."""

    file: str
    digest: str
    """Of the file: equal ones can be compared."""
    rows: dict[str, int]
    """By the pictures' names."""
    vectors: Features
    """`(n, d) float32`"""

    def of(self, names: Sequence[str]) -> Features:
        """`(len(names), d) float32`. Raises `ApiError` where a picture has none."""
        missing = [name for name in names if name not in self.rows]
        if missing:
            sentence = (
                f"{self.file} has no vector for {len(missing)} of {len(names)} pictures, {missing[0][:60]} for one."
            )
            raise ApiError(sentence, code="vectors-unmatched", count=len(missing), name=missing[0][:60])
        return self.vectors[[self.rows[name] for name in names]]


def of_archive(archive: Archive) -> OwnVectors | None:
    """None where the ZIP has no such file. Raises `ApiError` where it has one that cannot be used."""
    file = archive.vectors
    if file is None:
        return _of_pixplot(archive) if archive.picture_vectors else None
    try:
        data = archive.read(file)
        given = given_vectors.read(data, file)
    except (MemberError, BadGivenVectors) as error:
        raise ApiError(f"{file} cannot be used: {error}.", code="vectors-unreadable", name=file) from error
    names = [name for name in archive.names if named_as_picture(name)]
    rows = _by_name(given, file, archive.names) if given.texts or file.lower().endswith(".parquet") else None
    return OwnVectors(
        file=file,
        digest=hashlib.sha256(data).hexdigest()[:16],
        rows=_in_order(given, file, names) if rows is None else rows,
        vectors=given.vectors,
    )


def _of_pixplot(archive: Archive) -> OwnVectors:
    """A file for each picture, as PixPlot leaves them."""
    digest = hashlib.sha256()

    def contents() -> Iterator[bytes]:
        for file in sorted(archive.picture_vectors):
            if archive.size(file) > _ONE_VECTOR_BYTES:
                raise BadGivenVectors(f"one of its files is larger than {_ONE_VECTOR_BYTES} bytes")
            data = archive.read(file)
            digest.update(data)
            yield data

    folder = pixplot.VECTORS
    try:
        vectors = given_vectors.read_single(contents())
    except (MemberError, BadGivenVectors) as error:
        raise ApiError(f"{folder} cannot be used: {error}.", code="vectors-unreadable", name=folder) from error
    rows = {archive.picture_vectors[file]: row for row, file in enumerate(sorted(archive.picture_vectors))}
    return OwnVectors(file=folder, digest=digest.hexdigest()[:16], rows=rows, vectors=vectors)


def _in_order(given: GivenVectors, file: str, names: Sequence[str]) -> dict[str, int]:
    if len(given.vectors) != len(names):
        sentence = (
            f"{file} has {len(given.vectors):,} rows and the ZIP {len(names):,} files with a picture's ending: there "
            "must be a row for each, in the order of their names."
        )
        raise ApiError(sentence, code="vectors-unmatched", count=len(given.vectors))
    return {name: row for row, name in enumerate(names)}


def _by_name(given: GivenVectors, file: str, names: Sequence[str]) -> dict[str, int]:
    """By the column of text that names most pictures."""
    known = PictureNames(names)
    best: dict[str, int] = {}
    for texts in given.texts.values():
        found: dict[str, int] = {}
        for row, text in enumerate(texts):
            match = known.find(text)
            if match is None:
                continue
            name = names[match[0]]
            if name in found and not np.array_equal(given.vectors[found[name]], given.vectors[row]):
                sentence = f"{file} has different vectors for {name[:60]} in rows {found[name]} and {row}, {_ONE_NAME}."
                raise ApiError(sentence, code="vectors-unmatched", name=name[:60])
            found[name] = row
        if len(found) > len(best):
            best = found
    if not best:
        sentence = f"No column of text in {file} names the ZIP's pictures, {_ONE_NAME} with its name in it."
        raise ApiError(sentence, code="vectors-unmatched", count=len(given.vectors))
    return best
