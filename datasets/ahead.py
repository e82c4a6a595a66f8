"""The catalogue's small tilemaps, made before anyone asks for them: by the worker, while nothing waits to be computed.

The page asks for all of them at its first visit. They are kept with the other answers, so that a worker that was
stopped goes on where it was, and what one visitor's request has made meanwhile is not made again.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings

from . import atlas, compute, ranges
from .catalogue import tilemap_path
from .collection import Installed
from .errors import NotThere
from .http import answers
from .http.answers import Answer
from .http.codings import IDENTITY
from .models import Dataset
from .sheet import Sheet

EVERY_SECONDS = 1.0
_AT_ONCE_SECONDS = 0.5
_FORMAT = 2
"""To be raised with every change of the bytes that small tilemaps consist of."""


def small_tilemap(tilemap: Path, place: str, sheet: Callable[[], Sheet], tile: int, *, cache_control: str) -> Answer:
    """Derived at the first look at it, and kept with what else is kept for the collection of this place."""
    stat = tilemap.stat()  # the same catalogue may have been given other tilemaps

    def render() -> list[bytes]:
        found = sheet()
        return [atlas.small(found.pixels, found.shapes, tile)]

    return answers.made(
        f"{place}-{tilemap.stem}-{tile}-{stat.st_size:x}-{stat.st_mtime_ns:x}.{_FORMAT}.jpg",
        render,
        cache_control=cache_control,
        small=False,
        media_type="image/jpeg",
        packed=True,
    )


class Ahead:
    """Goes once through each catalogue that is installed, in many short turns."""

    def __init__(self) -> None:
        self._place = ""
        self._next = 0

    def turn(self) -> None:
        """Make a few that are not there yet. An upload in the queue or under way ends the turn after the next one."""
        catalogue = compute.shelf().catalogue()
        if not catalogue.total:
            return
        found = Installed(catalogue, settings.DATA_DIR)
        if found.place != self._place:
            self._place, self._next = found.place, 0
        end = time.monotonic() + _AT_ONCE_SECONDS
        while self._next < ranges.count(found.total) and time.monotonic() < end:
            if Dataset.objects.unfinished().exists():
                return
            number = self._next
            self._next += 1
            _make(found, number)


def _make(found: Installed, number: int) -> None:
    tilemap = tilemap_path(found.catalogue.folder, number)
    sheet = cache(lambda: found.sheet(number))
    for tile in atlas.SIZES:
        try:
            small_tilemap(tilemap, found.place, sheet, tile, cache_control=answers.CATALOGUE).open(IDENTITY).close()
        except (FileNotFoundError, NotThere):  # not built, or damaged: whoever asks for it is told
            return
