"""Nearest neighbours of many points: nearly all of the true ones, in order, and the same on any number of cores."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from embeddings.knn_graph import Cells, Points
from tests.support.paths import ROOT


def cloud(count: int, width: int = 30) -> Points:
    """Clusters of unequal size that run into each other, of fewer dimensions than the space."""
    random = np.random.default_rng(0)
    kinds = random.choice(20, count, p=np.arange(1, 21) / 210)
    latent = random.normal(size=(20, 12))[kinds] * 0.7 + random.normal(size=(count, 12))
    return (np.tanh(latent @ random.normal(size=(12, width)) / 3) * np.geomspace(3, 0.3, width)).astype(np.float32)


def exact(points: Points, count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    from sklearn.neighbors import NearestNeighbors

    found: np.ndarray[tuple[int, int], np.dtype[np.int64]] = (
        NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points).kneighbors(points, return_distance=False)
    )
    return found


def fingerprint() -> str:
    cells = Cells.of(cloud(3_000), seed=1)
    return hashlib.sha256(b"".join(array.tobytes() for array in (cells.order, *cells.nearest(15)))).hexdigest()


def test_it_finds_nearly_all_of_them() -> None:
    cells = Cells.of(cloud(12_000), seed=1)
    found, _ = cells.nearest(15)
    wanted = exact(cells.points, 15)
    recall = np.mean([np.isin(one, other).mean() for one, other in zip(found, wanted, strict=True)])
    assert recall >= 0.98


def test_they_come_with_their_distances_nearest_first() -> None:
    points = cloud(3_000)
    cells = Cells.of(points, seed=1)
    np.testing.assert_array_equal(np.sort(cells.order), np.arange(3_000))
    np.testing.assert_array_equal(cells.points, points[cells.order])
    found, distances = cells.nearest(15)
    assert (found[:, 0] == np.arange(3_000)).all()
    assert (distances[:, 0] == 0).all()
    assert (np.diff(distances) >= 0).all()
    assert (np.diff(np.sort(found)) > 0).all()
    apart = np.linalg.norm(cells.points[found] - cells.points[:, None], axis=2)
    np.testing.assert_allclose(distances, apart, rtol=1e-4)


def test_they_are_the_same_on_one_core() -> None:
    alone = subprocess.run(
        [sys.executable, "-c", "from tests.embeddings import test_knn_graph as t; print(t.fingerprint())"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert alone.stdout.strip() == fingerprint(), alone.stderr


@pytest.mark.parametrize("count", [15, 16, 399, 400, 801])
def test_few_points_are_compared_with_all(count: int) -> None:
    cells = Cells.of(cloud(count), seed=1)
    found, _ = cells.nearest(15)
    np.testing.assert_array_equal(np.sort(found), np.sort(exact(cells.points, 15)))


def test_copies_are_each_others_neighbours() -> None:
    points = np.concatenate([np.repeat(cloud(1), 3_000, axis=0), cloud(2_000)])
    cells = Cells.of(points, seed=1)
    found, distances = cells.nearest(15)
    assert (distances[cells.order < 3_000] == 0).all()
    assert (np.diff(np.sort(found)) > 0).all()
    # None of them is a neighbour of all the others.
    assert np.bincount(found.ravel()).max() < 1_500


def test_points_far_from_all_others_have_neighbours() -> None:
    points = cloud(4_000)
    points[:60] *= np.geomspace(10, 1e6, 60, dtype=np.float32)[:, None]
    found, distances = Cells.of(points, seed=1).nearest(15)
    assert np.isfinite(distances).all()
    assert (np.diff(np.sort(found)) > 0).all()
