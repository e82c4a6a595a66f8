"""From a catalogue's features to its layout: `python -m benchmarks.layout [ROWS …]`.

umap-learn straight on the 2048 features, as its tutorial does, beside standardise → 100 principal axes → UMAP. Each in
a process of its own, for its memory; the processes of a size in turn. Kernels are compiled before the clock starts.
"""

import json
import resource
import subprocess
import sys
import time
import warnings

import numpy as np

from benchmarks import inputs
from embeddings import reducers
from embeddings.basis import Basis


def main(sizes: list[int]) -> None:
    for rows in sizes:
        slow, fast = (_in_a_process(way, rows) for way in ("plain", "ours"))
        note = "; ".join(
            f"{name}: trustworthiness {way['trust']:.3f}, labels {way['labels']:.3f}, {way['memory'] / 1e9:.1f} GB"
            for name, way in (("plain", slow), ("ours", fast))
        )
        what = f"layout of {rows:,} × 2048 features"
        print(json.dumps({"what": what, "plain": [slow["s"]], "ours": [fast["s"]], "note": note}), flush=True)


def _in_a_process(way: str, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.layout", way, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run(way: str, rows: int) -> dict[str, float]:
    """One way, once, in this process."""
    warnings.simplefilter("ignore")
    features, labels = inputs.clusters(rows)
    work = _plain if way == "plain" else _ours
    work(features[:5000])  # compiles the branch for large data too
    started = time.perf_counter()
    places = work(features)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"s": seconds, "memory": memory, **_quality(features, labels, places)}


def _plain(features: "np.ndarray") -> "np.ndarray":
    from umap import UMAP

    return np.asarray(UMAP(n_components=3).fit_transform(features))


def _ours(features: "np.ndarray") -> "np.ndarray":
    blocks = [features[start : start + 1000] for start in range(0, len(features), 1000)]
    basis = Basis.fit(blocks)
    coordinates = basis.project_all(blocks)
    return reducers.Umap.fit(basis, coordinates, seed=reducers.SEED)[1]


def _quality(features: "np.ndarray", labels: "np.ndarray", places: "np.ndarray") -> dict[str, float]:
    """Trustworthiness (k = 15) of 2000 rows, and how often ten neighbours vote for a row's own label."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    some = np.random.default_rng(1).choice(len(features), 2000, replace=False)
    found = NearestNeighbors(n_neighbors=11).fit(places).kneighbors(places[some], return_distance=False)[:, 1:]
    votes = [np.bincount(labels[row]).argmax() for row in found]
    return {
        "trust": float(trustworthiness(features[some], places[some], n_neighbors=15)),
        "labels": float(np.mean(votes == labels[some])),
    }


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in {"plain", "ours"}:
        print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
    else:
        main([int(size) for size in sys.argv[1:]] or [20_000, 50_000])
