"""The same set, the same map: `python -m benchmarks.order ZIP [--subsets 5] [--orders 3]`.

ZIP holds pictures whose names begin with their label and `_`. Subsets of 1000 go through the real network; each is then
laid out in several orders of its files, once in the order that they come in, once as `Pipeline.place` does it, in an
order that the features decide. Told are how many of 1000 have their label's majority among their ten nearest (3-D UMAP,
mean of all), and by how much a place differs between orders, in shares of the layout's spread.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue.sources import OpenSource
from datasets.pictures.extraction import prepare
from embeddings import backbones
from embeddings.pipeline import Pipeline
from embeddings.principal_axes import Standardizer
from embeddings.reducers import SEED, Umap

Matrix = np.ndarray[Any, np.dtype[np.float32]]
ROWS, NEAREST = 1000, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--subsets", type=int, default=5)
    parser.add_argument("--orders", type=int, default=3)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wwzd.settings")
    with tempfile.TemporaryDirectory(prefix="wwzd-order-") as cache:
        weights = backbones.find(Path(cache), choice="efficientnet_lite0")
        assert weights is not None
        pipeline = Pipeline(weights=weights, cache=Path(cache), space=None, device="cpu")
        features, labels = _features(given.source, pipeline)
    random = np.random.default_rng(0)
    by_way: dict[str, dict[str, list[float]]] = {way: {"labels": [], "differ": []} for way in ("as they come", "ours")}
    for _ in range(given.subsets):
        subset = np.sort(random.choice(len(features), min(ROWS, len(features)), replace=False))
        orders = [np.arange(len(subset)), *(random.permutation(len(subset)) for _ in range(given.orders - 1))]
        for way, found in by_way.items():
            layouts = []
            for order in orders:
                places = _place(pipeline, features[subset][order], way)
                layouts.append(places[np.argsort(order)])
                found["labels"].append(_right(layouts[-1], labels[subset]))
            spread = np.linalg.norm(layouts[0].std(axis=0))
            found["differ"] += [
                float(np.linalg.norm(other - layouts[0], axis=1).max() / spread) for other in layouts[1:]
            ]
    for way, found in by_way.items():
        print(
            json.dumps(
                {
                    "what": f"UMAP of {ROWS} pictures, fitted in an order: {way}",
                    "right by label": round(float(np.mean(found["labels"])), 4),
                    "of each": [round(value, 3) for value in found["labels"]],
                    "largest difference between orders, in spreads": max(found["differ"]),
                }
            )
        )


def _features(path: Path, pipeline: Pipeline) -> tuple[Matrix, Any]:
    with OpenSource(path) as source:
        prepared = list(prepare(source.names, source.read, pipeline.weights.backbone, 10**8))
    good = [(name, outcome.crop) for name, outcome in prepared if not isinstance(outcome, Exception)]
    labels = np.array([Path(name).name.split("_")[0] for name, _ in good])
    return pipeline.extract(crop for _, crop in good), labels


def _place(pipeline: Pipeline, features: Matrix, way: str) -> Matrix:
    if way == "ours":
        return pipeline.place(features, lambda name: None).vectors["umap"]
    standardizer = Standardizer.fit([features])
    return Umap.fit(standardizer, standardizer.project(features), seed=SEED)[1]


def _right(places: Matrix, labels: Any) -> float:
    """The share of pictures most of whose ten nearest are of their own kind."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=NEAREST + 1).fit(places).kneighbors(places, return_distance=False)
    kinds, numbers = np.unique(labels, return_inverse=True)
    right = 0
    for row, near in enumerate(found):
        others = [other for other in near if other != row][:NEAREST]
        right += int(np.bincount(numbers[others], minlength=len(kinds)).argmax() == numbers[row])
    return right / len(places)


if __name__ == "__main__":
    main()
