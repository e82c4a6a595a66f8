"""New points in a layout that is there, each by the points that are nearest to it, whatever others come with it:
between these, or from there where UMAP's forces bring it. Points that were there stay."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extractors import Features
from .kernels import import_umap
from .vector_files import Vectors

_EPOCHS = 100
_POINTS_A_CELL, _PROBES = 100, 32
_FEW = 4
"""With fewer neighbours there is nothing to weigh."""
_STEPS = 50


class NearestOfMany:
    """Which of `(n, k)` points are nearest to others, and how far: an inverted file (faiss's IVF) of the points as they
    are, of which the cells around each are searched."""

    def __init__(self, points: NDArray[np.float32], count: int) -> None:
        import faiss  # half of what it has is unknown to its own type hints

        self._count = count
        cells = max(1, min(int(4 * len(points) ** 0.5), len(points) // _POINTS_A_CELL))
        self._index: Any = faiss.index_factory(points.shape[1], f"IVF{cells},Flat")
        self._index.train(points)
        self._index.add(points)
        faiss.extract_index_ivf(self._index).nprobe = min(_PROBES, cells)

    def of(self, queries: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """`(m, k)` → `(m, count)` indices and distances, nearest first."""
        squares, found = self._index.search(np.ascontiguousarray(queries), self._count)
        # Cells with hardly a point in them: the nearest that was found stands for those that are missing.
        found = np.where(found < 0, found[:, :1], found)
        distances = np.sqrt(np.where(squares < 3e38, np.maximum(squares, 0), squares[:, :1]))
        return found.astype(np.int32), distances.astype(np.float32)


def between(places: Vectors, indices: NDArray[np.integer[Any]], weights: NDArray[np.float32]) -> Vectors:
    """`(n, d)` places, `(m, k)` which of them are nearest and what each weighs → `(m, d)` geometric medians (Weiszfeld
    1937).

    Unlike a mean, it does not lie between the groups that some of them are in, among pictures of neither.
    """
    median, near = _mean(places, indices, weights), places[indices]
    for _ in range(_STEPS):
        apart = np.linalg.norm(near - median[:, None], axis=2)
        closeness = weights / np.maximum(apart, 1e-3 * apart.max(axis=1, keepdims=True) + 1e-12)
        shares = closeness / closeness.sum(axis=1, keepdims=True)
        median = np.einsum("ij,ijk->ik", shares, near)
    return np.ascontiguousarray(median, dtype=np.float32)


def drawn(
    places: Vectors, indices: NDArray[np.integer[Any]], weights: NDArray[np.float32], a: float, b: float, seed: int
) -> Vectors:
    """The same by means, moved from there as umap-learn's `transform` does; `a` and `b` are UMAP's curve."""
    umap = import_umap()
    rows, columns = np.nonzero(weights)
    strengths = weights[rows, columns]
    moved = umap.layouts.optimize_layout_euclidean(
        _mean(places, indices, weights),
        places.astype(np.float32, copy=True),
        rows.astype(np.int32),
        indices[rows, columns].astype(np.int32),
        _EPOCHS,
        len(places),
        umap.umap_.make_epochs_per_sample(strengths, _EPOCHS),
        a,
        b,
        np.random.RandomState(seed).randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64),
        initial_alpha=0.25,
        negative_sample_rate=5,
    )
    return np.ascontiguousarray(moved, dtype=np.float32)


def settled(
    places: Vectors, indices: NDArray[np.integer[Any]], weights: NDArray[np.float32], a: float, b: float, seed: int
) -> Vectors:
    """The same for very many, on every core, by this project's layout step, in which points without edges stay. They
    also push each other away, so that a place depends on what else is placed."""
    from scipy.sparse import csr_matrix

    from .umap_layout import lay_out

    fixed, count = len(places), len(places) + len(indices)
    rows, columns = np.nonzero(weights)
    edges = (weights[rows, columns], (rows + fixed, indices[rows, columns]))
    start = np.concatenate([places, _mean(places, indices, weights)])
    graph = csr_matrix(edges, shape=(count, count))
    return lay_out(graph, start, a=a, b=b, epochs=_EPOCHS // 2, seed=seed)[fixed:]


def distances_of(cosines: Features) -> NDArray[np.float32]:
    """Between vectors of length 1."""
    return np.sqrt(np.maximum(2 - 2 * cosines, 0)).astype(np.float32)


def weights_of(indices: NDArray[np.integer[Any]], distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(m, k)` nearest neighbours, nearest first, and how far they are → UMAP's memberships, scaled row by row, where
    umap-learn scales them by the batch's largest. Of few neighbours the nearest alone counts."""
    if indices.shape[1] < _FEW:
        alone = np.zeros(indices.shape, np.float32)
        alone[:, 0] = 1
        return alone
    parts = import_umap().umap_
    indices = indices.astype(np.int32)
    # Not 0 as umap has it: then it measures by the mean of the whole batch, and where all neighbours coincide with the
    # picture it reads past the end of an empty array.
    sigmas, rhos = parts.smooth_knn_dist(distances, float(indices.shape[1]), local_connectivity=1e-6)
    _, _, found, _ = parts.compute_membership_strengths(indices, distances, sigmas, rhos, bipartite=True)
    weights: NDArray[np.float32] = found.reshape(indices.shape)
    weights /= weights.max(axis=1, keepdims=True)
    weights[weights < 1 / _EPOCHS] = 0
    return weights


def _mean(places: Vectors, indices: NDArray[np.integer[Any]], weights: NDArray[np.float32]) -> Vectors:
    shares = weights / weights.sum(axis=1, keepdims=True)
    mean: Vectors = np.einsum("ij,ijk->ik", shares, places[indices]).astype(np.float32)
    return mean
