"""A picture's header → refused, where decoding it would take too much memory or too long."""

from . import decode_cost
from .errors import OversizedImage, SlowImage, UnreadableImage
from .headers import Header
from .jpeg_markers import count_scans, has_one_scan

MOST_BYTES = 2**30
"""That decoding one picture may take."""
LONGEST_SIDE = 100_000
"""Pixels."""
_SCANNED_PIXELS = 3 * 10**9
"""Pixels that a JPEG's scans may go over, all together: some ten seconds of work."""
_MOST_SCANS = 250
_MOST_PIECES = {"TIFF": 250_000, "JPEG2000": 256}
"""Strips and tiles; quality layers."""
_MOST_HALVINGS = 5
"""Of a JPEG 2000 while it is decoded: encoders store as many smaller pictures by default."""


def check_header(data: bytes, header: Header, *, min_side: int, max_pixels: int, max_bytes: int) -> None:
    """Raises `OversizedImage`, `SlowImage` or `UnreadableImage`."""
    check_size((header.width, header.height), max_pixels)
    if header.pieces > _MOST_PIECES.get(header.form, header.pieces):
        raise SlowImage(f"it takes too long to decode: it is coded in {header.pieces} pieces")
    if header.frame and not has_one_scan(data):
        most = min(_MOST_SCANS, _SCANNED_PIXELS // (header.width * header.height))
        if count_scans(data, most) > most:
            raise SlowImage(f"it takes too long to decode: it has more than {most} scans")
    check_cost(cost_of(header, min_side, max_bytes), max_bytes)


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Raises `OversizedImage`, or `UnreadableImage` where there are no pixels."""
    width, height = size
    if width <= 0 or height <= 0:
        raise UnreadableImage("it has no pixels")
    if width * height > max_pixels:
        raise OversizedImage(
            f"too many pixels: {width} × {height} is over the limit of {max_pixels / 1e6:g} megapixels"
        )
    if max(size) > LONGEST_SIDE:
        raise OversizedImage(f"too long: {width} × {height} is over the limit of {LONGEST_SIDE} pixels on one side")


def check_cost(cost: int, max_bytes: int) -> None:
    """Raises `OversizedImage`."""
    if cost > max_bytes:
        raise OversizedImage(
            f"too large: it takes {cost / 2**20:.0f} MiB to decode, over the limit of {max_bytes / 2**20:.0f} MiB"
        )


def halvings(header: Header, min_side: int, max_bytes: int) -> int:
    """How often a picture is to be halved by its decoder, so that decoding it fits: JPEG 2000 can."""
    if header.form != "JPEG2000":
        return 0
    count = 0
    while count < _MOST_HALVINGS and min(header.width, header.height) >> (count + 1) >= min_side:
        if _halved(header, count, min_side) <= max_bytes:
            break
        count += 1
    return count


def cost_of(header: Header, min_side: int, max_bytes: int) -> int:
    """Bytes that decoding takes at its peak, halved where that helps."""
    return _halved(header, halvings(header, min_side, max_bytes), min_side)


def _halved(header: Header, count: int, min_side: int) -> int:
    size = header.width >> count, header.height >> count
    return decode_cost.of_size(size, header.form, header.bytes_per_pixel, min_side, header.frame)
