"""How far a layout can be trusted: as scikit-learn measures it, and by a sample nearly the same."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embeddings import layout_quality
from embeddings.layout_quality import measure

Matrix = NDArray[np.float32]

DIGITS: Matrix = load_digits().data.astype(np.float32)


def flattened(features: Matrix, dimensions: int = 2) -> Matrix:
    random = np.random.default_rng(0).normal(size=(features.shape[1], dimensions))
    return (features @ random).astype(np.float32)


def test_it_agrees_with_scikit_learn() -> None:
    places = flattened(DIGITS)
    found = measure([DIGITS[:1000], DIGITS[1000:]], places)
    assert [scores.neighbours for scores in found.scores] == [10, 50]
    for scores in found.scores:
        k = scores.neighbours
        expected = trustworthiness(DIGITS, places, n_neighbors=k, metric="cosine")
        assert scores.trustworthiness == pytest.approx(expected, abs=1e-4)
        # Continuity is the trustworthiness of the features, taken as a layout of the places. Unit vectors have the
        # Euclidean neighbours that their cosines give.
        unit = DIGITS / np.linalg.norm(DIGITS, axis=1, keepdims=True)
        assert scores.continuity == pytest.approx(trustworthiness(places, unit, n_neighbors=k), abs=1e-4)


def test_it_counts_the_neighbours_that_are_kept() -> None:
    features = DIGITS[:200]
    places = flattened(features, 3)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    true, shown = (
        np.argsort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, 1:11] for points in (unit, places)
    )
    expected = np.mean([np.isin(one, other).mean() for one, other in zip(true, shown, strict=True)])
    assert measure([features], places).scores[0].kept == pytest.approx(expected, abs=2e-3)


def test_a_layout_that_keeps_everything_scores_one() -> None:
    angles = np.sort(np.random.default_rng(0).uniform(0, 1, 300)).astype(np.float32)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = measure([features], np.stack([angles, np.zeros_like(angles)], axis=1))
    for scores in found.scores:
        assert min(scores.trustworthiness, scores.continuity, scores.kept) > 0.99
    assert found.distortion.max() < 0.01


def test_distortion_tells_the_picture_that_lies_wrong() -> None:
    random = np.random.default_rng(0)
    features = random.normal(scale=0.1, size=(300, 8)).astype(np.float32)
    features[:150, 0] += 3
    features[150:, 1] += 3
    places = features[:, :2].copy()
    places[0] = places[-1] + 0.01  # among those that are unlike it
    found = measure([features], places)
    assert found.distortion.shape == (300,)
    assert found.distortion.dtype == np.float32
    assert found.distortion.argmax() == 0
    mean = np.mean([found.scores[-1].trustworthiness, found.scores[-1].continuity])
    assert found.distortion.mean() == pytest.approx(1 - mean, abs=1e-5)


def test_a_sample_says_nearly_the_same() -> None:
    blocks, places = [DIGITS[:1000], DIGITS[1000:]], flattened(DIGITS)
    exact = measure(blocks, places)
    sampled = measure(blocks, places, exact_rows=1000, sample=600)
    assert (exact.measured, sampled.measured) == (len(DIGITS), 600)
    assert (exact.distortion_against, sampled.distortion_against) == (len(DIGITS), 600)
    for one, other in zip(exact.scores, sampled.scores, strict=True):
        assert other.trustworthiness == pytest.approx(one.trustworthiness, abs=0.02)
        assert other.continuity == pytest.approx(one.continuity, abs=0.02)
        assert other.kept == pytest.approx(one.kept, abs=0.02)
    assert np.corrcoef(exact.distortion, sampled.distortion)[0, 1] > 0.85
    again = measure(blocks, places, exact_rows=1000, sample=600)
    assert again.scores == sampled.scores
    np.testing.assert_array_equal(again.distortion, sampled.distortion)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    places = flattened(DIGITS[:300])
    whole = measure([DIGITS[:300]], places)
    monkeypatch.setattr(layout_quality, "_CELLS", 5_000)
    parts = measure([DIGITS[:7], DIGITS[7:300]], places)
    for one, other in zip(whole.scores, parts.scores, strict=True):
        assert one.trustworthiness == pytest.approx(other.trustworthiness, abs=1e-5)
    np.testing.assert_allclose(whole.distortion, parts.distortion, atol=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 19, 21])
def test_few_pictures(count: int) -> None:
    found = measure([DIGITS[:count]], flattened(DIGITS[:count]))
    assert found.distortion.shape == (count,)
    assert np.isfinite(found.distortion).all()
    assert len(found.scores) == (count > 2)
    for scores in found.scores:
        assert 2 * scores.neighbours < count
        assert 0 <= scores.trustworthiness <= 1


def test_copies_are_equally_near() -> None:
    features = np.repeat(DIGITS[:40], 5, axis=0)
    found = measure([features], np.repeat(flattened(DIGITS[:40]), 5, axis=0))
    assert np.isfinite(found.distortion).all()
    copies = found.distortion.reshape(40, 5)
    np.testing.assert_allclose(copies, copies[:, :1].repeat(5, axis=1), atol=0.02)


def test_places_of_other_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="9 places are not those of 10 pictures"):
        measure([DIGITS[:10]], flattened(DIGITS[:9]))
