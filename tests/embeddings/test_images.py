"""Bytes of picture files → upright RGB arrays and crops."""

import io
import random
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from embeddings.images.decoding import FORMATS, RGB, NotAnImage, UnreadableImage, crop, decode, decode_picture, in_order
from tests.support.pictures import encode, photograph

# Broken metadata makes Pillow warn and read on; the pictures are what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

ORANGE = (200, 100, 50)
GREY = (124, 124, 124)  # what ORANGE is to those who see no colours


def decoded(data: bytes, min_side: int = 256, max_pixels: int = 10**7) -> RGB:
    return decode(data, min_side=min_side, max_pixels=max_pixels)


def refusal(data: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
        decoded(data)
    assert 0 < len(str(caught.value)) < 300
    return str(caught.value)


def assert_colour(rgb: NDArray[np.uint8], colour: tuple[int, int, int], tolerance: int = 6) -> None:
    """Every pixel has this colour."""
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert np.abs(rgb.astype(int) - colour).max() <= tolerance


def lab(size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    image = ImageCms.applyTransform(Image.new("RGB", size, colour), to_lab)
    assert image is not None
    return image


def plain(mode: str, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture of one colour: orange, or its grey."""
    if mode == "LAB":
        return lab(size, ORANGE)
    deep = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4", "F": "<f4"}
    if mode in deep:
        values = np.full(size[::-1], 124 / 255 if mode == "F" else 124 * 257, deep[mode])
        return Image.fromarray(values)
    orange = Image.new("RGB", size, ORANGE)
    if mode == "1":
        return Image.new("1", size, 1)
    if mode in {"P", "PA"}:
        return orange.quantize(4).convert(mode)
    return orange.convert("RGBA").convert(mode) if mode == "RGBa" else orange.convert(mode)


def png(width: int, height: int, kind: int, depth: int, rows: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of any kind that the format knows; Pillow does not write all of them."""
    header = struct.pack(">2I5B", width, height, depth, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


ENCODED = [form for form in FORMATS if form != "HEIF"]
"""What pictures can be made of here: pi-heif brings no encoder."""
_COLOURED = ["RGB", "RGBA", "CMYK", "YCbCr", "P", "LAB", "PA"]
_SEEN: dict[tuple[int, int, int], dict[str, list[str]]] = {
    ORANGE: {
        "JPEG": ["RGB", "CMYK", "YCbCr"],
        "PNG": ["RGB", "RGBA", "P"],
        "WEBP": _COLOURED,
        "GIF": ["RGB", "RGBA", "P"],
        "BMP": ["RGB", "RGBA", "P"],
        "DIB": ["RGB", "RGBA", "P"],
        "TIFF": _COLOURED,
        "AVIF": _COLOURED,
        "JPEG2000": ["RGB", "RGBA", "CMYK", "YCbCr"],
        "JXL": ["RGB", "RGBA"],
        "PPM": ["RGB", "RGBA"],
        "TGA": ["RGB", "RGBA", "P"],
    },
    GREY: {
        "JPEG": ["L"],
        "PNG": ["L", "LA", "I;16", "I;16B"],
        "WEBP": ["L", "LA"],
        "GIF": ["L", "LA"],
        "BMP": ["L"],
        "DIB": ["L"],
        "TIFF": ["L", "LA", "I", "I;16", "I;16B", "F"],
        "AVIF": ["L", "LA"],
        "JPEG2000": ["L", "LA", "I;16"],
        "JXL": ["L", "LA"],
        "PPM": ["L", "I", "I;16", "F"],
        "TGA": ["L", "LA"],
    },
    (255, 255, 255): dict.fromkeys(("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "TGA"), ["1"]),
}


@pytest.mark.parametrize("form", ENCODED)
def test_it_decodes_every_mode_that_a_format_holds(form: str) -> None:
    for colour, modes in _SEEN.items():
        for mode in modes.get(form, []):
            for size in ((40, 30), (1200, 900)):
                rgb = decoded(encode(plain(mode, size), form))
                assert rgb.shape[1] / rgb.shape[0] == pytest.approx(4 / 3, rel=0.01)
                assert_colour(rgb, colour)


def test_it_decodes_16_bit_colour() -> None:
    row = b"\0" + struct.pack(">3H", 200 * 257, 100 * 257, 50 * 257) * 4
    assert_colour(decoded(png(4, 3, 2, 16, row * 3)), ORANGE)


def test_it_decodes_premultiplied_transparency() -> None:
    half = encode(Image.new("RGBA", (8, 8), (100, 50, 25, 128)), "TIFF")
    extra_samples = struct.pack("<HHIH", 338, 3, 1, 2)
    assert extra_samples in half
    premultiplied = half.replace(extra_samples, struct.pack("<HHIH", 338, 3, 1, 1))
    assert Image.open(io.BytesIO(premultiplied)).mode == "RGBA"
    assert_colour(decoded(premultiplied), (227, 177, 152))


def test_floats_without_a_sense_are_black() -> None:
    values = np.full((20, 30), 0.5, np.float32)
    values[:, :10], values[:, 10:20] = np.nan, -7
    rgb = decoded(encode(Image.fromarray(values), "TIFF"))
    assert_colour(rgb[:, :20], (0, 0, 0))
    assert_colour(rgb[:, 20:], (128, 128, 128))


@pytest.mark.parametrize("size", [(40, 30), (2000, 1500)])
@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("WEBP", "RGBA"), ("TIFF", "RGBA"), ("PNG", "LA")])
def test_transparency_is_white(form: str, mode: str, size: tuple[int, int]) -> None:
    image = Image.new(mode, size, (0, 0) if mode == "LA" else (200, 100, 50, 0))
    image.paste((0, 255) if mode == "LA" else (*ORANGE, 255), (0, 0, size[0] // 2, size[1]))
    rgb = decoded(encode(image, form, **({"lossless": True} if form == "WEBP" else {})))
    middle = rgb.shape[1] // 2
    assert_colour(rgb[:, : middle - 2], (0, 0, 0) if mode == "LA" else ORANGE)
    assert_colour(rgb[:, middle + 2 :], (255, 255, 255))


@pytest.mark.parametrize("size", [(40, 30), (2000, 1500)])
def test_half_transparency_mixes_with_white(size: tuple[int, int]) -> None:
    assert_colour(decoded(encode(Image.new("RGBA", size, (0, 100, 200, 128)), "PNG")), (127, 177, 227), 2)


def test_a_transparent_colour_is_white() -> None:
    white = (255, 255, 255)
    assert_colour(decoded(encode(Image.new("L", (8, 8), 7), "PNG", transparency=7)), white)
    assert_colour(decoded(encode(Image.new("L", (8, 8), 7), "PNG", transparency=8)), (7, 7, 7))
    assert_colour(decoded(encode(Image.new("RGB", (8, 8), ORANGE), "PNG", transparency=ORANGE)), white)
    assert_colour(decoded(encode(plain("P"), "PNG", transparency=bytes(256))), white)
    index = plain("P").getpixel((0, 0))
    assert_colour(decoded(encode(plain("P"), "GIF", transparency=index)), white)
    assert_colour(decoded(encode(plain("P"), "PNG", transparency=index)), white)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_of_several_frames_it_takes_the_first(form: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (ORANGE, (0, 0, 255), (0, 255, 0))]
    data = encode(frames[0], form, save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
    assert_colour(decoded(data), ORANGE)


# The corners of an upright picture: top left, top right, bottom left, bottom right.
_CORNERS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 0)]], np.uint8)
_STORED = {
    1: _CORNERS,
    2: _CORNERS[:, ::-1],
    3: _CORNERS[::-1, ::-1],
    4: _CORNERS[::-1],
    5: _CORNERS.transpose(1, 0, 2),
    6: _CORNERS.transpose(1, 0, 2)[::-1],
    7: _CORNERS[::-1, ::-1].transpose(1, 0, 2),
    8: _CORNERS.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("scale", [1, 10])
@pytest.mark.parametrize("form", ["JPEG", "MPO", "PNG", "WEBP", "TIFF", "AVIF"])
def test_it_turns_pictures_upright_once(form: str, scale: int) -> None:
    for orientation, corners in _STORED.items():
        long, short = 80 * scale, 48 * scale
        size = (long, short) if orientation < 5 else (short, long)
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"quality": 95, "subsampling": 0} if form in {"JPEG", "MPO"} else {}
        data = encode(Image.fromarray(corners).resize(size, Image.Resampling.NEAREST), form, exif=exif, **options)
        rgb = decoded(data, min_side=48)
        height, width = rgb.shape[:2]
        assert width > height
        seen = rgb[height // 4 :: height // 2, width // 4 :: width // 2]
        assert np.abs(seen.astype(int) - _CORNERS).max() < 16, orientation


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 50, b"nonsense"]
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_does_not_cost_the_picture(form: str, exif: bytes) -> None:
    assert_colour(decoded(encode(plain("RGB"), form, exif=exif)), ORANGE)


def test_an_unknown_orientation_is_upright() -> None:
    for orientation in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        assert decoded(encode(plain("RGB"), "JPEG", exif=exif)).shape == (30, 40, 3)


def test_it_decodes_inverted_cmyk_of_photoshop() -> None:
    """Adobe's marker says that the inks are inverted: transform 0 is CMYK, 2 is YCCK."""
    data = encode(Image.new("CMYK", (40, 30), (0, 127, 191, 55)), "JPEG", quality=95)
    assert b"Adobe" in data
    assert_colour(decoded(data), (200, 100, 50), 10)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\0" * 5000,
        lambda data: data + data,
        lambda data: data[:-2],
        lambda data: data[:-2] + bytes(9) + data[-2:],
        lambda data: data.replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1),
    ],
    ids=["zeros after the end", "twice", "no end marker", "zeros before the end", "fill bytes"],
)
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"restart_marker_rows": 1}])
def test_it_forgives_what_browsers_forgive(options: dict[str, object], change: Callable[[bytes], bytes]) -> None:
    assert_colour(decoded(change(encode(plain("RGB"), "JPEG", **options))), ORANGE)


@pytest.mark.parametrize("form", [form for form in ENCODED if form != "JPEG"])
def test_a_truncated_file_is_unreadable_with_a_reason(form: str) -> None:
    whole = encode(Image.open(io.BytesIO(photograph(1, (200, 150), "PNG"))), form)
    decoded(whole)
    for share in (0.3, 0.6, 0.9):
        assert "\n" not in refusal(whole[: int(share * len(whole))])


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xd8", b"GIF89a", b"<svg/>", b"%!PS-Adobe-3.0 EPSF", bytes(10_000)])
def test_what_is_no_picture_is_unreadable(data: bytes) -> None:
    refusal(data)


@pytest.mark.parametrize("data", [b"", b"Hello, world", b"%PDF-1.7", b"PK\x03\x04", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_does_not_even_look_like_a_picture_is_no_image(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decoded(data)


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    row = bytes(1 + 60_000 // 8)
    data = png(60_000, 60_000, 0, 1, row)
    tracemalloc.start()
    try:
        assert "60000 × 60000 is over the limit of 10 megapixels" in refusal(data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_limit_of_pixels_is_inclusive() -> None:
    data = encode(plain("RGB", (100, 100)), "PNG")
    assert decoded(data, max_pixels=10_000).shape == (100, 100, 3)
    with pytest.raises(UnreadableImage, match="0.009999 megapixels"):
        decoded(data, max_pixels=9_999)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 5000), (5000, 1), (3, 4000)])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP"])
def test_slivers_are_pictures(form: str, size: tuple[int, int]) -> None:
    rgb = decoded(encode(plain("RGB", size), form))
    assert rgb.shape == (*size[::-1], 3)
    assert_colour(rgb, ORANGE)
    assert_colour(crop(rgb, resize=256, side=224), ORANGE)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("size", [(511, 700), (512, 512), (1023, 2000), (2100, 900), (257, 3000)])
def test_a_reduced_scale_keeps_the_shape_and_enough_pixels(form: str, size: tuple[int, int]) -> None:
    height, width = decoded(encode(plain("RGB", size), form)).shape[:2]
    assert min(width, height) >= 256
    assert min(width, height) < 2 * 256 or (width, height) == size
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"subsampling": "4:4:4"}),
        ("JPEG", {"quality": 20}),
    ],
    ids=str,
)
def test_a_reduced_scale_looks_the_same(form: str, options: dict[str, object]) -> None:
    data = encode(Image.open(io.BytesIO(photograph(5, (1500, 1100), "PNG"))), form, **options)
    reduced, full = decoded(data), decoded(data, min_side=1100)
    assert full.shape == (1100, 1500, 3)
    assert reduced.shape[0] < 512
    downsized = Image.fromarray(full).resize(reduced.shape[1::-1], Image.Resampling.BOX)
    assert np.abs(reduced.astype(int) - np.asarray(downsized)).mean() < 1.5


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "I;16", "RGB"])
def test_a_large_picture_takes_few_copies_of_itself(form: str, mode: str) -> None:
    """NumPy's part of it; a 16-bit PNG of 200 megapixels took gigabytes beside the picture itself."""
    data = encode(plain(mode, (2000, 1500)), form)
    tracemalloc.start()
    try:
        decoded(data)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000 + len(data)
    finally:
        tracemalloc.stop()


def test_the_crop_is_the_middle_square() -> None:
    """Bands of colour across the long side: of 256 × 512, the network sees rows 144 to 368."""
    for axis in (0, 1):
        bands = np.repeat(np.arange(512) // 2, 256).reshape(512, 256).astype(np.uint8)
        rgb = np.stack([bands] * 3, axis=2)
        seen = crop(rgb if axis == 0 else rgb.transpose(1, 0, 2), resize=256, side=224)
        assert seen.shape == (224, 224, 3)
        assert seen.dtype == np.uint8
        line = seen[:, 112, 0] if axis == 0 else seen[112, :, 0]
        assert np.abs(line.astype(int) - np.arange(144, 368) // 2).max() <= 1


def test_the_crop_of_a_square_leaves_out_its_rim() -> None:
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[16:240, 16:240] = 255
    assert crop(rgb, resize=256, side=224).min() == 255
    rgb[15:17], rgb[239:241] = 0, 0
    seen = crop(rgb, resize=256, side=224)
    assert seen[0].max() == seen[-1].max() == 0
    assert seen[1:-1].min() == 255


@pytest.mark.parametrize("size", [(20, 30), (300, 256), (1000, 700)])
def test_the_crop_of_any_size_is_the_same_part(size: tuple[int, int]) -> None:
    width, height = size
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2] = ORANGE
    seen = crop(rgb, resize=256, side=224)
    assert_colour(seen[:, :90], ORANGE, 12)
    assert_colour(seen[:, 134:], (0, 0, 0), 12)


def test_results_come_in_order_and_not_too_far_ahead() -> None:
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    wait = random.Random(1)
    pauses = [wait.random() / 500 for _ in range(100)]

    def work(number: int) -> int:
        threading.Event().wait(pauses[number])
        return number

    with ThreadPoolExecutor(4) as pool:
        for count, result in enumerate(in_order(pool, work, source(), 8)):
            assert result == count
            assert taken <= count + 8
    assert taken == 100


def test_a_failure_comes_in_its_turn() -> None:
    with ThreadPoolExecutor(4) as pool:
        results = in_order(pool, lambda number: 10 // (3 - number), range(10), 8)
        assert [next(results) for _ in range(3)] == [3, 5, 10]
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_no_items_are_no_results() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert list(in_order(pool, str, [], 8)) == []


def _variants(form: str) -> list[bytes]:
    photo = Image.open(io.BytesIO(photograph(3, (64, 48), "PNG")))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    variants = [encode(photo, form)]
    if form == "JPEG":
        variants += [encode(photo, form, progressive=True, exif=exif), encode(photo.convert("CMYK"), form)]
    if form == "PNG":
        variants += [encode(photo, form, exif=exif), encode(photo.quantize(), form)]
        variants += [encode(photo, form, save_all=True, append_images=[photo.rotate(90)])]
    if form == "TIFF":
        variants += [encode(photo, form, compression=name, exif=exif) for name in ("tiff_deflate", "jpeg", "packbits")]
    if form == "GIF":
        variants += [encode(photo, form, save_all=True, append_images=[photo.rotate(90)])]
    if form == "WEBP":
        variants += [encode(photo.convert("RGBA"), form, lossless=True, exif=exif)]
    if form == "PPM":
        variants += [b"P3 4 4 255 " + b" 12" * 48, b"P1 4 4 " + b"01" * 8]
    return variants


@pytest.mark.parametrize("form", ENCODED)
def test_a_damaged_file_is_a_picture_or_unreadable_and_nothing_else(form: str) -> None:
    choose = random.Random(form)
    variants = _variants(form)
    for _ in range(400):
        data = bytearray(choose.choice(variants))
        if choose.random() < 0.25:
            del data[choose.randrange(len(data)) :]
        else:
            for _ in range(choose.randint(1, 6)):
                place = choose.randrange(min(len(data), choose.choice([120, 10_000])))
                data[place] = choose.choice([0, 127, 128, 255, choose.randrange(256)])
        try:
            rgb = decoded(bytes(data), min_side=32)
        except UnreadableImage as error:
            reason = str(error)
            assert 0 < len(reason) < 300
        else:
            assert rgb.dtype == np.uint8
            assert rgb.ndim == rgb.shape[2] == 3
            assert rgb.size > 0


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_and_height_are_those_of_the_whole_upright_picture(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode_picture(
        encode(Image.new("RGB", (1200, 800), "red"), form, exif=exif), min_side=64, max_pixels=10**7
    )
    assert (picture.width, picture.height) == ((1200, 800) if orientation < 5 else (800, 1200))
    assert picture.media_type == f"image/{form.lower()}"
    height, width = picture.rgb.shape[:2]
    assert (width > height) == (picture.width > picture.height)
