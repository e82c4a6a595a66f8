"""What a field says of the pictures → a graph of memberships in which those that share a value hold together, as
umap-learn supervises UMAP.

It differs from umap-learn in two things. Numbers may be missing: such a picture keeps its own neighbours. And where all
neighbours of a picture have another value, the largest weights leave it among them, where umap-learn's rounding to zero
would leave it without a place.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from embeddings.kernels import import_umap

Metric = Literal["categorical", "l2"]

_FARTHEST = 80.0
"""Between categories: e^-80 of a membership is still a float32."""
_ROWS = 10_000
"""Whose nearest numbers are found at a time."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a layout is supervised by."""

    values: NDArray[np.int64] | NDArray[np.float64]
    """`(n,)` codes of categories, -1 where there is none; or numbers, NaN where there is none."""
    metric: Metric
    weight: float
    """0 … 1: how much it counts beside the pictures. 0.5 as umap-learn has it."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """`(n,)` which pictures have a value."""
        return self.values >= 0 if self.metric == "categorical" else ~np.isnan(self.values)

    def at(self, rows: NDArray[np.integer[Any]]) -> Self:
        return replace(self, values=self.values[rows])

    def of_distinct(self, rows: NDArray[np.intp], count: int) -> Self:
        """Of `count` distinct pictures; `rows` says which of them each of the n is. One whose copies have different
        values has none."""
        known = self.known
        least, most = (np.full(count, end) for end in (np.inf, -np.inf))
        np.minimum.at(least, rows[known], self.values[known])
        np.maximum.at(most, rows[known], self.values[known])
        missing = -1 if self.metric == "categorical" else np.nan
        values: Any = np.where(least == most, least, missing).astype(self.values.dtype)
        return replace(self, values=values)


def supervised(graph: Any, target: Target, neighbours: int, seed: int) -> Any:
    """A symmetric `(n, n)` graph of memberships and what is known of the same n pictures → another such graph."""
    parts = import_umap().umap_
    if target.metric == "categorical":
        far = min(2.5 / (1 - target.weight), _FARTHEST) if target.weight < 1 else _FARTHEST
        return parts.discrete_metric_simplicial_set_intersection(graph, target.values, far_dist=far)
    numbers = _graph_of_numbers(target, neighbours, seed)
    return parts.reset_local_connectivity(parts.general_simplicial_set_intersection(graph, numbers, target.weight))


def _graph_of_numbers(target: Target, neighbours: int, seed: int) -> Any:
    """Memberships by the numbers alone; without edges where they are not known."""
    from scipy.sparse import csr_array

    rows = np.flatnonzero(target.known)
    values = target.values[rows].astype(np.float64)
    count = min(neighbours, len(rows))
    found, apart = nearest_numbers(values, count)
    graph, _, _ = import_umap().umap_.fuzzy_simplicial_set(
        values[:, None],
        count,
        np.random.RandomState(seed),
        "euclidean",
        knn_indices=found,
        knn_dists=apart,
        apply_set_operations=False,  # as umap-learn has it: both directions meet in the intersection
    )
    graph = graph.tocoo()
    size = len(target.values)
    return csr_array((graph.data, (rows[graph.row], rows[graph.col])), shape=(size, size))


def nearest_numbers(values: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each of n numbers and its `count - 1` nearest others → `(n, count)` rows and distances; itself comes first."""
    order = np.argsort(values, kind="stable")
    total = len(values)
    steps = np.argsort(np.abs(np.arange(-count + 1, count)), kind="stable") - (count - 1)
    found, apart = np.empty((total, count), np.int64), np.empty((total, count), np.float32)
    for start in range(0, total, _ROWS):
        places = np.arange(start, min(start + _ROWS, total))[:, None] + steps
        inside = (places >= 0) & (places < total)
        places = places.clip(0, total - 1)
        far = np.where(inside, np.abs(values[order[places]] - values[order[places[:, :1]]]), np.inf)
        nearest = np.argsort(far, axis=1, kind="stable")[:, :count]
        own = order[start : start + _ROWS]
        found[own] = order[np.take_along_axis(places, nearest, axis=1)]
        apart[own] = np.take_along_axis(far, nearest, axis=1)
    return found, apart
