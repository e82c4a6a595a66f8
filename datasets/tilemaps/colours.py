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
    cells = pixels.reshape(ROWS, _HALF, COLUMNS, _HALF, 3).transpose(0, 2, 1, 3, 4).reshape(CAPACITY, -1, 3)
    counted = cells.min(axis=2) < _WHITE
    counted[~counted.any(axis=1)] = True  # a white picture, or none
    sums = np.einsum("cpk,cp->ck", cells, counted, dtype=np.uint32, casting="unsafe")
    means: Colours = (sums / counted.sum(axis=1, keepdims=True) + 0.5).astype(np.uint8)
    return means
