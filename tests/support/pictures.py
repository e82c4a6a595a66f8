"""Pictures and archives made in memory, coloured so that their order can be seen."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image


def colour(index: int) -> tuple[int, int, int]:
    """One of 1000 colours, far enough apart to survive a JPEG."""
    return 25 * (index % 10) + 5, 25 * (index // 10 % 10) + 5, 25 * (index // 100) + 5


def picture(index: int, size: tuple[int, int] = (60, 60), form: str = "PNG") -> bytes:
    """A picture of one colour."""
    return encode(Image.new("RGB", size, colour(index)), form)


def photograph(seed: int, size: tuple[int, int] = (89, 109), form: str = "JPEG") -> bytes:
    """A picture with some structure, another one for each seed."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 5, 3), np.uint8)
    return encode(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC), form)


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()
