"""A picture of a collection → a small JPEG or WebP: from its file where that is at hand, else from its tile.

What takes long to decode is decoded once, at the largest size there is, and kept: all sizes are made of that. Few are
made at one time, and whoever would wait for long is refused, so that threads are left for all other calls.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from django.conf import settings
from PIL import Image

from datasets.errors import ApiError, Unavailable
from datasets.pictures.decoder_pool import decoders, is_light
from datasets.tilemaps import ranges
from datasets.tilemaps.layout import CELL, COLUMNS, ROWS, cell_of
from embeddings.images.decoding import RGB, UnreadableImage

from .base import Collection
from .content_coding import IDENTITY
from .response_cache import kept, versioned
from .tilemap_page import TilemapPage

FORMATS = {"jpeg": "image/jpeg", "webp": "image/webp"}
DEFAULT, LARGEST = 128, 1024
"""Pixels of the longer side."""

_STEPS = {16: 8, 256: 16, LARGEST + 1: 128}
"""Sizes below the first number are multiples of the second: a picture is made and kept in few of them."""
_TURN_SECONDS = 0.25
_DECODER_SECONDS = 3.0
_MAKING = threading.BoundedSemaphore(max(1, settings.THREADS // 2))


def few(size: int) -> int:
    """The next smaller one of the few sizes."""
    step = next(step for below, step in _STEPS.items() if size < below)
    return size // step * step


@contextmanager
def turn() -> Iterator[None]:
    """Hold one of the few places for making thumbnails. Raises `Unavailable`."""
    if not _MAKING.acquire(timeout=_TURN_SECONDS):
        raise Unavailable("Too many thumbnails are being made. Try again in a while.")
    try:
        yield
    finally:
        _MAKING.release()


def thumbnail(collection: Collection, row: int, *, size: int, form: str, max_pixels: int) -> bytes:
    """Fit into a square of `size` pixels, never enlarged. Raises `NotFound` where nothing is left of the picture, and
    `Unavailable` where too many are being decoded."""
    try:
        data = collection.read(row)
        if is_light(data, size):
            pixels = decoders().reduced(data, side=size, max_pixels=max_pixels, wait=_DECODER_SECONDS)
        else:
            pixels = _largest(collection, row, data, max_pixels)
    except Unavailable:
        raise
    except (ApiError, UnreadableImage):
        pixels = tile(collection.page(row // ranges.SIZE), row % ranges.SIZE)
    picture = Image.fromarray(pixels)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _encoded(picture, form, quality=85)


def _largest(collection: Collection, row: int, data: bytes, max_pixels: int) -> RGB:
    """Of a picture that takes long to decode, from which smaller ones are made; kept. Raises as `Decoders.reduced`."""

    def render() -> list[bytes]:
        pixels = decoders().reduced(data, side=LARGEST, max_pixels=max_pixels, wait=_DECODER_SECONDS)
        return [_encoded(Image.fromarray(pixels), "jpeg", quality=95, subsampling=0)]

    cache_key = versioned(f"{collection.cache_key}-thumbnails/{row}-largest")
    with kept().open(cache_key, IDENTITY, render) as file, Image.open(file) as image:
        return np.asarray(image)


def _encoded(picture: Image.Image, form: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def tile(page: TilemapPage, index: int) -> RGB:
    """What the tilemap shows of a picture. Raises `NotFound`."""
    left, top, width, height = page.rectangle(index)
    return np.ascontiguousarray(page.pixels[top : top + height, left : left + width])


def manifest(page: TilemapPage, first: int) -> dict[str, Any]:
    """Where each picture lies in a tilemap: its cell, and its own rectangle inside. `first` is its first row."""
    tiles = [
        {
            "index": first + index,
            "name": name,
            "cell": [*cell_of(index), CELL, CELL],
            "picture": page.rectangle(index),
        }
        for index, name in enumerate(page.names)
    ]
    return {"width": COLUMNS * CELL, "height": ROWS * CELL, "cell": CELL, "tiles": tiles}
