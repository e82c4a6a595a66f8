"""Vectors in the forms that clients read: JSON, NumPy, raw floats, 16-bit codes, Arrow, Parquet, CSV."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rest_framework.request import Request

from datasets.collection.response_cache import Chunks
from datasets.collection.spreadsheet import heads, safe
from embeddings import quantization
from embeddings.vector_files import Vectors, dumped

from . import renderers

if TYPE_CHECKING:
    from datasets.collection.field import Field

_BATCH = 2**16


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Some rows of vectors, and what belongs to them."""

    rows: NDArray[np.int64]
    """`(n,)`, which pictures they are."""
    vectors: Vectors
    """`(n, d) float32`"""
    facts: Mapping[str, Any]
    """What stands beside them in JSON."""
    names: Callable[[], list[str]]
    fields: Callable[[], "list[Field]"]
    """Metadata of all pictures, of which `rows` are taken."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One form."""

    media_type: str
    render: Callable[[Matrix], Chunks]
    precompressed: bool
    """Compressing it once more is of no use."""
    suffix: str
    dtype: str = "<f4"
    """Of the numbers, as NumPy writes it."""


def preferred(request: Request) -> str:
    """The name of the form that `Accept` likes best. Never 406: what is unknown gets JSON, as from the old server."""
    for accepted in request.accepted_types:
        media_type = f"{accepted.main_type}/{accepted.sub_type}"
        if media_type in _BY_MEDIA_TYPE or media_type in {"*/*", "application/*"}:
            return _BY_MEDIA_TYPE.get(media_type, "json")
    return "json"


def _json(matrix: Matrix) -> Chunks:
    return renderers.vectors(matrix.vectors, matrix.facts)


def _npy(matrix: Matrix) -> Chunks:
    return [dumped(np.ascontiguousarray(matrix.vectors, dtype="<f4"))]


def _raw(matrix: Matrix) -> Iterator[bytes]:
    for start in range(0, len(matrix.vectors), _BATCH):
        yield np.ascontiguousarray(matrix.vectors[start : start + _BATCH], dtype="<f4").tobytes()


def _uint16(matrix: Matrix) -> Chunks:
    return [quantization.packed(quantization.quantize(matrix.vectors))]


def _arrow(matrix: Matrix) -> Chunks:
    import pyarrow as pa

    table = table_of(matrix, flat=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=_BATCH)
    return [sink.getvalue().to_pybytes()]


def _parquet(matrix: Matrix) -> Chunks:
    import pyarrow as pa
    import pyarrow.parquet

    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table_of(matrix, flat=False), sink, compression="zstd")
    return [sink.getvalue().to_pybytes()]


def _csv(matrix: Matrix) -> Chunks:
    import pyarrow as pa
    import pyarrow.csv

    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table_of(matrix, flat=True), sink, pa.csv.WriteOptions(quoting_style="needed"))
    return [sink.getvalue().to_pybytes()]


def table_of(matrix: Matrix, *, flat: bool, more: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """An Arrow table with the columns `index`, `name`, the vectors', `more`, and the metadata's.

    Vectors of more than three numbers stand in one column of lists, or, `flat` as a CSV, in a column for each number
    and with no text that a spreadsheet runs.
    """
    import pyarrow as pa

    width = matrix.vectors.shape[1]
    plain: Callable[[Any], Any] = safe if flat else lambda text: text
    arrays: dict[str, Any] = {
        "index": pa.array(matrix.rows, pa.int64()),
        "name": pa.array(map(plain, matrix.names()), pa.string()),
    }
    if width <= 3 or flat:
        labels = _LABELS.get(width) or [f"f{number}" for number in range(width)]
        for number, label in enumerate(labels):
            arrays[label] = pa.array(np.ascontiguousarray(matrix.vectors[:, number]))
    else:
        flattened = pa.array(np.ascontiguousarray(matrix.vectors).ravel())
        arrays["features"] = pa.FixedSizeListArray.from_arrays(flattened, width)
    arrays |= more
    fields = matrix.fields()
    labels = heads(list(arrays), (field.name for field in fields))[len(arrays) :]
    for label, field in zip(labels, fields, strict=True):
        arrays[label] = _column(field, matrix.rows, plain)
    return pa.table({plain(label): array for label, array in arrays.items()})


def _column(field: "Field", rows: NDArray[np.int64], plain: Callable[[Any], Any]) -> Any:
    import pyarrow as pa

    taken = field.array.take(pa.array(rows))
    if field.type != "text":
        return taken
    return pa.array(map(plain, taken.dictionary.to_pylist()), pa.string()).take(taken.indices)


_LABELS = {1: ["value"], 2: ["x", "y"], 3: ["x", "y", "z"]}
"""Columns of vectors of so many numbers; of more, `f0` …"""

FORMATS: dict[str, Format] = {
    "json": Format(media_type="application/json", render=_json, precompressed=False, suffix="json"),
    "npy": Format(media_type="application/x-npy", render=_npy, precompressed=True, suffix="npy"),
    "raw": Format(media_type="application/octet-stream", render=_raw, precompressed=True, suffix="f32"),
    "uint16": Format(
        media_type="application/vnd.wwzd.uint16", render=_uint16, precompressed=True, suffix="u16", dtype="<u2"
    ),
    "arrow": Format(
        media_type="application/vnd.apache.arrow.stream", render=_arrow, precompressed=True, suffix="arrows"
    ),
    "parquet": Format(
        media_type="application/vnd.apache.parquet", render=_parquet, precompressed=True, suffix="parquet"
    ),
    "csv": Format(media_type="text/csv", render=_csv, precompressed=False, suffix="csv"),
}
"""By the name that `?format=` takes."""

DESCRIBED = {"arrow", "parquet", "csv"}
"""Those with names and metadata beside the vectors."""

_BY_MEDIA_TYPE = {form.media_type: name for name, form in FORMATS.items()}
