"""A layout → Parquet with the pictures themselves in it, as Embedding Atlas and Hugging Face's viewer show them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import simplejpeg

from datasets.api.http.formats import Matrix, table_of
from datasets.api.sink import Sink
from datasets.collection import thumbnails
from datasets.collection.base import Collection
from datasets.tilemaps import ranges
from embeddings.vector_files import Vectors

_QUALITY = 90


def picture_table(collection: Collection, vectors: Vectors, rows: range) -> Iterator[bytes]:
    """The Parquet file of the pictures `rows` piece by piece, a row group a range.

    `vectors` are `(n, 3) float32` of all pictures. Columns: `index`, `name`, `x`, `y`, `z`, `image`, and the
    metadata's. An image is a struct of `bytes`, the picture's tile as a JPEG, and `path`, its name: the layout of
    Hugging Face's `Image` feature, which Embedding Atlas reads. Raises `NotFound` where a tilemap is missing.
    """
    import pyarrow.parquet as pq

    sink = Sink()
    writer: Any = None
    first = rows.start // ranges.SIZE * ranges.SIZE
    for start in range(first, max(rows.stop, first + 1), ranges.SIZE):
        part = range(max(start, rows.start), min(start + ranges.SIZE, rows.stop))
        table = _table(collection, vectors, part)
        writer = writer or pq.ParquetWriter(sink, table.schema, compression="zstd")
        writer.write_table(table)
        yield sink.taken()
    writer.close()
    yield sink.taken()


def _table(collection: Collection, vectors: Vectors, rows: range) -> Any:
    import pyarrow as pa

    names = collection.names(rows)
    page = collection.page(rows.start // ranges.SIZE)
    tiles = [thumbnails.tile(page, row % ranges.SIZE) for row in rows]
    jpegs = [simplejpeg.encode_jpeg(tile, quality=_QUALITY, colorsubsampling="444") for tile in tiles]
    images = pa.StructArray.from_arrays([pa.array(jpegs, pa.binary()), pa.array(names, pa.string())], ["bytes", "path"])
    matrix = Matrix(
        rows=np.arange(rows.start, rows.stop),
        vectors=vectors[rows.start : rows.stop],
        facts={},
        names=lambda: names,
        fields=collection.images.fields,
    )
    more: Mapping[str, Any] = {"image": images}
    return table_of(matrix, flat=False, more=more)
