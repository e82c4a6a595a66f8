"""Uploads whose pictures are decoded as ever keep their ids; those with colours to convert get other ones."""

import hashlib
import io
import random
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image, ImageCms

from datasets.models import Dataset
from datasets.pictures import pipeline_settings
from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.zip_archive import Archive, Limits
from datasets.uploads.dataset_id import dataset_id_of
from embeddings.images.decode_revision import COLOUR_MANAGED, FIRST
from tests.api.test_pictures import upload
from tests.embeddings.test_colour_profiles import coloured_png
from tests.support import profiles
from tests.support.heic_samples import HEIC
from tests.support.pictures import encode, photograph, zipped


def revision(data: bytes, **archive: Any) -> int:
    return decoding_revision(Archive(io.BytesIO(zipped({"a": data}, **archive)), Limits()))


def flat(form: str, profile: bytes | None = None, mode: str = "RGB", **options: object) -> bytes:
    image = Image.new("RGB", (60, 40), (200, 60, 40)).convert(mode)
    return encode(image, form, **({"icc_profile": profile} if profile else {}), **options)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("compression", [0, 8])
def test_pictures_with_another_profile_than_srgb_are_of_the_new_revision(form: str, compression: int) -> None:
    for profile in (None, SRGB, profiles.rgb(profiles.SRGB), b"broken", profiles.swapped()[:200]):
        assert revision(flat(form, profile), compression=compression) == FIRST
    for profile in (profiles.swapped(), profiles.rgb(profiles.P3), profiles.rgb(profiles.ADOBE, 2.2)):
        assert revision(flat(form, profile), compression=compression) == COLOUR_MANAGED


def test_pictures_that_the_first_revision_did_not_read_or_read_differently_are_of_the_new_revision() -> None:
    for data in (
        HEIC["orange"],
        flat("JXL"),
        flat("JPEG", profiles.cmyk({}), "CMYK"),
        flat("JPEG", profiles.grey(1.0), "L"),
        coloured_png(2, 8, b"abc", (b"gAMA", struct.pack(">I", 100_000))),
        coloured_png(2, 8, b"abc", (b"cICP", bytes([12, 13, 0, 1]))),
        coloured_png(0, 16, b"ab"),
        encode(Image.fromarray(np.full((4, 4), 999, "<u2")), "TIFF"),
    ):
        assert revision(data) == COLOUR_MANAGED


def test_pictures_without_profiles_are_of_the_first() -> None:
    for data in (
        flat("JPEG", mode="CMYK"),
        flat("JPEG", profiles.cmyk({})),  # which does not fit
        flat("GIF"),
        flat("BMP"),
        flat("PPM"),
        flat("TGA"),
        flat("JPEG2000"),
        coloured_png(2, 8, b"abc", (b"gAMA", struct.pack(">I", 45455)), (b"sRGB", b"\0")),
        coloured_png(2, 16, b"abcdef"),
        b"no picture",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
    ):
        assert revision(data) == FIRST


def test_a_profile_behind_a_large_exif_block_or_in_pieces_is_found() -> None:
    exif = Image.Exif()
    exif[0x010E] = random.Random(0).randbytes(30_000).hex()
    assert revision(flat("JPEG", profiles.swapped(), exif=exif)) == COLOUR_MANAGED
    padded = bytearray(profiles.swapped() + bytes(100_000))
    padded[:4] = struct.pack(">I", len(padded))
    assert revision(flat("JPEG", bytes(padded))) == COLOUR_MANAGED


def test_damaged_files_are_of_some_revision() -> None:
    choose = random.Random(1)
    files = [flat(form, profiles.swapped()) for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    for _ in range(300):
        data = bytearray(choose.choice(files))
        for _ in range(choose.randint(1, 6)):
            data[choose.randrange(min(len(data), 400))] = choose.randrange(256)
        del data[choose.choice([len(data), choose.randrange(len(data))]) :]
        assert revision(bytes(data)) in {FIRST, COLOUR_MANAGED}


def _many_profiles() -> dict[str, bytes]:
    """As many sRGB profiles as pictures, each another one."""
    return {f"{k}.jpg": flat("JPEG", SRGB[:4] + struct.pack(">I", k) + SRGB[8:]) for k in range(1000)}


def _deep_heads() -> dict[str, bytes]:
    """JPEGs that begin with megabytes of notes."""
    note = b"\xff\xfe\xff\xff" + bytes(65_533)
    plain = flat("JPEG")
    return {f"{k}.jpg": plain[:2] + note * 150 + plain[2:] for k in range(60)}


def _text_bombs() -> dict[str, bytes]:
    packed = zlib.compress(bytes(2**26), 9)
    return {f"{k}.png": coloured_png(2, 8, b"abc", (b"iCCP", b"x\0\0" + packed)) for k in range(100)}


@pytest.mark.parametrize("make", [_many_profiles, _deep_heads, _text_bombs])
def test_no_archive_takes_long(make: Callable[[], dict[str, bytes]]) -> None:
    archive = zipped(make())
    opened = Archive(io.BytesIO(archive), Limits())
    started = time.perf_counter()
    decoding_revision(opened)
    assert time.perf_counter() - started < 3


def test_ids_are_as_ever_without_profiles(settings: Any) -> None:
    """The formula that ids of the first revision were made by."""
    pipeline = pipeline_settings.pipeline()
    for files in ({"a.jpg": photograph(1)}, {"a.jpg": flat("JPEG", SRGB), "b.png": flat("PNG")}):
        file = io.BytesIO(zipped(files))
        content = hashlib.sha256(file.getvalue()).hexdigest()
        before = {hashlib.sha256(f"{content}:{pipeline.signature}:{k}".encode()).hexdigest()[:32] for k in range(3)}
        assert dataset_id_of(file, Archive(file, Limits()), pipeline, limit=1000) in before
    coloured = io.BytesIO(zipped({"a.jpg": flat("JPEG", profiles.swapped())}))
    content = hashlib.sha256(coloured.getvalue()).hexdigest()
    before = {hashlib.sha256(f"{content}:{pipeline.signature}:{k}".encode()).hexdigest()[:32] for k in range(3)}
    assert dataset_id_of(coloured, Archive(coloured, Limits()), pipeline, limit=1000) not in before


@pytest.mark.django_db(transaction=True)
def test_tile_thumbnail_and_facts_are_all_in_srgb(client: Client) -> None:
    dataset_id = upload(
        client, {"a.jpg": flat("JPEG", profiles.swapped(), quality=95), "b.heic": HEIC["orange"], "c.jpg": flat("JPEG")}
    )
    assert Dataset.objects.get(hash=dataset_id).versions["decoding"] == str(COLOUR_MANAGED)
    tilemap = np.asarray(Image.open(io.BytesIO(client.get(f"/dataset/{dataset_id}/tilemap").getvalue())))
    for row, colour in enumerate([(60, 200, 40), (200, 100, 50), (200, 60, 40)]):
        assert np.abs(tilemap[25, 25 + 50 * row].astype(int) - colour).max() <= 6
        thumbnail = client.get(f"/dataset/{dataset_id}/images/{row}/thumbnail?format=webp")
        small = np.asarray(Image.open(io.BytesIO(thumbnail.getvalue())).convert("RGB"))
        assert np.abs(small.reshape(-1, 3).mean(0) - colour).max() <= 6
    original = client.get(f"/dataset/{dataset_id}/images/1")
    assert original["Content-Type"] == "image/heif"
