"""A sprite, one picture of many cells → the cells as PNG files. Light to import: decoder processes run this."""

import io

from PIL import Image

from embeddings.images.decoding import UnreadableImage, decode_picture
from embeddings.images.limits import LONGEST_SIDE, MOST_BYTES

_PACKING = 1
"""Of the PNGs: cells of photographs hardly get smaller by more work."""


def cells(
    data: bytes, *, width: int, height: int, count: int, max_pixels: int, max_bytes: int = MOST_BYTES
) -> list[bytes]:
    """The first `count` cells of so many pixels, row by row. Raises `UnreadableImage`."""
    picture = decode_picture(data, min_side=LONGEST_SIDE, max_pixels=max_pixels, max_bytes=max_bytes)
    if picture.rgb.shape[:2] != (picture.height, picture.width):
        raise UnreadableImage("too large: it cannot be decoded at its full size")
    columns, rows = picture.width // width, picture.height // height
    if columns * rows < count:
        raise UnreadableImage(
            f"its {picture.width} × {picture.height} pixels have {columns * rows:,} cells of {width} × {height}, and "
            f"{count:,} are needed"
        )
    found = []
    for number in range(count):
        down, right = divmod(number, columns)
        top, left = down * height, right * width
        file = io.BytesIO()
        cell = Image.fromarray(picture.rgb[top : top + height, left : left + width])
        cell.save(file, "PNG", compress_level=_PACKING)
        found.append(file.getvalue())
    return found
