"""Vectors → 16-bit codes with their bounds, half the bytes of float32, and back.

Uniform scalar quantization, column by column: value = minimum + step · code.

offset 0           uint32    n, rows
offset 4           uint32    d, columns
offset 8           float32   minimum of each column
offset 8 + 4d      float32   step of each column
offset 8 + 8d      uint16    n · d codes, row by row

All little-endian. The bounds are those of the rows in the file.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vector_files import Vectors

LEVELS = 2**16 - 1
"""The largest code."""


class Quantized(NamedTuple):
    """Codes, and what they stand for."""

    minimum: NDArray[np.float32]
    """`(d,)`"""
    step: NDArray[np.float32]
    """`(d,)`; 0 in a column whose values are all equal."""
    codes: NDArray[np.uint16]
    """`(n, d)`"""


def quantize(vectors: Vectors) -> Quantized:
    """Finite `(n, d) float32` → codes; each value is at most half a step, 1/131,070 of its column's extent, away."""
    if not len(vectors):
        bound = np.zeros(vectors.shape[1], np.float32)
        return Quantized(bound, bound, np.empty(vectors.shape, np.uint16))
    minimum = vectors.min(axis=0)
    extent = vectors.max(axis=0).astype(np.float64) - minimum
    step = (extent / LEVELS).astype(np.float32)
    # Upwards: the largest value must not lie beyond the last code.
    step = np.where(step.astype(np.float64) * LEVELS < extent, np.nextafter(step, np.float32(np.inf)), step)
    codes = np.empty(vectors.shape, np.uint16)
    for column, (low, width) in enumerate(zip(minimum, step, strict=True)):
        offsets = vectors[:, column].astype(np.float64) - low
        codes[:, column] = np.rint(offsets / width) if width else 0
    return Quantized(minimum, step, codes)


def dequantize(quantized: Quantized) -> NDArray[np.float64]:
    """`(n, d)`, what the codes stand for."""
    minimum, step, codes = quantized
    return minimum.astype(np.float64) + step.astype(np.float64) * codes


def packed(quantized: Quantized) -> bytes:
    """As the module describes it."""
    shape = np.array(quantized.codes.shape, "<u4")
    return b"".join(
        (
            shape.tobytes(),
            quantized.minimum.astype("<f4").tobytes(),
            quantized.step.astype("<f4").tobytes(),
            quantized.codes.astype("<u2").tobytes(),
        )
    )


def unpacked(data: bytes) -> Quantized:
    """What `packed` has made."""
    rows, columns = np.frombuffer(data, "<u4", 2).tolist()
    minimum, step = np.frombuffer(data, "<f4", 2 * columns, offset=8).reshape(2, columns)
    codes = np.frombuffer(data, "<u2", rows * columns, offset=8 + 8 * columns).reshape(rows, columns)
    return Quantized(minimum, step, codes)
