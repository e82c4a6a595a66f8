"""A tilemap as it is, or, with `?tile=12` or `?tile=24`, its cells at so many pixels."""

from collections.abc import Callable
from pathlib import Path

from rest_framework.request import Request

from datasets.api.http import responses
from datasets.api.http.responses import Answer
from datasets.api.openapi import BINARY, Parameter, sent
from datasets.collection.base import Collection
from datasets.collection.small_tilemaps import small_tilemap
from datasets.errors import ApiError
from datasets.tilemaps import downscale

TILE = Parameter(
    "tile",
    {"type": "integer", "enum": list(downscale.SIZES)},
    "The same cells, each so many pixels wide and high and filled by its picture, for graphics cards.",
)
REPLIES = sent("The tilemap.", {"image/jpeg": BINARY}, headers=()) | {
    400: "Tiles of “7” pixels are not made: ask for 12 and 24, or for none to get the tilemap."
}


def tilemap_answer(
    request: Request, tilemap: Path, collection: Callable[[], Collection], number: int, *, cache_control: str
) -> Answer:
    """Of the rows 1000 · number … of a collection."""
    size = request.query_params.get(TILE.name)
    if size is None:
        return responses.picture(tilemap, cache_control=cache_control)
    if size not in map(str, downscale.SIZES):
        known = " and ".join(map(str, downscale.SIZES))
        sentence = f"Tiles of “{size[:40]}” pixels are not made: ask for {known}, or for none to get the tilemap."
        raise ApiError(sentence, code="parameter-invalid", name=TILE.name)
    found = collection()
    key, render = small_tilemap(tilemap, found.cache_key, lambda: found.page(number), int(size))
    return responses.cached_response(
        key, render, cache_control=cache_control, small=False, media_type="image/jpeg", precompressed=True
    )
