"""Features → the places of one layout."""

import numpy as np
from numpy.typing import NDArray

from embeddings.ordering import order_by_content
from embeddings.principal_axes import FeatureChunks, Standardizer, standardised
from embeddings.reducers import Umap
from embeddings.vector_files import StackedRows, Vectors

from .methods import Method, Problem, Progress
from .parameters import Values
from .supervision import Target

FEW_ROWS = 10_000
"""Up to here the places depend on nothing but the set of pictures, whatever their order; as in `Pipeline.place`."""


def compute(
    blocks: FeatureChunks, method: Method, values: Values, progress: Progress, target: Target | None = None
) -> Vectors:
    """`(n, d)` features in blocks → `(n, 2 or 3) float32`, supervised by what is known of the n pictures, if given."""
    coordinates, rows = _coordinates(blocks)
    distinct = target and target.of_distinct(rows, len(coordinates))
    places = method.lay_out(Problem(coordinates=coordinates, progress=progress, target=distinct), values)
    return np.ascontiguousarray(places[rows], dtype=np.float32)


def reduced(blocks: FeatureChunks, reducer: type[Umap], seed: int) -> Vectors:
    """`(n, d)` features in blocks → `(n, 3) float32`, as the reducer places what it is fitted on."""
    standardizer, coordinates, rows = standardised(StackedRows(blocks))
    _, places = reducer.fit(standardizer, coordinates, seed=seed)
    return places[rows]


def _coordinates(blocks: FeatureChunks) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """`(m, k)` principal coordinates of distinct pictures, and which of them each of the n is."""
    if sum(len(block) for block in blocks) > FEW_ROWS:
        coordinates = Standardizer.fit(blocks).project_all(blocks)
        return coordinates, np.arange(len(coordinates))
    features = np.concatenate(blocks)
    chosen, rows = order_by_content(features)
    standardizer = Standardizer.fit([features[chosen[np.sort(rows)]]])
    return standardizer.project(features[chosen]), rows
