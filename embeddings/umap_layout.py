"""UMAP's layout step, for many points: the same forces as umap-learn's, on every core, and reproducible.

umap-learn moves both ends of an edge as it goes; on several cores its points then race each other, so a seed forces it
to one core. Here every point is moved by its own edges only, twice as far, while all others stand where the last epoch
left them: points do not depend on each other within an epoch, so cores share them in any order with the same outcome.

A whole step towards a near neighbour overshoots by far. umap-learn lets it, and mends it by many epochs. Here the pull
of all edges that are due is damped as an implicit step would be, weakly at first, so that points still jump into place,
and wholly in the end: half the epochs keep more neighbours.
Importing this module compiles nothing yet, but imports numba.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from .kernels import import_umap
from .vector_files import Vectors

_NEGATIVE_SAMPLES = 5
_CHUNK = 512
"""Points that a core takes at a time: a fixed number, so that cores do not matter."""
_DAMPING = 0.2
"""Of the first epoch; it rises to 1, that of an implicit step."""


def memberships(cells: Any, neighbours: int, seed: int) -> Any:
    """umap-learn's fuzzy graph of each point's nearest of `knn_graph.Cells`: `(n, n)`, in the order of the cells."""
    indices, distances = cells.nearest(neighbours)
    graph, _, _ = import_umap().umap_.fuzzy_simplicial_set(
        cells.points,
        neighbours,
        np.random.RandomState(seed),
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )
    return graph


def lay_out(
    graph: Any,
    start: Vectors,
    *,
    a: float,
    b: float,
    epochs: int,
    seed: int,
    on_epoch: Callable[[Vectors], object] = lambda places: None,
) -> Vectors:
    """Move points from `start`, `(n, 3) float32`, under the forces of a symmetric `(n, n)` CSR graph of memberships.

    `a` and `b` are UMAP's curve. As in umap-learn, an edge takes part in a share of the epochs that is its weight's
    share of the largest weight, with five repelling samples each time, and the step falls from 1 to 0. `on_epoch` is
    shown where the points are after each.
    """
    graph = graph.tocsr()
    graph.data[graph.data < graph.data.max() / epochs] = 0
    graph.eliminate_zeros()
    every = (graph.data.max() / graph.data).astype(np.float32)
    starts, ends, due = graph.indptr.astype(np.int64), graph.indices.astype(np.int32), every.copy()
    random = np.random.default_rng(seed)
    count, longest = len(start), int(np.diff(starts).max(initial=0))
    states = random.integers(1, 2**32 - 1, count, np.uint32)
    # Samples are runs of a shuffled list of the points, which a core reads as fast as it can; it goes round at its end.
    shuffled = np.resize(random.permutation(count), count + _NEGATIVE_SAMPLES * longest)
    places, previous = (np.zeros((count, 4), np.float32) for _ in range(2))
    places[:, :3] = start
    samples = np.empty((3, len(shuffled)), np.float32)
    for epoch in range(epochs):
        places, previous = previous, places
        for axis in range(3):
            np.take(previous[:, axis], shuffled, out=samples[axis])
        step = np.float32(1 - epoch / epochs)
        damping = np.float32(_DAMPING + (1 - _DAMPING) * epoch / epochs)
        _epoch(
            places,
            previous,
            samples,
            starts,
            ends,
            every,
            due,
            np.float32(a),
            np.float32(b),
            np.float32(epoch),
            step,
            damping,
            states,
        )
        on_epoch(places[:, :3])
    return np.ascontiguousarray(places[:, :3])


@numba.njit(parallel=True, fastmath=True, cache=True)
def _epoch(places, previous, samples, starts, ends, every, due, a, b, epoch, step, damping, states):  # type: ignore[no-untyped-def]
    count = len(previous)
    one, two, four, far = np.float32(1), np.float32(2), np.float32(4), np.float32(16)
    tiny, least = np.float32(0.001), np.float32(1e-12)
    longest = (samples.shape[1] - count) // _NEGATIVE_SAMPLES
    for chunk in numba.prange((count + _CHUNK - 1) // _CHUNK):
        near = np.empty((3, longest), np.float32)
        for i in range(chunk * _CHUNK, min(count, (chunk + 1) * _CHUNK)):
            x, y, z = previous[i, 0], previous[i, 1], previous[i, 2]
            pulling = 0
            for edge in range(starts[i], starts[i + 1]):
                j = ends[edge]
                near[0, pulling], near[1, pulling], near[2, pulling] = previous[j, 0], previous[j, 1], previous[j, 2]
                is_due = due[edge] <= epoch
                due[edge] += every[edge] if is_due else np.float32(0)
                pulling += is_due
            strength, px, py, pz = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for k in range(pulling):
                dx, dy, dz = near[0, k] - x, near[1, k] - y, near[2, k] - z
                square = max(dx * dx + dy * dy + dz * dz, least)
                power = _power(square, b)
                pull = four * step * a * b * power / (square * (a * power + one))
                strength += pull
                px += pull * dx
                py += pull * dy
                pz += pull * dz
            x += px / (one + damping * strength)
            y += py / (one + damping * strength)
            z += pz / (one + damping * strength)
            # xorshift32 (Marsaglia 2003), a generator for each point
            state = states[i]
            state = np.uint32(state ^ np.uint32(state << np.uint32(13)))
            state = np.uint32(state ^ np.uint32(state >> np.uint32(17)))
            state = np.uint32(state ^ np.uint32(state << np.uint32(5)))
            states[i] = state
            first = np.int64((np.uint64(state) * np.uint64(count)) >> np.uint64(32))
            nx, ny, nz = np.float32(0), np.float32(0), np.float32(0)
            for k in range(first, first + pulling * _NEGATIVE_SAMPLES):
                dx, dy, dz = x - samples[0, k], y - samples[1, k], z - samples[2, k]
                square = max(dx * dx + dy * dy + dz * dz, least)
                push = two * b / ((tiny + square) * (a * _power(square, b) + one))
                nx += min(four, max(-four, push * dx))
                ny += min(four, max(-four, push * dy))
                nz += min(four, max(-four, push * dz))
            # All at once, a point with a thousand edges would be thrown out of the cloud for good.
            places[i, 0] = x + step * min(far, max(-far, nx))
            places[i, 1] = y + step * min(far, max(-far, ny))
            places[i, 2] = z + step * min(far, max(-far, nz))


def _polynomial(function: Any, low: float, high: float, degree: int) -> NDArray[np.float32]:
    fitted = np.polynomial.Chebyshev.interpolate(function, degree, domain=[low, high])
    return fitted.convert(kind=np.polynomial.Polynomial).coef.astype(np.float32)


_LOG0, _LOG1, _LOG2, _LOG3, _LOG4, _LOG5 = _polynomial(np.log2, 1, 2, 5)
_EXP0, _EXP1, _EXP2, _EXP3, _EXP4 = _polynomial(np.exp2, 0, 1, 4)


@numba.njit(fastmath=True, cache=True)
def _power(x, exponent):  # type: ignore[no-untyped-def]
    """`x ** exponent` to five digits for positive numbers, without a call or a branch: a loop of it runs in vectors."""
    bits = np.float32(x).view(np.int32)
    rest = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    logarithm = np.float32((bits >> np.int32(23)) - np.int32(127)) + (
        _LOG0 + rest * (_LOG1 + rest * (_LOG2 + rest * (_LOG3 + rest * (_LOG4 + rest * _LOG5))))
    )
    wanted = max(np.float32(7), exponent * logarithm + np.float32(127))
    whole = np.int32(wanted)
    part = wanted - np.float32(whole)
    scale = np.int32(whole << np.int32(23)).view(np.float32)
    return scale * (_EXP0 + part * (_EXP1 + part * (_EXP2 + part * (_EXP3 + part * _EXP4))))
