"""Features in an order that depends on nothing but themselves: what is fitted on a set then depends on the set alone.

UMAP starts and moves its points one after the other: the same rows in another order, as files with other names come,
would get another layout.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def order_by_content(features: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Features, `(n, d)` or row by row → which rows to fit on, and which of those each row is.

    The first, `(m,)`, names every distinct row once, in the order of their digests; `features[first][second]` are the
    features again. Rows that are equal to the bit, as copies of a picture have, so get one and the same place.
    """
    digests = np.array([hashlib.sha256(row.tobytes()).digest() for row in features], dtype="S32")
    _, chosen, rows = np.unique(digests, return_index=True, return_inverse=True)
    return chosen, rows
