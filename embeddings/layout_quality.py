"""Features and a layout of them → how far the layout can be trusted: trustworthiness, continuity and neighbours kept.

Trustworthiness falls where a picture lies among pictures that are unlike it, continuity where like pictures lie far
from it (Venna & Kaski 2001). Likeness is the cosine of the features, as in `nearest_neighbours`; nearness in the layout
is Euclidean.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cores import on_every_core
from .extractors import Features
from .principal_axes import FeatureChunks
from .reducers import SEED
from .vector_files import Vectors

EXACT_ROWS = 20_000
"""Up to here every picture is compared with every other: half a minute of ResNet50's features on two cores."""
SAMPLE = 2_000
"""Pictures of a larger collection that are compared with all, and with which all are compared for their distortion."""
NEIGHBOURS = (10, 50)
"""Sizes of the neighbourhoods that are looked at."""

_CELLS = 4_000_000
"""Pairs that a core works on at a time: 16 MB for each of the few arrays of their distances."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class NeighbourhoodScores:
    """How well the `neighbours` nearest of each picture are kept, on average; 1 is best for all three."""

    neighbours: int
    trustworthiness: float
    continuity: float
    kept: float
    """Share of the nearest in the layout that are among as many of the most similar."""


@dataclass(frozen=True, kw_only=True)
class LayoutQuality:
    """What is measured of a layout."""

    scores: tuple[NeighbourhoodScores, ...]
    """For each size of `NEIGHBOURS` that is less than half the collection; else for the largest that is. Empty for
    fewer than three pictures."""
    measured: int
    """Pictures that the scores are averages of: all, or a sample."""
    distortion: Floats
    """`(n,)` 0 … 1, for each picture: 1 less the mean of its own trustworthiness and continuity."""
    distortion_neighbours: int
    """Size of the neighbourhoods of `distortion`; 0 where there are no scores."""
    distortion_against: int
    """Pictures that each was compared with for it."""


def measure(
    blocks: FeatureChunks, places: Vectors, *, exact_rows: int = EXACT_ROWS, sample: int = SAMPLE, seed: int = SEED
) -> LayoutQuality:
    """Compare `(n, d)` features, in blocks, with `(n, 2 or 3)` places.

    Beyond `exact_rows` the scores are those of `sample` rows against all, and each row's distortion is its own against
    the sample, whose neighbourhoods are as many times wider as it is smaller. Memory does not grow with n².
    """
    space = _Space(blocks, places)
    count = space.count
    if count < 3:
        return LayoutQuality(
            scores=(),
            measured=count,
            distortion=np.zeros(count, np.float32),
            distortion_neighbours=0,
            distortion_against=0,
        )
    if count <= exact_rows:
        sizes = _sizes(count)
        found = _Comparison(space, None, sizes).of(np.arange(count))
        return _quality(found, sizes, found, sizes[-1], count)
    chosen = np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))
    sizes, coarse = _sizes(count), _sizes(sample)[:1]
    scores = _Comparison(space, None, sizes).of(chosen)
    return _quality(scores, sizes, _Comparison(space, chosen, coarse).of(np.arange(count)), coarse[0], sample)


def _quality(found: "_Errors", sizes: tuple[int, ...], own: "_Errors", neighbours: int, against: int) -> LayoutQuality:
    scores = [
        NeighbourhoodScores(
            neighbours=size,
            trustworthiness=float(1 - found.intruding[:, k].mean(dtype=np.float64)),
            continuity=float(1 - found.missing[:, k].mean(dtype=np.float64)),
            kept=float(found.kept[:, k].mean(dtype=np.float64)),
        )
        for k, size in enumerate(sizes)
    ]
    return LayoutQuality(
        scores=tuple(scores),
        measured=len(found.kept),
        distortion=((own.intruding[:, -1] + own.missing[:, -1]) / 2).astype(np.float32),
        distortion_neighbours=neighbours,
        distortion_against=against,
    )


def _sizes(count: int) -> tuple[int, ...]:
    """Those for which the worst possible layout scores 0: less than half of all."""
    return tuple(size for size in NEIGHBOURS if 2 * size < count) or ((count - 1) // 2,)


@dataclass(frozen=True, kw_only=True)
class _Errors:
    """`(m, sizes) float32` each: of every row, for every size of neighbourhood."""

    intruding: Floats
    """How far away the pictures beside it are in truth, as a share of the worst that can be."""
    missing: Floats
    """How far away its true neighbours lie, likewise."""
    kept: Floats


class _Space:
    """Features and places by row."""

    def __init__(self, blocks: FeatureChunks, places: Vectors) -> None:
        self._blocks = [np.asarray(block) for block in blocks]
        self._starts = np.cumsum([0, *(len(block) for block in self._blocks)])
        self.count = int(self._starts[-1])
        if len(places) != self.count:
            raise ValueError(f"{len(places)} places are not those of {self.count} pictures")
        self.places = np.asarray(places, np.float32)
        lengths = np.concatenate(on_every_core(lambda block: np.linalg.norm(block, axis=1), self._blocks))
        self._inverse = (1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def unit(self, rows: Rows) -> Features:
        """`(m, d)` features scaled to length 1, of ascending rows."""
        edges = np.searchsorted(rows, self._starts)
        parts = [
            block[rows[edges[k] : edges[k + 1]] - self._starts[k]]
            for k, block in enumerate(self._blocks)
            if edges[k] < edges[k + 1]
        ]
        scaled: Features = np.concatenate(parts) * self._inverse[rows, None]
        return scaled

    def cosines_with_all(self, unit: Features) -> Floats:
        """`(m, n)`"""
        found = np.empty((len(unit), self.count), np.float32)
        for k, block in enumerate(self._blocks):
            np.matmul(unit, block.T, out=found[:, self._starts[k] : self._starts[k + 1]])
        found *= self._inverse
        return found


class _Comparison:
    """Of rows with `columns`, ascending, or with all."""

    def __init__(self, space: _Space, columns: Rows | None, sizes: tuple[int, ...]) -> None:
        self._space = space
        self._sizes = sizes
        self._columns = np.arange(space.count) if columns is None else columns
        self._unit = None if columns is None else space.unit(columns)
        self._places = np.ascontiguousarray(space.places[self._columns].T)

    def of(self, rows: Rows) -> _Errors:
        found = on_every_core(self._errors, self._chunks(rows))
        intruding, missing, kept = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return _Errors(intruding=intruding, missing=missing, kept=kept)

    def _chunks(self, rows: Rows) -> Iterator[Rows]:
        step = max(1, _CELLS // len(self._columns))
        for start in range(0, len(rows), step):
            yield rows[start : start + step]

    def _errors(self, rows: Rows) -> tuple[Floats, Floats, Floats]:
        unlike, apart = self._unlikeness(rows), self._distances(rows)
        own = np.searchsorted(self._columns, rows)
        is_there = self._columns[np.minimum(own, len(self._columns) - 1)] == rows
        for far in (unlike, apart):
            far[np.flatnonzero(is_there), own[is_there]] = np.inf
        others = len(self._columns) - is_there
        most = max(self._sizes)
        true_ranks = _ranks(unlike, _nearest(apart, most))
        shown_ranks = _ranks(apart, _nearest(unlike, most))
        columns = []
        for size in self._sizes:
            # Of the `others`, all `size` neighbours are the last ones.
            worst = size * (2 * others - 3 * size + 1) / 2
            columns.append(
                (
                    np.maximum(true_ranks[:, :size] - size, 0).sum(axis=1) / worst,
                    np.maximum(shown_ranks[:, :size] - size, 0).sum(axis=1) / worst,
                    (true_ranks[:, :size] <= size).mean(axis=1),
                )
            )
        intruding, missing, kept = (np.stack(parts, axis=1).astype(np.float32) for parts in zip(*columns, strict=True))
        return intruding, missing, kept

    def _unlikeness(self, rows: Rows) -> Floats:
        unit = self._space.unit(rows)
        cosines = self._space.cosines_with_all(unit) if self._unit is None else unit @ self._unit.T
        # Six digits are what float32 sums agree on: copies are equally near.
        return np.negative(np.round(cosines, 6, out=cosines), out=cosines)

    def _distances(self, rows: Rows) -> Floats:
        """Squared, axis by axis: a matrix product would lose the digits of the near ones."""
        found = np.zeros((len(rows), len(self._columns)), np.float32)
        for axis, values in enumerate(self._places):
            found += (self._space.places[rows, axis, None] - values) ** 2
        return found


def _nearest(far: Floats, count: int) -> Rows:
    """`(m, count)` columns of the smallest, ascending."""
    found = np.argpartition(far, count - 1, axis=1)[:, :count]
    order = np.lexsort((found, np.take_along_axis(far, found, axis=1)), axis=1)
    return np.take_along_axis(found, order, axis=1)


def _ranks(far: Floats, columns: Rows) -> Rows:
    """1 for the nearest; equally near ones share the smaller rank."""
    wanted = np.take_along_axis(far, columns, axis=1)
    ascending = np.sort(far, axis=1)
    return np.stack([np.searchsorted(*row) for row in zip(ascending, wanted, strict=True)]) + 1
