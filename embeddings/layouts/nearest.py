"""Exact nearest neighbours among some thousands of points, measured pair by pair: batches do not matter."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


def nearest_others(points: Points, count: int) -> tuple[NDArray[np.int64], Points]:
    """Each of `(n, k)` points' `count` nearest others → `(n, count)` rows and distances, the nearest first."""
    from sklearn.neighbors import NearestNeighbors

    # Without a query, scikit-learn leaves each point itself out.
    found = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points).kneighbors(return_distance=False)
    apart = np.empty(found.shape, np.float32)
    for start in range(0, len(points), 1000):
        rows = slice(start, start + 1000)
        apart[rows] = np.linalg.norm(points[found[rows]] - points[rows, None, :], axis=2)
    order = np.lexsort((found, apart), axis=1)
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(apart, order, axis=1)
