"""A layout and its tilemaps → a GLB of the cloud of pictures: one upright quad a picture, a mesh and texture a range.

A picture's quad has the shape that it has in the tilemap, stands around its point, and faces +Z, from where the page
shows a cloud at first. Vertices are in the layout's own numbers; the node above them brings the cloud to a size at
which it can be looked at in a room.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.errors import ApiError
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import BOX, CELL, COLUMNS, ROWS, cell_of
from embeddings.vector_files import Vectors

from .base import Collection
from .content_coding import IDENTITY
from .glb import TexturedMesh, glb
from .response_cache import kept, versioned
from .small_tilemaps import small_tilemap

LARGEST = 50_000
"""Pictures in one file."""
WHOLE_TILEMAPS = 5_000
"""Pictures up to which the tilemaps are its textures as they are; beyond, those of 24 pixels: a fifth of the memory."""
_SMALL = 24
_EDGE = 1.5
"""Texels at a picture's edge that are left out of a whole tilemap: the JPEG has mixed them with the white beside it."""
_RADIUS = 1.0
"""Metres within which 95 % of the pictures lie."""
_SHARE = 0.8
"""A picture's longer side is this over the cube root of their number, of the radius: as on the page."""


def check_size(count: int) -> None:
    """Raises `ApiError`."""
    if count > LARGEST:
        sentence = (
            f"One file has {LARGEST:,} pictures at most, not {count:,}: ask for a window (offset, limit) of them."
        )
        raise ApiError(sentence, code="export-too-large", limit=LARGEST)


def cloud_model(collection: Collection, vectors: Vectors, rows: range, *, layout: str) -> Iterator[bytes]:
    """The pictures `rows` of a collection where `vectors`, `(n, 3) float32` of all its pictures, put them.

    Raises `NotFound` where a tilemap is missing.
    """
    points = vectors[rows.start : rows.stop]
    middle = points.astype(np.float64).mean(axis=0)
    radius = float(np.quantile(np.linalg.norm(points - middle, axis=1), 0.95))
    scale = _RADIUS / radius if radius > 1e-6 else 1.0
    side = _SHARE / np.cbrt(max(len(rows), 8)) / scale
    whole = len(rows) <= WHOLE_TILEMAPS
    meshes = [_mesh(collection, points, part, rows.start, side=side, whole=whole) for part in _ranges(rows)]
    about: dict[str, Any] = {"collection": collection.name, "layout": layout, "first": rows.start, "count": len(rows)}
    return glb(meshes, scale=scale, translation=(-middle * scale).tolist(), extras=about)


def _ranges(rows: range) -> Iterator[range]:
    """Cut at the tilemaps' edges."""
    start = rows.start
    while start < rows.stop:
        stop = min((start // ranges.SIZE + 1) * ranges.SIZE, rows.stop)
        yield range(start, stop)
        start = stop


def _mesh(
    collection: Collection, points: Vectors, rows: range, first: int, *, side: float, whole: bool
) -> TexturedMesh:
    number = rows.start // ranges.SIZE
    page = collection.page(number)
    within = np.arange(rows.start, rows.stop) - number * ranges.SIZE
    shapes = page.shapes[within].astype(np.float64)
    corners = _CORNERS * (side / BOX * shapes)[:, None, :]
    positions = np.repeat(points[rows.start - first : rows.stop - first], 4, axis=0).astype(np.float64)
    positions[:, :2] += corners.reshape(-1, 2)
    boxes = np.array([page.rectangle(int(index)) for index in within], np.float64) if whole else _cells(within)
    size = np.array([COLUMNS, ROWS]) * (CELL if whole else _SMALL)
    quads = 4 * np.arange(len(rows), dtype=np.uint32)[:, None, None]
    return TexturedMesh(
        name=ranges.range_id(number),
        positions=positions.astype(np.float32),
        texture_coordinates=(_texels(boxes, _EDGE if whole else 0.5) / size).astype(np.float32),
        triangles=(quads + _TRIANGLES).reshape(-1, 3),
        jpeg=page.tilemap.read_bytes() if whole else _small(collection, number),
        extras={"first": rows.start, "count": len(rows)},
    )


_CORNERS = np.array([[-0.5, 0.5], [0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]])
"""From the upper left one clockwise."""
_TRIANGLES = np.array([[0, 3, 2], [0, 2, 1]], np.uint32)


def _cells(indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """`(n, 4)`: left, top, width and height of cells in a small tilemap, which pictures fill."""
    places = [cell_of(int(index)) for index in indices]
    return np.array([(left, top, CELL, CELL) for left, top in places], np.float64) * (_SMALL / CELL)


def _texels(boxes: NDArray[np.float64], edge: float) -> NDArray[np.float64]:
    """`(n, 4)` boxes → `(4n, 2)`, their corners, `edge` texels inside: filters mix in what lies beside a picture."""
    inset = np.minimum(edge, boxes[:, 2:] / 4)
    start, stop = boxes[:, :2] + inset, boxes[:, :2] + boxes[:, 2:] - inset
    share = _CORNERS * (1, -1) + 0.5
    corners: NDArray[np.float64] = (start[:, None] + share * (stop - start)[:, None]).reshape(-1, 2)
    return corners


def _small(collection: Collection, number: int) -> bytes:
    tilemap = collection.tilemap(number)
    key, render = small_tilemap(tilemap, collection.cache_key, lambda: collection.page(number), _SMALL)
    with kept().open(versioned(key), IDENTITY, render) as file:
        return file.read()
