"""Places on a plane → cells of a lattice: every picture in a cell of its own, near those that it was near.

A linear assignment of pictures to cells that moves them least, in squared distance, after the places are scaled to the
lattice. Up to `EXACT_ROWS` it is solved exactly. Of more, pictures and cells are halved together, as a k-d tree halves
points, until each part is small; each part is solved exactly, and then windows of the lattice that lie across the edges
of the parts are solved again, which can only shorten the way. Cells are numbered row by row from the top left, and the
last row alone may be short, so that nothing is left out between.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cores import on_every_core
from .vector_files import Vectors

EXACT_ROWS = 2_000
"""Some seconds; the time grows with the third power."""
_PART = 60
"""Cells of a part, at most. Larger parts take far longer and shorten the way little."""
_WINDOW = 8
"""Rows and columns of a window."""
_SWEEPS = 8
"""How often all windows are solved again, each time shifted by half a window. Of 2,000 pictures in 40 clusters the mean
squared way then is 3 to 4 % longer than the shortest."""


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """So many cells, row by row."""

    count: int
    columns: int

    @classmethod
    def of(cls, count: int, aspect: float) -> "Lattice":
        """With about `aspect` columns for each row."""
        return cls(count=count, columns=min(max(1, math.ceil(math.sqrt(count * aspect))), max(count, 1)))

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    def cells(self) -> NDArray[np.float32]:
        """`(count, 2)`: where each cell's middle lies, right and up, around the origin, one apart."""
        row, column = np.divmod(np.arange(self.count), self.columns)
        cells: NDArray[np.float32] = np.stack([column - (self.columns - 1) / 2, (self.rows - 1) / 2 - row], axis=1)
        return cells.astype(np.float32)


def lay_out(places: Vectors, aspect: float, *, exact: bool | None = None) -> Vectors:
    """`(n, 2)` or `(n, 3)` places → `(n, 2) float32` cells, one apart, each taken once.

    Of places in space, their two widest directions. `exact` overrides the choice by `EXACT_ROWS`.
    """
    count = len(places)
    lattice = Lattice.of(count, aspect)
    cells = lattice.cells()
    if count < 2:
        return cells
    wanted = _scaled(_flattened(places), cells)
    if exact if exact is not None else count <= EXACT_ROWS:
        chosen = _assigned(wanted, cells)
    else:
        chosen = _halved(wanted, cells)
        for sweep in range(_SWEEPS):
            _improve(chosen, wanted, cells, lattice, shift=sweep % 4)
    return np.ascontiguousarray(cells[chosen])


def cost(places: Vectors, found: Vectors) -> float:
    """The mean squared way, in cells, from the scaled places to the cells that `lay_out` found."""
    return float(np.square(_scaled(_flattened(places), found) - found).sum(axis=1).mean())


def _flattened(places: Vectors) -> NDArray[np.float64]:
    """On a plane: as they are, or of places in space along their two widest directions, by falling variance."""
    centred = np.asarray(places, np.float64) - np.mean(places, axis=0, dtype=np.float64)
    if centred.shape[1] == 2:
        return centred
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, :0:-1]
    largest = np.abs(axes).argmax(axis=0)
    flat: NDArray[np.float64] = centred @ (axes * np.where(axes[largest, [0, 1]] < 0, -1.0, 1.0))
    return flat


def _scaled(places: NDArray[np.float64], cells: Vectors) -> NDArray[np.float32]:
    """With the middle and the spread, in each direction, that the cells have."""
    spread = places.std(axis=0)
    scale = cells.std(axis=0, dtype=np.float64) / np.where(spread > 0, spread, 1)
    scaled = (places - places.mean(axis=0)) * scale + cells.mean(axis=0, dtype=np.float64)
    wanted: NDArray[np.float32] = scaled.astype(np.float32)
    return wanted


def _assigned(wanted: NDArray[np.float32], cells: NDArray[np.float32]) -> NDArray[np.int64]:
    """Which of as many cells each gets, moving all least (Crouse 2016, by SciPy)."""
    from scipy.optimize import linear_sum_assignment

    # |w - c|² but for what is the same in every assignment.
    _, chosen = linear_sum_assignment(-(wanted @ cells.T))
    found: NDArray[np.int64] = chosen
    return found


def _halved(wanted: NDArray[np.float32], cells: NDArray[np.float32]) -> NDArray[np.int64]:
    """Parts of pictures and of cells, halved together, each assigned exactly."""
    chosen = np.empty(len(wanted), np.int64)

    def assign(part: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
        rows, free = part
        chosen[rows] = free[_assigned(wanted[rows], cells[free])]

    on_every_core(assign, _parts(wanted, cells))
    return chosen


def _parts(
    wanted: NDArray[np.float32], cells: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    everything = np.arange(len(wanted))
    waiting = [(everything, everything)]
    while waiting:
        rows, free = waiting.pop()
        if len(rows) <= _PART:
            yield rows, free
            continue
        axis = int(np.ptp(cells[free], axis=0).argmax())
        half = len(rows) // 2
        # Ties by the other direction, then by the row's number: copies lie in one order whatever computes it.
        rows = rows[np.lexsort((rows, wanted[rows, 1 - axis], wanted[rows, axis]))]
        free = free[np.lexsort((cells[free, 1 - axis], cells[free, axis]))]
        waiting += [(rows[half:], free[half:]), (rows[:half], free[:half])]


def _improve(
    chosen: NDArray[np.int64],
    wanted: NDArray[np.float32],
    cells: NDArray[np.float32],
    lattice: Lattice,
    *,
    shift: int,
) -> None:
    """Solve each window of the lattice again, in place; `shift` 0 … 3 moves them by half a window."""
    holder = np.empty(lattice.count, np.int64)
    holder[chosen] = np.arange(lattice.count)
    row, column = np.divmod(np.arange(lattice.count), lattice.columns)
    half = _WINDOW // 2
    window = (row + half * (1 - shift % 2)) // _WINDOW * (lattice.columns // _WINDOW + 2)
    window += (column + half * (1 - shift // 2)) // _WINDOW
    order = np.argsort(window, kind="stable")
    edges = np.flatnonzero(np.diff(window[order])) + 1

    def assign(free: NDArray[np.int64]) -> None:
        rows = holder[free]
        chosen[rows] = free[_assigned(wanted[rows], cells[free])]

    on_every_core(assign, np.split(order, edges))
