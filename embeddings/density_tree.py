"""Points in three dimensions → nested clusters of several sizes, by density.

Single linkage of mutual reachability distances (HDBSCAN*, Campello, Moulavi & Sander 2013). Clusters are the leaves of
the tree that is left when parts of fewer than `m` points do not count, and the sizes `m` are those whose leaves
persist longest (PLSCAN: Bot, McInnes & Aerts 2025, arXiv:2512.16558). Leaves for a smaller `m` lie wholly within one
leaf for a larger `m`, or within none. Importing this module compiles nothing yet, but imports numba.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numba
import numpy as np
from numpy.typing import NDArray

from .vector_files import Vectors

LEAST_SIZE = 5
"""Points of the smallest cluster."""
_CORE_NEIGHBOURS = 5
"""The distance to so many others measures the density around a point."""


@dataclass(frozen=True, kw_only=True)
class DensityTree:
    """The single linkage of n points: nodes 0 … n - 1 are the points, 2n - 2 is the root, children come before parents.

    Every node but the root is a leaf for the minimum sizes `births[node] … deaths[node]`; for none where that is empty.
    """

    parents: NDArray[np.int32]
    """`(2n - 1,)`; -1 of the root."""
    sizes: NDArray[np.int32]
    """`(2n - 1,)` points below."""
    births: NDArray[np.int32]
    """`(2n - 1,)` for any smaller minimum size the node divides further, or is below `LEAST_SIZE`."""
    deaths: NDArray[np.int32]
    """`(2n - 1,)` for any larger one it or the node beside it no longer counts."""

    @classmethod
    def of(cls, points: Vectors) -> Self:
        """From `(n, 3)` points in general position, at least 20."""
        first, second = _spanning_tree(points)
        parents, sizes, births, deaths = _linkage(first.astype(np.int32), second.astype(np.int32))
        return cls(parents=parents, sizes=sizes, births=births, deaths=deaths)

    def leaves(self, minimum: int) -> NDArray[np.int64]:
        """`(c,)` nodes of the clusters for one minimum size."""
        return np.flatnonzero((self.births <= minimum) & (minimum <= self.deaths))

    def minimum_sizes(self, counts: Sequence[tuple[int, int]]) -> list[int]:
        """For each pair of bounds the minimum size that gives as many clusters and persists longest, if there is one.

        The sizes fall, and each gives at least twice as many clusters as the one before; bounds must rise.
        """
        alive = np.flatnonzero(self.births <= self.deaths)
        births, deaths = self.births[alive], self.deaths[alive]
        candidates = np.unique(births)
        begin, end = np.searchsorted(candidates, births), np.searchsorted(candidates, deaths, "right")
        clusters = _summed(begin, end, np.ones(len(alive)), len(candidates))
        persistence = _summed(begin, end, (deaths - births + 1).astype(np.float64), len(candidates))
        chosen: list[int] = []
        for least, most in counts:
            fits = (clusters >= least) & (clusters <= most)
            if chosen:
                fits &= (candidates < candidates[chosen[-1]]) & (clusters >= 2 * clusters[chosen[-1]])
            if fits.any():
                chosen.append(int(np.where(fits, persistence, -1).argmax()))
        return [int(candidates[k]) for k in chosen]

    def labels(self, leaves: NDArray[np.int64]) -> NDArray[np.int32]:
        """`(n,)` which of the nodes, 0 … c - 1, each point lies below; -1 for none."""
        labels = np.full(len(self.parents), -1, np.int32)
        labels[leaves] = np.arange(len(leaves), dtype=np.int32)
        _hand_down(labels, self.parents)
        return labels[: (len(labels) + 1) // 2]


def _summed(
    begin: NDArray[np.int64], end: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """`(count,)` sums of the values over the intervals `begin … end - 1`."""
    steps = np.zeros(count + 1)
    np.add.at(steps, begin, values)
    np.subtract.at(steps, end, values)
    return np.cumsum(steps)[:-1]


def _spanning_tree(points: Vectors) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The n - 1 edges of the minimum spanning tree of mutual reachability distances, the shortest first.

    Sought among the edges of the Delaunay triangulation, which hold that of the distances themselves (Preparata &
    Shamos 1985): all pairs would be n².
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial import Delaunay, cKDTree

    count = len(points)
    places = points.astype(np.float64)
    core = cKDTree(places).query(places, k=_CORE_NEIGHBOURS + 1, workers=-1)[0][:, -1]
    corners = Delaunay(places, qhull_options="QJ Pp").simplices.astype(np.int64)
    pairs = [
        np.minimum(corners[:, i], corners[:, j]) * count + np.maximum(corners[:, i], corners[:, j])
        for i in range(4)
        for j in range(i)
    ]
    first, second = np.divmod(np.unique(np.concatenate(pairs)), count)
    apart = np.linalg.norm(places[first] - places[second], axis=1)
    reach = np.maximum(apart, np.maximum(core[first], core[second]))
    reach = np.maximum(reach, 1e-12)  # csgraph takes 0 for no edge
    tree = minimum_spanning_tree(coo_array((reach, (first, second)), shape=(count, count)).tocsr()).tocoo()
    order = np.lexsort((tree.col, tree.row, tree.data))
    return tree.row[order], tree.col[order]


@numba.njit(cache=True)
def _linkage(first, second):  # type: ignore[no-untyped-def]
    """Join the ends of each edge in turn → what `DensityTree` holds."""
    count = len(first) + 1
    parents = np.full(2 * count - 1, -1, np.int32)
    sizes = np.ones(2 * count - 1, np.int32)
    births = np.full(2 * count - 1, LEAST_SIZE, np.int32)
    deaths = np.zeros(2 * count - 1, np.int32)
    above = np.arange(2 * count - 1).astype(np.int32)
    for edge in range(len(first)):
        node = count + edge
        one, other = first[edge], second[edge]
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        while above[other] != other:
            above[other] = above[above[other]]
            other = above[other]
        smaller = min(sizes[one], sizes[other])
        for child in (one, other):
            above[child] = parents[child] = node
            deaths[child] = smaller
        sizes[node] = sizes[one] + sizes[other]
        births[node] = max(births[one], births[other], smaller + 1)
    return parents, sizes, births, deaths


@numba.njit(cache=True)
def _hand_down(labels, parents):  # type: ignore[no-untyped-def]
    """Give every node without a label its parent's."""
    for node in range(len(labels) - 2, -1, -1):
        if labels[node] < 0:
            labels[node] = labels[parents[node]]
