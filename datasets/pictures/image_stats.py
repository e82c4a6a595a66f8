"""A decoded picture → what is known of it beside its features: sizes, a digest, a fingerprint, sharpness, contrast.

All of it is taken from pixels that are at hand anyway, in a tenth of a millisecond.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.images.decoding import RGB, Picture

_PATCH = 128
"""Pixels of the square in the middle whose sharpness stands for the picture's."""


@dataclass(frozen=True, kw_only=True)
class ImageStats:
    """Of one picture."""

    width: int
    """Pixels, upright."""
    height: int
    size: int
    """Of its file, bytes."""
    media_type: str
    tile_width: int
    """Pixels in the tilemap."""
    tile_height: int
    digest: str
    """Equal files have equal ones."""
    fingerprint: str
    """64 bits as 16 hexadecimal digits, of which similar pictures differ in few (a difference hash)."""
    sharpness: float
    """How much of its contrast lies in its finest detail: near 0 for a blurred picture, about 1 for a crisp one."""
    contrast: float
    """Standard deviation of its brightness, 0 … 127."""
    truncated: bool = False
    """Whether its file ends early, so that the rest of it is grey."""

    @classmethod
    def of(cls, data: bytes, picture: Picture, tile: RGB) -> Self:
        """From a file's bytes, its decoded picture and its tile."""
        grey = np.ascontiguousarray(tile[:, :, 1])  # green carries most of the brightness
        return cls(
            width=picture.width,
            height=picture.height,
            size=len(data),
            media_type=picture.media_type,
            tile_width=tile.shape[1],
            tile_height=tile.shape[0],
            digest=hashlib.blake2b(data, digest_size=16).hexdigest(),
            fingerprint=_fingerprint(grey),
            sharpness=round(_sharpness(picture.rgb), 4),
            contrast=round(float(grey.std(dtype=np.float32)), 2),
            truncated=picture.truncated,
        )


def as_columns(facts: Sequence[ImageStats]) -> dict[str, list[Any]]:
    """A list for each fact, in the order of the pictures: a third of the JSON that a list of objects makes."""
    return {field.name: [getattr(each, field.name) for each in facts] for field in fields(ImageStats)}


def at(columns: Mapping[str, Sequence[Any]], index: int) -> ImageStats | None:
    """One picture's facts out of what `as_columns` made; None where there are none, as of older versions."""
    known = [field.name for field in fields(ImageStats) if field.name in columns or field.default is MISSING]
    try:
        return ImageStats(**{name: columns[name][index] for name in known})
    except (KeyError, IndexError):
        return None


def _fingerprint(grey: NDArray[np.uint8]) -> str:
    """Where brightness falls from left to right, on a grid of 8 × 8."""
    small = np.asarray(Image.fromarray(grey).resize((9, 8), Image.Resampling.BOX))
    return np.packbits(small[:, 1:] < small[:, :-1]).tobytes().hex()


def _sharpness(rgb: RGB) -> float:
    """Mean squared second difference by variance, along every third row in the middle of the picture."""
    height, width = rgb.shape[:2]
    top, left = max((height - _PATCH) // 2, 0), max((width - _PATCH) // 2, 0)
    rows = rgb[top : top + _PATCH : 3, left : left + _PATCH, 1].astype(np.float32)
    if rows.shape[1] < 3:
        return 1.0  # too narrow to have detail, or to lack it
    detail = 2 * rows[:, 1:-1] - rows[:, :-2] - rows[:, 2:]
    variance = _mean_square(rows) - float(rows.mean()) ** 2
    return _mean_square(detail) / variance if variance > 0.25 else 1.0


def _mean_square(values: NDArray[np.float32]) -> float:
    flat = values.ravel()
    return float(flat @ flat) / flat.size
