"""New pictures in layouts that are there: among their like, each by itself, and nothing else moves."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from embeddings.layouts import METHODS, Neighbours, compute, validated
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.placing import distances_of

DIGITS, LABELS = load_digits(return_X_y=True)
FEATURES: NDArray[np.float32] = DIGITS[:500].astype(np.float32)
THERE = 400
PLACING = [name for name, method in METHODS.items() if method.can_place]


def neighbours(new: NDArray[np.float32]) -> Neighbours:
    found = [NeighbourSearch([FEATURES[:THERE]]).nearest(vector, 10) for vector in new]
    cosines = np.stack([each.similarities for each in found])
    return Neighbours(rows=np.stack([each.rows for each in found]), distances=distances_of(cosines))


def placed(name: str, places: Any, nearest: Neighbours) -> Any:
    place = METHODS[name].place
    assert place is not None
    return place(places, nearest, validated(METHODS[name], {}))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACING)
def test_new_pictures_lie_among_their_like_each_by_itself(name: str) -> None:
    method = METHODS[name]
    places = compute([FEATURES[:THERE]], method, validated(method, {}), lambda share: None)
    before = places.tobytes()
    nearest = neighbours(FEATURES[THERE:])
    found = placed(name, places, nearest)
    assert places.tobytes() == before
    assert (found.shape, found.dtype) == ((100, 2), np.float32)
    model = KNeighborsClassifier(6).fit(places, LABELS[:THERE])
    assert model.score(found, LABELS[THERE:500]) > 0.78  # by the features themselves it is 0.89
    one = Neighbours(rows=nearest.rows[[40]], distances=nearest.distances[[40]])
    np.testing.assert_array_equal(placed(name, places, one)[0], found[40])


def test_a_picture_lies_in_the_group_of_most_of_its_neighbours_not_between_groups() -> None:
    places = np.array([[0, 0], [0.1, 0], [0, 0.1], [0.1, 0.1], [9, 9], [9.1, 9]], np.float32)
    nearest = Neighbours(rows=np.arange(6)[None], distances=np.full((1, 6), 0.5, np.float32))
    assert np.abs(placed("tsne", places, nearest)).max() < 0.5


def test_only_in_grids_nothing_is_placed() -> None:
    assert PLACING == ["umap", "densmap", "tsne", "pacmap"]


@pytest.mark.parametrize("name", PLACING)
@pytest.mark.parametrize("count", [1, 3, 4])
def test_few_neighbours_and_copies_give_places(name: str, count: int) -> None:
    places = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    rows = np.arange(count)[None].repeat(2, axis=0)
    apart = np.array([np.zeros(count), np.linspace(0.1, 1, count)], np.float32)
    found = placed(name, places, Neighbours(rows=rows, distances=apart))
    assert np.isfinite(found).all()
