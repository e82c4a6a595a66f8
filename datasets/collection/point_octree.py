"""Points → the nodes of an octree that a viewer loads by level of detail.

Each point is in exactly one node. A node that has more than `CAPACITY` points below it holds an evenly spread sample of
them and leaves the others to its children, so that a viewer draws a node together with all of its ancestors, as potree
does. Cells are those of Morton codes, 21 levels deep; what lies in one cell of the last level, such as many copies of a
point, becomes a chain of nodes.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.vector_files import BadVectors, Vectors

CAPACITY = 16_384
"""Points of a node at most: 213 kB with colours, a request's worth, and 600 nodes for 10⁷ points at least."""
_LEVELS = 21
"""Of cells: three bits each, 63 in all."""
_POWERS = np.array([8**level for level in range(_LEVELS)], np.uint64)
_BLOCK = 2**18
"""Rows that are converted at a time."""

Rows = NDArray[np.uint32]


@dataclass(frozen=True, kw_only=True)
class Node:
    parent: int
    """The number of its parent, which comes before it; -1 of the root."""
    box: NDArray[np.float32]
    """`(2, 3)`: the least and the greatest coordinates of its points and of all below it."""
    rows: Rows
    """Of its own points."""


def octree(places: Vectors, capacity: int = CAPACITY) -> Iterator[Node]:
    """`(n, 3) float32` → nodes, breadth first: what is seen from afar comes first. The same for the same points.

    Takes O(n log n) and about 60 bytes a point. Raises `BadVectors` for no points and for places that are not finite.
    """
    codes, order = _sorted_codes(places)
    total = len(order)
    priorities = np.random.default_rng(0).permutation(total).astype(np.uint32)
    queue = deque([(-1, 0, np.arange(total, dtype=np.uint32))])
    number = 0
    while queue:
        parent, level, members = queue.popleft()
        rows = order[members]
        box = _box(places, rows)
        if len(members) <= capacity:
            yield Node(parent=parent, box=box, rows=rows)
        else:
            taken = _sample(codes[members], priorities[members], capacity)
            yield Node(parent=parent, box=box, rows=rows[taken])
            queue.extend((number, level + 1, left) for left in _split(members[~taken], codes, level))
        number += 1


def _sorted_codes(places: Vectors) -> tuple[NDArray[np.uint64], Rows]:
    """Morton codes in rising order, and the rows that they are of."""
    if not len(places):
        raise BadVectors("there are no points")
    least, most = places.min(axis=0).astype(np.float64), places.max(axis=0).astype(np.float64)
    if not (np.isfinite(least).all() and np.isfinite(most).all()):
        raise BadVectors("places that are not finite numbers cannot be drawn")
    side = float((most - least).max()) or 1.0
    codes = np.empty(len(places), np.uint64)
    for first in range(0, len(places), _BLOCK):
        cells = (places[first : first + _BLOCK] - least) * (2**_LEVELS / side)
        digits = _spread(np.minimum(cells, 2**_LEVELS - 1).astype(np.uint64))
        codes[first : first + _BLOCK] = digits[:, 0] << 2 | digits[:, 1] << 1 | digits[:, 2]
    order = np.argsort(codes, kind="stable").astype(np.uint32)
    return codes[order], order


def _spread(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put two zeros between the 21 bits of each number."""
    found = numbers
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        found = (found | found << np.uint64(shift)) & np.uint64(mask)
    return found


def _box(places: Vectors, rows: Rows) -> NDArray[np.float32]:
    least, most = np.full(3, np.inf, np.float32), np.full(3, -np.inf, np.float32)
    for first in range(0, len(rows), _BLOCK):
        block = places[rows[first : first + _BLOCK]]
        least, most = np.minimum(least, block.min(axis=0)), np.maximum(most, block.max(axis=0))
    return np.stack([least, most])


def _sample(codes: NDArray[np.uint64], priorities: NDArray[np.uint32], wanted: int) -> NDArray[np.bool_]:
    """Which of more than `wanted` points, sorted by code, to take: `wanted` of them, evenly spread in space.

    One of each cell of the deepest level that has no more than `wanted` cells with points, and some of the cells of the
    next level, chosen at random.
    """
    # From which level on a point is in another cell than the one before it; below the last one, each has its own.
    depths = np.empty(len(codes), np.int8)
    depths[0] = 0
    depths[1:] = _LEVELS + 1 - np.searchsorted(_POWERS, codes[1:] ^ codes[:-1], side="right")
    cells = np.bincount(depths, minlength=_LEVELS + 2).cumsum()
    coarse = int(np.flatnonzero(cells <= wanted)[-1])
    fine = np.flatnonzero(_firsts(priorities, depths <= coarse + 1))
    # The first of a coarse cell is the first of its fine cell, too.
    is_needed = _firsts(priorities[fine], np.diff(np.cumsum(depths <= coarse)[fine], prepend=0) > 0)
    others = fine[~is_needed]
    lacking = wanted - int(is_needed.sum())
    taken = np.zeros(len(codes), np.bool_)
    taken[fine[is_needed]] = True
    if lacking:
        taken[others[np.argpartition(priorities[others], lacking - 1)[:lacking]]] = True
    return taken


def _firsts(priorities: NDArray[np.uint32], begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which points have the least priority of their cell; a cell's points stand together, and `begins` says where."""
    starts = np.flatnonzero(begins)
    least = np.minimum.reduceat(priorities, starts)
    found: NDArray[np.bool_] = priorities == np.repeat(least, np.diff(starts, append=len(priorities)))
    return found


def _split(members: Rows, codes: NDArray[np.uint64], level: int) -> list[Rows]:
    """Points of a cell → those of each of the cells in it that has any; all together below the last level."""
    if level >= _LEVELS:
        return [members]
    digits = codes[members] >> np.uint64(3 * (_LEVELS - 1 - level)) & np.uint64(7)
    edges = np.searchsorted(digits, np.arange(9))
    return [members[first:last] for first, last in zip(edges[:-1], edges[1:], strict=True) if last > first]
