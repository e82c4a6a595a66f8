"""A picture of a collection → a small JPEG or WebP: from its file where that is at hand, else from its tile."""

import io
import threading
from typing import Any

import numpy as np
from PIL import Image

from embeddings.images import RGB, UnreadableImage, decode

from . import ranges
from .collection import Collection
from .errors import Refusal
from .sheet import Sheet
from .tilemap import CELL, COLUMNS, ROWS, cell_of

FORMATS = {"jpeg": "image/jpeg", "webp": "image/webp"}
DEFAULT, LARGEST = 128, 1024
"""Pixels of the longer side."""

# A picture of 100 megapixels takes hundreds of megabytes while it is decoded: two at a time are enough.
_DECODING = threading.BoundedSemaphore(2)


def thumbnail(collection: Collection, row: int, *, size: int, form: str, max_pixels: int) -> bytes:
    """Fit into a square of `size` pixels, never enlarged. Raises `NotThere` where nothing is left of the picture."""
    try:
        data = collection.read(row)
        with _DECODING:
            picture = Image.fromarray(decode(data, min_side=size, max_pixels=max_pixels))
    except (Refusal, UnreadableImage):
        picture = Image.fromarray(tile(collection.sheet(row // ranges.SIZE), row % ranges.SIZE))
    picture.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = io.BytesIO()
    picture.save(file, form, quality=85)
    return file.getvalue()


def tile(sheet: Sheet, index: int) -> RGB:
    """What the tilemap shows of a picture. Raises `NotThere`."""
    left, top, width, height = sheet.rectangle(index)
    return np.ascontiguousarray(sheet.pixels[top : top + height, left : left + width])


def manifest(sheet: Sheet, first: int) -> dict[str, Any]:
    """Where each picture lies in a tilemap: its cell, and its own rectangle inside. `first` is its first row."""
    tiles = [
        {
            "index": first + index,
            "name": name,
            "cell": [*cell_of(index), CELL, CELL],
            "picture": sheet.rectangle(index),
        }
        for index, name in enumerate(sheet.names)
    ]
    return {"width": COLUMNS * CELL, "height": ROWS * CELL, "cell": CELL, "tiles": tiles}
