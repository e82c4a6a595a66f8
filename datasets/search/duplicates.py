"""Among pictures: which are the same, or nearly, and which are like no other. Those of up to 1000 pictures are
compared when someone asks, those of more have been once and for all (`similarity`)."""

from collections import Counter
from typing import Any

import numpy as np

from datasets.collection.base import Collection
from datasets.collection.similarity import NEIGHBOURS, Pair, equal, near


def duplicates(found: Collection, threshold: float) -> dict[str, Any]:
    """Groups of pictures that are connected by likeness, the largest first; each one's least cosine stands beside it.

    Raises `NotFound` for a catalogue of which that was not measured.
    """
    equal, pairs = _copies(found, threshold)
    seen = {(first, second) for first, second, _ in pairs}
    pairs = [*((first, second, 1.0) for first, second in equal if (first, second) not in seen), *pairs]
    together = _connected(found.total, pairs)
    group = {row: number for number, rows in enumerate(together) for row in rows}
    least = [1.0] * len(together)
    for first, _, cosine in pairs:
        least[group[first]] = min(least[group[first]], cosine)
    # Each file's copies point to its first row: one file makes one pair less than a group has pictures.
    repeated = Counter(group[first] for first, _ in equal)
    groups = [
        {
            "kind": "exact" if repeated[number] == len(rows) - 1 else "near",
            "images": [{"index": row, "name": name} for row, name in zip(rows, found.names(rows), strict=True)],
            "similarity": round(least[number], 6),
        }
        for number, rows in enumerate(together)
    ]
    return {"groups": groups, "threshold": threshold, "total": len(groups)}


def outliers(found: Collection, limit: int) -> dict[str, Any]:
    """The farthest outliers first. The score is the mean distance, 1 − cosine, to the ten nearest others.

    Raises `NotFound` for a catalogue of which that was not measured.
    """
    scores = found.outlier_scores()
    order = np.lexsort((np.arange(len(scores)), -scores))[:limit].tolist()
    listed = [
        {"index": row, "name": name, "score": round(float(scores[row]), 6)}
        for row, name in zip(order, found.names(order), strict=True)
    ]
    score = f"mean of 1 − cosine to the {NEIGHBOURS} nearest others"
    return {"outliers": listed, "score": score, "mean": round(float(scores.mean()), 6), "total": found.total}


def _copies(found: Collection, threshold: float) -> tuple[list[tuple[int, int]], list[Pair]]:
    """Pairs of equal files, and pairs at least so similar."""
    if (tables := found.similarity()) is not None:
        return [(first, second) for first, second in tables.equal.tolist()], tables.pairs(threshold)
    images = found.images
    return equal(images.column("digest")), near(np.concatenate(found.blocks()), images.fingerprints(), threshold)


def _connected(count: int, pairs: list[Pair]) -> list[list[int]]:
    """Groups of two and more rows that pairs connect, the largest first, then by their first row."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = np.array([pair[:2] for pair in pairs], np.int32).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), np.int8), (first, second)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted((rows.tolist() for rows in groups if len(rows) > 1), key=lambda rows: (-len(rows), rows[0]))
