"""Reducers fitted on a sample of a collection, among which the rest is placed: for one that is too large to be laid out
whole. Its models are the sample's, so that a picture that comes later is compared with no more rows than that."""

import numpy as np
from numpy.typing import NDArray

from embeddings.principal_axes import Standardizer
from embeddings.vector_files import Vectors

from .base import Reducer


def fit_on_sample(
    kind: type[Reducer], standardizer: Standardizer, coordinates: NDArray[np.float32], *, seed: int, sample: int
) -> tuple[Reducer, Vectors]:
    """As `Reducer.fit`, from `sample` of the `(n, k)` coordinates, or from all where there are no more."""
    count = len(coordinates)
    if count <= sample:
        return kind.fit(standardizer, coordinates, seed=seed)
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(seed).choice(count, sample, replace=False)] = True
    reducer, fitted = kind.fit(standardizer, coordinates[chosen], seed=seed)
    places = np.empty((count, fitted.shape[1]), np.float32)
    places[chosen] = fitted
    places[~chosen] = reducer.place_many(coordinates[~chosen])
    return reducer, places
