"""A tilemap → its cells again, small enough for a graphics card to hold those of 200,000 pictures at once.

The cells keep their places, 10 columns and 100 rows, and are `tile` pixels wide and high. Each is filled by its
picture, stretched and without the white around it, so that no white shows where a picture is drawn as a sprite. What
shape it had stands in the JPEG's comment: four hexadecimal digits a cell, its width and its height out of 48.
"""

import io

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from .tilemap import BORDER, BOX, CAPACITY, CELL, COLUMNS, ROWS

SIZES = (12, 24)

_WHITE = 225
"""What a JPEG leaves of white beside a picture is mostly at least as bright in all three channels."""
_MOSTLY = 0.1
_BLUR = 4
"""Pixels by which an edge may seem to lie elsewhere."""
_EDGE = 1
"""Pixels of a picture next to the white, which are left out: the JPEG has mixed them with it."""


def small(tilemap: bytes, tile: int) -> bytes:
    """The JPEG of a tilemap → the JPEG of its cells at `tile` × `tile` pixels, 10 · tile × 100 · tile in all."""
    pixels = simplejpeg.decode_jpeg(tilemap)
    sheet, shapes = Image.fromarray(pixels), shapes_of(pixels)
    canvas = Image.new("RGB", (COLUMNS * tile, ROWS * tile))
    for index, (width, height) in enumerate(shapes.tolist()):
        row, column = divmod(index, COLUMNS)
        left = column * CELL + BORDER + (BOX - width + 1) // 2
        top = row * CELL + BORDER + (BOX - height + 1) // 2
        edge = _EDGE if min(width, height) > 4 * _EDGE else 0
        picture = sheet.crop((left + edge, top + edge, left + width - edge, top + height - edge))
        canvas.paste(picture.resize((tile, tile), Image.Resampling.HAMMING), (column * tile, row * tile))
    data = io.BytesIO()
    canvas.save(data, "JPEG", quality=85, subsampling="4:2:0", comment=shapes.tobytes().hex().encode())
    return data.getvalue()


def shapes_of(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`(5000, 500, 3) uint8` → `(1000, 2) uint8`: how wide and how high the picture in each cell is, 1 … 48.

    A tilemap does not say it. But a picture is centred in its cell and as long as the cell in one direction, so that
    white only lies at two sides of it. A picture that is itself white there loses that margin; blank cells are whole.
    """
    darkest = np.minimum(np.minimum(sheet[..., 0], sheet[..., 1]), sheet[..., 2])
    cells = (darkest < _WHITE).reshape(ROWS, CELL, COLUMNS, CELL).transpose(0, 2, 1, 3)
    inner = cells.reshape(CAPACITY, CELL, CELL)[:, BORDER:-BORDER, BORDER:-BORDER]
    widths, heights = (_extent(inner.mean(axis=axis) > _MOSTLY) for axis in (1, 2))
    shapes = np.stack([np.where(widths < heights, widths, BOX), np.where(widths < heights, BOX, heights)], axis=1)
    shapes[~inner.any(axis=(1, 2))] = BOX
    # A JPEG blurs the edges: what is all but of the most common shape is of that shape.
    kinds, counts = np.unique(shapes, axis=0, return_counts=True)
    common = kinds[counts.argmax()]
    shapes[np.abs(shapes - common).max(axis=1) <= _BLUR] = common
    return shapes.astype(np.uint8)


def _extent(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`(n, 48) bool` → the length of the shortest centred stretch that holds all that is marked in each row."""
    first = marked.argmax(axis=1)
    last = BOX - 1 - marked[:, ::-1].argmax(axis=1)
    # An odd pixel of padding goes before the picture: one of 39 covers 5 … 43.
    length: NDArray[np.int64] = np.maximum(2 * (last + 1) - BOX - 1, BOX - 2 * first)
    return np.clip(length, 1, BOX)
