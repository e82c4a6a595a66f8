"""The pixels of a tilemap of which nothing else is known → how wide and high the picture in each cell is.

A picture is centred in its cell and as long as the box in one direction, so that white lies at two sides of it only.
Where records tell the shapes this is not used: a picture that is white at its own edge looks smaller.
"""

import numpy as np
from numpy.typing import NDArray

from .layout import BORDER, BOX, CAPACITY, CELL, COLUMNS, ROWS

Shapes = NDArray[np.uint8]
"""`(1000, 2) uint8`: width and height in pixels, 1 … 48; the whole box for cells without a picture."""

_WHITE = 240
_MOST = BOX // 10
"""Pixels of a row or column beside a picture that a JPEG may leave darker than that."""
_SAME = 0.8
"""Share of the pictures from which on one shape is taken for that of the whole collection, as CelebA's 39 × 48 is."""
_BLUR = 4
"""Pixels by which the edge of a picture of that shape may seem to lie elsewhere."""


def detect_shapes(pixels: NDArray[np.uint8]) -> Shapes:
    """`(5000, 500, 3) uint8` → what the shapes seem to be."""
    darkest = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    cells = (darkest < _WHITE).reshape(ROWS, CELL, COLUMNS, CELL)[:, BORDER:-BORDER, :, BORDER:-BORDER]
    widths = _extent(cells.sum(axis=1, dtype=np.uint8).reshape(CAPACITY, BOX) > _MOST)
    rows = cells.sum(axis=3, dtype=np.uint8).transpose(0, 2, 1).reshape(CAPACITY, BOX)
    heights = _extent(rows > _MOST)
    shapes = np.full((CAPACITY, 2), BOX)
    narrow = widths < heights
    shapes[narrow, 0], shapes[~narrow, 1] = widths[narrow], heights[~narrow]
    filled = rows.any(axis=1)
    shapes[~filled] = BOX
    return _alike(shapes, filled).astype(np.uint8)


def _alike(shapes: NDArray[np.int64], filled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where most pictures are of one shape, give it to those that seem smaller too: they are white at their edge."""
    if not filled.any():
        return shapes
    kinds, counts = np.unique(shapes[filled], axis=0, return_counts=True)
    common = kinds[counts.argmax()]
    near, inside = np.abs(shapes - common).max(axis=1) <= _BLUR, (shapes <= common).all(axis=1)
    if (near & filled).sum() >= _SAME * filled.sum():
        shapes[filled & (near | inside)] = common
    return shapes


def _extent(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`(n, 48) bool` → the length of the shortest centred stretch that holds all that is marked in each row."""
    first = marked.argmax(axis=1)
    last = BOX - 1 - marked[:, ::-1].argmax(axis=1)
    # An odd pixel of padding goes before the picture: one of 39 covers 5 … 43.
    length: NDArray[np.int64] = np.maximum(2 * (last + 1) - BOX - 1, BOX - 2 * first)
    return np.clip(length, 1, BOX)
