"""Clusters of features: they gather what is alike, nest, and depend on the features alone."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from embeddings import clusters
from embeddings.clusters import Level
from embeddings.density_tree import DensityTree
from embeddings.extractors import Features
from tests.support.paths import ROOT, SAMPLES

pytestmark = pytest.mark.slow

Labels = NDArray[np.int64]


@cache
def digits() -> tuple[Features, Labels]:
    from sklearn.datasets import load_digits

    loaded = load_digits()
    return loaded.data.astype(np.float32), loaded.target


@cache
def found() -> list[Level]:
    return clusters.find([digits()[0]])


def blobs(count: int, kinds: int) -> Features:
    random = np.random.default_rng(kinds)
    centres = random.normal(size=(kinds, 24)) * 6
    return (centres[np.arange(count) % kinds] + random.normal(size=(count, 24))).astype(np.float32)


def purity(labels: NDArray[np.int32], truth: Labels) -> float:
    kept = labels >= 0
    largest = [np.bincount(truth[labels == cluster]).max() for cluster in np.unique(labels[kept])]
    return float(np.sum(largest) / kept.sum())


def completeness(labels: NDArray[np.int32], truth: Labels) -> float:
    """The part of the pictures in clusters that lie where most of their kind do."""
    kept = labels >= 0
    largest = [np.bincount(labels[kept & (truth == kind)]).max() for kind in np.unique(truth)]
    return float(np.sum(largest) / kept.sum())


def test_clusters_of_digits_are_digits() -> None:
    """Digits that look alike, as 3, 5, 8 and 9, may be one coarse cluster: it depends on the last bits of the features,
    and so on the processor."""
    truth = digits()[1]
    coarse, fine = found()[0], found()[1]
    assert 5 <= len(coarse.sizes) <= 12
    assert completeness(coarse.labels, truth) >= 0.8
    assert purity(coarse.labels, truth) >= 0.5
    assert (coarse.labels >= 0).mean() >= 0.9
    assert purity(fine.labels, truth) >= 0.9
    assert (fine.labels >= 0).mean() >= 0.7


def test_ids_go_by_size_and_sizes_are_those_of_the_labels() -> None:
    for level in found():
        np.testing.assert_array_equal(np.bincount(level.labels[level.labels >= 0]), level.sizes)
        assert (np.diff(level.sizes) <= 0).all()


def test_medoids_lie_in_their_clusters() -> None:
    for level in found():
        np.testing.assert_array_equal(level.labels[level.medoids], np.arange(len(level.sizes)))


def test_clusters_lie_wholly_in_their_parents() -> None:
    assert (found()[0].parents == -1).all()
    for coarse, fine in zip(found(), found()[1:], strict=False):
        assert len(fine.sizes) >= 2 * len(coarse.sizes)
        inside = fine.labels >= 0
        np.testing.assert_array_equal(coarse.labels[inside], fine.parents[fine.labels[inside]])


def test_the_order_of_pictures_and_their_blocks_do_not_matter() -> None:
    features, order = digits()[0], np.random.default_rng(1).permutation(len(digits()[0]))
    again = clusters.find([features[order[:1000]], features[order[1000:]]])
    assert len(again) == len(found())
    for one, other in zip(found(), again, strict=True):
        np.testing.assert_array_equal(one.labels[order], other.labels)
        np.testing.assert_array_equal(features[one.medoids], features[order[other.medoids]])
        np.testing.assert_array_equal(one.parents, other.parents)


def test_cores_do_not_matter() -> None:
    program = "from tests.embeddings import test_clusters as t; print(t.found()[-1].labels.tolist())"
    alone = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert alone.stdout.strip() == str(found()[-1].labels.tolist())


def test_copies_lie_in_one_cluster_and_count() -> None:
    features = blobs(60, 3)
    (level,) = clusters.find([np.concatenate([features, features[:30]])])
    np.testing.assert_array_equal(level.labels[:30], level.labels[60:])
    assert level.sizes.sum() == (level.labels >= 0).sum()


def test_clear_clusters_are_all_found() -> None:
    (level,) = clusters.find([blobs(90, 3)])
    assert level.sizes.tolist() == [30, 30, 30]
    assert purity(level.labels, np.arange(90) % 3) == 1


@pytest.mark.parametrize("count", [1, 2, 5, 19])
def test_few_pictures_have_no_clusters(count: int) -> None:
    assert clusters.find([blobs(count, 2)]) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.zeros((40, 8), np.float32),
        lambda: np.repeat(np.arange(30, dtype=np.float32)[:, None], 8, axis=1),
        lambda: np.random.default_rng(0).normal(size=(30, 1)).astype(np.float32),
        lambda: blobs(20, 1),
    ],
    ids=["copies", "on a line", "one column", "as few as can be"],
)
def test_poor_features_do_not_break_it(make: Callable[[], Features]) -> None:
    features = make()
    for level in clusters.find([features]):
        assert len(level.labels) == len(features)


def test_the_tree_joins_the_nearest_first() -> None:
    """Two far groups in 3-D, each of two near ones: they divide where they should, whatever the size."""
    random = np.random.default_rng(0)
    centres = np.array([[0, 0, 0], [3, 0, 0], [40, 0, 0], [43, 0, 0]])
    points = (centres[np.arange(120) % 4] + random.normal(scale=0.3, size=(120, 3))).astype(np.float32)
    tree = DensityTree.of(points)
    halves, quarters = (tree.labels(tree.leaves(size)) for size in (60, 30))
    assert purity(halves, (np.arange(120) % 4) // 2) == 1
    assert purity(quarters, np.arange(120) % 4) == 1
    assert (len(np.unique(halves)), len(np.unique(quarters))) == (2, 4)
    assert tree.sizes[-1] == 120


FLOWERS = SAMPLES / "flowers-5x300.zip"


@pytest.mark.skipif(not FLOWERS.exists(), reason="../shared/data is not at hand")
def test_real_photographs_gather_by_kind() -> None:
    from embeddings.backbones import find
    from embeddings.extractors import open_extractor
    from embeddings.images.decoding import crop, decode

    weights = find(ROOT / "none", choice="efficientnet_lite0")
    assert weights
    with zipfile.ZipFile(FLOWERS) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[::3]
        shape = weights.backbone
        pictures = (decode(archive.read(name), min_side=shape.resize, max_pixels=10**6) for name in names)
        crops = (crop(picture, resize=shape.resize, side=shape.side) for picture in pictures)
        features = open_extractor(weights, settings.CACHE_DIR).extract(crops)
    _, kinds = np.unique([name.split("_")[0] for name in names], return_inverse=True)
    finest = clusters.find([features])[-1]
    assert purity(finest.labels, kinds) >= 0.55
    assert (finest.labels >= 0).mean() >= 0.5
