"""Bytes of a picture file → an upright RGB array in sRGB, decoded once → the square crop that a network looks at."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import pi_heif
import pillow_jxl.JpegXLImagePlugin
import simplejpeg
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from . import colour, limits, png_chunks, signatures
from .colour import Conversion
from .decode_cost import reduction
from .embedded_profiles import profile_of
from .errors import NotAnImage as NotAnImage
from .errors import OversizedImage as OversizedImage
from .errors import SlowImage as SlowImage
from .errors import TruncatedImage as TruncatedImage
from .errors import UnreadableImage as UnreadableImage
from .errors import UnsupportedImage as UnsupportedImage
from .flattening import flatten
from .headers import Header, read_header
from .jxl_header import is_jxl
from .limits import LONGEST_SIDE, MOST_BYTES
from .orientation import orientation_in_browsers, orientation_of, stored_box, upright, upright_size

RGB = NDArray[np.uint8]
T = TypeVar("T")
R = TypeVar("R")

# What Pillow may open (MPO opens as JPEG). Its other plug-ins are rare, slow or call outside programs, as EPS does.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF", "JPEG2000", "JXL", "PPM", "TGA")
# The plug-in for JPEG XL decodes while it opens, so it is shown nothing else.
_OTHERS = [form for form in FORMATS if form != "JXL"]

_JPEG_END = b"\xff\xd9"
_MOST_MISSING = 2 / 3
"""Share of a cut JPEG: what has lost more says little of its picture."""
_FILLED = range(40, 200)
"""Greys, one of which libjpeg fills a picture with where its file has ended; it depends on the profile and the inks."""

# Pillow's own limit only warns, and is one number for the whole process: `decode` checks each picture's size itself.
Image.MAX_IMAGE_PIXELS = None
# Pillow loads most plug-ins late, and `open` takes the names of loaded ones only.
Image.init()
# Pictures are decoded side by side, so that decoders need no threads of their own.
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
pillow_jxl.JpegXLImagePlugin.DECODE_THREADS = 0
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A decoded picture, and what its file said of it."""

    rgb: RGB
    """`(h, w, 3) uint8`, upright, in sRGB, perhaps at a reduced scale."""
    width: int
    """Pixels of the whole picture, upright."""
    height: int
    media_type: str
    """Such as `image/jpeg`, by its content."""
    truncated: bool = False
    """Whether the file ends before its picture does; what is missing is grey."""


def decode(data: bytes, *, min_side: int, max_pixels: int, max_bytes: int = MOST_BYTES) -> RGB:
    """The pixels alone of what `decode_picture` returns."""
    return decode_picture(data, min_side=min_side, max_pixels=max_pixels, max_bytes=max_bytes).rgb


def decode_picture(data: bytes, *, min_side: int, max_pixels: int, max_bytes: int = MOST_BYTES) -> Picture:
    """Decode a picture of any supported format and mode, upright, in sRGB, flattened on white.

    A large picture is decoded at a reduced scale, but never below `min_side` on its shorter side, slivers excepted:
    JPEGs inside the inverse DCT (libjpeg's scaled decoding), the others by averaging whole blocks of pixels.
    What has more than `max_pixels`, or takes more than `max_bytes` of memory or too long, is refused by its header.

    Raises `NotAnImage` or `UnreadableImage`.
    """
    with _checked(data, min_side, max_pixels, max_bytes) as (data, image, conversion):
        width, height = image.size
        rgb, truncated = _decoded(data, image, min_side, conversion)
        # TIFF has turned its size and pixels itself, and says 1 by now. HEIF may know its size only when it is decoded.
        if image.format == "HEIF":
            width, height = image.size
        width, height = upright_size((width, height), orientation_of(image))
        return Picture(
            rgb=rgb, width=width, height=height, media_type=_media_type(image.format or ""), truncated=truncated
        )


def decode_strips(
    data: bytes, *, heights: Callable[[int, int], Iterable[int]], max_pixels: int, max_bytes: int = MOST_BYTES
) -> Iterator[RGB]:
    """A picture as `decode_picture` decodes it, but at its full size, strip after strip.

    `heights` makes those of the strips, from the top, of the picture's width and height. It is turned upright where
    browsers turn it. Raises as `decode_picture`.
    """
    with _checked(data, LONGEST_SIDE, max_pixels, max_bytes) as (_, image, conversion):
        orientation = orientation_in_browsers(image)
        width, height = upright_size(image.size, orientation)
        planned = list(heights(width, height))
        try:
            image.load()
        except Exception as error:  # as above
            raise UnreadableImage(f"damaged: {_reason(error)}") from error
        if upright_size(image.size, orientation) != (width, height):
            raise UnreadableImage("it cannot be decoded at its full size")
        top = 0
        for rows in planned:
            strip = image.crop(stored_box(top, rows, image.size, orientation))
            yield upright(np.asarray(flatten(strip, 1, conversion)), orientation)
            top += rows


@contextmanager
def _checked(
    data: bytes, min_side: int, max_pixels: int, max_bytes: int
) -> Iterator[tuple[bytes, Image.Image, Conversion | None]]:
    """What is to be decoded, opened, and how its colours are to be converted; refused by its header, if it must be."""
    if kind := signatures.unread_picture(data):
        raise UnsupportedImage(kind)
    header = read_header(data)
    if header:
        limits.check_header(data, header, min_side=min_side, max_pixels=max_pixels, max_bytes=max_bytes)
    png = png_chunks.read_png(data) if data.startswith(png_chunks.SIGNATURE) else None
    if png:
        data = png.data
    with _opened(data, header) as image:
        width, height = image.size
        limits.check_size(image.size, max_pixels)
        if header is None or width * height > header.width * header.height:
            header = Header(form=image.format or "", width=width, height=height)
            limits.check_cost(limits.cost_of(header, min_side, max_bytes), max_bytes)
        if count := limits.halvings(header, min_side, max_bytes):
            image.reduce = count  # type: ignore[method-assign, assignment]  # so Pillow names it for JPEG 2000
        yield data, image, colour.conversion(png.profile() if png else profile_of(image, data), image.mode)


def decode_cost(data: bytes, *, min_side: int, max_bytes: int = MOST_BYTES) -> int:
    """Estimated bytes that `decode_picture` takes at its peak, beside `data`; read from the header, without a decoder.

    0 where no header can be read, for then decoding ends at once.
    """
    header = read_header(data)
    return limits.cost_of(header, min_side, max_bytes) if header else 0


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


def _opened(data: bytes, header: Header | None) -> Image.Image:
    """Raises `NotAnImage` or `UnreadableImage`."""
    try:
        return _open(data)
    except UnidentifiedImageError as error:
        if header:  # the format is known, so the file is damaged
            raise UnreadableImage(f"damaged: its {header.form} headers cannot be read") from error
        raise NotAnImage(signatures.other_kind(data) or "not a picture in a format that is read here") from error
    except Exception as error:  # foreign bytes make the parsers fail in many ways; each is this one picture's fault
        # libjxl does not say what is wrong.
        reason = "its JPEG XL data are wrong, or their end is missing" if is_jxl(data) else _reason(error)
        raise UnreadableImage(f"damaged: {reason}") from error


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JXL",) if is_jxl(data) else _OTHERS)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def media_type(data: bytes) -> str:
    """Of a picture file, by its content: `application/octet-stream` where it is none that is read here."""
    if is_jxl(data):
        return _media_type("JXL")
    try:
        with _open(data) as image:
            return _media_type(image.format or "")
    except Exception:  # as in `decode_picture`
        return _media_type("")


def _media_type(form: str) -> str:
    # An MPO is a JPEG with more pictures behind it, which browsers show as what it begins with.
    return Image.MIME.get("JPEG" if form == "MPO" else form, "application/octet-stream")


def _decoded(data: bytes, image: Image.Image, min_side: int, conversion: Conversion | None) -> tuple[RGB, bool]:
    """The picture, and whether its end is missing. Raises `UnreadableImage`."""
    is_jpeg = image.format in {"JPEG", "MPO"}
    try:
        if is_jpeg and image.mode in {"RGB", "L"}:
            return _decode_jpeg(data, image, min_side, conversion), False
        return _decode_any(image, min_side, conversion), False
    except Exception as error:  # as above
        # Pillow has no exception of its own for this; each of its plug-ins says it with this word.
        if "truncated" not in str(error):
            raise UnreadableImage(f"damaged: {_reason(error)}") from error
        failure = TruncatedImage(f"damaged: {_reason(error)}")
        if not is_jpeg:
            raise failure from error
    try:
        with _open(data + _JPEG_END) as mended:
            rgb = _decode_any(mended, min_side, conversion)
    except Exception as error:  # as above
        raise failure from error
    filled = int(np.median(rgb))
    if filled in _FILLED and np.count_nonzero(rgb == filled) > _MOST_MISSING * rgb.size:
        raise TruncatedImage("its file ends early: more than two thirds of the picture are missing")
    return rgb, True


def _decode_jpeg(data: bytes, image: Image.Image, min_side: int, conversion: Conversion | None) -> RGB:
    factor = reduction(image.size, min_side)
    # A smaller picture is taken as it is (0): scaling would stop at one pixel, and a sliver lose its shape.
    is_small = factor == 1 and min(image.size) < min_side
    least = 0 if is_small else min(min_side, max(1, min(image.size) // factor))
    # Some writers leave out the end marker. Where more is missing, adding it does not help.
    whole = data if data.endswith(_JPEG_END) else data + _JPEG_END
    try:
        rgb = simplejpeg.decode_jpeg(whole, "RGB", min_height=least, min_width=least)
    except ValueError:
        # libjpeg-turbo is called strictly and stops at warnings that Pillow, rightly, forgives.
        return _decode_any(image, min_side, conversion)
    if conversion:
        rgb = np.asarray(conversion.apply(Image.fromarray(rgb)))
    return upright(rgb, orientation_of(image))


def _decode_any(image: Image.Image, min_side: int, conversion: Conversion | None) -> RGB:
    image.draft(None, (min_side, min_side))  # JPEG only; Pillow keeps both sides at or above the wish
    image.load()
    orientation = orientation_of(image)  # after loading: TIFF turns itself upright while it loads
    rgb = flatten(image, reduction(image.size, min_side), conversion)
    return upright(np.asarray(rgb), orientation)
