"""Bytes of a picture file → an upright RGB array, decoded once → the square crop that a network looks at."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

RGB = NDArray[np.uint8]
T = TypeVar("T")
R = TypeVar("R")

# What Pillow may open (MPO opens as JPEG). Its other plug-ins are rare, slow or call outside programs, as EPS does.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA")

EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
_JPEG_END = b"\xff\xd9"

# Pillow's own limit only warns, and is one number for the whole process: `decode` checks each picture's size itself.
Image.MAX_IMAGE_PIXELS = None
# Pillow loads most plug-ins late, and `open` takes the names of loaded ones only.
Image.init()


class UnreadableImage(Exception):
    """The bytes claim to be a picture, but no picture can be made of them; the message says why."""


class NotAnImage(UnreadableImage):
    """The bytes are no picture in any format that is read here."""


class TruncatedImage(UnreadableImage):
    """The file ends before its picture does."""


class OversizedImage(UnreadableImage):
    """The picture has more pixels than are allowed."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded picture, and what its file said of it."""

    rgb: RGB
    """`(h, w, 3) uint8`, upright, perhaps at a reduced scale."""
    width: int
    """Pixels of the whole picture, upright."""
    height: int
    media_type: str
    """Such as `image/jpeg`, by its content."""


def decode(data: bytes, *, min_side: int, max_pixels: int) -> RGB:
    """The pixels alone of what `decode_picture` returns."""
    return decode_picture(data, min_side=min_side, max_pixels=max_pixels).rgb


def decode_picture(data: bytes, *, min_side: int, max_pixels: int) -> Picture:
    """Decode a picture of any supported format and mode, upright, flattened on white.

    A large picture is decoded at a reduced scale, but never below `min_side` on its shorter side: JPEGs inside the
    inverse DCT (libjpeg's scaled decoding), the others by averaging whole blocks of pixels.

    Raises `NotAnImage` or `UnreadableImage`.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise NotAnImage("not a picture in a format that is read here") from error
    except Exception as error:  # foreign bytes make the parsers fail in many ways; each is this one picture's fault
        raise UnreadableImage(f"damaged: {_reason(error)}") from error
    with image:
        width, height = image.size
        if width * height > max_pixels:
            raise OversizedImage(
                f"too many pixels: {width} × {height} is over the limit of {max_pixels / 1e6:g} megapixels"
            )
        if width == 0 or height == 0:
            raise UnreadableImage("it has no pixels")
        try:
            rgb = _decode_jpeg(data, image, min_side) if _is_plain_jpeg(image) else _decode_any(image, min_side)
        except Exception as error:  # as above
            # Pillow has no exception of its own for this; each of its plug-ins says it with this word.
            kind = TruncatedImage if "truncated" in str(error) else UnreadableImage
            raise kind(f"damaged: {_reason(error)}") from error
        # TIFF has turned its size and pixels itself, and says 1 by now.
        if _orientation(image) in _LYING:
            width, height = height, width
        return Picture(rgb=rgb, width=width, height=height, media_type=_media_type(image.format or ""))


def crop(rgb: RGB, *, resize: int, side: int) -> RGB:
    """The centre of a picture as a network sees it: shorter side scaled to `resize`, then `side × side` cut out.

    Both in one bicubic resampling of the source. Takes `(h, w, 3) uint8`, returns `(side, side, 3) uint8`.
    """
    height, width = rgb.shape[:2]
    span = min(height, width) * side / resize
    left, top = (width - span) / 2, (height - span) / 2
    picture = Image.fromarray(rgb)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + span, top + span)))


def in_order(pool: Executor, work: Callable[[T], R], items: Iterable[T], ahead: int) -> Iterator[R]:
    """`map` over an executor that keeps the order and takes at most `ahead` items before their results are used."""
    source = iter(items)
    waiting: list[Future[R]] = [pool.submit(work, item) for item in islice(source, ahead)]
    while waiting:
        done = waiting.pop(0)
        yield done.result()
        waiting.extend(pool.submit(work, item) for item in islice(source, 1))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def media_type(data: bytes) -> str:
    """Of a picture file, by its content: `application/octet-stream` where it is none that is read here."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _media_type(image.format or "")
    except Exception:  # as in `decode_picture`
        return _media_type("")


def _media_type(form: str) -> str:
    # An MPO is a JPEG with more pictures behind it, which browsers show as what it begins with.
    return Image.MIME.get("JPEG" if form == "MPO" else form, "application/octet-stream")


def _is_plain_jpeg(image: Image.Image) -> bool:
    return image.format in {"JPEG", "MPO"} and image.mode in {"RGB", "L"}


def _decode_jpeg(data: bytes, image: Image.Image, min_side: int) -> RGB:
    # A smaller picture is taken as it is (0): scaling would stop at one pixel, and a sliver lose its shape.
    least = min_side if min(image.size) >= min_side else 0
    # Some writers leave out the end marker. Where more is missing, adding it does not help.
    whole = data if data.endswith(_JPEG_END) else data + _JPEG_END
    try:
        rgb = simplejpeg.decode_jpeg(whole, "RGB", min_height=least, min_width=least)
    except ValueError:
        # libjpeg-turbo is called strictly and stops at warnings that Pillow, rightly, forgives.
        return _decode_any(image, min_side)
    return _upright(rgb, _orientation(image))


def _decode_any(image: Image.Image, min_side: int) -> RGB:
    image.draft(None, (min_side, min_side))  # JPEG only; Pillow keeps both sides at or above the wish
    image.load()
    orientation = _orientation(image)  # after loading: TIFF turns itself upright while it loads
    rgb = _flatten(image, factor=max(1, min(image.size) // min_side))
    return _upright(np.asarray(rgb), orientation)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a broken EXIF block must not cost the picture
        return 1


def _upright(rgb: RGB, orientation: int) -> RGB:
    """Undo EXIF orientation 1–8 (Exif 2.3, tag 274)."""
    if orientation in _LYING:
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    return np.ascontiguousarray(rgb)


def _flatten(image: Image.Image, factor: int) -> Image.Image:
    """Any mode → RGB on white, blocks of `factor × factor` pixels averaged; early, for full-size copies are large."""
    if image.mode.startswith(("I", "F")):
        deep = image.mode.startswith("I;16")
        grey = _in_mode(image, "I" if deep else image.mode).reduce(factor)
        return Image.fromarray(_to_8_bit(np.asarray(grey), deep)).convert("RGB")
    if image.has_transparency_data:
        rgba = _in_mode(image, "RGBA").reduce(factor)
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return _in_mode(image, "RGB").reduce(factor)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """As `convert`, which copies a picture that is in this mode already."""
    return image if image.mode == mode else image.convert(mode)


def _to_8_bit(grey: NDArray[np.generic], deep: bool) -> NDArray[np.uint8]:
    """Grey of more than 8 bits → 8 bits: of 16 bits if `deep`, else by the range that the values speak of."""
    values = np.nan_to_num(grey.astype(np.float64))
    top = float(values.max(initial=0.0))
    if deep or 255 < top <= 65535:
        full = 65535.0
    elif grey.dtype.kind == "f" and top <= 1:
        full = 1.0
    else:
        full = max(top, 255.0)
    return np.clip(values * (255 / full) + 0.5, 0, 255).astype(np.uint8)
