"""Parquet files of columns, of which several may stand one below the other → the columns, read when they are wanted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.errors import ServerError

FORMAT = 1
"""Of the files, in their schema's metadata."""


class Columns:
    """Of all rows."""

    def __init__(self, paths: Sequence[Path], total: int) -> None:
        """Raises `ServerError` where a file cannot be read, or where they are of other pictures."""
        self._paths = paths
        self._rows: list[int] = []
        self.types: dict[str, pa.DataType] = {}
        for path in paths:
            with _readable(path) as file:
                schema = file.schema_arrow
                self._rows.append(file.metadata.num_rows)
            if (schema.metadata or {}).get(b"wwzd.format") != str(FORMAT).encode():
                raise ServerError(f"{path.name} is of another format.")
            for column in schema:
                self.types[column.name] = _common(self.types.get(column.name, column.type), column.type)
        if sum(self._rows) != total:
            raise ServerError(f"{paths[0].name} is of other pictures.")

    def file_of(self, row: int) -> int:
        """Which of the files has a row."""
        return int(np.searchsorted(np.cumsum(self._rows), row, "right"))

    def read(self, names: Sequence[str]) -> dict[str, pa.Array]:
        """Null in the rows of a file that does not have a column."""
        found: dict[str, list[pa.ChunkedArray]] = {name: [] for name in names}
        if not names:
            return {}
        for path, rows in zip(self._paths, self._rows, strict=True):
            with _readable(path) as file:
                known = set(file.schema_arrow.names)
                for name in names:  # one by one: the room that all need at once would stay taken
                    of_type = self.types[name]
                    if name in known:
                        # A name is taken for a path into nested columns: `a` reads `a.b` too.
                        column = file.read(columns=[name], use_threads=False).column(name).cast(of_type)
                    else:
                        column = pa.chunked_array([pa.nulls(rows, of_type)])
                    found[name].append(column)
        return {name: _joined(columns) for name, columns in found.items()}


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.Array:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type).combine_chunks()


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """What holds the values of both: numbers for whole numbers and others, texts for what differs more."""
    if one == other:
        return one
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()


def _readable(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, memory_map=True)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise ServerError(f"{path.name} is damaged: {error}") from error
