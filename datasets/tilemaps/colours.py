"""A tilemap → the mean colour of the picture in each cell, which is what its point is drawn in from afar."""

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from .layout import CAPACITY, CELL, COLUMNS, ROWS

Colours = NDArray[np.uint8]
"""`(n, 3) uint8`."""

GREY = 128
"""Of points whose pictures are not at hand."""
_HALF = CELL // 2
_WHITE = 240


def mean_colours(tilemap: bytes) -> Colours:
    """The JPEG, decoded at half its size, → `(1000, 3) uint8`, without the white around each picture.

    Raises `ValueError` for what is no tilemap.
    """
    pixels = simplejpeg.decode_jpeg(tilemap, min_height=ROWS * _HALF, min_width=COLUMNS * _HALF)
    if pixels.shape != (ROWS * _HALF, COLUMNS * _HALF, 3):
        raise ValueError(f"a tilemap has {COLUMNS * CELL} × {ROWS * CELL} pixels")
    coloured = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2]) < _WHITE
    cells = coloured.reshape(ROWS, _HALF, COLUMNS, _HALF)
    cells[:, [0, -1]] = cells[..., [0, -1]] = False  # mixed with the white between the cells
    counts = _sums(coloured[..., None])
    counted = coloured | (counts == 0).reshape(ROWS, COLUMNS).repeat(_HALF, 0).repeat(_HALF, 1)
    # Where all of a cell is white, all of it counts.
    sums, counts = _sums(pixels * counted[..., None]), np.where(counts, counts, _HALF**2)
    means: Colours = (sums / counts + 0.5).astype(np.uint8)
    return means


def _sums(pixels: NDArray[np.generic]) -> NDArray[np.uint32]:
    """`(2500, 250, k)` → of each cell, `(1000, k)`."""
    rows = pixels.reshape(ROWS, _HALF, -1).sum(axis=1, dtype=np.uint16)
    found: NDArray[np.uint32] = rows.reshape(CAPACITY, _HALF, -1).sum(axis=1, dtype=np.uint32)
    return found
