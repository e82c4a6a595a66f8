"""How a picture is stored by its EXIF orientation, 1 to 8 (Exif 2.3, tag 274) → upright."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)
"""Those that swap width and height."""
_BACKWARDS = (3, 4, 7, 8)
"""Those whose upper row is stored last."""
_MIRRORED = (2, 3, 6, 7)
"""Those whose left column is stored last, once lying ones are transposed."""


def orientation_of(image: Image.Image) -> int:
    """Of an opened picture; 1 where it is upright or does not say."""
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return 1  # libjxl has turned it, by its own header; a JPEG inside is given back as it was
    try:
        return int(image.getexif().get(EXIF_ORIENTATION, 1))
    except Exception:  # a broken EXIF block must not cost the picture
        return 1


def orientation_in_browsers(image: Image.Image) -> int:
    """The same where browsers heed it: Chromium 156 does in JPEG, PNG and AVIF, in textures too, and not in WebP.

    1 for a TIFF, whose size is that of the upright picture from the start and whose pixels are when it is loaded.
    """
    return 1 if image.format in {"WEBP", "TIFF"} else orientation_of(image)


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height of what is stored with this width and height."""
    width, height = size
    return (height, width) if orientation in _LYING else (width, height)


def upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the orientation of `(h, w, 3) uint8`."""
    if orientation in _LYING:
        rgb = rgb.transpose(1, 0, 2)
    if orientation in _BACKWARDS:
        rgb = rgb[::-1]
    if orientation in _MIRRORED:
        rgb = rgb[:, ::-1]
    return np.ascontiguousarray(rgb)


def stored_box(top: int, rows: int, size: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of where so many rows of the upright picture lie in one stored with this size."""
    width, height = size
    is_lying = orientation in _LYING
    first = (width if is_lying else height) - top - rows if orientation in _BACKWARDS else top
    return (first, 0, first + rows, height) if is_lying else (0, first, width, first + rows)
