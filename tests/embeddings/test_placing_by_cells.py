"""New pictures in a space of many: placed by those in the cells around them nearly as by all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs import continuum
from embeddings import knn_graph
from embeddings.knn_graph import Cells
from embeddings.principal_axes import Standardizer
from embeddings.reducers import SEED, Umap
from embeddings.vector_files import Vectors

FITTED, NEW = 6_000, 400
FEATURES = continuum(FITTED + NEW, 96)[0]


@pytest.fixture(scope="module")
def fitted() -> "tuple[Umap, Vectors]":
    """With 240 cells, of which 48 are searched: a larger part than of a million pictures, in smaller cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Umap, "MANY_ROWS", 1_000)
        patch.setattr(Umap, "EXACT_ROWS", 1_000)
        patch.setattr(knn_graph, "_CELL", 25)
        standardizer = Standardizer.fit([FEATURES[:FITTED]])
        return Umap.fit(standardizer, standardizer.project(FEATURES[:FITTED]), seed=SEED)


def exact(model: Umap) -> Umap:
    """The same, as a model of fewer pictures is, or one of an older version."""
    return replace(model, starts=None, centres=None)


def test_nearly_all_lie_where_comparing_with_all_puts_them(fitted: "tuple[Umap, Vectors]") -> None:
    model, places = fitted
    assert model.centres is not None
    assert len(model.centres) > 200
    apart = np.linalg.norm(model.transform(FEATURES[FITTED:]) - exact(model).transform(FEATURES[FITTED:]), axis=1)
    spread = np.linalg.norm(places - places.mean(axis=0), axis=1).mean()
    # Where all 15 nearest are found, not at all; which they are differs with the processor's sums.
    assert np.median(apart) < 0.02 * spread
    assert np.quantile(apart, 0.9) < 0.1 * spread


def test_training_pictures_keep_their_places(fitted: "tuple[Umap, Vectors]") -> None:
    model, places = fitted
    assert sorted(map(tuple, model.places.tolist())) == sorted(map(tuple, places.tolist()))
    away = np.linalg.norm(model.transform(FEATURES[:200]) - places[:200], axis=1)
    assert np.median(away) < 0.1 * np.linalg.norm(places - places.mean(axis=0), axis=1).mean()


def test_a_place_does_not_depend_on_the_others(fitted: "tuple[Umap, Vectors]") -> None:
    model, _ = fitted
    together = model.transform(FEATURES[FITTED:])
    for start, size in ((0, 1), (7, 1), (100, 30), (130, 270)):
        part = FEATURES[FITTED + start : FITTED + start + size]
        np.testing.assert_array_equal(model.transform(part), together[start : start + size])


def test_it_is_read_as_it_was_saved_and_without_cells_compares_with_all(
    fitted: "tuple[Umap, Vectors]", tmp_path: Path
) -> None:
    for model in (fitted[0], exact(fitted[0])):
        model.save(tmp_path / "umap.npz")
        read = Umap.load(tmp_path / "umap.npz")
        assert (read.centres is None) == (model.centres is None)
        np.testing.assert_array_equal(read.transform(FEATURES[FITTED:]), model.transform(FEATURES[FITTED:]))


def test_the_nearest_of_others_are_nearly_all_found_and_measured() -> None:
    points, others = FEATURES[:FITTED, :30], FEATURES[FITTED:, :30]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knn_graph, "_CELL", 25)
        cells = Cells.of(points, seed=1)
    found, distances = cells.nearest_to(others, 15)
    apart = np.linalg.norm(cells.points[None] - others[:, None], axis=2)
    wanted = np.argsort(apart, axis=1)[:, :15]
    assert np.mean([np.isin(one, other).mean() for one, other in zip(found, wanted, strict=True)]) >= 0.98
    np.testing.assert_allclose(distances, np.take_along_axis(apart, found, axis=1), rtol=1e-4)
    assert (np.diff(distances) >= 0).all()


def test_a_missing_neighbour_is_stood_for_by_the_nearest() -> None:
    points = np.array([[0, 0], [10, 0], [10, 1]], np.float32)
    cells = Cells(order=np.arange(3), points=points, starts=np.array([0, 1, 3]), centres=points[:2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knn_graph, "_PROBES_OF_OTHERS", 1)
        found, distances = cells.nearest_to(np.array([[0, 2], [10, 0.4]], np.float32), 3)
    assert found.tolist() == [[0, 0, 0], [1, 2, 1]]
    np.testing.assert_allclose(distances, np.array([[2, 2, 2], [0.4, 0.6, 0.4]], np.float32), rtol=1e-6)
