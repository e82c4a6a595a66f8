"""Layouts supervised by a field: the graph as umap-learn makes it, and what comes of it."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_score

from embeddings.kernels import import_umap
from embeddings.layouts import METHODS, ParameterError, Target, compute, layout_name, umap, validated
from embeddings.layouts.nearest import nearest_others
from embeddings.layouts.supervision import nearest_numbers, supervised

Matrix = NDArray[np.float32]

DIGITS, LABELS = load_digits(return_X_y=True)
COUNT, NEIGHBOURS = 400, 15
FEATURES: Matrix = DIGITS[:COUNT].astype(np.float32)
DIGIT = LABELS[:COUNT].astype(np.int64)
POINTS: Matrix = (FEATURES + np.random.default_rng(2).normal(scale=0.1, size=FEATURES.shape)).astype(np.float32)
"""No two pairs of them are equally far apart."""
INK = FEATURES.sum(axis=1).astype(np.float64) + np.random.default_rng(1).normal(scale=0.01, size=COUNT)


def categories(values: NDArray[Any] = DIGIT, weight: float = 0.5) -> Target:
    return Target(values=values, metric="categorical", weight=weight)


def numbers(values: NDArray[Any] = INK, weight: float = 0.5) -> Target:
    return Target(values=values, metric="l2", weight=weight)


def laid_out(name: str, target: Target | None, features: Matrix = FEATURES, **given: Any) -> Matrix:
    method = METHODS[name]
    return compute([features], method, validated(method, given), lambda share: None, target)


def memberships(features: Matrix) -> Any:
    """umap-learn's graph, unsupervised."""
    others, apart = nearest_others(features, NEIGHBOURS - 1)
    rows = np.arange(len(features))[:, None]
    graph, _, _ = import_umap().umap_.fuzzy_simplicial_set(
        features,
        NEIGHBOURS,
        np.random.RandomState(1),
        "euclidean",
        knn_indices=np.hstack([rows, others]),
        knn_dists=np.hstack([np.zeros((len(rows), 1), np.float32), apart]),
    )
    return graph


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    "target", [categories(np.where(np.arange(COUNT) % 7 == 0, -1, DIGIT)), numbers()], ids=["categories", "numbers"]
)
def test_the_graph_is_umap_learns(target: Target, weight: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a graph without a layout
        model = import_umap().UMAP(
            n_neighbors=NEIGHBOURS,
            random_state=1,
            n_jobs=1,
            transform_mode="graph",
            target_metric=target.metric,
            target_weight=weight,
        )
        expected = model.fit(POINTS, target.values).graph_
    weighed = Target(values=target.values, metric=target.metric, weight=weight)
    graph = supervised(memberships(POINTS), weighed, NEIGHBOURS, 1)
    assert abs(expected - memberships(POINTS)).max() > 0.01  # it is another graph than that of the pictures alone
    assert abs(graph - expected).max() < 1e-4


def test_a_picture_among_others_of_another_category_keeps_its_place() -> None:
    alone = np.zeros(COUNT, np.int64)
    alone[17] = 1
    graph = supervised(memberships(POINTS), categories(alone, weight=1), NEIGHBOURS, 1)
    assert graph[[17], :].max() == pytest.approx(1)
    assert np.isfinite(laid_out("umap", categories(alone, weight=1))).all()


def test_a_picture_without_a_number_keeps_its_neighbours() -> None:
    values = INK.copy()
    values[::3] = np.nan
    graph, plain = supervised(memberships(POINTS), numbers(values), NEIGHBOURS, 1), memberships(POINTS)
    for row in (0, 33, 99):
        strongest = np.argsort(-plain[[row], :].toarray()[0])[:3]
        assert set(strongest) <= set(graph[[row], :].nonzero()[1])
    assert np.isfinite(laid_out("umap", numbers(values))).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["umap", "densmap"])
def test_what_shares_a_value_lies_together(name: str) -> None:
    plain = silhouette_score(laid_out(name, None), DIGIT)
    assert silhouette_score(laid_out(name, categories()), DIGIT) > plain + 0.15
    assert silhouette_score(laid_out(name, numbers(DIGIT.astype(np.float64))), DIGIT) > plain + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["umap", "densmap"])
@pytest.mark.parametrize(
    "target", [categories(), numbers(DIGIT.astype(np.float64), 0.8)], ids=["categories", "numbers"]
)
def test_many_are_supervised_too(name: str, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(umap, "MANY_ROWS", 100)
    plain = silhouette_score(laid_out(name, None), DIGIT)
    assert silhouette_score(laid_out(name, target), DIGIT) > plain + 0.05


@pytest.mark.slow
def test_the_order_of_the_pictures_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(COUNT)
    # Other numbers of the same categories, too.
    renamed = categories((9 - DIGIT)[order])
    np.testing.assert_array_equal(laid_out("umap", renamed, FEATURES[order]), laid_out("umap", categories())[order])


def test_copies_lie_in_one_place_whatever_they_are_called() -> None:
    features = np.repeat(FEATURES[:30], 2, axis=0)
    values = np.repeat(DIGIT[:30], 2)
    values[1] = -1
    values[3] = (values[2] + 1) % 10
    places = laid_out("umap", categories(values), features)
    np.testing.assert_array_equal(places[::2], places[1::2])
    checked = categories(values).of_distinct(np.repeat(np.arange(30), 2), 30).values
    assert checked[:3].tolist() == [DIGIT[0], -1, DIGIT[2]]


@pytest.mark.parametrize("values", [np.random.default_rng(0).normal(size=60), np.arange(60.0) // 7])
def test_nearest_numbers_are_the_nearest(values: NDArray[np.float64]) -> None:
    rows, apart = nearest_numbers(values, 9)
    assert rows[:, 0].tolist() == list(range(60))
    expected = np.sort(np.abs(values[:, None] - values), axis=1)[:, :9]
    np.testing.assert_allclose(apart, expected, atol=1e-6)
    np.testing.assert_allclose(np.abs(values[rows] - values[:, None]), expected, atol=1e-6)
    assert all(len(set(row)) == 9 for row in rows.tolist())


def test_parameters_of_supervision_are_left_out_without_a_target() -> None:
    method = METHODS["umap"]
    plain = validated(method, {"target_weight": 0.9})
    assert not {"target", "target_weight", "target_metric"} & plain.keys()
    assert layout_name(method, plain) == layout_name(method, validated(method, {}))
    checked = validated(method, {"target": "kind"})
    assert (checked["target"], checked["target_weight"], checked["target_metric"]) == ("kind", 0.5, "auto")
    assert layout_name(method, checked).startswith("umap-target-kind-")
    assert layout_name(method, checked, "other values") != layout_name(method, checked)
    with pytest.raises(ParameterError, match="is one of auto, categorical, l2"):
        validated(method, {"target": "kind", "target_metric": "cosine"})
    with pytest.raises(ParameterError, match="from 0 to 1"):
        validated(method, {"target": "kind", "target_weight": 2})
