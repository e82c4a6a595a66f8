"""A tilemap as it is, or, with `?tile=12` or `?tile=24`, its cells at so many pixels."""

from collections.abc import Callable
from pathlib import Path

from rest_framework.request import Request

from datasets import atlas
from datasets.collection import Collection
from datasets.errors import Refusal
from datasets.http import answers
from datasets.http.answers import Answer

_FORMAT = 2
"""To be raised with every change of the bytes that small tilemaps consist of."""


def tilemap_answer(
    request: Request, tilemap: Path, collection: Callable[[], Collection], number: int, *, cache_control: str
) -> Answer:
    """Of the rows 1000 · number … of a collection."""
    asked = request.query_params.get("tile")
    if asked is None:
        return answers.picture(tilemap, cache_control=cache_control)
    if asked not in map(str, atlas.SIZES):
        known = " and ".join(map(str, atlas.SIZES))
        raise Refusal(f"Tiles of “{asked[:40]}” pixels are not made: ask for {known}, or for none to get the tilemap.")
    return small(tilemap, collection(), number, int(asked), cache_control=cache_control)


def small(tilemap: Path, found: Collection, number: int, tile: int, *, cache_control: str) -> Answer:
    """Derived at the first request for it, and kept with what else is kept for its collection."""
    stat = tilemap.stat()  # the same catalogue may have been given other tilemaps

    def render() -> list[bytes]:
        sheet = found.sheet(number)
        return [atlas.small(sheet.pixels, sheet.shapes, tile)]

    return answers.made(
        f"{found.place}-{tilemap.stem}-{tile}-{stat.st_size:x}-{stat.st_mtime_ns:x}.{_FORMAT}.jpg",
        render,
        cache_control=cache_control,
        small=False,
        media_type="image/jpeg",
        packed=True,
    )
