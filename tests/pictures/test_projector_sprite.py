"""A sprite is cut into cells at its full size, row by row, on white."""

import io

import numpy as np
import pytest
from PIL import Image

from datasets.pictures.projector.sprite import cells
from embeddings.images.decoding import OversizedImage, UnreadableImage
from tests.support.pictures import colour, encode

PIXELS = 100_000_000


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_there_are_as_many_columns_as_the_width_holds() -> None:
    sheet = Image.new("RGB", (107, 60))  # 5 cells of 20 pixels, and 7 pixels more
    for k in range(10):
        sheet.paste(colour(k), (k % 5 * 20, k // 5 * 30, k % 5 * 20 + 20, k // 5 * 30 + 30))
    found = cells(encode(sheet, "PNG"), width=20, height=30, count=8, max_pixels=PIXELS)
    assert [opened(cell).getcolors() for cell in found] == [[(600, colour(k))] for k in range(8)]


def test_transparency_becomes_white() -> None:
    sheet = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    sheet.paste((0, 0, 255, 255), (10, 0, 20, 10))
    found = cells(encode(sheet, "PNG"), width=10, height=10, count=2, max_pixels=PIXELS)
    assert [opened(cell).getpixel((5, 5)) for cell in found] == [(255, 255, 255), (0, 0, 255)]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_sprite_that_would_be_reduced_as_a_picture_is_not(form: str) -> None:
    sheet = Image.new("RGB", (4400, 4400))
    sheet.paste(colour(555), (4356, 4356, 4400, 4400))
    found = cells(encode(sheet, form), width=44, height=44, count=10_000, max_pixels=PIXELS)
    assert len(found) == 10_000
    last = np.asarray(opened(found[-1]))
    assert last.shape == (44, 44, 3)
    assert np.abs(last[8:, 8:].astype(int) - colour(555)).max() < 5


def test_a_sprite_over_a_limit_or_too_small_is_refused() -> None:
    sheet = encode(Image.new("RGB", (40, 40)), "PNG")
    with pytest.raises(OversizedImage, match="too many pixels"):
        cells(sheet, width=10, height=10, count=4, max_pixels=1000)
    with pytest.raises(OversizedImage, match="to decode"):
        cells(sheet, width=10, height=10, count=4, max_pixels=PIXELS, max_bytes=1000)
    with pytest.raises(UnreadableImage, match="have 16 cells of 10 × 10, and 17 are needed"):
        cells(sheet, width=10, height=10, count=17, max_pixels=PIXELS)
    with pytest.raises(UnreadableImage, match="damaged"):
        cells(sheet[:-30], width=10, height=10, count=4, max_pixels=PIXELS)


TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation → how an upright picture is turned to be stored so."""


@pytest.mark.parametrize("form", ["JPEG", "PNG", "AVIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_sprite_is_turned_as_browsers_turn_it(form: str, orientation: int) -> None:
    sheet = Image.new("RGB", (48, 64))  # two cells side by side, in four rows
    for k in range(8):
        sheet.paste(colour(100 * k), (k % 2 * 24, k // 2 * 16, k % 2 * 24 + 24, k // 2 * 16 + 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if form == "WEBP" else {"quality": 95} if form in {"JPEG", "AVIF"} else {}
    stored = sheet if form == "WEBP" else sheet.transpose(TURNED[orientation])
    found = cells(encode(stored, form, exif=exif, **options), width=24, height=16, count=7, max_pixels=PIXELS)
    assert [opened(cell).size for cell in found] == [(24, 16)] * 7
    for k, cell in enumerate(found):
        assert np.abs(np.asarray(opened(cell))[8, 12] - np.array(colour(100 * k))).max() < 12, k
