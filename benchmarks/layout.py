"""From a catalogue's features to its layout: `python -m benchmarks.layout [ROWS …]`.

umap-learn straight on the 2048 features, as its tutorial does, beside standardise → 100 principal axes → neighbours →
layout. Unseeded, umap-learn uses every core and gives another layout each time; seeded, it gives the same one, as ours
does, and takes one core for most of it. Each in a process of its own, for its memory; those of a size in turn. Kernels
are compiled before the clock starts.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from embeddings import reducers
from embeddings.principal_axes import Standardizer
from embeddings.reducers.sampled import fit_on_sample

from . import inputs

Matrix = np.ndarray[Any, np.dtype[np.float32]]

SIZES = (20_000, 50_000, 202_599)
SAMPLE = 50_000
MOST_SEEDED = 50_000
"""Beyond, seeded umap-learn takes too long to be worth waiting for."""


def main(sizes: list[int]) -> None:
    for rows in sizes:
        done = _measure(rows, ["unseeded", "ours", "sampled"] if rows > MOST_SEEDED else ["unseeded", "seeded", "ours"])
        ours = done.pop("ours")
        if sampled := done.pop("sampled", None):
            what = f"layout of {rows:,} × 2048 features, fitted on {SAMPLE:,} of them; plain is ours on all"
            note = f"all: {_described(ours)}; a sample: {_described(sampled)}"
            print(json.dumps({"what": what, "plain": [ours["s"]], "ours": [sampled["s"]], "note": note}), flush=True)
        for way, slow in done.items():
            what = f"layout of {rows:,} × 2048 features, umap-learn {way}"
            note = f"plain: {_described(slow)}; ours: {_described(ours)}"
            print(json.dumps({"what": what, "plain": [slow["s"]], "ours": [ours["s"]], "note": note}), flush=True)
    done = _measure(0, ["unseeded", "ours", "many"])
    note = "; ".join(
        f"{name}: {_described(done[way])}"
        for name, way in (("plain", "unseeded"), ("ours", "ours"), ("as a catalogue of many", "many"))
    )
    what = "layout of 1,797 digits, EfficientNet-Lite0"
    print(
        json.dumps({"what": what, "plain": [done["unseeded"]["s"]], "ours": [done["ours"]["s"]], "note": note}),
        flush=True,
    )


def _measure(rows: int, ways: list[str]) -> dict[str, dict[str, float]]:
    """Each way on the same features, which are made in a process of their own, for its memory."""
    with tempfile.TemporaryDirectory(prefix="wwzd-layout-") as folder:
        _in_a_process("make", rows, folder)
        return {way: json.loads(_in_a_process(way, rows, folder).splitlines()[-1]) for way in ways}


def _in_a_process(*arguments: object) -> str:
    command = [sys.executable, "-m", "benchmarks.layout", *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _described(way: dict[str, float]) -> str:
    text = (
        f"trustworthiness {way['trust']:.3f}, labels {way['labels']:.3f}, centres {way['centres']:.2f}, "
        f"{way['memory'] / 1e9:.1f} GB"
    )
    return text + (f", neighbours found {way['recall']:.3f}" if "recall" in way else "")


def run(way: str, folder: Path) -> dict[str, float]:
    """One way, once, in this process, on what `make` left in the folder."""
    warnings.simplefilter("ignore")
    if way == "many":
        reducers.Umap.MANY_ROWS = 0
    few, _ = inputs.continuum(max(reducers.Umap.MANY_ROWS, 5_000) + 1, 64)
    for some in (few, few[:1000]):  # both branches of either
        _ways[way]([some])
    del few, some
    blocks = [np.load(path, mmap_mode="r") for path in sorted(folder.glob("block-*.npy"))]
    labels = np.load(folder / "labels.npy")
    started = time.perf_counter()
    places, coordinates = _ways[way](blocks)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer = {"s": seconds, "memory": memory, **_quality(blocks, labels, places)}
    if coordinates is not None and len(coordinates) > reducers.Umap.MANY_ROWS:
        answer["recall"] = _recall(coordinates)
    return answer


def make(rows: int, folder: Path) -> None:
    """Features as a build keeps them, in blocks of 1000; 0 rows stand for the digits."""
    features, labels = inputs.continuum(rows) if rows else _digits(folder)
    for start in range(0, len(features), 1000):
        np.save(folder / f"block-{start:09d}.npy", features[start : start + 1000])
    np.save(folder / "labels.npy", labels)


def _digits(cache: Path) -> tuple[Matrix, Matrix]:
    """The demo's pictures through the real network."""
    from datasets.management.commands.build_demo import digits as pictures
    from datasets.pictures.extraction import prepare
    from embeddings import backbones
    from embeddings.extractors import open_extractor

    weights = backbones.find(cache, choice="efficientnet_lite0")
    assert weights is not None
    files = pictures()
    prepared = prepare(sorted(files), files.__getitem__, weights.backbone, 10**8)
    extractor = open_extractor(weights, cache)
    features = extractor.extract(outcome.crop for _, outcome in prepared if not isinstance(outcome, Exception))
    return features, np.array([int(name.split("-")[2][0]) for name in sorted(files)])


def _unseeded(blocks: list[Matrix]) -> tuple[Matrix, None]:
    from umap import UMAP

    return np.asarray(UMAP(n_components=3).fit_transform(np.concatenate(blocks))), None


def _seeded(blocks: list[Matrix]) -> tuple[Matrix, None]:
    from umap import UMAP

    return np.asarray(UMAP(n_components=3, random_state=42).fit_transform(np.concatenate(blocks))), None


def _ours(blocks: list[Matrix]) -> tuple[Matrix, Matrix]:
    standardizer = Standardizer.fit(blocks)
    coordinates = standardizer.project_all(blocks)
    return reducers.Umap.fit(standardizer, coordinates, seed=reducers.SEED)[1], coordinates


def _sampled(blocks: list[Matrix]) -> tuple[Matrix, None]:
    standardizer = Standardizer.fit(blocks)
    coordinates = standardizer.project_all(blocks)
    sample = min(SAMPLE, len(coordinates) // 2)
    found = fit_on_sample(reducers.Umap, standardizer, coordinates, seed=reducers.SEED, sample=sample)
    return found[1], None


_ways: dict[str, Any] = {
    "unseeded": _unseeded,
    "seeded": _seeded,
    "ours": _ours,
    "many": _ours,
    "sampled": _sampled,
}


def _quality(blocks: list[Matrix], labels: Matrix, places: Matrix) -> dict[str, float]:
    """How much of the features is left in the places.

    Trustworthiness (k = 15) of 500 rows among all; how often ten neighbours vote for a row's own label, of 5000 rows;
    rank correlation of the distances between the labels' centres.
    """
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr
    from sklearn.neighbors import NearestNeighbors

    count, k = len(places), 15
    some = np.random.default_rng(1).permutation(count)[:5000]
    found = NearestNeighbors(n_neighbors=k + 1).fit(places).kneighbors(places[some], return_distance=False)
    others = [[other for other in row if other != own][:k] for own, row in zip(some, found, strict=True)]
    votes = [np.bincount(labels[row[:10]]).argmax() for row in others]
    asked = some[:500]
    queries = np.stack([blocks[row // 1000][row % 1000] for row in asked])
    far = np.concatenate([np.einsum("ij,ij->i", block, block) - 2 * queries @ block.T for block in blocks], axis=1)
    far[np.arange(len(asked)), asked] = -np.inf
    ranks = [np.searchsorted(np.sort(row), row[near]) for row, near in zip(far, others[:500], strict=True)]
    lost = np.maximum(np.array(ranks) - k, 0).sum()
    kinds = np.unique(labels)
    first = np.concatenate([np.asarray(block) for block in blocks[:10]])
    centres = [[rows[labels[: len(rows)] == kind].mean(axis=0) for kind in kinds] for rows in (first, places)]
    return {
        "trust": float(1 - 2 / (len(asked) * k * (2 * count - 3 * k - 1)) * lost),
        "labels": float(np.mean(votes == labels[some])),
        "centres": float(spearmanr(*(pdist(np.array(rows)) for rows in centres))[0]),
    }


def _recall(coordinates: Matrix) -> float:
    """Which share of the 14 nearest others of 500 points is found."""
    from sklearn.neighbors import NearestNeighbors

    from embeddings.knn_graph import Cells

    cells = Cells.of(coordinates, seed=reducers.SEED)
    found, _ = cells.nearest(15)
    some = np.random.default_rng(1).choice(len(found), 500, replace=False)
    index = NearestNeighbors(n_neighbors=15, algorithm="brute").fit(cells.points)
    wanted = index.kneighbors(cells.points[some], return_distance=False)
    # The point itself is among both.
    return float(np.mean([(np.isin(one, two).sum() - 1) / 14 for one, two in zip(found[some], wanted, strict=True)]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(int(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] and sys.argv[1] in _ways:
        print(json.dumps(run(sys.argv[1], Path(sys.argv[3]))))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
