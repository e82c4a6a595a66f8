"""Vectors and a tilemap → small pictures of a dataset: its cloud from the front, and a strip of its first tiles."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.vector_files import Vectors

from .layout import BORDER, BOX, CELL, COLUMNS

Size = tuple[int, int]

_MARGIN = 4
_SMALLEST, _LARGEST = 14, 40
_SHARE = 0.25
"""Of the canvas, that the pictures would cover if none hid another."""
_NOT_WHITE = [255 * (value < 230) for value in range(256)] * 3
_STRIP_ROWS = 3


def cloud(vectors: Vectors, tilemap: bytes, size: Size = (600, 450), background: str = "#16181c") -> bytes:
    """Draw each picture at its first two coordinates, those with a larger third one in front. Returns a PNG.

    `vectors` is `(n, 3) float32` with 1 ≤ n ≤ 1000, `tilemap` the 500 × 5000 JPEG whose tile k is picture k, `size`
    width and height in pixels. Both axes have the same scale; the first runs to the right, the second upwards.
    """
    side = _side(len(vectors), size)
    page = Image.open(io.BytesIO(tilemap)).convert("RGB")
    canvas = Image.new("RGB", size, background)
    places = _places(vectors, size, side)
    for k in np.argsort(vectors[:, 2], kind="stable"):
        sprite = _sprite(page, int(k), side)
        x, y = places[k] - np.array(sprite.size) / 2
        canvas.paste(sprite, (round(x), round(y)))
    return _encoded(canvas, "PNG")


def strip(tilemap: bytes, count: int) -> bytes:
    """The first rows of a tilemap of `count` pictures at half its size, 250 pixels wide. Returns a JPEG."""
    page = Image.open(io.BytesIO(tilemap))
    page.draft("RGB", (page.width // 2, page.height // 2))
    rows = min(max(-(-count // COLUMNS), 1), _STRIP_ROWS)
    return _encoded(page.crop((0, 0, page.width, rows * page.width // COLUMNS)), "JPEG", quality=85)


def _side(count: int, size: Size) -> int:
    """The longer side of the sprites, in pixels: the fewer pictures, the larger."""
    return int(np.clip(np.sqrt(_SHARE * size[0] * size[1] / count), _SMALLEST, _LARGEST))


def _places(vectors: Vectors, size: Size, side: int) -> NDArray[np.float64]:
    """Each picture's centre on the canvas, `(n, 2) float64`, in pixels from the top left."""
    flat = vectors[:, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    centre = (low + high) / 2
    # Pictures that differ by float32's rounding only lie on one spot, and are not blown up to fill the canvas.
    span = np.maximum(high - low, 1e-6 * max(float(np.abs(flat).max()), 1e-6))
    scale = ((np.array(size) - side - 2 * _MARGIN) / span).min()
    places: NDArray[np.float64] = np.array(size) / 2 + (flat - centre) * scale * (1, -1)
    return places


def _sprite(page: Image.Image, index: int, side: int) -> Image.Image:
    """A tile without the white that fills its cell, its longer side at most `side` pixels."""
    row, column = divmod(index, COLUMNS)
    left, top = column * CELL + BORDER, row * CELL + BORDER
    cell = page.crop((left, top, left + BOX, top + BOX))
    sprite = cell.crop(cell.point(_NOT_WHITE).getbbox())
    sprite.thumbnail((side, side), Image.Resampling.LANCZOS)
    return sprite


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()
