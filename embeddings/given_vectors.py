"""Files of feature vectors that others made: `.npy`, or a Parquet table with a column of lists → `(n, d) float32`.

Nothing in them is believed: no pickles are read, and what is announced is checked before memory is taken for it.
"""

import codecs
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extractors import Features

NARROWEST, WIDEST = 2, 8192
"""Numbers of a vector."""
MOST_VALUES = 2**27
"""Numbers of all vectors together, 512 MiB as float32: 65,536 pictures of ResNet50's width."""
MOST_TEXT = 2**27
"""Bytes of each column of text."""
_READ_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class BadGivenVectors(Exception):
    """The file cannot be used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class GivenVectors:
    """What a file holds."""

    vectors: Features
    """`(n, d) float32`, finite, 2 ≤ d ≤ 8192"""
    texts: dict[str, list[str | None]]
    """Columns of text beside them, by name; none in a `.npy` file."""


def read(data: bytes, name: str) -> GivenVectors:
    """A file's bytes; the ending of its name tells its kind. Raises `BadGivenVectors`."""
    try:
        return _from_parquet(data) if name.lower().endswith(".parquet") else _from_npy(data)
    except BadGivenVectors:
        raise
    except Exception as error:  # foreign bytes fail in a dozen ways
        raise BadGivenVectors(f"it cannot be read ({type(error).__name__})") from error


def read_single(files: Iterable[bytes]) -> Features:
    """`.npy` files of one vector each, `(d,)` → `(n, d) float32`. Raises `BadGivenVectors`."""
    rows: list[Features] = []
    for number, data in enumerate(files):
        try:
            row = np.load(io.BytesIO(data), allow_pickle=False)
        except Exception as error:  # as above
            raise BadGivenVectors(f"number {number} cannot be read ({type(error).__name__})") from error
        _check_type(row.dtype)
        _check_shape((number + 1, *row.shape))
        if rows and row.shape != rows[0].shape:
            raise BadGivenVectors(f"number {number} has {len(row)} numbers, and those before it {len(rows[0])}")
        rows.append(row.astype(np.float32))
    return _finite(np.array(rows))


def read_lines(data: bytes) -> tuple[Features, list[bytes]]:
    """Numbers with tabs between them, a line a vector → `(n, d) float32`, and each line's label, empty where it has
    none. Raises `BadGivenVectors`.

    As TensorBoard's page reads them: a first cell that is no number is a label, and so is one that is too many.
    """
    lines = [line for line in map(bytes.strip, data.removeprefix(codecs.BOM_UTF8).split(b"\n")) if line]
    width = None
    labels = []
    for number, line in enumerate(lines):
        first, tab, rest = line.partition(b"\t")
        is_label = not _NUMBER.fullmatch(first.strip()) or line.count(b"\t") == width
        labels.append(first if is_label else b"")
        if is_label:
            lines[number] = rest
        if width is None:
            width = lines[number].count(b"\t") + bool(lines[number])
    _check_shape((len(lines), width or 0))
    try:
        numbers = np.loadtxt(
            (line.decode("latin-1") or " " for line in lines), np.float32, comments=None, delimiter="\t", ndmin=2
        )
    except ValueError as error:
        raise BadGivenVectors(f"its lines are not numbers with tabs between them ({str(error)[:200]})") from error
    return _finite(numbers), labels


_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?Infinity|")
"""What JavaScript takes for one, but for those in other bases: neither `nan` nor `inf`."""


def read_numbers(data: bytes, shape: Sequence[int]) -> Features:
    """Nothing but float32, the lowest byte first → `(n, d) float32`. Raises `BadGivenVectors`."""
    _check_shape(tuple(shape))
    if len(data) != 4 * shape[0] * shape[1]:
        sentence = f"it has {len(data):,} bytes, and {shape[0]:,} × {shape[1]:,} float32 numbers have "
        raise BadGivenVectors(f"{sentence}{4 * shape[0] * shape[1]:,}")
    return _finite(np.frombuffer(data, "<f4").reshape(tuple(shape)))


def _from_npy(data: bytes) -> GivenVectors:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in _READ_HEADER:
        raise BadGivenVectors("it is a .npy file of a version that is not read here; save it with numpy.save")
    shape, _, dtype = _READ_HEADER[version](file)
    _check_type(dtype)
    _check_shape(shape)
    if len(data) - file.tell() != dtype.itemsize * shape[0] * shape[1]:
        raise BadGivenVectors("it is longer or shorter than its header says")
    file.seek(0)
    return GivenVectors(vectors=_finite(np.load(file, allow_pickle=False)), texts={})


def _from_parquet(data: bytes) -> GivenVectors:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(data))
    schema = file.schema_arrow
    column = next((field for field in schema if _is_vector(pa, field.type)), None)
    if column is None:
        raise BadGivenVectors("it has no column of lists of float16, float32 or float64")
    _check_values(file, column.name)
    array = file.read(columns=[column.name], use_threads=False).column(column.name).combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    vectors = _matrix(pa, array)
    names = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    texts = {}
    for name in names:
        if _plain_size(file, name) <= MOST_TEXT:
            texts[name] = file.read(columns=[name], use_threads=False).column(name).to_pylist()
    return GivenVectors(vectors=vectors, texts=texts)


def _matrix(pa: Any, array: Any) -> Features:
    """A column of lists of equal lengths."""
    if array.null_count:
        raise BadGivenVectors(f"{array.null_count} of its rows have no vector")
    if isinstance(array, pa.FixedSizeListArray):
        lengths = np.full(len(array), array.type.list_size)
    else:
        lengths = np.diff(array.offsets.to_numpy())
    if len(np.unique(lengths)) > 1:
        raise BadGivenVectors(f"its vectors have {lengths.min()} to {lengths.max()} numbers, not all the same")
    shape = len(array), int(lengths[0]) if len(lengths) else 0
    _check_shape(shape)
    values = array.flatten()
    if values.null_count:
        raise BadGivenVectors("numbers are missing in its vectors")
    return _finite(values.to_numpy(zero_copy_only=False).reshape(shape))


def _is_vector(pa: Any, kind: Any) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def _check_values(file: Any, name: str) -> None:
    """By what each part of the column says to have, before any is read."""
    count = sum(chunk.num_values for chunk in _chunks(file, name))
    if count > MOST_VALUES:
        raise BadGivenVectors(f"it has {count:,} numbers, and {MOST_VALUES:,} are the most")


def _plain_size(file: Any, name: str) -> int:
    return sum(chunk.total_uncompressed_size for chunk in _chunks(file, name))


def _chunks(file: Any, name: str) -> list[Any]:
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    return [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] == name]


def _check_type(dtype: np.dtype[Any]) -> None:
    if dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise BadGivenVectors(f"its numbers are {dtype}; save them as float16, float32 or float64")


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        raise BadGivenVectors(f"it has the shape {shape}, and (pictures, numbers) is needed")
    if not NARROWEST <= shape[1] <= WIDEST:
        raise BadGivenVectors(f"its vectors have {shape[1]} numbers, and {NARROWEST} to {WIDEST} are taken")
    if shape[0] * shape[1] > MOST_VALUES:
        raise BadGivenVectors(f"it has {shape[0] * shape[1]:,} numbers, and {MOST_VALUES:,} are the most")


def _finite(array: NDArray[Any]) -> Features:
    with np.errstate(over="ignore"):
        vectors: Features = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise BadGivenVectors(f"row {bad[0]} holds numbers that are not finite float32 numbers")
    return vectors
