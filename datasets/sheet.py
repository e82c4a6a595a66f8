"""Up to 1000 pictures in one tilemap: their names, what is recorded of them, and where each lies in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

from embeddings.images import RGB

from . import facts
from .archive import Member
from .errors import NotThere
from .facts import Facts
from .shapes import Shapes, seen
from .tilemap import BOX, CAPACITY, CELL, COLUMNS, ROWS, place_of


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Name k, facts k and tile k are the same picture."""

    names: Sequence[str]
    columns: Mapping[str, Sequence[Any]]
    """Facts, as `facts.as_columns` left them; empty where there are none."""
    tilemap: Path

    def facts(self, index: int) -> Facts | None:
        return facts.at(self.columns, index)

    def member(self, index: int) -> Member | None:
        """Where the picture lies in the ZIP that it came from."""
        found = self.columns["member"][index] if "member" in self.columns else None
        return Member(*found) if found else None

    @cached_property
    def pixels(self) -> RGB:
        """`(5000, 500, 3) uint8`. Raises `NotThere`."""
        try:
            pixels: RGB = simplejpeg.decode_jpeg(self.tilemap.read_bytes())
        except FileNotFoundError:
            raise NotThere("The tilemap with this picture has not been built.") from None
        except ValueError:
            raise NotThere("The tilemap with this picture is damaged.") from None
        if pixels.shape != (ROWS * CELL, COLUMNS * CELL, 3):
            raise NotThere(f"The tilemap with this picture has not {COLUMNS * CELL} × {ROWS * CELL} pixels.")
        return pixels

    @cached_property
    def shapes(self) -> Shapes:
        """As recorded; of an old server's tilemap, as its pixels show them, which raises `NotThere`."""
        known = [self.columns.get(name, ()) for name in ("tile_width", "tile_height")]
        if not all(map(len, known)):
            return seen(self.pixels)
        shapes = np.full((CAPACITY, 2), BOX, np.uint8)
        shapes[: len(known[0])] = np.transpose(known)
        return shapes

    def rectangle(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a picture in the tilemap. The one place that knows it."""
        width, height = self.shapes[index].tolist()
        return *place_of(index, width, height), width, height
