"""The nearest neighbours of every point among many, searched for in the cells around it on every core, reproducibly.

An inverted file (Jégou, Douze & Schmid 2011) of points against themselves. They are put in cells of a few hundred, and
each is compared with those in the cells whose centres lie nearest to it: the work grows with n, not with its square.
Importing this module compiles nothing yet, but imports numba.
"""

from dataclasses import dataclass
from typing import Any, Self

import numba
import numpy as np
from numpy.typing import NDArray

from .cores import on_every_core

Points = NDArray[np.float32]
"""`(n, k)`"""

_CELL = 400
"""Points in a cell, on average; at most twice as many."""
_PROBES = 16
"""Cells that each point is compared with. Its own is one of them."""
_PROBES_OF_OTHERS, _SHARE_FOR_OTHERS = 48, 64
"""The same for points that are not among them, whose neighbours' neighbours nobody asks: so many, or a 64th of all
cells. Of a million made-up ones 99.6 % of the 15 nearest are found, 99.2 % with 32; of ten million 99.9 %, and 94.2 %
with 48 (`python -m benchmarks.scale_rows placing`)."""
_ROUNDS = 2
"""How often each point is compared with its neighbours' neighbours, among which are most of those that it lacks."""
_ROWS = 1024
"""Rows of a matrix product, at most."""
_FAR = np.float32(3e38)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Points sorted by the cell they lie in."""

    order: NDArray[np.int64]
    """`(n,)` which point each of `points` was."""
    points: Points
    """`(n, k)` those of a cell stand together."""
    starts: NDArray[np.int64]
    """`(cells + 1,)` where each cell begins in `points`."""
    centres: Points
    """`(cells, k)`"""

    @classmethod
    def of(cls, points: Points, *, seed: int) -> Self:
        """By two rounds of k-means on a sample. Cells that come out too full are cut in parts, even of copies."""
        random = np.random.default_rng(seed)
        count = max(len(points) // _CELL, 1)
        sample = points[np.sort(random.choice(len(points), min(len(points), 40 * count), replace=False))]
        centres = sample[np.sort(random.choice(len(sample), count, replace=False))]
        for _ in range(2):
            nearest = _nearest_centre(sample, centres)
            order, starts = _sorted_by(nearest, count)
            centres = np.where(np.diff(starts)[:, None] > 0, _means(sample[order], starts), centres)
        order, starts = _sorted_by(_nearest_centre(points, centres), count)
        starts = np.unique(
            np.concatenate(
                [
                    np.linspace(low, high, -(-(high - low) // (2 * _CELL)) + 1).astype(np.int64)
                    for low, high in zip(starts[:-1], starts[1:], strict=True)
                ]
            )
        )
        points = points[order]
        return cls(order=order, points=points, starts=starts, centres=_means(points, starts))

    def nearest(self, count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Each of the sorted points and its `count - 1` nearest others → `(n, count)` places in `points` and distances.

        The point itself comes first, then the others, nearest first. One in a hundred or so is not the very nearest.
        There must be `count` points or more.
        """
        found, scores = _nothing_found(len(self.points), count - 1)
        queries, candidates = _as_queries(self.points), _as_candidates(self.points)
        cells = self._cells_to_search(queries)
        for turn in range(cells.shape[1]):
            order, ends = _sorted_by(cells[:, turn], len(self.centres))

            def search(cell: int, turn: int = turn, order: Any = order, ends: Any = ends) -> None:
                low, high = self.starts[cell], self.starts[cell + 1]
                for start in range(ends[cell], ends[cell + 1], _ROWS):
                    rows = order[start : min(start + _ROWS, ends[cell + 1])]
                    far = queries[rows] @ candidates[low:high].T
                    if turn == 0:
                        far[np.arange(len(rows)), rows - low] = _FAR  # itself
                    _keep_nearest(far, rows, low, found, scores)

            on_every_core(search, range(len(self.centres)))
        lacking = np.flatnonzero(scores[:, -1] == _FAR)  # among cells with hardly a point in them

        def compare_with_all(start: int) -> None:
            rows = lacking[start : start + 64]
            far = queries[rows] @ candidates.T
            far[np.arange(len(rows)), rows] = _FAR
            scores[rows] = _FAR
            _keep_nearest(far, rows, 0, found, scores)

        on_every_core(compare_with_all, range(0, len(lacking), 64))
        neighbours, distances = _measured(self.points, found)
        for _ in range(_ROUNDS):
            neighbours, distances = _improved(self.points, neighbours, distances)
        return neighbours, distances

    def nearest_to(self, others: Points, count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """`(m, k)` points that are not among these → `(m, count)` places in `points` of their nearest, and distances,
        nearest first; each the same, whatever others are asked with it. There must be `count` points or more.

        Where the cells around one have fewer points, its nearest stands for those that are missing.
        """
        cells = len(self.centres)
        probes = min(max(_PROBES_OF_OTHERS, cells // _SHARE_FOR_OTHERS), cells)
        return _nearest_to(self.points, self.starts, self.centres, np.ascontiguousarray(others), probes, count)  # type: ignore[no-any-return]

    def _cells_to_search(self, queries: Points) -> NDArray[np.int32]:
        """`(n, probes)` cells for each point: its own, then those whose centres are nearest to it."""
        own = np.repeat(np.arange(len(self.centres)), np.diff(self.starts))
        cells, scores = _nothing_found(len(queries), min(_PROBES, len(self.centres)))
        centres = _as_candidates(self.centres).T

        def choose(start: int) -> None:
            rows = np.arange(start, min(start + _ROWS, len(queries)))
            far = queries[rows] @ centres
            far[np.arange(len(rows)), own[rows]] = -_FAR
            _keep_nearest(far, rows, 0, cells, scores)

        on_every_core(choose, range(0, len(queries), _ROWS))
        return cells


# |x - y|² falls and rises with y·y / 2 - x·y, which is one product of longer vectors.


def _as_queries(points: Points) -> Points:
    return np.hstack([-points, np.ones((len(points), 1), np.float32)])


def _as_candidates(points: Points) -> Points:
    return np.hstack([points, np.einsum("ij,ij->i", points, points)[:, None] / np.float32(2)])


def _nothing_found(rows: int, count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return np.zeros((rows, count), np.int32), np.full((rows, count), _FAR, np.float32)


def _nearest_centre(points: Points, centres: Points) -> NDArray[np.int64]:
    candidates = _as_candidates(centres).T
    nearest = np.empty(len(points), np.int64)

    def choose(start: int) -> None:
        nearest[start : start + _ROWS] = (_as_queries(points[start : start + _ROWS]) @ candidates).argmin(axis=1)

    on_every_core(choose, range(0, len(points), _ROWS))
    return nearest


def _sorted_by(kinds: NDArray[Any], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows sorted by their kind, 0 … count - 1, and where each kind begins in them."""
    return np.argsort(kinds, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(kinds, minlength=count))])


def _means(points: Points, starts: NDArray[np.int64]) -> Points:
    """The mean of each run of rows; of an empty one, anything."""
    sums = np.add.reduceat(points, np.minimum(starts[:-1], len(points) - 1), axis=0)
    return (sums / np.maximum(np.diff(starts), 1)[:, None]).astype(np.float32)


@numba.njit(fastmath=True, nogil=True, cache=True)
def _keep_nearest(far, rows, first, found, scores):  # type: ignore[no-untyped-def]
    """Put candidates `first`, `first + 1` … into the ascending lists of the rows for which they are near enough."""
    last = found.shape[1] - 1
    width = far.shape[1]
    for position, row in enumerate(rows):
        for start in range(0, width, 32):
            end = min(start + 32, width)
            smallest = np.float32(_FAR)
            for candidate in range(start, end):
                smallest = min(smallest, far[position, candidate])
            if smallest >= scores[row, last]:
                continue
            for candidate in range(start, end):
                score = far[position, candidate]
                if score >= scores[row, last]:
                    continue
                slot = last
                while slot > 0 and scores[row, slot - 1] > score:
                    scores[row, slot], found[row, slot] = scores[row, slot - 1], found[row, slot - 1]
                    slot -= 1
                scores[row, slot], found[row, slot] = score, first + candidate


@numba.njit(parallel=True, fastmath=True, cache=True)
def _measured(points, others):  # type: ignore[no-untyped-def]
    """The same neighbours with the point itself before them, and their distances, measured pair by pair."""
    count, others_each = others.shape
    found = np.empty((count, others_each + 1), np.int32)
    distances = np.zeros((count, others_each + 1), np.float32)
    for point in numba.prange(count):
        found[point, 0] = point
        for position in range(others_each):
            other = others[point, position]
            total = np.float32(0)
            for axis in range(points.shape[1]):
                apart = points[point, axis] - points[other, axis]
                total += apart * apart
            distance = np.float32(np.sqrt(total))
            slot = position + 1
            while slot > 1 and distances[point, slot - 1] > distance:
                distances[point, slot], found[point, slot] = distances[point, slot - 1], found[point, slot - 1]
                slot -= 1
            distances[point, slot], found[point, slot] = distance, other
    return found, distances


@numba.njit(parallel=True, fastmath=True, cache=True)
def _improved(points, found, distances):  # type: ignore[no-untyped-def]
    """What `_measured` gave, with those neighbours' neighbours that are nearer (Dong, Charikar & Li 2011).

    Every point looks at what was found before, not at what others find meanwhile: cores do not matter.
    """
    count, each = found.shape
    better, nearer = found.copy(), distances.copy()
    for point in numba.prange(count):
        for step in range(1, each):
            for turn in range(1, each):
                other = found[found[point, step], turn]
                if other == point:
                    continue
                total = np.float32(0)
                for axis in range(points.shape[1]):
                    apart = points[point, axis] - points[other, axis]
                    total += apart * apart
                distance = np.float32(np.sqrt(total))
                if distance >= nearer[point, each - 1]:
                    continue
                slot = each - 1
                known = False
                for position in range(1, each):
                    known = known or better[point, position] == other
                if known:
                    continue
                while slot > 1 and nearer[point, slot - 1] > distance:
                    nearer[point, slot], better[point, slot] = nearer[point, slot - 1], better[point, slot - 1]
                    slot -= 1
                nearer[point, slot], better[point, slot] = distance, other
    return better, nearer


@numba.njit(parallel=True, fastmath=True, cache=True)
def _nearest_to(points, starts, centres, others, probes, count):  # type: ignore[no-untyped-def]
    """Pair by pair, not by matrix products, whose last bits depend on how many points they have."""
    found = np.zeros((len(others), count), np.int32)
    distances = np.full((len(others), count), _FAR, np.float32)
    for other in numba.prange(len(others)):
        cells, far = np.zeros(probes, np.int64), np.full(probes, _FAR, np.float32)
        _measure(centres, 0, len(centres), others[other], cells, far)
        for cell in np.sort(cells):  # of points as far as each other, the first ones
            _measure(points, starts[cell], starts[cell + 1], others[other], found[other], distances[other])
        for position in range(count):
            if distances[other, position] == _FAR:
                found[other, position], distances[other, position] = found[other, 0], distances[other, 0]
        distances[other] = np.sqrt(distances[other])
    return found, distances


@numba.njit(fastmath=True, cache=True)
def _measure(points, low, high, other, found, squares):  # type: ignore[no-untyped-def]
    """Put points `low` … `high - 1` into the ascending list of those that are nearest to another."""
    last = len(found) - 1
    for point in range(low, high):
        total = np.float32(0)
        for axis in range(points.shape[1]):
            apart = points[point, axis] - other[axis]
            total += apart * apart
        if total >= squares[last]:
            continue
        slot = last
        while slot > 0 and squares[slot - 1] > total:
            squares[slot], found[slot] = squares[slot - 1], found[slot - 1]
            slot -= 1
        squares[slot], found[slot] = total, point
