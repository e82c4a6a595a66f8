"""UMAP's layout step, for many points: the same forces and schedule as umap-learn's, on every core, and reproducible.

umap-learn moves both ends of an edge as it goes; on several cores its points then race each other, so a seed forces it
to one core. Here every point is moved by its own edges only, twice as far, while all others stand where the last epoch
left them: points do not depend on each other within an epoch, so cores share them in any order with the same outcome.
Importing this module compiles nothing yet, but imports numba.
"""

import math
from typing import Any

import numba
import numpy as np

from .vectors import Vectors

_NEGATIVE_SAMPLES = 5


def lay_out(graph: Any, start: Vectors, *, a: float, b: float, epochs: int, seed: int) -> Vectors:
    """Move points from `start`, `(n, 3) float32`, under the forces of a symmetric `(n, n)` CSR graph of memberships.

    `a` and `b` are UMAP's curve. As in umap-learn, an edge takes part in a share of the epochs that is its weight's
    share of the largest weight, with five repelling samples each time, and the step falls from 1 to 0.
    """
    graph = graph.tocsr()
    graph.data[graph.data < graph.data.max() / epochs] = 0
    graph.eliminate_zeros()
    every = (graph.data.max() / graph.data).astype(np.float32)
    states = np.random.default_rng(seed).integers(1, 2**32 - 1, len(start), np.uint32)
    places, previous = start.astype(np.float32, copy=True), np.empty_like(start, np.float32)
    starts, ends, due = graph.indptr.astype(np.int64), graph.indices.astype(np.int32), every.copy()
    for epoch in range(epochs):
        previous[:] = places
        step = np.float32(1 - epoch / epochs)
        _epoch(
            places, previous, starts, ends, every, due, np.float32(a), np.float32(b), np.float32(epoch), step, states
        )
    return places


@numba.njit(parallel=True, fastmath=True, cache=True)
def _epoch(places, previous, starts, ends, every, due, a, b, epoch, step, states):  # type: ignore[no-untyped-def]
    count = len(previous)
    one, two, four, tiny = np.float32(1), np.float32(2), np.float32(4), np.float32(0.001)
    for i in numba.prange(count):
        x, y, z = previous[i, 0], previous[i, 1], previous[i, 2]
        state = states[i]
        for edge in range(starts[i], starts[i + 1]):
            if due[edge] > epoch:
                continue
            due[edge] += every[edge]
            j = ends[edge]
            dx, dy, dz = x - previous[j, 0], y - previous[j, 1], z - previous[j, 2]
            square = dx * dx + dy * dy + dz * dz
            if square > 0:
                power = math.exp(b * math.log(square))
                pull = -two * a * b * power / (square * (a * power + one))
                x += two * step * min(four, max(-four, pull * dx))
                y += two * step * min(four, max(-four, pull * dy))
                z += two * step * min(four, max(-four, pull * dz))
            for _ in range(_NEGATIVE_SAMPLES):
                # xorshift32 (Marsaglia 2003), a generator for each point
                state = np.uint32(state ^ np.uint32(state << np.uint32(13)))
                state = np.uint32(state ^ np.uint32(state >> np.uint32(17)))
                state = np.uint32(state ^ np.uint32(state << np.uint32(5)))
                k = np.int64((np.uint64(state) * np.uint64(count)) >> np.uint64(32))
                dx, dy, dz = x - previous[k, 0], y - previous[k, 1], z - previous[k, 2]
                square = dx * dx + dy * dy + dz * dz
                if k == i or square == 0:
                    continue
                push = two * b / ((tiny + square) * (a * math.exp(b * math.log(square)) + one))
                x += step * min(four, max(-four, push * dx))
                y += step * min(four, max(-four, push * dy))
                z += step * min(four, max(-four, push * dz))
        states[i] = state
        places[i, 0], places[i, 1], places[i, 2] = x, y, z
