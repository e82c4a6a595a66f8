"""A layout and the same with other seeds → how much of it is not chance."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .vector_files import Vectors

NEIGHBOURS = 10
OTHER_SEEDS = 2
"""So many other layouts it is compared with."""


def stability(places: Vectors, others: Iterable[Vectors]) -> float:
    """The share of each picture's ten nearest in `(n, 2 or 3)` places that are among its ten nearest in the others, on
    average; of n - 1, if that is less. 1: chance decides nothing."""
    count = min(NEIGHBOURS, len(places) - 1)
    near = _nearest(places, count)
    shares = [_shared(near, _nearest(other, count)) for other in others]
    return float(np.mean(shares))


def _nearest(places: Vectors, count: int) -> NDArray[np.int64]:
    """`(n, count)` rows, without the row itself even where others coincide with it."""
    from scipy.spatial import cKDTree

    _, found = cKDTree(places).query(places, k=count + 1, workers=-1)
    is_self = found == np.arange(len(places))[:, None]
    is_self[~is_self.any(axis=1), -1] = True  # among so many in one place that it was not named itself
    others: NDArray[np.int64] = found[~is_self].reshape(len(places), count)
    return others


def _shared(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    return float((first[:, :, None] == second[:, None, :]).any(axis=2).mean())
