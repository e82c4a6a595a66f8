"""Feature vectors → the coordinates that every reducer starts from: standardised, along their principal axes.

A matrix of features comes as *blocks*: a sequence of `(rows, d) float32` arrays, memory-mapped where they are large, of
which only one at a time is worked on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .cores import on_every_core
from .extractors import Features
from .ordering import AT_ONCE, ChosenRows, order_by_content
from .vector_files import StackedRows

FeatureChunks = Sequence[Features]

AXES = 100
"""Principal axes that UMAP works on. Kobak & Berens (2019) take 50; on 1,000 digits 100 keep more neighbours
(10-nearest-neighbour label accuracy of the layout 0.84 → 0.86)."""

SAMPLE = 20_000
"""Rows that the axes of a larger collection are found in."""


@dataclass(frozen=True, kw_only=True)
class Standardizer:
    """Standardisation and principal axes of a set of feature vectors."""

    mean: NDArray[np.float32]
    """`(d,)`"""
    scale: NDArray[np.float32]
    """`(d,)` standard deviations; 1 where a feature never varied."""
    axes: NDArray[np.float32]
    """`(d, k)` unit vectors, by falling variance; the largest component of each is positive."""
    variance_ratio: NDArray[np.float32]
    """`(k,)` share of the whole variance."""

    @classmethod
    def fit(cls, blocks: FeatureChunks, axes: int = AXES) -> Self:
        """Principal axes, of a large collection those of a sample; memory is `O(min(n, d)²)` beside the sample."""
        count = sum(len(block) for block in blocks)
        mean, scale, varying = _moments(blocks, count)
        width = len(mean)
        keep = min(axes, count, width)
        values, vectors = (
            _axes_of_few(blocks, mean, scale, keep)
            if count <= width
            else _axes_of_many(blocks, count, mean, scale, keep)
        )
        largest = np.abs(vectors).argmax(axis=0)
        vectors = vectors * np.where(vectors[largest, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
        return cls(
            mean=mean.astype(np.float32),
            scale=scale.astype(np.float32),
            axes=np.ascontiguousarray(vectors, dtype=np.float32),
            # Every standardised column that varies at all has the variance 1.
            variance_ratio=(np.maximum(values, 0) / max(varying * count, 1)).astype(np.float32),
        )

    def project(self, features: Features) -> NDArray[np.float32]:
        """`(n, d)` features → `(n, k) float32` coordinates.

        Row by row: a matrix product's last bits depend on how many rows it has, and a picture's place must not.
        """
        places = np.empty((len(features), self.axes.shape[1]), np.float32)
        for row, feature in enumerate(features):
            places[row] = ((feature - self.mean) / self.scale) @ self.axes
        return places

    def project_all(self, blocks: FeatureChunks) -> NDArray[np.float32]:
        """The coordinates of a whole collection, the same but for their last bits, on every core."""
        axes = self.axes / self.scale[:, None]
        return np.concatenate(on_every_core(lambda rows: (rows - self.mean) @ axes, _slices(blocks)))


def _slices(blocks: FeatureChunks) -> Iterator[Features]:
    """At most 1000 rows each: few enough for what is made of them to stay in a core's cache."""
    for block in blocks:
        for start in range(0, len(block), 1000):
            yield block[start : start + 1000]


def _moments(blocks: FeatureChunks, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Mean and standard deviation per column, 1 where it never varied, and how many columns vary.

    In one pass, about a first guess of the mean: in single precision within a slice, in double beyond.
    """
    guess = np.asarray(blocks[0][:1000], np.float64).mean(axis=0).astype(np.float32)

    def sums(rows: Features) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        centred = rows - guess
        return centred.sum(axis=0), np.einsum("ij,ij->j", centred, centred)

    total, squares = (
        np.sum(parts, axis=0, dtype=np.float64) for parts in zip(*on_every_core(sums, _slices(blocks)), strict=True)
    )
    shift = total / count
    deviation = np.sqrt(np.maximum(squares / count - shift**2, 0))
    mean = guess + shift
    # Rounding leaves a constant column a tiny deviation; dividing by it would blow the rounding up to a signal.
    varies = deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6)
    return mean, np.where(varies, deviation, 1.0), int(np.count_nonzero(varies))


def _standardised(block: Features, mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float32]:
    return ((block - mean.astype(np.float32)) / scale.astype(np.float32)).astype(np.float32, copy=False)


def _sample(blocks: FeatureChunks, count: int) -> list[Features]:
    """All rows, or `SAMPLE` of them where there are more, always the same ones; some thousand at a time."""
    if count <= SAMPLE:
        rows = np.concatenate(blocks, dtype=np.float32)
    else:
        chosen = np.sort(np.random.default_rng(0).choice(count, SAMPLE, replace=False))
        starts = np.cumsum([0, *(len(block) for block in blocks)])
        edges = np.searchsorted(chosen, starts)
        rows = np.concatenate(
            [block[chosen[edges[k] : edges[k + 1]] - starts[k]] for k, block in enumerate(blocks)], dtype=np.float32
        )
    return np.array_split(rows, -(-len(rows) // 2500))


def _axes_of_many(
    blocks: FeatureChunks, count: int, mean: NDArray[np.float64], scale: NDArray[np.float64], keep: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """More rows than columns: eigenvectors of the `(d, d)` scatter matrix of a sample, as large as for all rows."""
    from scipy.linalg import eigh
    from threadpoolctl import threadpool_limits

    def scatter_of(rows: Features) -> NDArray[np.float32]:
        standardised = _standardised(rows, mean, scale)
        return standardised.T @ standardised

    width = len(mean)
    scatter = np.zeros((width, width))
    for part in on_every_core(scatter_of, _sample(blocks, count)):
        scatter += part
    scatter *= count / min(count, SAMPLE)
    with threadpool_limits(1, "blas"):
        values, vectors = eigh(scatter, subset_by_index=[width - keep, width - 1])
    return values[::-1], vectors[:, ::-1]


def _axes_of_few(
    blocks: FeatureChunks, mean: NDArray[np.float64], scale: NDArray[np.float64], keep: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most as many rows as columns: the same axes from the `(n, n)` Gram matrix, which is the smaller one."""
    from scipy.linalg import eigh

    rows = np.concatenate([_standardised(block, mean, scale) for block in blocks]).astype(np.float64)
    count = len(rows)
    values, vectors = eigh(rows @ rows.T, subset_by_index=[count - keep, count - 1])
    values, vectors = values[::-1], vectors[:, ::-1]
    # An axis without variance has no direction: left at zero, so that it adds nothing to any place.
    real = values > max(float(values[0]), 1e-12) * 1e-10
    axes = rows.T @ vectors / np.sqrt(np.where(real, values, 1.0))
    return np.where(real, values, 0.0), np.where(real, axes, 0.0)


def standardised(features: Features | StackedRows) -> tuple[Standardizer, NDArray[np.float32], NDArray[np.intp]]:
    """`(n, d)` features → their standardisation, the `(m, k)` coordinates of the distinct rows in an order that depends
    on nothing but their content, and which of these each of the n is."""
    chosen, rows = order_by_content(features)
    chunks: FeatureChunks = ChosenRows([features], chosen[np.sort(rows)])
    standardizer = Standardizer.fit(chunks)
    if len(features) <= AT_ONCE:
        return standardizer, standardizer.project(features[chosen]), rows
    return standardizer, standardizer.project_all(ChosenRows([features], chosen)), rows
