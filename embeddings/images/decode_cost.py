"""A picture's size and format → how many bytes decoding it takes at its peak, so that it can wait for room.

Estimates from above, by what each decoder was seen to allocate: its own buffers, Pillow's picture, reduced copies.
"""

from .jpeg_markers import JpegFrame

MOST_PIXELS_KEPT = 2**24
"""Of the reduced picture. Only slivers, hundreds of times as long as wide, would have more."""

_BASE = 4 * 2**20
_REDUCED = 12
"""Bytes for each pixel of the reduced picture: as array, as Pillow's picture, and turned upright."""
_DECODER = {"WEBP": 12, "AVIF": 12, "HEIF": 10, "JXL": 20, "JPEG2000": 21}
"""Bytes a pixel that decoders take beside Pillow's picture."""
_THREADS = {"HEIF": 64 * 2**20, "AVIF": 48 * 2**20}
"""Bytes that the stacks of a decoder's own threads may take."""


def reduction(size: tuple[int, int], min_side: int) -> int:
    """By which whole number both sides are divided: the shorter side stays at or above `min_side`, but for slivers."""
    width, height = size
    factor = max(1, min(size) // min_side)
    while (width // factor) * (height // factor) > MOST_PIXELS_KEPT:
        factor += 1
    return factor


def of_size(
    size: tuple[int, int], form: str, bytes_per_pixel: int, min_side: int, frame: JpegFrame | None = None
) -> int:
    """Bytes, by width and height, Pillow's name of the format and its bytes a pixel; and the frame of a JPEG."""
    pixels = size[0] * size[1]
    if frame:
        # libjpeg scales by eighths. A progressive picture's coefficients are all kept, two bytes each.
        eighths = min(8, -(-8 * min_side // max(min(size), 1)))
        kept = min(pixels * (eighths / 8) ** 2, 4 * MOST_PIXELS_KEPT)
        coefficients = 2 * frame.samples_per_pixel * pixels if frame.progressive else 0
        return int(_BASE + _REDUCED * kept + coefficients)
    a_pixel = bytes_per_pixel + _DECODER.get(form, 0)
    # Pillow keeps a pointer to each row.
    return int(
        _BASE
        + _THREADS.get(form, 0)
        + a_pixel * pixels
        + 8 * size[1]
        + _REDUCED * pixels / reduction(size, min_side) ** 2
    )
