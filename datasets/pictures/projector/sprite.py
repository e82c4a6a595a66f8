"""A sprite, one picture of many cells → the cells as PNG files. Light to import: decoder processes run this."""

import io
from collections.abc import Iterator

from PIL import Image

from embeddings.images.decoding import UnreadableImage, decode_strips
from embeddings.images.limits import MOST_BYTES

_PACKING = 1
"""Of the PNGs: cells of photographs hardly get smaller by more work."""


def cells(
    data: bytes, *, width: int, height: int, count: int, max_pixels: int, max_bytes: int = MOST_BYTES
) -> list[bytes]:
    """The first `count` cells of so many pixels, row by row. Raises `UnreadableImage`."""

    def rows(whole_width: int, whole_height: int) -> Iterator[int]:
        """The heights of as many rows of cells as are needed."""
        columns, there = whole_width // width, whole_height // height
        if columns * there < count:
            raise UnreadableImage(
                f"its {whole_width} × {whole_height} pixels have {columns * there:,} cells of {width} × {height}, and "
                f"{count:,} are needed"
            )
        return (height for _ in range(-(-count // columns)))

    found: list[bytes] = []
    for strip in decode_strips(data, heights=rows, max_pixels=max_pixels, max_bytes=max_bytes):
        for left in range(0, min(count - len(found), strip.shape[1] // width) * width, width):
            file = io.BytesIO()
            Image.fromarray(strip[:, left : left + width]).save(file, "PNG", compress_level=_PACKING)
            found.append(file.getvalue())
    return found
