"""Pictures on a lattice: each in a cell of its own, near those that it was near."""

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.grid_layout import Lattice, cost, lay_out

Matrix = NDArray[np.float32]


def clusters(count: int, dimensions: int = 2) -> Matrix:
    random = np.random.default_rng(0)
    centres = random.normal(scale=8, size=(12, dimensions))
    return (centres[random.integers(0, 12, count)] + random.normal(size=(count, dimensions))).astype(np.float32)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 61, 500])
def test_each_picture_has_a_cell_of_its_own(count: int, dimensions: int, exact: bool) -> None:
    cells = lay_out(clusters(count, dimensions), 1.5, exact=exact)
    assert cells.shape == (count, 2)
    assert cells.dtype == np.float32
    expected = Lattice.of(count, 1.5).cells()
    assert sorted(map(tuple, cells.tolist())) == sorted(map(tuple, expected.tolist()))


@pytest.mark.parametrize("aspect", [0.5, 1.0, 1.5, 4.0])
def test_the_lattice_has_nearly_the_aspect_asked_for(aspect: float) -> None:
    lattice = Lattice.of(5000, aspect)
    assert lattice.columns / lattice.rows == pytest.approx(aspect, rel=0.05)
    assert lattice.columns * (lattice.rows - 1) < 5000 <= lattice.columns * lattice.rows


def test_many_are_moved_hardly_further_than_they_must() -> None:
    places = clusters(1000)
    best, ours = (cost(places, lay_out(places, 1.5, exact=exact)) for exact in (True, False))
    random = cost(places, np.random.default_rng(1).permutation(Lattice.of(1000, 1.5).cells()))
    assert best <= ours < 1.06 * best
    assert ours < random / 5


def test_places_on_a_lattice_stay_where_they_are() -> None:
    cells = Lattice.of(600, 1.5).cells()
    order = np.random.default_rng(0).permutation(600)
    for exact in (True, False):
        np.testing.assert_array_equal(lay_out(cells[order], 1.5, exact=exact), cells[order])


def test_the_order_of_the_pictures_does_not_matter() -> None:
    places = clusters(3000)
    order = np.random.default_rng(0).permutation(3000)
    np.testing.assert_array_equal(lay_out(places[order], 1.5), lay_out(places, 1.5)[order])


def test_all_in_one_place_are_spread_out() -> None:
    cells = lay_out(np.zeros((2500, 3), np.float32), 1.0)
    assert len(np.unique(cells, axis=0)) == 2500
