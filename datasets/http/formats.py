"""Vectors in the forms that clients read: JSON, NumPy, raw floats, Arrow, Parquet, CSV; and which one is wanted."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rest_framework.request import Request

from datasets.errors import Refusal
from datasets.metadata import Column
from embeddings.vectors import Vectors, dumped

from . import renderers
from .kept import Pieces

_ITEM = re.compile(r"\s*([\w*.+-]+/[\w*.+-]+)\s*(?:;.*?\bq\s*=\s*([01](?:\.[0-9]{0,3})?))?[^,]*", re.ASCII)
_BATCH = 2**16


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What is to be told: some rows of vectors, and what belongs to them."""

    rows: NDArray[np.int64]
    """`(n,)`, which pictures they are."""
    vectors: Vectors
    """`(n, d) float32`"""
    facts: Mapping[str, Any]
    """What stands beside them in JSON."""
    names: Callable[[], list[str]]
    columns: Callable[[], list[Column]]
    """Metadata of all pictures, of which `rows` are taken."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One form."""

    media_type: str
    render: Callable[[Matrix], Pieces]
    packed: bool
    """Compressing it once more is of no use."""
    suffix: str


def chosen(request: Request) -> str:
    """The name of the form that a client wants: what `?format=` says, else what `Accept` likes best, else JSON.

    Never 406: the old server took no notice of `Accept`, and what is unknown gets JSON. Raises `Refusal` (400) for an
    unknown `?format=`.
    """
    if (name := request.query_params.get("format")) is not None:
        if name not in FORMATS:
            raise Refusal(f"There is no format “{name[:40]}”; known are {', '.join(FORMATS)}.")
        return name
    best, liked = "json", 0.0
    for item in request.headers.get("Accept", "").split(","):
        match = _ITEM.fullmatch(item)
        weight = float(match[2] or 1) if match else 0.0
        if match and weight > liked:
            wanted = match[1].lower()
            if wanted in _BY_MEDIA_TYPE or wanted in {"*/*", "application/*"}:
                best, liked = _BY_MEDIA_TYPE.get(wanted, "json"), weight
    return best


def _json(matrix: Matrix) -> Pieces:
    return renderers.vectors(matrix.vectors, matrix.facts)


def _npy(matrix: Matrix) -> Pieces:
    return [dumped(np.ascontiguousarray(matrix.vectors, dtype="<f4"))]


def _raw(matrix: Matrix) -> Iterator[bytes]:
    for start in range(0, len(matrix.vectors), _BATCH):
        yield np.ascontiguousarray(matrix.vectors[start : start + _BATCH], dtype="<f4").tobytes()


def _arrow(matrix: Matrix) -> Pieces:
    import pyarrow as pa

    table = _table(matrix, flat=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=_BATCH)
    return [sink.getvalue().to_pybytes()]


def _parquet(matrix: Matrix) -> Pieces:
    import pyarrow as pa
    import pyarrow.parquet

    sink = pa.BufferOutputStream()
    pa.parquet.write_table(_table(matrix, flat=False), sink, compression="zstd")
    return [sink.getvalue().to_pybytes()]


def _csv(matrix: Matrix) -> Pieces:
    import pyarrow as pa
    import pyarrow.csv

    sink = pa.BufferOutputStream()
    pa.csv.write_csv(_table(matrix, flat=True), sink, pa.csv.WriteOptions(quoting_style="needed"))
    return [sink.getvalue().to_pybytes()]


def _table(matrix: Matrix, *, flat: bool) -> Any:
    """Columns `index`, `name`, the vectors', and the metadata's; vectors of more than three numbers in one column of
    lists, or, `flat`, in a column for each number."""
    import pyarrow as pa

    width = matrix.vectors.shape[1]
    arrays: dict[str, Any] = {"index": pa.array(matrix.rows, pa.int64()), "name": pa.array(matrix.names(), pa.string())}
    if width == 3 or flat:
        labels = "xyz" if width == 3 else [f"f{number}" for number in range(width)]
        for number, label in enumerate(labels):
            arrays[label] = pa.array(np.ascontiguousarray(matrix.vectors[:, number]))
    else:
        flattened = pa.array(np.ascontiguousarray(matrix.vectors).ravel())
        arrays["features"] = pa.FixedSizeListArray.from_arrays(flattened, width)
    for column in matrix.columns():
        label = column.name
        while label in arrays:  # a field may be called x
            label += "_"
        arrays[label] = _column(column, matrix.rows)
    return pa.table(arrays)


def _column(column: Column, rows: NDArray[np.int64]) -> Any:
    import pyarrow as pa

    stored, missing = column.stored[rows], ~column.known[rows]
    if column.type == "text":
        texts = pa.array(list(column.texts), pa.string())
        codes = pa.array(np.where(missing, 0, stored), pa.int32(), mask=missing)
        return texts.take(codes) if len(texts) else pa.nulls(len(rows), pa.string())
    if column.type == "boolean":
        return pa.array(stored == 1, pa.bool_(), mask=missing)
    return pa.array(stored, mask=missing)


FORMATS: dict[str, Format] = {
    "json": Format(media_type="application/json", render=_json, packed=False, suffix="json"),
    "npy": Format(media_type="application/x-npy", render=_npy, packed=True, suffix="npy"),
    "raw": Format(media_type="application/octet-stream", render=_raw, packed=True, suffix="f32"),
    "arrow": Format(media_type="application/vnd.apache.arrow.stream", render=_arrow, packed=True, suffix="arrows"),
    "parquet": Format(media_type="application/vnd.apache.parquet", render=_parquet, packed=True, suffix="parquet"),
    "csv": Format(media_type="text/csv", render=_csv, packed=False, suffix="csv"),
}
"""By the name that `?format=` takes."""

DESCRIBED = {"arrow", "parquet", "csv"}
"""Those with names and metadata beside the vectors."""

_BY_MEDIA_TYPE = {form.media_type: name for name, form in FORMATS.items()}
