"""Pictures → one 500 × 5000 JPEG of 1000 tiles, exactly where the old server and its clients expect them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLUMNS, ROWS = 10, 100
CELL = 50
BORDER = 1
BOX = CELL - 2 * BORDER
CAPACITY = COLUMNS * ROWS

Tile = NDArray[np.uint8]


def tile(rgb: NDArray[np.uint8]) -> Tile:
    """Scale an RGB picture, up or down, to fit the 48 × 48 box, aspect kept. Returns `(≤ 48, ≤ 48, 3) uint8`."""
    height, width = rgb.shape[:2]
    scale = BOX / max(height, width)
    size = max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))
    picture = Image.fromarray(rgb)
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def cell_of(index: int) -> tuple[int, int]:
    """Left and top of cell `index` (0 … 999) in the tilemap."""
    row, column = divmod(index, COLUMNS)
    return column * CELL, row * CELL


def place_of(index: int, width: int, height: int) -> tuple[int, int]:
    """Left and top of a tile of this size in cell `index`: centred, an odd pixel of padding to the left and the top."""
    left, top = cell_of(index)
    return left + BORDER + (BOX - width + 1) // 2, top + BORDER + (BOX - height + 1) // 2


class Tilemap:
    """A tilemap of 10 × 100 cells, filled row by row, left to right, on white."""

    def __init__(self, begun: bytes = b"") -> None:
        """Empty, or with the tiles of a JPEG that another one made."""
        self._sheet = np.full((ROWS * CELL, COLUMNS * CELL, 3), 255, np.uint8)
        if begun:
            with Image.open(io.BytesIO(begun)) as picture:
                self._sheet[:] = np.asarray(picture)

    def put(self, index: int, picture: Tile) -> None:
        """Centre a tile in cell `index` (0 … 999)."""
        height, width = picture.shape[:2]
        left, top = place_of(index, width, height)
        self._sheet[top : top + height, left : left + width] = picture

    def jpeg(self) -> bytes:
        """The tilemap as a baseline JPEG of quality 92 without chroma subsampling."""
        data = io.BytesIO()
        Image.fromarray(self._sheet).save(data, "JPEG", quality=92, subsampling="4:4:4")
        return data.getvalue()
