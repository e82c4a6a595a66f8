"""Up to 1000 pictures in one tilemap: their names, and where each lies in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import simplejpeg

from datasets.errors import NotFound
from datasets.tilemaps.detect import Shapes, detect_shapes
from datasets.tilemaps.layout import BOX, CAPACITY, CELL, COLUMNS, ROWS, place_of
from embeddings.images.decoding import RGB


@dataclass(frozen=True, kw_only=True)
class TilemapPage:
    """Name k and tile k are the same picture."""

    names: Sequence[str]
    recorded_shapes: Shapes | None
    """Of these pictures; None where they were not recorded."""
    tilemap: Path

    @cached_property
    def pixels(self) -> RGB:
        """`(5000, 500, 3) uint8`. Raises `NotFound`."""
        try:
            pixels: RGB = simplejpeg.decode_jpeg(self.tilemap.read_bytes())
        except FileNotFoundError:
            raise NotFound("The tilemap with this picture has not been built.", code="tilemap-missing") from None
        except ValueError:
            raise NotFound("The tilemap with this picture is damaged.", code="tilemap-missing") from None
        if pixels.shape != (ROWS * CELL, COLUMNS * CELL, 3):
            sentence = f"The tilemap with this picture has not {COLUMNS * CELL} × {ROWS * CELL} pixels."
            raise NotFound(sentence, code="tilemap-missing")
        return pixels

    @cached_property
    def shapes(self) -> Shapes:
        """As recorded; of an old server's tilemap, as its pixels show them, which raises `NotFound`."""
        if self.recorded_shapes is None:
            return detect_shapes(self.pixels)
        shapes = np.full((CAPACITY, 2), BOX, np.uint8)
        shapes[: len(self.recorded_shapes)] = self.recorded_shapes
        return shapes

    def rectangle(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a picture in the tilemap. The one place that knows it."""
        width, height = self.shapes[index].tolist()
        return *place_of(index, width, height), width, height
