"""Features → who is near whom, by cosine: exactly among few, by an index on disk among many.

Whatever proposes the candidates, similarities are computed from the float32 features themselves, and ties go to the
lower row: the same question always has the same answer, whatever else is asked.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .extractors import Features
from .neighbour_index import SEED, Index, build, unit
from .principal_axes import FeatureChunks

EXACT_ROWS = 5_000
"""Up to here every row is looked at: some milliseconds."""

_CANDIDATES, _LEAST_CANDIDATES = 10, 200
"""For each neighbour wanted, how many are proposed for the exact measurement, and how many at least."""
_BLOCK = 1000
"""Rows that are compared with others at once."""


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """The nearest rows, the nearest first."""

    rows: NDArray[np.int64]
    similarities: NDArray[np.float32]
    """Cosines: 1 for the same direction."""


class SupportsNearest(Protocol):
    """Finds neighbours among the pictures of a collection."""

    def vector(self, row: int) -> NDArray[np.float32]:
        """The `(d,)` features of a picture."""
        ...

    def nearest(self, query: NDArray[np.float32], count: int, *, without: int | None = None) -> SearchResult:
        """At most `count` rows nearest to the `(d,)` features of a picture; `without` names a row to leave out."""
        ...


class NeighbourSearch:
    """Finds the rows of `(n, d)` features, given in blocks, that are nearest to a picture."""

    def __init__(self, blocks: FeatureChunks, folder: Path | None = None) -> None:
        """`folder` holds an index that `build` made of the same blocks or of the first rows of them, or none."""
        # Plain views: of a memory map, every row that is taken would be an object of its own kind.
        self._blocks = [np.asarray(block) for block in blocks]
        self._starts: list[int] = np.cumsum([0, *(len(block) for block in self._blocks)]).tolist()
        self._count = self._starts[-1]
        self._index: Index | None = None
        if folder is not None and self._count > EXACT_ROWS:
            self._index = Index.open(folder, (self._count, self._blocks[0].shape[1]))

    def vector(self, row: int) -> NDArray[np.float32]:
        """`(d,)`"""
        block = bisect_right(self._starts, row) - 1
        found: NDArray[np.float32] = self._blocks[block][row - self._starts[block]]
        return found

    def vectors(self, rows: Iterable[int]) -> Features:
        """`(m, d)`"""
        return np.stack([self.vector(row) for row in rows])

    def nearest(self, query: NDArray[np.float32], count: int, *, without: int | None = None) -> SearchResult:
        wanted = count + (without is not None)
        if self._index is not None:
            proposed = self._index.candidates(query, candidates(wanted))
            rows = np.concatenate([proposed, np.arange(self._index.count, self._count)])
            close = self.vectors(rows)
            similarities = cosines_to(query, close)
        else:
            rows = np.arange(self._count)
            similarities = np.concatenate([cosines_to(query, block) for block in self._blocks])
        return ranked(rows, similarities, count, without)


def candidates(wanted: int) -> int:
    """How many rows are proposed for the exact measurement where so many neighbours are wanted."""
    return max(_CANDIDATES * wanted, _LEAST_CANDIDATES)


def ranked(
    rows: NDArray[np.int64], similarities: NDArray[np.float32], count: int, without: int | None = None
) -> SearchResult:
    """The best `count` of the proposed rows but one; of equally near ones the lower row."""
    if without is not None:
        keep = rows != without
        rows, similarities = rows[keep], similarities[keep]
    order = np.lexsort((rows, -similarities))[:count]
    return SearchResult(rows=rows[order], similarities=similarities[order])


def build_if_missing(blocks: FeatureChunks, folder: Path, on_build: Callable[[], object] = lambda: None) -> None:
    """Make the index where there are so many rows that it is of use, and `folder` has none of them yet."""
    shape = sum(len(block) for block in blocks), blocks[0].shape[1]
    if shape[0] > EXACT_ROWS and Index.open(folder, shape) is None:
        on_build()
        build(blocks, folder)


def cosines(first: Features, second: Features) -> NDArray[np.float32]:
    """`(n,)` of row k of the one and row k of the other."""
    rounded: NDArray[np.float32] = np.round(np.einsum("ij,ij->i", unit(first), unit(second)), 6)
    return rounded


def pairs(features: Features, least: float) -> list[tuple[int, int, float]]:
    """Rows `(i, j, cosine)`, i < j, of at most some thousands that are at least so similar; the most similar first."""
    scaled = unit(features)
    similarities = scaled @ scaled.T
    first, second = np.nonzero(np.triu(similarities >= least, 1))
    values = similarities[first, second]
    order = np.lexsort((second, first, -values))
    return [(int(first[k]), int(second[k]), float(values[k])) for k in order]


def nearest_of_all(blocks: FeatureChunks, count: int, folder: Path | None = None) -> tuple[NDArray[np.int64], Features]:
    """Each row's `count` nearest others → `(n, count)` rows and cosines, the nearest first; of n - 1, if that is less.

    Many rows, of which `folder` holds an index, are searched for in the cells around each: a few in a hundred are not
    the very nearest then. 202,599 × 2048 take 42 s on two cores, and a gigabyte of memory.
    """
    total = sum(len(block) for block in blocks)
    count = min(count, total - 1)
    index = Index.open(folder, (total, blocks[0].shape[1])) if folder is not None and total > EXACT_ROWS else None
    if index is not None:
        from .knn_graph import Cells

        cells = Cells.of(np.concatenate([index.directions.coordinates(block) for block in blocks]), seed=SEED)
        places, _ = cells.nearest(count + 1)
        candidates = np.empty((total, count), np.int64)
        candidates[cells.order] = cells.order[places[:, 1:]]
        return _measured(blocks, candidates)
    rows, similarities = [], []
    scaled = np.concatenate([unit(block) for block in blocks])
    for start in range(0, total, _BLOCK):
        part = np.round(scaled[start : start + _BLOCK] @ scaled.T, 6)
        part[np.arange(len(part)), start + np.arange(len(part))] = -np.inf
        order = np.argsort(-part, axis=1, kind="stable")[:, :count]
        rows.append(order)
        similarities.append(np.take_along_axis(part, order, axis=1))
    return np.concatenate(rows), np.concatenate(similarities)


def _measured(blocks: FeatureChunks, candidates: NDArray[np.int64]) -> tuple[NDArray[np.int64], Features]:
    """The same rows sorted by their true cosines, and these."""
    finder = NeighbourSearch(blocks)
    similarities = np.empty(candidates.shape, np.float32)
    for start in range(0, len(candidates), _BLOCK):
        asked = candidates[start : start + _BLOCK]
        own = unit(finder.vectors(range(start, start + len(asked))))
        for place in range(asked.shape[1]):
            others = finder.vectors(asked[:, place].tolist())
            similarities[start : start + _BLOCK, place] = cosines(own, others)
    order = np.lexsort((candidates, -similarities), axis=1)
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(similarities, order, axis=1)


def outlier_scores(similarities: Features) -> NDArray[np.float32]:
    """`(n, k)` cosines of each row and its nearest others → `(n,)` mean distance (1 − cosine): high for one that is
    like no other; 0 where there are no others."""
    if not similarities.shape[1]:
        return np.zeros(len(similarities), np.float32)
    mean: NDArray[np.float32] = np.maximum(1 - similarities, 0).mean(axis=1)
    return mean


def cosines_to(query: NDArray[np.float32], features: Features) -> NDArray[np.float32]:
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    cosines = (features @ query) / np.where(lengths > 0, lengths, 1)
    # Six digits are what float32 sums agree on in any order: equal pictures come out equally near.
    rounded: NDArray[np.float32] = np.round(cosines, 6).astype(np.float32)
    return rounded
