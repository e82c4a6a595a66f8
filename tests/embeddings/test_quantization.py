"""16-bit codes: small errors, exact bounds, whatever the numbers are."""

import numpy as np
import pytest

from embeddings.quantization import LEVELS, dequantize, packed, quantize, unpacked
from embeddings.vector_files import Vectors


def clouds() -> dict[str, Vectors]:
    random = np.random.default_rng(1)
    plain = random.normal(size=(5000, 3)).astype(np.float32)
    return {
        "plain": plain,
        "far from the origin": plain + np.float32(10_000),
        "tiny": (plain * 1e-30).astype(np.float32),
        "as large as can be": np.array([[-3e38, 0, 1], [3e38, 1, 2], [0, 0.3, 1.7]], np.float32),
        "smallest of all": np.array([[0, 0, 0], [1e-45, 1e-44, 1e-40]], np.float32),
        "wide": random.exponential(size=(40, 1280)).astype(np.float32),
        "one row": plain[:1],
    }


@pytest.mark.parametrize("name", clouds())
def test_no_value_is_more_than_half_a_step_off(name: str) -> None:
    vectors = clouds()[name]
    quantized = quantize(vectors)
    step = quantized.step.astype(np.float64)
    extent = vectors.max(axis=0).astype(np.float64) - vectors.min(axis=0)
    # The exact share of the extent, rounded up to the next float32.
    assert (step <= extent / LEVELS * (1 + 2**-22) + np.finfo(np.float32).smallest_subnormal).all()
    assert (np.abs(dequantize(quantized) - vectors) <= step / 2 * (1 + 1e-9)).all()


def test_equal_values_stay_what_they_are() -> None:
    vectors = np.full((4, 3), np.float32(0.1))
    assert np.array_equal(dequantize(quantize(vectors)).astype(np.float32), vectors)


def test_a_file_has_bounds_before_codes_and_half_the_bytes() -> None:
    vectors = clouds()["plain"]
    data = packed(quantize(vectors))
    assert len(data) == 8 + 8 * 3 + 2 * vectors.size
    assert np.frombuffer(data, "<u4", 2).tolist() == [5000, 3]
    assert np.array_equal(dequantize(unpacked(data)), dequantize(quantize(vectors)))


def test_no_rows_are_no_codes() -> None:
    assert unpacked(packed(quantize(np.empty((0, 3), np.float32)))).codes.shape == (0, 3)
