"""Further layouts: properties only, and how clients' parameters are checked."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from embeddings.layouts import GRID, METHODS, ParameterError, compute, layout_name, method_of, validated

Matrix = NDArray[np.float32]

DIGITS, LABELS = load_digits(return_X_y=True)
FEATURES: Matrix = DIGITS[:400].astype(np.float32)

of_features = pytest.mark.parametrize("name", [name for name in METHODS if name != GRID.name])


def laid_out(name: str, features: Matrix, **given: Any) -> Matrix:
    method = METHODS[name]
    return compute([features], method, validated(method, given), lambda share: None)


@pytest.fixture(scope="module", params=[name for name in METHODS if name != GRID.name])
def digits(request: pytest.FixtureRequest) -> tuple[str, Matrix]:
    return request.param, laid_out(request.param, FEATURES)


@pytest.mark.slow
def test_like_pictures_lie_together(digits: tuple[str, Matrix]) -> None:
    _, places = digits
    assert places.shape == (400, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    model = KNeighborsClassifier(6).fit(places, LABELS[:400])
    assert model.score(places, LABELS[:400]) > 0.8


@pytest.mark.slow
def test_the_order_of_the_pictures_does_not_matter(digits: tuple[str, Matrix]) -> None:
    name, places = digits
    order = np.random.default_rng(0).permutation(400)
    np.testing.assert_array_equal(laid_out(name, FEATURES[order]), places[order])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, each in METHODS.items() if "dimensions" in {p.name for p in each.parameters}]
)
def test_it_lays_out_in_space_too(name: str) -> None:
    places = laid_out(name, FEATURES[:120], dimensions=3, seed=1)
    assert places.shape == (120, 3)
    assert (np.ptp(places, axis=0) > 0).all()


@of_features
@pytest.mark.parametrize("count", [1, 2, 9, 12])
def test_few_pictures_are_laid_out(name: str, count: int) -> None:
    places = laid_out(name, FEATURES[:count])
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


@of_features
def test_copies_lie_in_one_place(name: str) -> None:
    places = laid_out(name, np.repeat(FEATURES[:15], 2, axis=0))
    np.testing.assert_array_equal(places[::2], places[1::2])


def test_equal_pictures_are_laid_out() -> None:
    for name in METHODS.keys() - {GRID.name}:
        assert np.isfinite(laid_out(name, np.ones((30, 5), np.float32))).all(), name


@pytest.mark.parametrize(
    ("name", "given", "about", "sentence"),
    [
        ("umap", {"n_neighbors": 1}, "n_neighbors", "“n_neighbors” is a whole number from 2 to 200, not “1”."),
        ("umap", {"n_neighbors": 2.5}, "n_neighbors", "“n_neighbors” is a whole number, not “2.5”."),
        ("umap", {"n_neighbors": True}, "n_neighbors", "“n_neighbors” is a whole number, not “True”."),
        ("umap", {"min_dist": "near"}, "min_dist", "“min_dist” is a number, not “near”."),
        ("umap", {"min_dist": float("nan")}, "min_dist", "“min_dist” is a number, not “nan”."),
        ("umap", {"min_dist": 10**400}, "min_dist", "“min_dist” is a number from 0 to 0.99"),
        ("umap", {"min_dist": [1]}, "min_dist", "“min_dist” is a number, not “[1]”."),
        ("tsne", {"perplexity": 500}, "perplexity", "“perplexity” is a number from 2 to 200, not “500”."),
        ("tsne", {"colour": 1}, "colour", "“tsne” has no parameter “colour”; known are perplexity, seed."),
        ("grid", {"layout": 3}, "layout", "“layout” is a text of at most 80 characters."),
        ("grid", [], "parameters", "“parameters” is an object of names and values."),
        ("pca", {}, "kind", "There is no kind of layout “pca”; known are umap, densmap, tsne, pacmap, grid."),
        (["umap"], {}, "kind", "There is no kind of layout"),
    ],
)
def test_what_a_parameter_may_not_be_is_said(name: Any, given: object, about: str, sentence: str) -> None:
    with pytest.raises(ParameterError) as caught:
        validated(method_of(METHODS, name), given)
    assert str(caught.value).startswith(sentence)
    assert caught.value.name == about


def test_a_name_tells_what_differs_and_every_set_of_parameters_has_its_own() -> None:
    method = METHODS["tsne"]
    plain, other = (layout_name(method, validated(method, given)) for given in ({}, {"perplexity": 50}))
    assert plain.startswith("tsne-")
    assert other.startswith("tsne-perplexity-50-")
    assert layout_name(method, validated(method, {"perplexity": 50.0})) == other
    assert len({plain, other, layout_name(method, validated(method, {"seed": 1}))}) == 3
