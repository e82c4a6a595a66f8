"""Further layouts: `python -m benchmarks.maps [digits|many]`.

On scikit-learn's digits, raw pixels: how often ten neighbours vote for a picture's own digit (leave-one-out) in each
layout, beside the libraries' own defaults on the same standardised pixels. On made-up features of a catalogue's size:
the grid and the certificate.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from embeddings.grid_layout import cost, lay_out
from embeddings.layout_quality import measure
from embeddings.layouts import GRID, METHODS, compute, validated
from embeddings.principal_axes import Standardizer

from . import inputs
from .measuring import timed

TOTAL = 202_599
EXACT = 2_000


def main() -> None:
    for what in sys.argv[1:] or ["digits", "many"]:
        for row in {"digits": digits, "many": many}[what]():
            print(json.dumps(row), flush=True)


def digits() -> Iterator[dict[str, Any]]:
    """Kernels are compiled by a first run that is not timed."""
    from sklearn.datasets import load_digits
    from sklearn.preprocessing import StandardScaler

    pixels, labels = load_digits(return_X_y=True)
    features = pixels.astype(np.float32)
    standardised = StandardScaler().fit_transform(features).astype(np.float32)
    theirs = _libraries()
    own = {"umap": "umap", "densmap": "densmap", "tsne": "tsne", "pacmap": "pacmap"}
    for name, library in own.items():
        method = METHODS[name]
        values = validated(method, {})
        compute([features[:300]], method, values, lambda share: None)
        theirs[library](standardised[:300])
        places, ours = timed(partial(compute, [features], method, values, lambda share: None))
        plain, seconds = timed(partial(theirs[library], standardised))
        quality = measure([features], places).scores[0]
        note = (
            f"label accuracy {_accuracy(places, labels):.4f} (plain {_accuracy(plain, labels):.4f}); "
            f"trustworthiness {quality.trustworthiness:.3f}, continuity {quality.continuity:.3f}, "
            f"kept {quality.kept:.3f} (k = 10)"
        )
        yield {"what": f"{name} of 1797 digits", "plain_s": seconds, "ours_s": ours, "note": note}
        if name == "umap":
            grid, seconds = timed(partial(lay_out, places, 1.5))
            accuracy = f"label accuracy {_accuracy(grid, labels):.4f}"
            yield {"what": "grid of UMAP's 1797 digits", "ours_s": seconds, "note": accuracy}


def many() -> Iterator[dict[str, Any]]:
    features, labels = inputs.continuum(TOTAL)
    blocks = [features[start : start + 1000] for start in range(0, TOTAL, 1000)]
    # A plane on which clusters show, at no cost: random directions of the labels' centres, and the principal axes.
    axes = Standardizer.fit(blocks).project_all(blocks)
    random = np.random.default_rng(0)
    centres = random.normal(scale=8, size=(int(labels.max()) + 1, 2))
    places = (centres[labels] + axes[:, :2] / axes[:, :2].std(axis=0)).astype(np.float32)
    some = places[random.choice(TOTAL, EXACT, replace=False)]
    found, plain = timed(lambda: lay_out(some, 1.5, exact=True))
    parts, ours = timed(lambda: lay_out(some, 1.5, exact=False))
    note = f"mean squared way {cost(some, parts) / cost(some, found):.3f} × the shortest"
    yield {"what": f"{GRID.name} of {EXACT:,}, exact beside by parts", "plain_s": plain, "ours_s": ours, "note": note}
    _, seconds = timed(lambda: lay_out(places, 1.5))
    yield {"what": f"{GRID.name} of {TOTAL:,}", "ours_s": seconds}
    before = _peak()
    quality, seconds = timed(lambda: measure(blocks, places))
    scores = ", ".join(f"k = {s.neighbours}: {s.trustworthiness:.3f} {s.continuity:.3f}" for s in quality.scores)
    note = f"{quality.measured} compared with all; {scores}; peak {_peak()} MB, {before} MB before it with the features"
    yield {"what": f"certificate of {TOTAL:,} × {features.shape[1]}", "ours_s": seconds, "note": note}


def _libraries() -> dict[str, Callable[[Any], Any]]:
    """Each as its tutorial uses it, on a plane, seeded where it can be."""
    import openTSNE

    from embeddings.kernels import import_pacmap, import_umap

    umap, pacmap = import_umap(), import_pacmap()
    return {
        "umap": lambda rows: umap.UMAP(random_state=42, n_jobs=1).fit_transform(rows),
        "densmap": lambda rows: umap.UMAP(random_state=42, n_jobs=1, densmap=True).fit_transform(rows),
        "tsne": lambda rows: np.asarray(openTSNE.TSNE(random_state=42).fit(rows)),
        "pacmap": lambda rows: pacmap.PaCMAP(random_state=42).fit_transform(rows),
    }


def _accuracy(places: Any, labels: Any) -> float:
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=10).fit(places).kneighbors(return_distance=False)
    return float(np.mean([np.bincount(labels[row]).argmax() == own for row, own in zip(near, labels, strict=True)]))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
