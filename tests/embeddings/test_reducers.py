"""Features → places. Properties only: coordinates mean nothing by themselves."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.preprocessing import StandardScaler

from embeddings.principal_axes import Standardizer
from embeddings.reducers import FORMAT, REDUCERS, SEED, ModelError, Pca, Reducer, Umap
from embeddings.reducers.sampled import fit_on_sample

Matrix = NDArray[np.float32]

DIGITS: Matrix = load_digits().data.astype(np.float32)


def clustered(count: int, width: int = 100, seed: int = 0) -> Matrix:
    """Six clouds in a space of many dimensions."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=4, size=(6, width))
    return (centres[random.integers(0, 6, count)] + random.normal(size=(count, width))).astype(np.float32)


def fitted(features: Matrix) -> dict[str, tuple[Reducer, Matrix]]:
    standardizer = Standardizer.fit([features])
    coordinates = standardizer.project(features)
    return {name: kind.fit(standardizer, coordinates, seed=SEED) for name, kind in REDUCERS.items()}


@pytest.fixture(scope="module")
def digits() -> dict[str, tuple[Reducer, Matrix]]:
    """Fitted on 600 digits; there are others to be placed."""
    return fitted(DIGITS[:600])


reducers = pytest.mark.parametrize("name", list(REDUCERS))


# The standardizer.


def reference(features: Matrix, keep: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """scikit-learn's own standardised principal coordinates, and their shares of the variance."""
    standardised = StandardScaler().fit_transform(features.astype(np.float64))
    model = PCA(keep, svd_solver="full").fit(standardised)
    return model.transform(standardised), model.explained_variance_ratio_


def assert_same_but_for_signs(found: NDArray[Any], expected: NDArray[Any], tolerance: float = 2e-3) -> None:
    signs = np.sign((found * expected).sum(axis=0))
    assert np.abs(found * signs - expected).max() < tolerance * np.abs(expected).max()


@pytest.mark.parametrize(
    "features",
    [
        DIGITS[:600],  # with columns that never vary
        DIGITS[:40],
        DIGITS[:64],
        clustered(300, 40),
        clustered(50, 200),
        clustered(300, 40) * np.geomspace(1e-3, 1e3, 40, dtype=np.float32),
        clustered(300, 40) + np.float32(1000),
        np.concatenate([clustered(30, 90)] * 2),
    ],
    ids=["digits", "few digits", "square", "many", "few", "scales", "offset", "duplicates"],
)
def test_it_agrees_with_scikit_learn(features: Matrix) -> None:
    standardizer = Standardizer.fit([features], axes=5)
    expected, ratio = reference(features, 5)
    assert_same_but_for_signs(standardizer.project(features), expected)
    np.testing.assert_allclose(standardizer.variance_ratio, ratio, rtol=2e-3)


@pytest.mark.parametrize("features", [clustered(300, 40), clustered(60, 200)], ids=["many", "few"])
def test_blocks_make_no_difference(features: Matrix) -> None:
    whole = Standardizer.fit([features], axes=5)
    for sizes in ([1] * len(features), [7, 50, 3], [len(features) - 1, 1]):
        edges = np.cumsum(sizes)[:-1] if sum(sizes) == len(features) else np.cumsum(sizes)
        parts = Standardizer.fit(np.split(features, edges), axes=5)
        np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(parts.project(features), whole.project(features), atol=2e-3)


def test_a_whole_collection_has_the_same_coordinates() -> None:
    features = clustered(2_500, 40) * np.geomspace(1e-3, 1e3, 40, dtype=np.float32) + np.float32(100)
    standardizer = Standardizer.fit([features])
    blocks = np.split(features, [1_000, 2_100])
    np.testing.assert_allclose(standardizer.project_all(blocks), standardizer.project(features), atol=1e-3)


def test_axes_of_a_sample_carry_as_much_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    features = clustered(12_000, 60)
    whole = Standardizer.fit([features], axes=5)
    monkeypatch.setattr("embeddings.principal_axes.SAMPLE", 5_000)
    sampled = Standardizer.fit(np.split(features, [3_000, 3_001, 9_000]), axes=5)
    np.testing.assert_allclose(sampled.variance_ratio, whole.variance_ratio, rtol=0.05)
    assert np.linalg.svd(sampled.axes.T @ whole.axes, compute_uv=False).min() > 0.98
    np.testing.assert_array_equal(sampled.mean, Standardizer.fit(np.split(features, [3_000, 3_001, 9_000])).mean)


@pytest.mark.parametrize("shape", [(300, 40), (30, 40)])
def test_axes_are_orthonormal_with_their_largest_part_positive(shape: tuple[int, int]) -> None:
    standardizer = Standardizer.fit([clustered(*shape)], axes=10)
    np.testing.assert_allclose(standardizer.axes.T @ standardizer.axes, np.eye(10), atol=1e-4)
    assert (np.diff(standardizer.variance_ratio) <= 0).all()
    largest = np.abs(standardizer.axes).argmax(axis=0)
    assert (standardizer.axes[largest, np.arange(10)] > 0).all()
    assert (
        standardizer.mean.dtype
        == standardizer.scale.dtype
        == standardizer.axes.dtype
        == standardizer.variance_ratio.dtype
        == np.float32
    )


def test_a_constant_column_has_no_influence() -> None:
    features = clustered(100, 20)
    features[:, 3], features[:, 4], features[:, 5] = 0, 1e6, 0.1
    standardizer = Standardizer.fit([features])
    assert (standardizer.scale[3:6] == 1).all()
    assert np.abs(standardizer.axes[3:6, :10]).max() < 1e-3
    assert np.isfinite(standardizer.project(features)).all()
    assert standardizer.variance_ratio.sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("count", [1, 2, 5, 100])
def test_identical_rows_lie_at_the_origin(count: int) -> None:
    features = np.repeat(clustered(1, 50), count, axis=0)
    standardizer = Standardizer.fit([features])
    assert np.abs(standardizer.project(features)).max() < 1e-3
    assert np.isfinite(standardizer.variance_ratio).all()


# Both reducers, fitted.


@pytest.mark.parametrize("count", range(1, 21))
def test_any_number_of_pictures_has_finite_places(count: int) -> None:
    for features in (clustered(count), np.repeat(clustered(1), count, axis=0)):
        for reducer, places in fitted(features).values():
            assert places.shape == (count, 3)
            assert places.dtype == np.float32
            assert places.flags.c_contiguous
            assert np.isfinite(places).all()
            elsewhere = reducer.transform(clustered(4, seed=5))
            assert elsewhere.shape == (4, 3)
            assert np.isfinite(elsewhere).all()


@pytest.mark.parametrize(
    "features",
    [
        np.repeat(clustered(6), 10, axis=0),
        np.concatenate([clustered(30), np.repeat(clustered(1, seed=8), 40, axis=0)]),
        clustered(50) * np.float32(1e15),
        clustered(50) * np.float32(1e-15),
        clustered(50) + np.float32(1e6),
        np.eye(50, 100, dtype=np.float32),
        np.zeros((50, 100), np.float32),
    ],
    ids=["duplicates", "many of one", "huge", "tiny", "far away", "apart", "nothing"],
)
def test_awkward_features_have_finite_places(features: Matrix) -> None:
    for reducer, places in fitted(features).values():
        assert np.isfinite(places).all()
        assert np.isfinite(reducer.transform(features[::3])).all()


def test_the_same_features_get_the_same_places() -> None:
    first, again = fitted(clustered(80)), fitted(clustered(80))
    more = clustered(9, seed=4)
    for name in REDUCERS:
        np.testing.assert_array_equal(first[name][1], again[name][1])
        np.testing.assert_array_equal(first[name][0].transform(more), again[name][0].transform(more))


def test_pca_is_the_first_three_coordinates(digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    assert_same_but_for_signs(digits["pca"][1], reference(DIGITS[:600], 3)[0])
    np.testing.assert_allclose(digits["pca"][0].transform(DIGITS[:600]), digits["pca"][1], atol=1e-5)


def test_umap_keeps_neighbours(digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    assert trustworthiness(DIGITS[:600], digits["umap"][1], n_neighbors=10) >= 0.8
    features = clustered(300)
    assert trustworthiness(features, fitted(features)["umap"][1], n_neighbors=10) >= 0.8


@reducers
def test_new_pictures_are_placed_among_their_like(name: str, digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    reducer, places = digits[name]
    labels = load_digits().target
    found = reducer.transform(DIGITS[600:900])
    nearest = np.linalg.norm(found[:, None] - places[None], axis=2).argmin(axis=1)
    assert (labels[nearest] == labels[600:900]).mean() > {"pca": 0.5, "umap": 0.85}[name]


@reducers
def test_many_are_placed_as_each_by_itself_would_be(name: str, digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    reducer, places = digits[name]
    standardizer = Standardizer.fit([DIGITS[:600]])
    new = DIGITS[600:900]
    apart = np.linalg.norm(reducer.place_many(standardizer.project(new)) - reducer.transform(new), axis=1)
    spread = np.linalg.norm(places - places.mean(axis=0), axis=1).mean()
    assert np.median(apart) < 0.1 * spread


@pytest.mark.parametrize("sample", [400, 599, 600, 10_000])
def test_a_sample_lies_where_it_was_laid_out_and_the_rest_among_it(sample: int) -> None:
    features = clustered(600)
    standardizer = Standardizer.fit([features])
    coordinates = standardizer.project(features)
    reducer, places = fit_on_sample(Umap, standardizer, coordinates, seed=SEED, sample=sample)
    assert isinstance(reducer, Umap)
    assert len(reducer.training) == min(sample, 600)
    assert places.shape == (600, 3)
    laid_out = {tuple(row) for row in reducer.places.tolist()}
    assert sum(tuple(row) in laid_out for row in places.tolist()) >= len(reducer.training)
    assert trustworthiness(features, places, n_neighbors=10) >= 0.8


@reducers
def test_a_training_picture_is_placed_near_its_place(name: str, digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    reducer, places = digits[name]
    away = np.linalg.norm(reducer.transform(DIGITS[:600]) - places, axis=1)
    spread = np.linalg.norm(places - places.mean(axis=0), axis=1).mean()
    assert np.median(away) < 0.1 * spread


@reducers
def test_a_pictures_place_does_not_depend_on_the_others(name: str, digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    reducer, _ = digits[name]
    # As many as the training pictures too: umap tells a fit from a transform by such things.
    for features in (DIGITS[600:900], DIGITS[1000:1600]):
        together = reducer.transform(features)
        for size in (1, 7, 300):
            some = range(0, len(features), size * (8 if size < 300 else 1))
            for start in some:
                np.testing.assert_array_equal(
                    reducer.transform(features[start : start + size]), together[start : start + size]
                )
        order = np.random.default_rng(1).permutation(len(features))
        np.testing.assert_array_equal(reducer.transform(features[order]), together[order])


def test_a_picture_among_its_copies_does_not_depend_on_the_others() -> None:
    """umap widens a neighbourhood of copies to a share of the mean distance in the whole batch."""
    random = np.random.default_rng(0)
    picture = random.normal(size=(1, 50))
    training = np.concatenate(
        [
            picture.repeat(5, axis=0),
            picture + random.normal(scale=0.003, size=(30, 50)),
            random.normal(scale=3, size=(200, 50)),
        ]
    ).astype(np.float32)
    ones = np.ones(50, np.float32)
    standardizer = Standardizer(mean=0 * ones, scale=ones, axes=np.eye(50, dtype=np.float32), variance_ratio=ones)
    places = random.normal(scale=5, size=(235, 3)).astype(np.float32)
    reducer = Umap(standardizer=standardizer, training=training, places=places, neighbours=15, a=1.577, b=0.895)
    batch = np.concatenate([picture, random.normal(scale=9, size=(20, 50))]).astype(np.float32)
    np.testing.assert_array_equal(reducer.transform(batch)[:1], reducer.transform(batch[:1]))


@reducers
def test_no_pictures_have_no_places(name: str, digits: dict[str, tuple[Reducer, Matrix]]) -> None:
    assert digits[name][0].transform(DIGITS[:0]).shape == (0, 3)


# Saved and loaded.


@reducers
def test_a_saved_model_places_as_before(name: str, digits: dict[str, tuple[Reducer, Matrix]], tmp_path: Path) -> None:
    reducer, _ = digits[name]
    for path in (tmp_path / "one.npz", tmp_path / "folder" / "two.npz"):
        reducer.save(path)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "folder" / "two.npz").read_bytes()
    loaded = REDUCERS[name].load(tmp_path / "one.npz")
    np.testing.assert_array_equal(loaded.transform(DIGITS[600:700]), reducer.transform(DIGITS[600:700]))
    loaded.save(tmp_path / "three.npz")
    assert (tmp_path / "three.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "pca.npz"
    fitted(clustered(4))["pca"][0].save(path)
    return path


def refusal(path: Path, kind: type[Pca] | type[Umap] = Pca) -> str:
    with pytest.raises(ModelError, match=r"`manage\.py fit_reducers`") as caught:
        kind.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def changed(path: Path, **arrays: object) -> Path:
    """The same file with other arrays in it; `None` takes one away."""
    with np.load(path) as archive:
        kept = {**archive, **arrays}
    np.savez(path, **{name: array for name, array in kept.items() if array is not None})
    return path


def test_a_missing_model_names_the_command(tmp_path: Path) -> None:
    assert "there is no model" in refusal(tmp_path / "pca.npz")


def test_a_model_of_another_kind_names_the_command(saved: Path) -> None:
    assert "is not a umap model" in refusal(saved, Umap)


@pytest.mark.parametrize(
    "arrays",
    [
        {"format": FORMAT + 1},
        {"format": None},
        {"format": [FORMAT] * 2},
        {"format": "x"},
        {"kind": None},
        {"axes": None},
    ],
    ids=str,
)
def test_a_model_of_another_format_names_the_command(saved: Path, arrays: dict[str, object]) -> None:
    assert f"format {FORMAT}" in refusal(changed(saved, **arrays))


def test_a_damaged_model_names_the_command(saved: Path) -> None:
    sound = saved.read_bytes()
    for damaged in (b"", b"x", sound[:100], sound[:-30], bytes(len(sound)), sound[:200] + b"x" * 99 + sound[299:]):
        saved.write_bytes(damaged)
        assert "cannot be read" in refusal(saved)
    np.save(saved.with_suffix(".npy"), np.zeros(3))
    saved.write_bytes(saved.with_suffix(".npy").read_bytes())
    assert "cannot be read" in refusal(saved)


def test_nothing_in_a_model_is_unpickled(saved: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it-was-run"

    class Poison:
        def __reduce__(self) -> Any:
            return Path.touch, (trace,)

    changed(saved, mean=np.array([Poison()], object))
    assert "cannot be read" in refusal(saved)
    assert not trace.exists()


@reducers
def test_a_saved_model_holds_no_pickle(name: str, digits: dict[str, tuple[Reducer, Matrix]], tmp_path: Path) -> None:
    digits[name][0].save(tmp_path / "model.npz")
    with zipfile.ZipFile(tmp_path / "model.npz") as archive:
        for member in archive.namelist():
            assert b"'descr': '|O'" not in archive.read(member)[:200]
