"""From a catalogue's features to its clusters: `python -m benchmarks.clusters [ROWS …]`.

On made-up kinds that run into each other, and on scikit-learn's digits. Beside them, where they are installed (the
service needs neither), EVoC and fast-hdbscan's PLSCAN on the same principal coordinates. Kernels are compiled before
the clock starts. Shares are of pictures: in a cluster at all, and of the kind that is the most frequent in theirs.
"""

import json
import resource
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings import clusters
from embeddings.principal_axes import Standardizer

from . import inputs
from .measuring import timed

TOTAL = 202_599
Labels = NDArray[np.integer[Any]]


def main(sizes: list[int]) -> None:
    clusters.warm_up()
    for rows in sizes:
        features, kinds = inputs.continuum(rows)
        levels, seconds = timed(lambda features=features: clusters.find([features]))  # type: ignore[misc]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6 - features.nbytes / 1e9
        note = f"{_described([level.labels for level in levels], kinds)}; {memory:.1f} GB beside the features"
        what = f"clusters of {rows:,} × {features.shape[1]} features"
        print(json.dumps({"what": what, "ours": [seconds], "note": note}), flush=True)
    _digits()


def _digits() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    features = digits.data.astype(np.float32)
    levels, seconds = timed(lambda: clusters.find([features]))
    row: dict[str, Any] = {"what": "clusters of 1,797 digits", "ours": [seconds]}
    notes = [f"ours: {_described([level.labels for level in levels], digits.target)}"]
    coordinates = Standardizer.fit([features]).project_all([features])
    for name, others in _others().items():
        others(coordinates)
        found, taken = timed(lambda others=others: others(coordinates))  # type: ignore[misc]
        notes.append(f"{name} in {taken:.2f} s: {_described(found, digits.target)}")
    print(json.dumps(row | {"note": "; ".join(notes)}), flush=True)


def _others() -> dict[str, Callable[[NDArray[np.float32]], Sequence[Labels]]]:
    found: dict[str, Callable[[NDArray[np.float32]], Sequence[Labels]]] = {}
    if find_spec("evoc"):
        found["EVoC"] = lambda points: import_module("evoc").EVoC(random_state=1).fit(points).cluster_layers_
    if find_spec("fast_hdbscan"):
        found["PLSCAN"] = lambda points: import_module("fast_hdbscan").PLSCAN().fit(points).cluster_layers_
    return found


def _described(levels: Sequence[Labels], kinds: Labels) -> str:
    """Number of clusters, share in one, share of the right kind; the coarsest level first."""
    return ", ".join(_of_level(labels, kinds) for labels in sorted(levels, key=lambda labels: int(labels.max())))


def _of_level(labels: Labels, kinds: Labels) -> str:
    kept = labels >= 0
    right = sum(np.bincount(kinds[labels == cluster]).max() for cluster in range(labels.max() + 1))
    return f"{labels.max() + 1} ({kept.mean():.2f} in one, {right / max(kept.sum(), 1):.3f} of its kind)"


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [TOTAL])
