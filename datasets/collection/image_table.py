"""`images.parquet`: what is known of each picture, a row each → names, sizes, metadata; filters and search.

Columns are read when they are first wanted. Of 202,599 pictures with 40 attributes all of them take about 25 MB.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets.errors import ApiError, ServerError
from datasets.pictures import image_stats, quality
from datasets.pictures.image_stats import ImageStats
from datasets.pictures.metadata.columns import Column
from datasets.pictures.zip_archive import Member
from embeddings.vector_files import replacing

from .clusters import ClusterColumns, Clusters
from .column_files import FORMAT, Columns
from .field import ARROW_TYPES, Field, type_of

_PREFIX = "field."
"""Of the columns that hold metadata: a field may be called as any other column is."""
_DIGITS = 6  # of the number that a picture without a name is called by, as CelebA's are
_MEMBER = pa.struct([(name, pa.int64()) for name in Member._fields])
_STATS = {
    "width": pa.int32(),
    "height": pa.int32(),
    "size": pa.int64(),
    "media_type": pa.string(),
    "tile_width": pa.uint8(),
    "tile_height": pa.uint8(),
    "digest": pa.binary(16),
    "fingerprint": pa.uint64(),
    "sharpness": pa.float64(),
    "contrast": pa.float64(),
    "truncated": pa.bool_(),
}
"""Columns of what `ImageStats` holds, under the same names; null where it is not known."""


def write(
    file: BinaryIO,
    names: Sequence[str],
    *,
    stats: Mapping[str, Sequence[Any]],
    members: Sequence[Member | None],
    metadata: Iterable[Column],
) -> None:
    """Write a row for each name; `stats` is as `image_stats.as_columns` makes it, and may lack columns."""
    plain = [name.encode(errors="replace").decode() for name in names]
    columns = {"name": pa.array(plain, pa.string()), "folded_name": pa.array(map(_folded, plain), pa.string())}
    for name, of_type in _STATS.items():
        values = [_PACKED.get(name, _same)(value) for value in stats[name]] if name in stats else None
        columns[name] = pa.nulls(len(plain), of_type) if values is None else pa.array(values, of_type)
    columns["quality"] = pa.array([_quality(stats, row) for row in range(len(plain))], pa.list_(pa.string()))
    columns["member"] = pa.array([member and Member(*member)._asdict() for member in members], _MEMBER)
    _write(file, columns | _stored(metadata))


def add_metadata(path: Path, total: int, metadata: Iterable[Column]) -> None:
    """Put fields into a file of fields alone, of pictures whose other columns lie elsewhere. They replace those of the
    same name; a file that cannot be read is replaced."""
    there = _fields_of(path, total)
    kept = there.read(list(there.types)) if there else {}
    with replacing(path) as file:
        _write(file, kept | _stored(metadata))


def write_with_fields(path: Path, total: int, table: Path, metadata: Path) -> None:
    """Put the fields of a file of fields alone into a copy of a table; they replace those of the same name."""
    fields = _fields_of(metadata, total)
    columns = Columns([table], total)
    with replacing(path) as file:
        _write(file, columns.read(list(columns.types)) | (fields.read(list(fields.types)) if fields else {}))


def _quality(stats: Mapping[str, Sequence[Any]], row: int) -> list[str] | None:
    """Kinds of remarks on a picture, as in an upload's report; None where too little is known of it."""
    known = image_stats.at(stats, row)
    if known is None or None in (known.width, known.height, known.contrast, known.sharpness):
        return None
    return [remark["kind"] for remark in quality.remarks(known)]


def _stored(metadata: Iterable[Column]) -> dict[str, pa.Array]:
    return {_PREFIX + column.name: pa.array(column.values, ARROW_TYPES[column.type]) for column in metadata}


def _write(file: BinaryIO, columns: dict[str, pa.Array]) -> None:
    table = pa.table(columns).replace_schema_metadata({"wwzd.format": str(FORMAT)})
    pq.write_table(table, file, compression="zstd")


class ImageTable:
    """The pictures of a collection. Nothing in it changes."""

    def __init__(
        self, total: int, paths: Sequence[Path], metadata: Path | None = None, clusters: Clusters | None = None
    ) -> None:
        """`paths` are of the table, a file after the other, none where nothing is known of the pictures but their
        number; `metadata` is of a table with more fields, which replace those of the same name, or fields of a file
        that is not there. Clusters are fields too, where no others have their names."""
        self.total = total
        self._table = Columns(paths, total) if paths else None
        parts = self._table, metadata and _fields_of(metadata, total)
        self._parts: list[Columns | ClusterColumns] = [part for part in parts if part]
        taken = {name for part in self._parts for name in part.types}
        if clusters:
            self._parts.append(ClusterColumns(clusters, _PREFIX, taken))
        self._arrays: dict[str, pa.Array] = {}

    @property
    def is_named(self) -> bool:
        """Whether its pictures have names of their own."""
        return any("name" in part.types for part in self._parts)

    def names(self, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Where pictures have no names, they are called by their numbers."""
        if not self.is_named:
            return [f"{row:0{_DIGITS}d}" for row in rows]
        found: list[str] = self._array("name").take(pa.array(rows, pa.int64())).to_pylist()
        return found

    def named(self, text: str) -> NDArray[np.int64]:
        """Ascending rows whose names contain the text, upper case or lower, accents written one way or another."""
        folded = self._array("folded_name") if self.is_named else self._numbers()
        found = pc.match_substring(folded, _folded(text).encode(errors="replace").decode())
        return np.flatnonzero(found.to_numpy(zero_copy_only=False))

    def _numbers(self) -> pa.Array:
        """What `names` calls all pictures that have none."""
        return pc.utf8_lpad(pa.array(np.arange(self.total)).cast(pa.string()), _DIGITS, "0")

    def sizes(self, rows: Sequence[int]) -> list[tuple[int | None, int | None, int | None]]:
        """Width, height and bytes of some pictures; None where they are not known."""
        names = ("width", "height", "size")
        if not all(map(self._has, names)):
            return [(None, None, None)] * len(rows)
        at = pa.array(rows, pa.int64())
        columns = [array.take(at).to_pylist() for array in self._several(names).values()]
        return list(zip(*columns, strict=True))

    def stats(self, row: int) -> ImageStats | None:
        """None where it is not known."""
        arrays = self._several([name for name in _STATS if self._has(name)])
        found = {name: array[row].as_py() for name, array in arrays.items()}
        if found.get("width") is None:
            return None
        known = {name: _UNPACKED.get(name, _same)(value) for name, value in found.items() if value is not None}
        return ImageStats(**known)

    def column(self, name: str) -> list[Any]:
        """Of all pictures, as in `ImageStats`; None where it is not known."""
        if not self._has(name):
            return [None] * self.total
        unpacked = _UNPACKED.get(name, _same)
        return [None if value is None else unpacked(value) for value in self._array(name).to_pylist()]

    def shapes(self, first: int, count: int) -> NDArray[np.uint8] | None:
        """`(n, 2) uint8`, width and height in the tilemap of the rows `first` …; None where they are not known."""
        if not self._has("tile_width"):
            return None
        sides = [self._array(name)[first : first + count] for name in ("tile_width", "tile_height")]
        return np.stack([side.to_numpy() for side in sides], axis=1) if not any(s.null_count for s in sides) else None

    def fingerprints(self) -> NDArray[np.uint64]:
        """`(n,)`; empty where any is not known."""
        if not self._has("fingerprint") or self._array("fingerprint").null_count:
            return np.empty(0, np.uint64)
        found: NDArray[np.uint64] = self._array("fingerprint").to_numpy()
        return found

    def member(self, row: int) -> Member | None:
        """Where a picture lies in the ZIP that it came from; None where it came otherwise."""
        found = self._array("member")[row].as_py() if self._has("member") else None
        return Member(**found) if found else None

    def part_of(self, row: int) -> int:
        """Which of the table's files has a row."""
        return self._table.file_of(row) if self._table else 0

    def with_digests(self, digests: Sequence[str]) -> dict[str, int]:
        """The first row of each file that is there, by its digest."""
        if not self._has("digest"):
            return {}
        wanted = pa.array([bytes.fromhex(digest) for digest in digests], pa.binary(16))
        found = pc.index_in(self._array("digest"), value_set=wanted).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(~np.isnan(found.astype(np.float64)))
        return {digests[int(found[row])]: int(row) for row in reversed(rows)}

    @property
    def field_types(self) -> dict[str, str]:
        """Fields of metadata and their types, in the order of their columns."""
        return {
            name.removeprefix(_PREFIX): type_of(of_type)
            for part in self._parts
            for name, of_type in part.types.items()
            if name.startswith(_PREFIX)
        }

    def fields(self) -> list[Field]:
        """All of them."""
        arrays = self._several([_PREFIX + name for name in self.field_types])
        return [Field.of(name.removeprefix(_PREFIX), array) for name, array in arrays.items()]

    def field(self, name: str) -> Field:
        """Raises `KeyError`."""
        if name not in self.field_types:
            raise KeyError(name)
        return Field.of(name, self._array(_PREFIX + name))

    def unknown(self, name: str) -> str:
        """The sentence for who asks for a field that is not there."""
        known = ", ".join(list(self.field_types)[:60]) or "none at all"
        return f"There is no field “{name[:40]}”; known are {known}."

    def metadata(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """What is known of some pictures, by field."""
        columns = {field.name: field.values(rows) for field in self.fields()}
        return [
            {name: values[index] for name, values in columns.items() if values[index] is not None}
            for index in range(len(rows))
        ]

    def select(self, wanted: Mapping[str, Iterable[str]], search: str = "") -> Sequence[int] | NDArray[np.int64]:
        """Ascending rows that have, for every field, one of the values, and whose names contain what is searched for.

        Raises `ApiError` (400).
        """
        if not wanted:
            return self.named(search) if search else range(self.total)
        chosen = np.ones(self.total, np.bool_)
        for name, values in wanted.items():
            if name not in self.field_types:
                raise ApiError(self.unknown(name), code="field-unknown", name=name[:40])
            field = self.field(name)
            chosen &= np.any([field.matching(value) for value in values], axis=0)
        rows = np.flatnonzero(chosen)
        return np.intersect1d(self.named(search), rows, assume_unique=True) if search else rows

    def _has(self, name: str) -> bool:
        return any(name in part.types for part in self._parts)

    def _array(self, name: str) -> pa.Array:
        return self._several([name])[name]

    def _several(self, names: Sequence[str]) -> dict[str, pa.Array]:
        """Columns, read together where they have not been read yet."""
        missing = [name for name in names if name not in self._arrays]
        for part in reversed(self._parts):
            found = part.read([name for name in missing if name in part.types])
            self._arrays |= found
            missing = [name for name in missing if name not in found]
        return {name: self._arrays[name] for name in names}


def _fields_of(path: Path, total: int) -> Columns | None:
    """None where there is no such file, or one that cannot be read: the pictures are worth more than their metadata."""
    try:
        return Columns([path], total)
    except (FileNotFoundError, ServerError):
        return None


def _folded(text: str) -> str:
    # Composed last: macOS writes ż as two characters, keyboards as one.
    return unicodedata.normalize("NFC", text.casefold())


def _same(value: Any) -> Any:
    return value


_PACKED: dict[str, Callable[[Any], Any]] = {"digest": bytes.fromhex, "fingerprint": lambda text: int(text, 16)}
_UNPACKED: dict[str, Callable[[Any], Any]] = {"digest": bytes.hex, "fingerprint": lambda stored: f"{stored:016x}"}
