"""An opened picture of any mode → RGB in sRGB on white, reduced: strip by strip, for full copies are large."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .colour import Conversion

_STRIP_PIXELS = 2**20
_TWELVE_BITS = 4095.0
"""The largest value of cameras and microscopes that store 12 bits in 16."""


def flatten(image: Image.Image, factor: int, conversion: Conversion | None) -> Image.Image:
    """Blocks of `factor × factor` pixels are averaged, then colours converted, then transparency is laid on white."""
    if image.mode.startswith(("I", "F")):
        grey = _deep(image, factor)
        return conversion.apply(grey) if conversion else grey.convert("RGB")
    if image.has_transparency_data:
        rgba = _reduced(image, "RGBA", factor)
        if conversion:
            rgba = conversion.apply(rgba)
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if conversion and conversion.mode == image.mode:
        return conversion.apply(_reduced(image, image.mode, factor))
    rgb = _reduced(image, "RGB", factor)
    return conversion.apply(rgb) if conversion else rgb


def _reduced(image: Image.Image, mode: str, factor: int) -> Image.Image:
    """The picture in another mode, and blocks of it averaged."""
    if image.mode == mode and mode != "RGBA":
        return Image.Image.reduce(image, factor)  # that of JPEG 2000's class is a number
    # `reduce` itself makes a full copy of a transparent picture.
    return _in_strips(image, mode, factor, lambda strip: Image.Image.reduce(_in_mode(strip, mode), factor))


def _in_strips(image: Image.Image, mode: str, factor: int, work: Callable[[Image.Image], Image.Image]) -> Image.Image:
    width, height = image.size
    if width * height <= _STRIP_PIXELS:
        return work(image)
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    for top, bottom in _rows(width, height, factor):
        reduced.paste(work(image.crop((0, top, width, bottom))), (0, top // factor))
    return reduced


def _rows(width: int, height: int, factor: int) -> Iterator[tuple[int, int]]:
    """Tops and bottoms of strips that hold whole blocks."""
    rows = factor * max(1, _STRIP_PIXELS // (factor * width))
    return ((top, min(top + rows, height)) for top in range(0, height, rows))


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """As `convert`, which copies a picture that is in this mode already."""
    return image if image.mode == mode else image.convert(mode)


def _deep(image: Image.Image, factor: int) -> Image.Image:
    """Grey of more than 8 bits → `L`."""
    deep = image.mode.startswith("I;16")
    mode = "I" if deep else image.mode
    transparent = image.info.get("transparency") if deep else None
    if isinstance(transparent, int):
        return _deep_on_white(image, factor, transparent)
    values = np.asarray(_reduced(image, mode, factor))
    return Image.fromarray(_to_8_bit(values, _full(values, deep)))


def _deep_on_white(image: Image.Image, factor: int, transparent: int) -> Image.Image:
    """As `_deep`, of 16 bits, where one value stands for no colour."""
    width, height = image.size
    top = 0
    for first, last in _rows(width, height, factor):
        strip = np.asarray(image.crop((0, first, width, last)))
        top = max(top, int(strip.max(initial=0, where=strip != transparent)))
    full = _full(np.array([top], np.int32), deep=True)

    def on_white(strip: Image.Image) -> Image.Image:
        values = np.asarray(strip).astype(np.int32)
        values[values == transparent] = int(full)
        return Image.fromarray(values).reduce(factor)

    return Image.fromarray(_to_8_bit(np.asarray(_in_strips(image, "I", factor, on_white)), full))


def _full(grey: NDArray[np.generic], deep: bool) -> float:
    """The value that means white: of 16 bits if `deep`, else by the range that the values speak of."""
    top = max((float(np.nan_to_num(rows.astype(np.float64)).max(initial=0.0)) for rows in _few_rows(grey)), default=0.0)
    if deep or 255 < top <= 65535:
        return _TWELVE_BITS if top <= _TWELVE_BITS else 65535.0
    if grey.dtype.kind == "f" and top <= 1:
        return 1.0
    return max(top, 255.0)


def _to_8_bit(grey: NDArray[np.generic], full: float) -> NDArray[np.uint8]:
    eight = np.empty(grey.shape, np.uint8)
    for rows, out in zip(_few_rows(grey), _few_rows(eight), strict=True):
        out[:] = np.clip(np.nan_to_num(rows.astype(np.float64)) * (255 / full) + 0.5, 0, 255).astype(np.uint8)
    return eight


def _few_rows(values: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
    """Views of some rows each: computing in float64 takes several times a picture's own memory."""
    rows = max(1, _STRIP_PIXELS // max(values.shape[-1], 1))
    return (values[first : first + rows] for first in range(0, len(values), rows))
