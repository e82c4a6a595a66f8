"""A tilemap as it is, or, with `?tile=12` or `?tile=24`, its cells at so many pixels."""

from collections.abc import Callable
from pathlib import Path

from rest_framework.request import Request

from datasets import atlas
from datasets.ahead import small_tilemap
from datasets.collection import Collection
from datasets.errors import Refusal
from datasets.http import answers
from datasets.http.answers import Answer


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
    found = collection()
    return small_tilemap(tilemap, found.place, lambda: found.sheet(number), int(asked), cache_control=cache_control)
