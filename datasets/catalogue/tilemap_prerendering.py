"""The catalogue's small tilemaps, made before anyone asks for them: by the worker, while nothing waits to be computed.

The page asks for all of them at its first visit. They are kept with the other answers, so that a worker that was
stopped goes on where it was, and what one visitor's request has made meanwhile is not made again.
"""

import time
from functools import cache

from datasets.collection.content_coding import IDENTITY
from datasets.collection.response_cache import kept, versioned
from datasets.collection.small_tilemaps import small_tilemap
from datasets.errors import NotFound
from datasets.models import Dataset
from datasets.storage.objects import is_used
from datasets.tilemaps import downscale, ranges

from . import installed_catalogue
from .collection import CatalogueCollection

EVERY_SECONDS = 1.0
_AT_ONCE_SECONDS = 0.5


class TilemapPrerendering:
    """Goes once through each catalogue that is installed, in many short turns."""

    def __init__(self) -> None:
        self._cache_key = ""
        self._next = 0

    def step(self) -> None:
        """Make a few that are not there yet. An upload in the queue or under way ends the turn after the next one."""
        catalogue = installed_catalogue.catalogue_store().catalogue()
        if not catalogue.total or is_used():  # of a store, each host has the tilemaps that were asked for
            return
        found = CatalogueCollection(catalogue)
        if found.cache_key != self._cache_key:
            self._cache_key, self._next = found.cache_key, 0
        end = time.monotonic() + _AT_ONCE_SECONDS
        while self._next < ranges.count(found.total) and time.monotonic() < end:
            if Dataset.objects.unfinished().exists():
                return
            number = self._next
            self._next += 1
            _make(found, number)


def _make(found: CatalogueCollection, number: int) -> None:
    tilemap = found.tilemap(number)
    page = cache(lambda: found.page(number))
    for tile in downscale.SIZES:
        try:
            key, render = small_tilemap(tilemap, found.cache_key, page, tile)
            kept().open(versioned(key), IDENTITY, render).close()
        except (FileNotFoundError, NotFound):  # not built, or damaged: whoever asks for it is told
            return
