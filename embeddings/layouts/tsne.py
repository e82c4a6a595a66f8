"""t-SNE (van der Maaten & Hinton 2008) on a plane, by openTSNE: Barnes-Hut, or FIt-SNE of many."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.reducers.base import first_columns
from embeddings.vector_files import Vectors

from .methods import Problem
from .parameters import Values

_MANY_ROWS = 10_000
"""From here on openTSNE interpolates by itself, and neighbours come of cells."""
_EXAGGERATED, _ITERATIONS = 250, 500
"""openTSNE's defaults (Belkina et al. 2019)."""
_EVERY = 25


def lay_out(problem: Problem, values: Values) -> Vectors:
    from openTSNE import TSNEEmbedding
    from openTSNE.initialization import rescale

    coordinates = problem.coordinates
    count = len(coordinates)
    # Beyond a third of the pictures there are too few neighbours to weigh.
    perplexity = min(float(values["perplexity"]), (count - 1) / 3)
    is_many = count > _MANY_ROWS
    affinities = _affinities(coordinates, perplexity, int(values["seed"]), is_many)
    problem.progress(0.3)
    start = first_columns(coordinates, 2).astype(np.float64)
    start += np.random.default_rng(int(values["seed"])).normal(scale=1e-4 * (start.std() or 1), size=start.shape)
    embedding = TSNEEmbedding(
        rescale(start),
        affinities,
        negative_gradient_method="fft" if is_many else "bh",
        n_jobs=1,  # on several cores the same seed gives other places
        random_state=int(values["seed"]),
        callbacks=_Callback(problem),
        callbacks_every_iters=_EVERY,
    )
    embedding.optimize(_EXAGGERATED, exaggeration=12, momentum=0.8, inplace=True, propagate_exception=True)
    embedding.optimize(_ITERATIONS, momentum=0.8, inplace=True, propagate_exception=True)
    return np.ascontiguousarray(embedding, dtype=np.float32)


def _affinities(coordinates: NDArray[np.float32], perplexity: float, seed: int, is_many: bool) -> Any:
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    count = min(len(coordinates) - 1, int(3 * perplexity))
    if is_many:
        from embeddings.knn_graph import Cells

        cells = Cells.of(coordinates, seed=seed)
        found, apart = cells.nearest(count + 1)
        indices, distances = np.empty((len(found), count), np.int64), np.empty((len(found), count), np.float32)
        indices[cells.order], distances[cells.order] = cells.order[found[:, 1:]], apart[:, 1:]
    else:
        from .nearest import nearest_others

        indices, distances = nearest_others(coordinates, count)
    neighbours = PrecomputedNeighbors(indices.astype(np.int64), distances.astype(np.float64))
    return PerplexityBasedNN(knn_index=neighbours, perplexity=perplexity, n_jobs=1)


class _Callback:
    """Tells how far it is."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._done = 0

    def optimzation_about_to_start(self) -> None:
        """openTSNE looks for a method of this name, which it misspells."""

    def __call__(self, iteration: int, error: float, embedding: Any) -> bool:
        self._done += _EVERY
        self._problem.progress(0.3 + 0.7 * self._done / (_EXAGGERATED + _ITERATIONS))
        return False
