"""Some of many points, spread over all of them: never the first ones."""

import numpy as np
from numpy.typing import NDArray

from embeddings.vector_files import Vectors

_ENOUGH = 2**20
"""Rows among which a sample is chosen: cells of millions are no better spread than cells of some hundreds."""
_CELL = 16
"""Rows of a cell at least, for that."""


def stratified(points: Vectors, count: int, seed: int) -> NDArray[np.int64]:
    """`count` rows of `(n, d)` points in rising order, one at random from each of `count` equally full cells.

    The cells come of halving the widest side at a time (a k-d tree): a dense region gets as many as it has points, and
    a small group far away is not missed.
    """
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    waiting = [(_candidates(len(points), count, random), min(count, len(points)))]
    while waiting:
        rows, share = waiting.pop()
        if share == 1:
            chosen.append(int(random.choice(rows)))
        elif share == len(rows):
            chosen += rows.tolist()
        elif share > 1:
            inside = points[rows]
            axis = int(np.ptp(inside, axis=0).argmax())
            left = share // 2
            # As many points on each side as its share of the sample.
            border = round(len(rows) * left / share)
            order = np.argpartition(inside[:, axis], border)
            waiting += [(rows[order[border:]], share - left), (rows[order[:border]], left)]
    return np.sort(np.array(chosen, np.int64))


def _candidates(total: int, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """All rows, or of very many one at random from each of so many equal stretches."""
    if total <= _ENOUGH or count * _CELL > _ENOUGH:
        return np.arange(total)
    stretch = total / _ENOUGH
    return np.unique(((np.arange(_ENOUGH) + random.random(_ENOUGH)) * stretch).astype(np.int64))
