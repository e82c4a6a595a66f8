"""Pictures → the sheet of 10 × 100 tiles."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from datasets.tilemaps.layout import CAPACITY, Tilemap, tile
from tests.support.paths import SAMPLES
from tests.support.pictures import encode, photograph

OLD_TILEMAP = SAMPLES / "celeba-tilemap-000.jpg"


def black(width: int, height: int) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def pixels(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def sheet_of(*pictures: NDArray[np.uint8], first: int = 0) -> NDArray[np.uint8]:
    tilemap = Tilemap()
    for index, picture in enumerate(pictures, first):
        tilemap.put(index, tile(picture))
    return pixels(tilemap.jpeg())


def box(cell: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """First and last column, first and last row that are not white."""
    inked = cell.min(axis=2) < 128
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return (int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])) if rows.size else None


def cells(tilemap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`(1000, 50, 50, 3)`"""
    return tilemap.reshape(100, 50, 10, 50, 3).transpose(0, 2, 1, 3, 4).reshape(1000, 50, 50, 3)


@pytest.mark.parametrize("count", [0, 1, 999, 1000])
def test_the_sheet_is_always_500_by_5000(count: int) -> None:
    assert sheet_of(*[black(10, 10)] * count).shape == (5000, 500, 3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((178, 218), (6, 44, 1, 48)),  # CelebA, measured on the old server
        ((89, 109), (6, 44, 1, 48)),
        ((218, 178), (1, 48, 6, 44)),
        ((48, 48), (1, 48, 1, 48)),
        ((1000, 1000), (1, 48, 1, 48)),
        ((1, 1), (1, 48, 1, 48)),
        ((2, 3), (9, 40, 1, 48)),
        ((3, 2), (1, 48, 9, 40)),
        ((4000, 2000), (1, 48, 13, 36)),
        ((1, 5000), (25, 25, 1, 48)),
        ((5000, 1), (1, 48, 25, 25)),
        ((47, 48), (2, 48, 1, 48)),
    ],
    ids=str,
)
def test_a_picture_fills_its_box_in_the_middle_of_its_cell(
    size: tuple[int, int], expected: tuple[int, int, int, int]
) -> None:
    tilemap = Tilemap()
    tilemap.put(0, tile(black(*size)))
    assert box(tilemap._sheet[:50, :50]) == expected
    assert (tilemap._sheet[50:] == 255).all()


@pytest.mark.parametrize("index", [0, 1, 9, 10, 499, 990, 999])
def test_tiles_go_row_by_row(index: int) -> None:
    found = cells(sheet_of(black(48, 48), first=index))
    assert [k for k in range(CAPACITY) if box(found[k])] == [index]
    assert box(found[index]) == (1, 48, 1, 48)


def test_there_is_no_cell_beyond_the_last() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        Tilemap().put(CAPACITY, tile(black(48, 48)))


def test_the_ground_is_white() -> None:
    assert (sheet_of() == 255).all()


def test_a_tile_keeps_its_colours_and_its_upside() -> None:
    picture = black(200, 100)
    picture[:50, :100], picture[:50, 100:], picture[50:, :100] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    small = tile(picture)
    assert small.shape == (24, 48, 3)
    for corner, colour in (
        ((4, 8), (250, 0, 0)),
        ((4, 40), (0, 250, 0)),
        ((20, 8), (0, 0, 250)),
        ((20, 40), (0, 0, 0)),
    ):
        assert np.abs(small[corner].astype(int) - colour).max() < 12


@pytest.mark.parametrize("size", [(89, 109), (1500, 1100), (20, 20)])
def test_a_tile_looks_like_the_picture(size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(photograph(2, size, "PNG")))
    small = tile(np.asarray(image))
    straight = image.resize(small.shape[1::-1], Image.Resampling.BICUBIC)
    assert np.abs(small.astype(int) - np.asarray(straight)).mean() < 2


def test_it_is_a_baseline_jpeg_of_quality_92_with_full_colour() -> None:
    tilemap = Tilemap()
    for index in range(CAPACITY):
        tilemap.put(index, tile(np.asarray(Image.open(io.BytesIO(photograph(index % 7))))))
    data = tilemap.jpeg()
    image = Image.open(io.BytesIO(data))
    reference = Image.open(io.BytesIO(encode(Image.new("RGB", (8, 8)), "JPEG", quality=92)))
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    assert isinstance(reference, JpegImagePlugin.JpegImageFile)
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert image.quantization == reference.quantization
    assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4
    assert "progressive" not in image.info
    assert b"\xff\xc0" in data[:1000]
    assert tilemap.jpeg() == data


def test_tiles_lie_where_the_old_server_put_them() -> None:
    if not OLD_TILEMAP.exists():
        pytest.skip("the old server's tilemap is not in ../shared/data")
    old = cells(pixels(OLD_TILEMAP.read_bytes()))
    new = cells(sheet_of(*[black(89, 109)] * 999))
    outside = np.ones((50, 50), bool)
    outside[1:49, 6:45] = False
    # Old photographs have white parts of their own: every tile together shows the box.
    darkest_old, darkest_new = old[:999].min(axis=(0, 3)), new[:999].min(axis=(0, 3))
    assert (darkest_old[outside] > 200).all()
    assert (darkest_new[outside] > 200).all()
    assert (darkest_old[~outside] < 128).all()
    assert (darkest_new[~outside] < 128).all()
    assert box(old[999]) is None
    assert box(new[999]) is None
