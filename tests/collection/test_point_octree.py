"""Points → nodes of an octree: what each node holds, whatever the points are like."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from datasets.collection.point_octree import Node, octree
from embeddings.vector_files import BadVectors, Vectors

CAPACITY = 100
NAN = float("nan")


def array(rows: ArrayLike) -> Vectors:
    return np.array(rows, np.float32)


def clusters(count: int) -> Vectors:
    random = np.random.default_rng(5)
    centres = random.normal(scale=4, size=(8, 3))
    return (centres[random.integers(0, 8, count)] + random.normal(size=(count, 3))).astype(np.float32)


def built(places: Vectors, capacity: int = CAPACITY) -> list[Node]:
    return list(octree(places, capacity))


def below(nodes: list[Node]) -> list[list[int]]:
    """The rows of each node and of all below it."""
    found = [node.rows.tolist() for node in nodes]
    for number in range(len(nodes) - 1, 0, -1):
        found[nodes[number].parent] += found[number]
    return found


@pytest.mark.parametrize(
    "places",
    [
        pytest.param(clusters(7000), id="clusters"),
        pytest.param(clusters(7000) * array([1, 1, 0]), id="a plane"),
        pytest.param(clusters(7000) * array([0, 1, 0]), id="a line"),
        pytest.param(array([[1, 2, 3]]), id="one point"),
        pytest.param(array([[1e30, -2, 3]] * 101), id="copies of one point"),
        pytest.param(np.concatenate([clusters(500), np.tile(clusters(1), (9000, 1))]), id="many copies among others"),
        pytest.param(np.concatenate([clusters(3000), array([[1e6, 0, 0]])]), id="one far away"),
    ],
)
def test_each_point_is_in_one_node_and_in_the_boxes_around_it(places: Vectors) -> None:
    nodes = built(places)
    assert sorted(np.concatenate([node.rows for node in nodes]).tolist()) == list(range(len(places)))
    assert [node.parent < number for number, node in enumerate(nodes)] == [True] * len(nodes)
    assert nodes[0].parent == -1
    assert all(0 < len(node.rows) <= CAPACITY for node in nodes)
    for node, rows in zip(nodes, below(nodes), strict=True):
        assert node.box.tolist() == [places[rows].min(axis=0).tolist(), places[rows].max(axis=0).tolist()]


def test_inner_nodes_are_full_and_copies_become_a_short_chain() -> None:
    nodes = built(array([[0.5, 0.25, 8]] * 10_050))
    assert [len(node.rows) for node in nodes] == [CAPACITY] * 100 + [50]
    assert [node.parent for node in nodes] == list(range(-1, 100))


def test_a_sample_is_spread_over_all_there_is() -> None:
    """Nine tenths of the points lie in a thousandth of the space: the sample still has some of everywhere."""
    random = np.random.default_rng(0)
    dense = random.uniform(0, 0.1, (18_000, 3))
    places = np.concatenate([dense, random.uniform(0, 1, (2000, 3))]).astype(np.float32)
    root = built(places, 500)[0]
    cells = {tuple(cell) for cell in (places[root.rows] * 4).astype(int).tolist()}
    by_chance = {tuple(cell) for cell in (places[random.choice(20_000, 500, replace=False)] * 4).astype(int).tolist()}
    assert len(cells) == 64 > len(by_chance)


def test_the_same_points_give_the_same_nodes() -> None:
    first, second = built(clusters(3000)), built(clusters(3000))
    assert [node.rows.tolist() for node in first] == [node.rows.tolist() for node in second]
    assert [node.parent for node in first] == [node.parent for node in second]


@pytest.mark.parametrize("places", [np.empty((0, 3), np.float32), array([[0.0, NAN, 1.0], [1.0, 2.0, 3.0]])])
def test_no_points_and_no_numbers_are_refused(places: Vectors) -> None:
    with pytest.raises(BadVectors):
        built(places)
