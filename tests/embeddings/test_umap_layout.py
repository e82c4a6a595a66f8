"""The layout of many points: as good as umap-learn's, and the same on any number of cores."""

import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.principal_axes import Standardizer
from embeddings.reducers import Umap
from embeddings.vector_files import Vectors
from tests.support.paths import ROOT


def clustered(count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 12, count)
    features = random.normal(size=(12, 40))[labels] * 2 + random.normal(size=(count, 40))
    return features.astype(np.float32), labels


def graph(features: NDArray[np.float32]) -> Any:
    """Memberships as UMAP's: 1 for the nearest neighbour and less for the others, symmetric."""
    from sklearn.neighbors import kneighbors_graph

    distances = kneighbors_graph(features, 15, mode="distance")
    distances.data = np.exp(-(distances.data - distances.data.min())).astype(np.float32)
    return distances.maximum(distances.T)


def laid_out() -> Vectors:
    from embeddings.umap_layout import lay_out

    features, _ = clustered(2_000)
    return lay_out(graph(features), features[:, :3].copy(), a=1.577, b=0.895, epochs=100, seed=1)


def fingerprint(places: Vectors) -> str:
    return hashlib.sha256(places.tobytes()).hexdigest()


@pytest.mark.slow
def test_it_is_the_same_again_and_on_one_core() -> None:
    places = laid_out()
    assert np.isfinite(places).all()
    assert fingerprint(laid_out()) == fingerprint(places)
    alone = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tests.embeddings import test_umap_layout as t; print(t.fingerprint(t.laid_out()))",
        ],
        cwd=ROOT,
        env={**os.environ, "NUMBA_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert alone.stdout.strip() == fingerprint(places), alone.stderr


@pytest.mark.slow
def test_a_catalogue_of_many_keeps_its_neighbourhoods() -> None:
    from sklearn.manifold import trustworthiness

    features, labels = clustered(Umap.MANY_ROWS + 1)
    standardizer = Standardizer.fit([features])
    reducer, places = Umap.fit(standardizer, standardizer.project_all([features]), seed=1)
    assert places.shape == (len(features), 3)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert trustworthiness(features[:2000], places[:2000], n_neighbors=15) >= 0.8
    centres = np.array([places[labels == label].mean(axis=0) for label in range(12)])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == labels).mean() > 0.95
    again = reducer.transform(features[:50])
    assert np.median(np.linalg.norm(again - places[:50], axis=1)) < places.std()


@pytest.mark.slow
def test_its_neighbourhoods_are_as_true_as_umap_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_digits
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import KNeighborsClassifier

    features, labels = load_digits(return_X_y=True)
    standardizer = Standardizer.fit([features.astype(np.float32)])
    coordinates = standardizer.project_all([features.astype(np.float32)])

    def quality() -> tuple[float, float]:
        _, places = Umap.fit(standardizer, coordinates, seed=1)
        # A picture is its own nearest neighbour, and one vote of eleven.
        votes = KNeighborsClassifier(11).fit(places, labels).score(places, labels)
        return trustworthiness(coordinates, places, n_neighbors=15), votes

    trust, right = quality()
    monkeypatch.setattr(Umap, "MANY_ROWS", 1_000)
    trust_of_many, right_of_many = quality()
    assert trust_of_many >= trust - 0.005
    assert right_of_many >= right - 0.01


@pytest.mark.slow
def test_copies_stay_among_the_others() -> None:
    features, _ = clustered(Umap.MANY_ROWS + 1)
    features[:6_000] = features[0]
    standardizer = Standardizer.fit([features])
    _, places = Umap.fit(standardizer, standardizer.project_all([features]), seed=1)
    assert np.isfinite(places).all()
    spread = np.linalg.norm(places - np.median(places, axis=0), axis=1)
    assert spread.max() < 20 * np.median(spread)


@pytest.mark.slow
def test_constant_features_have_finite_coordinates() -> None:
    features = np.ones((Umap.MANY_ROWS + 1, 40), np.float32)
    standardizer = Standardizer.fit([features])
    assert np.isfinite(Umap.fit(standardizer, standardizer.project_all([features]), seed=1)[1]).all()
