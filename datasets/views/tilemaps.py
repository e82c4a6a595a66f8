"""A tilemap as it is, or, with `?tile=12` or `?tile=24`, its cells at so many pixels."""

from pathlib import Path

from rest_framework.request import Request

from datasets import atlas
from datasets.errors import Refusal
from datasets.http import answers
from datasets.http.answers import Answer

_FORMAT = 1
"""To be raised with every change of the bytes that small tilemaps consist of."""


def tilemap_answer(request: Request, tilemap: Path, owner: str, *, cache_control: str) -> Answer:
    """Small ones are derived at the first request for them, and kept with what else is kept for their owner."""
    asked = request.query_params.get("tile")
    if asked is None:
        return answers.picture(tilemap, cache_control=cache_control)
    if asked not in map(str, atlas.SIZES):
        known = " and ".join(map(str, atlas.SIZES))
        raise Refusal(f"Tiles of “{asked[:40]}” pixels are not made: ask for {known}, or for none to get the tilemap.")
    stat = tilemap.stat()  # the same catalogue may have been given other tilemaps
    return answers.made(
        f"{owner}/{tilemap.stem}-{asked}-{stat.st_size:x}-{stat.st_mtime_ns:x}.{_FORMAT}.jpg",
        lambda: [atlas.small(tilemap.read_bytes(), int(asked))],
        cache_control=cache_control,
        small=False,
        media_type="image/jpeg",
        packed=True,
    )
