"""What decoding a picture takes is known from its header."""

import io
import random
import time

import numpy as np
import pytest
from PIL import Image

from embeddings.images import jpeg_markers
from embeddings.images.decoding import decode_cost
from tests.embeddings.test_images import ENCODED
from tests.support.pictures import encode, photograph


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize("size", [(40, 30), (2000, 1500)])
def test_it_is_at_least_what_the_pixels_take(form: str, size: tuple[int, int]) -> None:
    data = encode(Image.new("RGB", size, "teal"), form)
    cost = decode_cost(data, min_side=256)
    assert cost >= (0 if form == "JPEG" else size[0] * size[1] * 3)
    assert cost < (52 if form == "AVIF" else 4) * 2**20 + size[0] * size[1] * 45


def test_a_jpeg_that_is_scaled_costs_little_unless_it_is_progressive() -> None:
    image = Image.open(io.BytesIO(photograph(1, (4000, 3000), "PNG")))
    plain, progressive = (decode_cost(encode(image, "JPEG", progressive=p), min_side=256) for p in (False, True))
    assert plain < 10 * 2**20
    assert progressive > plain + 2 * 4000 * 3000


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", bytes(1000)])
def test_what_has_no_header_costs_nothing(data: bytes) -> None:
    assert decode_cost(data, min_side=256) == 0


def test_any_bytes_behind_a_beginning_cost_something_or_nothing() -> None:
    choose = random.Random(0)
    for _ in range(300):
        assert decode_cost(b"\xff\xd8\xff" + choose.randbytes(300), min_side=256) >= 0


def test_it_takes_no_time_for_a_jpeg() -> None:
    data = photograph(1, (178, 218))
    started = time.perf_counter()
    for _ in range(200):
        decode_cost(data, min_side=256)
    assert (time.perf_counter() - started) / 200 < 0.001


def test_scans_are_counted_up_to_the_end_of_the_picture() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    baseline, progressive = encode(image, "JPEG"), encode(image, "JPEG", progressive=True)
    assert jpeg_markers.count_scans(baseline, 100) == 1
    assert jpeg_markers.count_scans(progressive, 100) == 10
    assert jpeg_markers.count_scans(baseline + b"\xff\xda\0\2" * 500, 100) == 1
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    assert jpeg_markers.count_scans(progressive[:-2] + scan * 500, 100) == 101
