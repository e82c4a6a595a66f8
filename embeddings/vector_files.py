"""3-D vectors on disk: `(n, 3) float32` in `.npy`, written atomically, read memory-mapped."""

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float32]


class BadVectors(Exception):
    """An array is not what 3-D vectors must be; the message says how."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary neighbour of `path` that takes its place when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check(array: ArrayLike, name: str) -> Vectors:
    """The array as contiguous `(n, 3) float32`; raises `BadVectors` for another shape, type or a value not finite."""
    values = np.asarray(array)
    if values.dtype.kind != "f":
        raise BadVectors(f"{name} must hold floating-point numbers, not {values.dtype}")
    if values.ndim != 2 or values.shape[1] != 3:
        raise BadVectors(f"{name} must have the shape (n, 3), not {values.shape}")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise BadVectors(f"{name} holds values that are not finite float32 numbers")
    return vectors


def dumped(array: NDArray[np.generic]) -> bytes:
    """An array as the bytes of a `.npy` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def save(path: Path, vectors: NDArray[np.generic]) -> None:
    """Write an array as `.npy`; readers see the old file or the whole new one."""
    with replacing(path) as file:
        np.save(file, vectors, allow_pickle=False)


class StackedRows:
    """The rows of several `(n, d)` arrays, one below the other, without a copy of them."""

    def __init__(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        """There is one array at least, and all have the same width."""
        self._arrays = list(arrays)
        self._starts = np.cumsum([0, *(len(array) for array in self._arrays)])
        self.dtype = self._arrays[0].dtype
        self.shape = int(self._starts[-1]), self._arrays[0].shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Row by row."""
        return chain.from_iterable(self._arrays)

    def __getitem__(self, rows: NDArray[np.integer[Any]] | slice) -> Vectors:
        if len(self._arrays) == 1:
            return self._arrays[0][rows]
        numbers = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        taken = np.empty((len(numbers), self.shape[1]), self.dtype)
        for array, start in zip(self._arrays, self._starts[:-1], strict=True):
            here = (numbers >= start) & (numbers < start + len(array))
            taken[here] = array[numbers[here] - start]
        return taken

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Vectors:
        """All rows in memory, where there are several arrays."""
        whole = self._arrays[0] if len(self._arrays) == 1 else np.concatenate(self._arrays)
        return np.array(whole, dtype) if copy else np.asarray(whole, dtype)


class RowsWriter:
    """Rows → one `.npy` file, block by block, whose number need not be known before the last one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.shape = (0, 0)

    def append(self, block: NDArray[np.float32]) -> None:
        """`(rows, d) float32`; d is the same in all blocks."""
        if not self.shape[0]:
            self._write_header(block.shape)
        self._file.write(np.ascontiguousarray(block, "<f4").tobytes())
        self.shape = self.shape[0] + len(block), block.shape[1]

    def finish(self) -> None:
        """NumPy leaves room in the header for the rows to become more (`GROWTH_AXIS_MAX_DIGITS`)."""
        end = self._file.tell()
        self._file.seek(0)
        self._write_header(self.shape)
        self._file.seek(end)

    def _write_header(self, shape: tuple[int, ...]) -> None:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def writing_rows(path: Path) -> Iterator[RowsWriter]:
    """Write an array that comes in blocks; the file is there when the block ends well."""
    with replacing(path) as file:
        writer = RowsWriter(file)
        yield writer
        writer.finish()


def load(path: Path) -> Vectors:
    """Map `(n, 3) float32` vectors from a `.npy` file. Raises `BadVectors` where it holds something else."""
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # NumPy lets its tokenizer's and mmap's errors through
        raise BadVectors(f"{path} is not a .npy file: {error}") from error
    if mapped.dtype != np.float32 or mapped.ndim != 2 or mapped.shape[1] != 3:
        raise BadVectors(f"{path} holds {mapped.dtype} of shape {mapped.shape}, not (n, 3) float32")
    return np.asarray(mapped)
