"""Features → clusters of pictures that are like each other, on up to three levels, by density on the neighbour graph.

Network features spread over so many dimensions that hardly any place in them is dense. As EVoC does, the graph of
nearest neighbours is laid out in few dimensions first, here by UMAP's forces, and density is measured there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .ordering import ChosenRows, order_by_content
from .principal_axes import FeatureChunks, Standardizer
from .reducers import SEED
from .vector_files import Vectors

VERSION = 1
"""Raised when the same features would get other clusters."""
LEAST_PICTURES = 20
"""Among fewer different ones there is nothing to tell apart."""
COUNTS = ((2, 12), (13, 50), (51, 200))
"""Clusters of a level, at least and at most, the coarsest first. A level that would lie outside is left out."""
_NEIGHBOURS = 15
_CURVE = (1.93280839734315, 0.7904949732233831)
"""UMAP's a and b for a min_dist of 0 (`umap.umap_.find_ab_params(1.0, 0.0)`): copies may lie in one place."""
_EPOCHS, _EPOCHS_OF_MANY, _MANY = 200, 100, 20_000


@dataclass(frozen=True, kw_only=True)
class Level:
    """Clusters of n pictures. Their ids are 0 … c - 1, the largest first; of equally large ones the order depends on
    the features of their medoids, not on their rows."""

    labels: NDArray[np.int32]
    """`(n,)` each picture's cluster; -1 for one between clusters."""
    sizes: NDArray[np.int32]
    """`(c,)`"""
    medoids: NDArray[np.int32]
    """`(c,)` the row of the picture that is nearest to the cluster's mean."""
    parents: NDArray[np.int32]
    """`(c,)` the cluster of the level before in which each lies wholly; -1 where it lies in none, as on the first."""


def find(blocks: FeatureChunks, on_step: Callable[[str], object] = lambda step: None) -> list[Level]:
    """Clusters of `(n, d)` features, level by level, the coarsest first; no level for fewer than 20 different pictures.

    The result does not depend on the order of the rows. 202,599 × 2048 take most of a minute on two cores.
    """
    from .density_tree import DensityTree

    distinct, rows = order_by_content(chain.from_iterable(blocks))
    if len(distinct) < LEAST_PICTURES:
        return []
    on_step("principal axes")
    sorted_blocks = ChosenRows(blocks, distinct)
    coordinates = Standardizer.fit(sorted_blocks).project_all(sorted_blocks)
    on_step("neighbours")
    places = _embedded(coordinates)
    on_step("clusters")
    tree = DensityTree.of(places)
    levels: list[Level] = []
    for minimum in tree.minimum_sizes(COUNTS):
        labels = tree.labels(tree.leaves(minimum))
        levels.append(_level(labels, coordinates, distinct, rows, levels[-1].labels if levels else None))
    return levels


def _embedded(coordinates: NDArray[np.float32]) -> Vectors:
    """`(n, k)` → `(n, 3)` places in which neighbours lie together, in general position."""
    from .knn_graph import Cells
    from .reducers.base import first_three_columns
    from .umap_layout import lay_out, memberships

    count = len(coordinates)
    cells = Cells.of(coordinates, seed=SEED)
    neighbours = min(_NEIGHBOURS, count)
    graph = memberships(cells, neighbours, SEED)
    start = first_three_columns(cells.points)
    start *= 10 / (float(np.abs(start).max()) or 1.0)
    start += np.random.default_rng(SEED).normal(scale=1e-4, size=start.shape)
    a, b = _CURVE
    places = np.empty_like(start)
    epochs = _EPOCHS if count <= _MANY else _EPOCHS_OF_MANY
    places[cells.order] = lay_out(graph, start, a=a, b=b, epochs=epochs, seed=SEED)
    return places


def _level(
    labels: NDArray[np.int32],
    coordinates: NDArray[np.float32],
    distinct: NDArray[np.intp],
    rows: NDArray[np.intp],
    above: NDArray[np.int32] | None,
) -> Level:
    """Of the labels of the distinct pictures, in no order yet; `above` are the rows' labels on the level before."""
    count = int(labels.max()) + 1
    medoids = np.array([_medoid(np.flatnonzero(labels == cluster), coordinates) for cluster in range(count)])
    sizes = np.bincount(labels[rows] + 1, minlength=count + 1)[1:]
    order = np.lexsort((medoids, -sizes))
    renamed = np.empty(count + 1, np.int32)
    renamed[order], renamed[-1] = np.arange(count), -1
    of_medoids = distinct[medoids[order]]
    return Level(
        labels=renamed[labels[rows]],
        sizes=sizes[order].astype(np.int32),
        medoids=of_medoids.astype(np.int32),
        parents=np.full(count, -1, np.int32) if above is None else above[of_medoids],
    )


def _medoid(members: NDArray[np.intp], coordinates: NDArray[np.float32]) -> int:
    """The member with the least sum of squared distances to the others: the one nearest to their mean."""
    own = coordinates[members]
    return int(members[np.square(own - own.mean(axis=0)).sum(axis=1).argmin()])


def warm_up() -> None:
    """Compile what `find` compiles at first use, or load it from numba's cache."""
    find([np.random.default_rng(SEED).normal(size=(60, 30)).astype(np.float32)])
