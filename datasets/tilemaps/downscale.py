"""A tilemap → its cells again, small enough for a graphics card to hold those of 200,000 pictures at once.

The cells keep their places, 10 columns and 100 rows, and are `tile` pixels wide and high. Each is filled by its
picture, stretched and without the white around it, so that no white shows where a picture is drawn as a sprite. What
shape it had stands in the JPEG's comment: four hexadecimal digits a cell, its width and its height out of 48.
"""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.images.decoding import RGB

from .detect import Shapes
from .layout import CAPACITY, CELL, COLUMNS, ROWS, place_of

SIZES = (12, 24)

_EDGE = 1
"""Pixels of a picture next to the white, which are left out: the JPEG has mixed them with it."""
_AT_ONCE = 100
"""Cells whose numbers fit into a processor's cache."""


def small(pixels: RGB, shapes: Shapes, tile: int) -> bytes:
    """The pixels of a tilemap, `(5000, 500, 3) uint8`, → the JPEG of its cells, 10 · tile × 100 · tile in all."""
    cells = pixels.reshape(ROWS, CELL, COLUMNS, CELL, 3)
    made = np.empty((ROWS, tile, COLUMNS, tile, 3), np.uint8)
    for indices, (width, height) in _of_one_shape(shapes):
        edge = _EDGE if min(width, height) > 4 * _EDGE else 0
        left, top = (start + edge for start in place_of(0, width, height))
        width, height = width - 2 * edge, height - 2 * edge
        # Rows by one product, columns by another, in which the three channels lie side by side. Those of one cell are
        # so small that BLAS leaves them on one core: more would take longer, and the bytes depend on their number.
        down, across = _weights(height, tile), np.kron(_weights(width, tile).T, np.eye(3, dtype=np.float32))
        for part in np.split(indices, range(_AT_ONCE, len(indices), _AT_ONCE)):
            row, column = np.divmod(part, COLUMNS)
            pictures = cells[row, top : top + height, column, left : left + width].astype(np.float32)
            scaled = down @ pictures.reshape(len(part), height, 3 * width) @ across + 0.5
            made[row, :, column] = np.clip(scaled, 0, 255).astype(np.uint8).reshape(len(part), tile, tile, 3)
    data = io.BytesIO()
    page = Image.fromarray(made.reshape(ROWS * tile, COLUMNS * tile, 3))
    page.save(data, "JPEG", quality=85, subsampling="4:2:0", comment=shapes.tobytes().hex().encode())
    return data.getvalue()


def _of_one_shape(shapes: Shapes) -> Iterator[tuple[NDArray[np.intp], tuple[int, int]]]:
    """Which cells have a shape, and that shape, one after the other."""
    kinds, which = np.unique(shapes, axis=0, return_inverse=True)
    order, lengths = np.argsort(which.reshape(CAPACITY), kind="stable"), np.bincount(which.reshape(CAPACITY))
    yield from zip(np.split(order, np.cumsum(lengths)[:-1]), map(tuple, kinds.tolist()), strict=True)


def _weights(length: int, tile: int) -> NDArray[np.float32]:
    """`(tile, length) float32`: how much each of `length` pixels counts for each of `tile`, in the window of Hamming,
    which is as sharp as the mean over an area and has fewer jags."""
    scale = length / tile
    distance = (np.arange(length) + 0.5 - (np.arange(tile)[:, None] + 0.5) * scale) / max(scale, 1.0)
    near = np.abs(distance) < 1
    weights = np.where(near, np.sinc(distance) * (0.54 + 0.46 * np.cos(np.pi * distance)), 0)
    normed: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return normed
