"""Files that browsers show, files that are not read and are named, and files made to take all memory or all time."""

import json
import random
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.images.decoding import (
    NotAnImage,
    OversizedImage,
    Picture,
    SlowImage,
    TruncatedImage,
    UnreadableImage,
    UnsupportedImage,
    decode_cost,
    decode_picture,
    media_type,
)
from tests.embeddings.test_images import _CORNERS, ORANGE, assert_colour, decoded, png
from tests.support.heic_samples import HEIC
from tests.support.paths import ROOT
from tests.support.pictures import encode, photograph


def picture_of(data: bytes, max_pixels: int = 10**8, max_bytes: int = 2**30) -> Picture:
    return decode_picture(data, min_side=256, max_pixels=max_pixels, max_bytes=max_bytes)


# HEIC and JPEG XL


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_upright_once(orientation: int) -> None:
    picture = decode_picture(HEIC[f"turned_{orientation}"], min_side=48, max_pixels=10**7)
    assert (picture.width, picture.height) == (96, 64)
    seen = picture.rgb[16::32, 24::48]
    assert np.abs(seen.astype(int) - _CORNERS).max() < 16


def test_heic_of_every_kind_is_read() -> None:
    assert_colour(decoded(HEIC["orange"]), ORANGE)
    assert_colour(decoded(HEIC["grey"]), (124, 124, 124))
    assert_colour(decoded(HEIC["two"]), ORANGE)
    half = decoded(HEIC["half"])
    assert_colour(half[:, :28], ORANGE)
    assert_colour(half[:, 36:], (255, 255, 255))
    assert media_type(HEIC["orange"]) == picture_of(HEIC["orange"]).media_type == "image/heif"


def test_a_damaged_heic_is_a_picture_or_unreadable() -> None:
    choose = random.Random(0)
    for _ in range(200):
        data = bytearray(HEIC[choose.choice(sorted(HEIC))])
        for _ in range(choose.randint(1, 4)):
            data[choose.randrange(len(data))] = choose.randrange(256)
        del data[choose.choice([len(data), choose.randrange(len(data))]) :]
        try:
            size, reason = decoded(bytes(data)).size, "none"
        except UnreadableImage as error:
            size, reason = 1, str(error)
        assert size > 0
        assert 0 < len(reason) < 300


def test_a_jpeg_inside_a_jpeg_xl_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(_CORNERS.transpose(1, 0, 2)[::-1]).resize((64, 96), Image.Resampling.NEAREST)
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    data = encode(Image.open(tmp_path / "a.jpg"), "JXL", lossless_jpeg=True)
    picture = decode_picture(data, min_side=48, max_pixels=10**7)
    assert (picture.width, picture.height, picture.media_type) == (96, 64, "image/jxl")
    assert np.abs(picture.rgb[16::32, 24::48].astype(int) - _CORNERS).max() < 16
    # In a JPEG XL of its own, EXIF is a note, and the codestream's header decides.
    assert decoded(encode(stored, "JXL", exif=exif.tobytes())).shape == (96, 64, 3)


# What browsers show


def broken_checksum(data: bytes, kind: bytes) -> bytes:
    place = data.index(kind) - 4
    (length,) = struct.unpack_from(">I", data, place)
    end = place + 12 + length
    return data[: end - 4] + bytes(byte ^ 0xFF for byte in data[end - 4 : end]) + data[end:]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"tEXt", b"Comment\0hello"),
        (b"iCCP", b"x\0\0" + zlib.compress(bytes(100))),
        (b"gAMA", struct.pack(">I", 100_000)),
        (b"pHYs", bytes(9)),
        (b"eXIf", b"MM\0*\0\0\0\x08\0\0"),
        (b"tRNS", b"\0\0" * 3),
        (b"zzZz", b"unknown"),
    ],
)
def test_a_wrong_checksum_beside_the_picture_does_not_cost_a_png(kind: bytes, content: bytes) -> None:
    rows = (b"\0" + bytes(ORANGE) * 8) * 8
    before = png(8, 8, 2, 8, rows, (kind, content))
    assert_colour(decoded(broken_checksum(before, kind)), ORANGE, 0)
    end = before.index(b"IEND") - 4
    start = before.index(kind) - 4
    chunk = before[start : start + 12 + len(content)]
    if kind != b"tRNS":
        after = before[:start] + before[start + len(chunk) : end] + chunk + before[end:]
        assert_colour(decoded(broken_checksum(after, kind)), ORANGE, 0)


@pytest.mark.parametrize(
    "chunk",
    [
        (b"tEXt", b"Comment\0" + b"x" * 3_000_000),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**27), 9)),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2**27), 9)),
        (b"zTXt", b"Comment\0\0no zlib"),
        (b"pHYs", b"\0"),
        (b"acTL", b"\0"),
    ],
    ids=["long", "bomb", "international bomb", "garbage", "short", "no animation"],
)
def test_a_text_beside_the_picture_does_not_cost_a_png(chunk: tuple[bytes, bytes]) -> None:
    assert_colour(decoded(png(8, 8, 2, 8, (b"\0" + bytes(ORANGE) * 8) * 8, chunk)), ORANGE, 0)


def test_a_png_that_lacks_only_its_end_is_whole() -> None:
    data = png(8, 8, 2, 8, (b"\0" + bytes(ORANGE) * 8) * 8)
    for missing in (1, 4, 12):
        assert_colour(decoded(data[:-missing]), ORANGE, 0)


def test_a_damaged_critical_chunk_costs_a_png() -> None:
    data = png(8, 8, 2, 8, (b"\0" + bytes(ORANGE) * 8) * 8)
    with pytest.raises(UnreadableImage):
        decoded(broken_checksum(data, b"IHDR"))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:4:4"}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_lacks_its_end_is_taken_and_remarked(options: dict[str, object], mode: str) -> None:
    whole = encode(Image.effect_noise((240, 180), 90).convert(mode), "JPEG", **options)
    assert not picture_of(whole).truncated
    assert mode == "CMYK" or not picture_of(whole[:-2]).truncated  # its end marker alone
    for share in (0.5, 0.8, 0.98):
        cut = picture_of(whole[: int(share * len(whole))])
        assert cut.truncated
        assert cut.rgb.shape == picture_of(whole).rgb.shape
        top = np.abs(cut.rgb[:30].astype(int) - picture_of(whole).rgb[:30])
        assert top.mean() < (60 if "progressive" in options else 2)


def test_a_jpeg_of_which_nothing_is_there_is_truncated() -> None:
    whole = photograph(1, (400, 300))
    head = whole.index(b"\xff\xda") + 14
    for length in (head, head - 5, head // 2):
        with pytest.raises(UnreadableImage):
            picture_of(whole[:length])
    with pytest.raises(TruncatedImage):
        picture_of(whole[:head])


# What is not read, and is named


def tiff(*entries: tuple[int, int, int, bytes | int]) -> bytes:
    """A TIFF's first directory: tag, type, count, and the value or its bytes."""
    directory, behind = struct.pack("<H", len(entries)), b""
    start = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in sorted(entries, key=lambda entry: entry[0]):
        if isinstance(value, bytes) and len(value) > 4:
            directory += struct.pack("<HHII", tag, kind, count, start + len(behind))
            behind += value
        else:
            coded = value.to_bytes(4, "little") if isinstance(value, int) else value.ljust(4, b"\0")
            directory += struct.pack("<HHI", tag, kind, count) + coded
    return b"II*\0\x08\0\0\0" + directory + bytes(4) + behind


_PREVIEW = ((254, 4, 1, 1), (256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8),
            (277, 3, 1, 1), (279, 4, 1, 64))  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(500), "RAW photograph (CR2)"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(500), "RAW photograph (CR3)"),
        (tiff(*_PREVIEW, (50706, 1, 4, b"\1\4\0\0")), "RAW photograph (DNG)"),
        (tiff(*_PREVIEW, (271, 2, 18, b"NIKON CORPORATION\0"), (330, 4, 1, 8)), "RAW photograph (NEF)"),
        (tiff(*_PREVIEW, (271, 2, 5, b"SONY\0"), (330, 4, 1, 8)), "RAW photograph (ARW)"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(100), "RAW photograph (RAF)"),
        (b"IIRO\x08\0\0\0" + bytes(100), "RAW photograph (ORF)"),
        (b"IIU\0\x08\0\0\0" + bytes(100), "RAW photograph (RW2)"),
        (b"8BPS\0\1" + bytes(100), "PSD"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'<?xml version="1.0"?>\n<!-- a -->\n<svg></svg>', "SVG"),
        (b"v/1\x01\2\0\0\0" + bytes(100), "OpenEXR"),
        (b"SIMPLE  =                    T" + bytes(100), "FITS"),
        (bytes(128) + b"DICM" + bytes(100), "DICOM"),
        (b"\0\0\1\0\1\0\x10\x10" + bytes(100), "ICO"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_kind_of_picture_that_is_not_read_is_named(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedImage, match="convert it") as caught:
        picture_of(data)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100), "video"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(100), "video"),
        (b"\x1aE\xdf\xa3" + bytes(100), "video"),
        (b"PK\3\4" + bytes(100), "archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_kind_of_file_is_named(data: bytes, name: str) -> None:
    with pytest.raises(NotAnImage, match=name):
        picture_of(data)


def test_a_plain_tiff_of_a_camera_is_a_picture() -> None:
    exif = Image.Exif()
    exif[271], exif[272] = "NIKON CORPORATION", "Z 8"
    assert_colour(decoded(encode(Image.new("RGB", (40, 30), ORANGE), "TIFF", exif=exif)), ORANGE)


# What would take all time or all memory


def scan_bomb(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encode(Image.new("L", (side, side), 99), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def test_a_scan_bomb_is_refused_at_once() -> None:
    bomb = scan_bomb(3000, 2000)
    started = time.perf_counter()
    with pytest.raises(SlowImage, match="takes too long to decode"):
        picture_of(bomb)
    assert time.perf_counter() - started < 1
    large = scan_bomb(9000, 60)  # fewer, of more pixels
    with pytest.raises(SlowImage, match="takes too long to decode"):
        picture_of(large)


def test_many_scans_of_a_small_picture_are_harmless() -> None:
    assert decoded(scan_bomb(64, 100)).shape == (64, 64, 3)
    appended = photograph(1, (64, 64)) + b"\xff\xda\0\2" * 5000  # a film behind the picture
    assert decoded(appended).shape == (64, 64, 3)


def test_a_tiff_of_millions_of_strips_is_refused_before_it_is_opened() -> None:
    count = 500_000
    fields = ((256, 4, 1, 8), (257, 4, 1, count), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1), (278, 4, 1, 1))
    offsets = struct.pack("<I", 8) * count
    lengths = struct.pack("<I", 8) * count
    with pytest.raises((SlowImage, OversizedImage)):
        picture_of(tiff(*fields, (273, 4, count, offsets), (279, 4, count, lengths)))
    few_rows = ((256, 4, 1, 8), (257, 4, 1, 8), *fields[2:])
    with pytest.raises(SlowImage, match="500000 pieces"):
        picture_of(tiff(*few_rows, (273, 4, count, offsets), (279, 4, count, lengths)))


def test_a_jpeg_2000_of_many_layers_is_refused() -> None:
    data = bytearray(encode(Image.new("RGB", (64, 64), ORANGE), "JPEG2000"))
    place = data.index(b"\xff\x52") + 6
    data[place : place + 2] = struct.pack(">H", 60_000)
    with pytest.raises(SlowImage, match="60000 pieces"):
        picture_of(bytes(data))


def test_a_png_of_a_million_chunks_is_refused() -> None:
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    data = png(8, 8, 2, 8, (b"\0" + bytes(ORANGE) * 8) * 8)
    place = data.index(b"IDAT") - 4
    with pytest.raises(SlowImage):
        picture_of(data[:place] + empty * 300_000 + data[place:])


@pytest.mark.parametrize("size", [(1, 200_000), (200_000, 1), (223, 448_000)])
def test_a_side_without_end_is_refused(size: tuple[int, int]) -> None:
    width, height = size
    with pytest.raises(OversizedImage, match="100000 pixels on one side"):
        picture_of(png(width, height, 0, 16, bytes((1 + 2 * width) * height)))


def test_what_takes_too_much_memory_is_refused_by_its_header() -> None:
    data = encode(Image.new("RGB", (2000, 1500)), "WEBP", lossless=True)
    with pytest.raises(OversizedImage, match="MiB to decode, over the limit of 16 MiB"):
        picture_of(data, max_bytes=2**24)
    assert decode_cost(data, min_side=256) > 2**24


def test_a_large_jpeg_2000_is_decoded_at_a_smaller_scale() -> None:
    photo = Image.effect_noise((300, 200), 60).resize((2400, 1600), Image.Resampling.BICUBIC)
    data = encode(photo.convert("RGB"), "JPEG2000")
    whole, small = picture_of(data), picture_of(data, max_bytes=2**26)
    assert (small.width, small.height) == (whole.width, whole.height) == (2400, 1600)
    assert min(small.rgb.shape[:2]) >= 256
    resized = Image.fromarray(small.rgb).resize(whole.rgb.shape[1::-1])
    assert np.abs(np.asarray(resized).astype(int) - whole.rgb).mean() < 12


def test_slivers_are_reduced_along_both_sides() -> None:
    rows = bytes(1 + 400 * 3) * 90_000
    picture = picture_of(png(400, 90_000, 2, 8, rows))
    assert (picture.width, picture.height) == (400, 90_000)
    height, width = picture.rgb.shape[:2]
    assert width * height <= 2**24
    assert height / width == pytest.approx(225, rel=0.02)


_MEASURE = """
import json, resource, sys, warnings
warnings.simplefilter("ignore")
from PIL import Image
from embeddings.images.decoding import UnreadableImage, decode_picture
Image.new("RGB", (512, 512)).convert("RGBA").reduce(2)
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode_picture(data, min_side=256, max_pixels=10**8)
    outcome = "taken"
except UnreadableImage as error:
    outcome = str(error)
print(json.dumps([outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def bombs() -> dict[str, tuple[bytes, int]]:
    """Small files, and the mebibytes that each may take at most."""
    return {
        "16 bits": (png(223, 99_000, 0, 16, bytes(447 * 99_000)), 200),
        "16 bits with a transparent value": (png(6000, 6000, 0, 16, bytes(12_001 * 6000), (b"tRNS", b"\0\0")), 200),
        "palette with transparency": (
            png(9000, 9000, 3, 8, bytes(9001 * 9000), (b"PLTE", bytes(768)), (b"tRNS", bytes(256))), 200
        ),
        "transparent": (png(6000, 6000, 6, 8, bytes(24_001 * 6000)), 250),
        "numbers with a point": (encode(Image.new("F", (6000, 6000), 0.5), "TIFF", compression="tiff_deflate"), 350),
        "one colour, WebP": (encode(Image.new("RGB", (16_000, 6000)), "WEBP", lossless=True, method=0), 100),
        "one colour, JPEG 2000": (encode(Image.new("RGB", (9000, 9000)), "JPEG2000"), 700),
    }  # fmt: skip


@pytest.mark.slow
def test_a_small_file_takes_no_gigabytes(tmp_path: Path) -> None:
    for name, (data, most) in bombs().items():
        assert len(data) < 2_000_000
        (tmp_path / "bomb").write_bytes(data)
        command = [sys.executable, "-c", _MEASURE, str(tmp_path / "bomb")]
        started = time.perf_counter()
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100).stdout
        outcome, taken = json.loads(said)
        assert time.perf_counter() - started < 30, name
        assert outcome == "taken" or "too large" in outcome, name
        assert taken < most, (name, outcome, taken)
