"""Profiles of pictures are heeded, in every format and mode; none costs the picture; without one nothing changes."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from embeddings.images.decoding import RGB, decode
from tests.embeddings.test_images import assert_colour, png
from tests.support import profiles
from tests.support.heic_samples import HEIC
from tests.support.pictures import encode, photograph

Colour = tuple[int, int, int]


def decoded(data: bytes, min_side: int = 256) -> RGB:
    return decode(data, min_side=min_side, max_pixels=10**8)


def flat(colour: Colour, size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def coloured_png(kind: int, depth: int, pixel: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    return png(8, 8, kind, depth, (b"\0" + pixel * 8) * 8, *chunks)


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"x\0\0" + zlib.compress(profile)


def gama(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def chrm(*values: float) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(100_000 * value) for value in values))


CHRM_P3 = chrm(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
CHRM_SRGB = chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)


@pytest.mark.parametrize(
    ("profile", "stored", "seen"),
    [
        (profiles.rgb(profiles.P3), (201, 80, 61), (216, 69, 50)),
        (profiles.rgb(profiles.ADOBE, 2.2), (90, 160, 80), (0, 161, 73)),
        (profiles.rgb(profiles.PROPHOTO, 1.8), (128, 128, 128), (146, 146, 146)),
        (profiles.rgb(profiles.SRGB, 1.0), (55, 55, 55), (128, 128, 128)),
        (profiles.swapped(), (200, 60, 40), (60, 200, 40)),
    ],
    ids=["P3", "Adobe RGB", "ProPhoto", "linear", "swapped"],
)
@pytest.mark.parametrize("size", [(60, 40), (1200, 900)])
def test_a_colour_profile_is_applied_in_a_png(
    profile: bytes, stored: Colour, seen: Colour, size: tuple[int, int]
) -> None:
    assert_colour(decoded(encode(flat(stored, size), "PNG", icc_profile=profile)), seen, 3)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"progressive": True}),
        ("MPO", {}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("AVIF", {}),
        ("JXL", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(60, 40), (1200, 900)])
def test_a_colour_profile_is_applied_in_every_format(
    form: str, options: dict[str, object], size: tuple[int, int], tmp_path: Path
) -> None:
    if form == "JXL":  # its plug-in writes no profile: the one of a JPEG that is packed losslessly comes along
        (tmp_path / "a.jpg").write_bytes(_jpeg_with(profiles.swapped(), size))
        data = encode(Image.open(tmp_path / "a.jpg"), form, lossless_jpeg=True)
    else:
        data = encode(flat((200, 60, 40), size), form, icc_profile=profiles.swapped(), **options)
    assert_colour(decoded(data), (60, 200, 40), 6)


def _jpeg_with(profile: bytes, size: tuple[int, int]) -> bytes:
    return encode(flat((200, 60, 40), size), "JPEG", icc_profile=profile, quality=95)


def test_a_large_profile_comes_in_several_segments_of_a_jpeg() -> None:
    padded = profiles.swapped() + bytes(150_000)
    assert_colour(decoded(_jpeg_with(struct.pack(">I", len(padded)) + padded[4:], (60, 40))), (60, 200, 40))


def test_a_bitmap_holds_a_profile_or_primaries() -> None:
    rows = bytes((40, 60, 200)) * 4 * 4
    profile = profiles.swapped()

    def bitmap(kind: bytes, about: bytes, offset: int, length: int, behind: bytes) -> bytes:
        header = struct.pack("<I2i2H6I", 124, 4, 4, 1, 24, 0, len(rows), 0, 0, 0, 0) + bytes(16) + kind + about
        header += struct.pack("<4I", 0, offset, length, 0)
        assert len(header) == 124
        return b"BM" + struct.pack("<I4xI", 138 + len(rows) + len(behind), 138) + header + rows + behind

    embedded = bitmap(b"DEBM", bytes(48), 124 + len(rows), len(profile), profile)
    assert_colour(decoded(embedded), (60, 200, 40))
    # Endpoints as XYZ: green's where red's should be.
    swapped = [(0.3576, 0.7152, 0.1192), (0.4124, 0.2126, 0.0193), (0.1805, 0.0722, 0.9505)]
    ends = struct.pack("<9I", *(round(value * 2**30) for end in swapped for value in end))
    calibrated = bitmap(bytes(4), ends + struct.pack("<3I", *[round(2.2 * 65536)] * 3), 0, 0, b"")
    assert_colour(decoded(calibrated), (60, 200, 40))
    assert_colour(decoded(bitmap(b"BGRs", bytes(48), 0, 0, b"")), (200, 60, 40), 0)


def test_a_jpeg_2000_holds_a_profile() -> None:
    plain = encode(flat((200, 60, 40)), "JPEG2000", no_jp2=False)
    assert plain[4:8] == b"jP  "
    place = plain.index(b"colr") - 4
    (length,) = struct.unpack_from(">I", plain, place)
    profile = profiles.swapped()
    colr = struct.pack(">I4s3B", 11 + len(profile), b"colr", 2, 0, 0) + profile
    head = plain.index(b"jp2h") - 4
    (head_length,) = struct.unpack_from(">I", plain, head)
    longer = struct.pack(">I", head_length + len(colr) - length)
    data = plain[:head] + longer + plain[head + 4 : place] + colr + plain[place + length :]
    assert_colour(decoded(data), (60, 200, 40))


def test_numeric_colour_descriptions_in_heic_and_avif_are_applied() -> None:
    assert_colour(decoded(HEIC["p3"]), (216, 69, 50))
    plain = encode(flat((201, 80, 61)), "AVIF", quality=95)
    place = plain.index(b"colrnclx") + 8
    p3 = plain[:place] + struct.pack(">2H", 12, 13) + plain[place + 4 :]
    assert_colour(decoded(p3), (216, 69, 50))
    unspecified = plain[:place] + struct.pack(">2H", 2, 2) + plain[place + 4 :]
    assert np.array_equal(decoded(unspecified), decoded(plain))


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_profiles_are_applied(adobe: bool) -> None:
    press = profiles.cmyk({(1, 0, 0, 0): (65, -35, -45), (0, 0, 0, 0): (100, 0, 0)})
    cyan = Image.new("CMYK", (60, 40), (255, 0, 0, 0))
    data = encode(cyan, "JPEG" if adobe else "TIFF", icc_profile=press, **({"quality": 98} if adobe else {}))
    assert (b"Adobe" in data) == adobe  # whose inks are inverted
    lab = ImageCms.createProfile("LAB")
    to_srgb = ImageCms.buildTransform(
        lab, ImageCms.createProfile("sRGB"), "LAB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    right = ImageCms.applyTransform(Image.frombytes("LAB", (1, 1), bytes([166, 256 - 35, 256 - 45])), to_srgb)
    assert right is not None
    seen = right.getpixel((0, 0))
    assert isinstance(seen, tuple)
    assert_colour(decoded(data), seen, 8)  # type: ignore[arg-type]
    without = encode(cyan, "JPEG" if adobe else "TIFF")
    assert_colour(decoded(without), (0, 255, 255), 3)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_grey_profiles_are_applied(form: str) -> None:
    if form == "WEBP":  # which has no grey, so that the profile does not fit
        data = encode(flat((55, 55, 55)), form, icc_profile=profiles.grey(1.0), lossless=True)
        assert_colour(decoded(data), (55, 55, 55), 0)
    else:
        for size in ((60, 40), (1200, 900)):
            data = encode(Image.new("L", size, 55), form, icc_profile=profiles.grey(1.0))
            assert_colour(decoded(data), (128, 128, 128), 2)


def test_profiles_of_grey_with_transparency_or_16_bits_are_applied() -> None:
    linear = iccp(profiles.grey(1.0))
    assert_colour(decoded(coloured_png(4, 8, bytes([55, 255]), linear)), (128, 128, 128), 2)
    assert_colour(decoded(coloured_png(4, 8, bytes([55, 0]), linear)), (255, 255, 255), 0)
    assert_colour(decoded(coloured_png(0, 16, struct.pack(">H", 55 * 257), linear)), (128, 128, 128), 2)


def test_profiles_of_palettes_and_16_bit_colours_are_applied() -> None:
    swapped = profiles.swapped()
    assert_colour(decoded(encode(flat((200, 60, 40)).quantize(4), "PNG", icc_profile=swapped)), (60, 200, 40))
    deep = struct.pack(">3H", 200 * 257, 60 * 257, 40 * 257)
    assert_colour(decoded(coloured_png(2, 16, deep, iccp(swapped))), (60, 200, 40))


@pytest.mark.parametrize("size", [(60, 40), (2000, 1500)])
def test_transparency_is_laid_on_white_after_the_colours_are_right(size: tuple[int, int]) -> None:
    image = Image.new("RGBA", size, (200, 60, 40, 128))
    for form in ("PNG", "TIFF"):
        assert_colour(decoded(encode(image, form, icc_profile=profiles.swapped())), (157, 227, 147), 3)


def test_numeric_colour_descriptions_in_png_are_applied() -> None:
    p3 = bytes((201, 80, 61))
    assert_colour(decoded(coloured_png(2, 8, p3, (b"cICP", bytes([12, 13, 0, 1])))), (216, 69, 50))
    assert_colour(decoded(coloured_png(2, 8, p3, gama(45455), CHRM_P3)), (216, 69, 50))
    assert_colour(decoded(coloured_png(2, 8, p3, CHRM_P3)), (216, 69, 50))
    linear = bytes((55, 55, 55))
    assert_colour(decoded(coloured_png(2, 8, linear, gama(100_000))), (128, 128, 128), 2)
    assert_colour(decoded(coloured_png(0, 8, b"\x37", gama(100_000), CHRM_SRGB)), (128, 128, 128), 2)
    rec709 = coloured_png(2, 8, bytes((128, 128, 128)), (b"cICP", bytes([9, 1, 0, 1])))
    assert_colour(decoded(rec709), (140, 140, 140), 2)


def test_hdr_keeps_its_whites_white_and_its_greys_in_order() -> None:
    for transfer, white in ((16, 148), (18, 191)):  # code values of 203 nits
        levels = [
            int(decoded(coloured_png(2, 8, bytes([v] * 3), (b"cICP", bytes([9, transfer, 0, 1]))))[0, 0, 0])
            for v in (0, 60, 100, white, 255)
        ]
        assert levels[0] == 0
        assert 225 <= levels[3] <= 245
        assert levels[4] >= 250
        assert levels == sorted(levels)


def test_the_stronger_word_on_a_pngs_colours_counts() -> None:
    """cICP over iCCP over sRGB over gAMA and cHRM."""
    pixel = bytes((200, 60, 40))
    swapped, p3 = iccp(profiles.swapped()), (b"cICP", bytes([1, 13, 0, 1]))
    unknown, srgb = (b"cICP", bytes([2, 2, 0, 1])), (b"sRGB", b"\0")
    for chunks, seen in (
        ((p3, swapped), (200, 60, 40)),
        ((unknown, swapped), (60, 200, 40)),
        ((swapped, gama(100_000)), (60, 200, 40)),
        ((srgb, gama(100_000), CHRM_P3), (200, 60, 40)),
    ):
        assert_colour(decoded(coloured_png(2, 8, pixel, *chunks)), seen, 3)


_SRGBS = [profiles.rgb(profiles.SRGB), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("profile", _SRGBS, ids=["made", "LittleCMS"])
def test_srgb_changes_nothing_at_all(form: str, profile: bytes) -> None:
    photo = Image.open(io.BytesIO(photograph(3, (800, 600), "PNG")))
    assert np.array_equal(decoded(encode(photo, form, icc_profile=profile)), decoded(encode(photo, form)))


_BROKEN = [
    b"",
    b"nonsense",
    profiles.swapped()[:300],
    profiles.swapped()[:128],
    bytes(5000),
    profiles.grey(1.0),
    profiles.cmyk({}),
    profiles.rgb(((0, 0, 0),) * 3),
    profiles.swapped().replace(b"rTRC", b"xTRC"),
]


@pytest.mark.parametrize("profile", _BROKEN, ids=range(len(_BROKEN)))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_damaged_or_unfitting_profile_does_not_cost_the_picture(form: str, profile: bytes) -> None:
    photo = flat((200, 60, 40))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of a profile that it cannot read
        with_it = decoded(encode(photo, form, icc_profile=profile))
    if profile != _BROKEN[7]:  # whose colours are all black
        assert np.array_equal(with_it, decoded(encode(photo, form)))


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"iCCP", b"x\0\0garbage")],
        [(b"iCCP", b"x")],
        [(b"cICP", b"\1")],
        [(b"cICP", bytes([200, 200, 0, 1]))],
        [(b"gAMA", b"\0\0\0\0")],
        [(b"gAMA", b"\xff\xff\xff\xff")],
        [(b"gAMA", b"\1")],
        [gama(45455), (b"cHRM", bytes(32))],
        [gama(45455), (b"cHRM", b"\xff" * 32)],
        [gama(45455), chrm(*[0.3, 0.3] * 4)],
    ],
    ids=range(10),
)
def test_colours_that_make_no_sense_do_not_cost_a_png(chunks: list[tuple[bytes, bytes]]) -> None:
    assert_colour(decoded(coloured_png(2, 8, bytes((200, 60, 40)), *chunks)), (200, 60, 40), 0)


def test_a_profile_that_unpacks_to_gigabytes_does_not_cost_a_png() -> None:
    packed = zlib.compress(bytes(2**27), 9)
    data = coloured_png(2, 8, bytes((200, 60, 40)), (b"iCCP", b"x\0\0" + packed))
    assert_colour(decoded(data), (200, 60, 40), 0)


def test_threads_share_a_conversion() -> None:
    photos = [Image.open(io.BytesIO(photograph(k, (300, 300), "PNG"))) for k in range(8)]
    files = [encode(photo, "PNG", icc_profile=profiles.rgb(profiles.P3)) for photo in photos] * 6
    alone = [decoded(file) for file in files[:8]]
    with ThreadPoolExecutor(4) as pool:
        for index, rgb in enumerate(pool.map(decoded, files)):
            assert np.array_equal(rgb, alone[index % 8])


def test_16_bit_grey_with_a_transparent_value_is_on_white() -> None:
    transparent = (b"tRNS", struct.pack(">H", 1000))
    row = b"\0" + struct.pack(">8H", *[1000] * 4, *[124 * 257] * 4)
    rgb = decoded(png(8, 8, 0, 16, row * 8, transparent))
    assert_colour(rgb[:, :4], (255, 255, 255), 0)
    assert_colour(rgb[:, 4:], (124, 124, 124), 1)
    wide = b"\0" + struct.pack(">2000H", *[1000] * 1000, *[124 * 257] * 1000)
    rgb = decoded(png(2000, 1500, 0, 16, wide * 1500, transparent))
    assert_colour(rgb[:, : rgb.shape[1] // 2 - 1], (255, 255, 255), 0)
    assert_colour(rgb[:, rgb.shape[1] // 2 + 1 :], (124, 124, 124), 1)


def test_16_bit_colour_with_a_transparent_one_is_on_white() -> None:
    pixel, other = (struct.pack(">3H", *(v * 257 for v in c)) for c in ((200, 100, 50), (50, 100, 200)))
    rgb = decoded(png(8, 8, 2, 16, (b"\0" + pixel * 4 + other * 4) * 8, (b"tRNS", pixel)))
    assert_colour(rgb[:, :4], (255, 255, 255), 0)
    assert_colour(rgb[:, 4:], (50, 100, 200), 1)


@pytest.mark.parametrize("form", ["TIFF", "PNG"])
def test_twelve_bits_in_sixteen_are_visible(form: str) -> None:
    ramp = np.linspace(0, 4095, 64).astype("<u2")[None].repeat(64, 0)
    rgb = decoded(encode(Image.fromarray(ramp), form))
    assert (rgb[0, 0, 0], rgb[0, -1, 0]) == (0, 255)
    assert abs(int(rgb[0, 32, 0]) - 130) < 3
