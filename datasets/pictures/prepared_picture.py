"""A picture file's bytes → what is kept of it. Light to import: decoder processes run this, without Django."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from datasets.tilemaps.layout import Tile, tile
from embeddings.images.decoding import RGB, crop, decode, decode_picture
from embeddings.images.limits import MOST_BYTES

from .image_stats import ImageStats


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One picture, ready for all that comes."""

    tile: Tile
    crop: RGB
    """What the network sees."""
    facts: ImageStats


def prepared(data: bytes, *, resize: int, side: int, max_pixels: int, max_bytes: int = MOST_BYTES) -> Prepared:
    """Decode once, for tile, crop and facts. Raises `UnreadableImage`."""
    picture = decode_picture(data, min_side=resize, max_pixels=max_pixels, max_bytes=max_bytes)
    small = tile(picture.rgb)
    return Prepared(
        tile=small,
        crop=crop(picture.rgb, resize=resize, side=side),
        facts=ImageStats.of(data, picture, small),
    )


def reduced(data: bytes, *, side: int, max_pixels: int, max_bytes: int = MOST_BYTES) -> RGB:
    """Fitted into a square of `side` pixels, never enlarged: `(h, w, 3) uint8`. Raises `UnreadableImage`."""
    picture = Image.fromarray(decode(data, min_side=side, max_pixels=max_pixels, max_bytes=max_bytes))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(picture)
