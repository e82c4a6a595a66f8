"""Features in an order that depends on nothing but themselves: what is fitted on a set then depends on the set alone.

UMAP starts and moves its points one after the other: the same rows in another order, as files with other names come,
would get another layout.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extractors import Features
from .vector_files import StackedRows

AT_ONCE = 1000
"""Chosen rows that are in memory at a time, of more than so many."""


class ChosenRows(Sequence[Features]):
    """Chosen rows of features that come in blocks and may be memory-mapped, some at a time."""

    def __init__(self, blocks: Sequence[Features | StackedRows], rows: NDArray[np.intp]) -> None:
        self._blocks, self._rows = blocks, rows
        self._starts = np.cumsum([0, *(len(block) for block in blocks)])

    def __len__(self) -> int:
        return -(-len(self._rows) // AT_ONCE)

    def __getitem__(self, part: Any) -> Any:
        if part >= len(self):
            raise IndexError(part)
        rows = self._rows[part * AT_ONCE : (part + 1) * AT_ONCE]
        if len(self._blocks) == 1:
            return self._blocks[0][rows]
        taken = np.empty((len(rows), self._blocks[0].shape[1]), np.float32)
        which = np.searchsorted(self._starts, rows, "right") - 1
        for place, (block, row) in enumerate(zip(which, rows, strict=True)):
            taken[place] = self._blocks[block][row - self._starts[block]]
        return taken


def order_by_content(
    features: Iterable[NDArray[np.float32]] | StackedRows,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Features, `(n, d)` or row by row → which rows to fit on, and which of those each row is.

    The first, `(m,)`, names every distinct row once, in the order of their digests; `features[first][second]` are the
    features again. Rows that are equal to the bit, as copies of a picture have, so get one and the same place.
    """
    digests = np.array([hashlib.sha256(row.tobytes()).digest() for row in features], dtype="S32")
    _, chosen, rows = np.unique(digests, return_index=True, return_inverse=True)
    return chosen, rows
