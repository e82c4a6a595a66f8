"""A picture of a collection → a small JPEG or WebP: from its file where that is at hand, else from its tile."""

import io
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from embeddings.images import RGB, UnreadableImage, decode

from . import ranges
from .collection import Collection, Sheet
from .errors import NotThere, Refusal
from .tilemap import CELL, COLUMNS, ROWS, cell_of, place_of, size_in

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
    pixels = tilemap(sheet)
    left, top, width, height = rectangle(sheet, index, pixels)
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def tilemap(sheet: Sheet) -> RGB:
    """The whole sheet, decoded. Raises `NotThere`."""
    try:
        with Image.open(sheet.tilemap) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise NotThere("The tilemap with this picture has not been built.") from None


def rectangle(sheet: Sheet, index: int, pixels: RGB) -> Sequence[int]:
    """Left, top, width and height of a picture in its tilemap; `pixels` are looked at where nothing else tells."""
    facts = sheet.facts(index)
    width, height = (facts.tile_width, facts.tile_height) if facts else size_in(pixels, index)
    return *place_of(index, width, height), width, height


def manifest(sheet: Sheet, first: int) -> dict[str, Any]:
    """Where each picture lies in a tilemap: its cell, and its own rectangle inside. `first` is its first row."""
    with_facts = sheet.facts(0) is not None
    pixels = np.empty((0, 0, 3), np.uint8) if with_facts else tilemap(sheet)
    tiles = [
        {
            "index": first + index,
            "name": name,
            "cell": [*cell_of(index), CELL, CELL],
            "picture": rectangle(sheet, index, pixels),
        }
        for index, name in enumerate(sheet.names)
    ]
    return {"width": COLUMNS * CELL, "height": ROWS * CELL, "cell": CELL, "tiles": tiles}
