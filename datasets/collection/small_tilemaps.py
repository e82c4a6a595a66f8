"""A page's tilemap → the same cells at fewer pixels, rendered once and kept."""

from collections.abc import Callable
from pathlib import Path

from datasets.tilemaps import downscale

from .tilemap_page import TilemapPage

_FORMAT = 2
"""To be raised with every change of the bytes that small tilemaps consist of."""


def small_tilemap(
    tilemap: Path, cache_key: str, page: Callable[[], TilemapPage], tile: int
) -> tuple[str, Callable[[], list[bytes]]]:
    """Under which key it is kept for the collection of this cache_key, and what renders its JPEG.

    `tile` is a cell's side in pixels.
    """
    stat = tilemap.stat()  # the same catalogue may have been given other tilemaps

    def render() -> list[bytes]:
        found = page()
        return [downscale.small(found.pixels, found.shapes, tile)]

    return f"{cache_key}-{tilemap.stem}-{tile}-{stat.st_size:x}-{stat.st_mtime_ns:x}.{_FORMAT}.jpg", render
