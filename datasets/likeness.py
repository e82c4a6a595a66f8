"""Among the pictures of an upload: which are the same, or nearly, and which are like no other."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings import neighbours
from embeddings.features import Features

from .collection import Upload
from .facts import Facts

THRESHOLD = 0.9
"""Cosine from which two pictures may be one, saved anew: of 100 different faces the two likest have 0.89."""
_BITS = 10
"""In which their fingerprints may differ: of 64, and two different faces differ in about 25."""
_NEIGHBOURS = 10


def near(features: Features, fingerprints: NDArray[np.uint64], threshold: float) -> list[tuple[int, int, float]]:
    """Rows `(i, j, cosine)`, i < j, that show the same, the likest first.

    The network alone takes two pictures of one thing for the same, and a fingerprint alone two of the same layout: only
    together do they mean a copy that was scaled, cropped a little or saved anew.
    """
    if not len(fingerprints):
        return neighbours.pairs(features, threshold)
    # Fingerprints first: comparing them costs next to nothing, and leaves few pairs of features to compare.
    apart = np.bitwise_count(fingerprints[:, None] ^ fingerprints[None])
    first, second = np.nonzero(np.triu(apart <= _BITS, 1))
    if len(first) > 10 * len(features):  # as of scans, which are all white with a line or two
        alike = set(zip(first.tolist(), second.tolist(), strict=True))
        return [pair for pair in neighbours.pairs(features, threshold) if pair[:2] in alike]
    cosines = neighbours.cosines(features[first], features[second])
    order = np.lexsort((second, first, -cosines))
    return [(int(first[k]), int(second[k]), float(cosines[k])) for k in order if cosines[k] >= threshold]


def fingerprints_of(facts: Iterable[Facts | None]) -> NDArray[np.uint64]:
    """`(n,)`; empty where any is not known."""
    known = list(facts)
    if any(each is None for each in known):
        return np.empty(0, np.uint64)
    return np.array([int(each.fingerprint, 16) for each in known if each], np.uint64)


def duplicates(upload: Upload, threshold: float) -> dict[str, Any]:
    """Groups of pictures that are connected by likeness, the largest first; each pair's cosine stands beside it."""
    sheet = upload.sheet(0)
    facts = [sheet.facts(row) for row in range(upload.total)]
    digests = [each.digest if each else None for each in facts]
    pairs = near(upload.features(), fingerprints_of(facts), threshold)
    seen = {(first, second) for first, second, _ in pairs}
    exact = [(i, j, 1.0) for i, j in _equal(digests) if (i, j) not in seen]
    groups = []
    for rows in _connected(upload.total, [*exact, *pairs]):
        inside = [(i, j, cosine) for i, j, cosine in [*exact, *pairs] if i in rows]
        groups.append(
            {
                "kind": "exact" if digests[rows[0]] and len({digests[row] for row in rows}) == 1 else "near",
                "images": [{"index": row, "name": sheet.names[row]} for row in rows],
                "similarity": round(min(cosine for _, _, cosine in inside), 6),
            }
        )
    return {"groups": groups, "threshold": threshold, "total": len(groups)}


def outliers(upload: Upload, limit: int) -> dict[str, Any]:
    """The loneliest pictures first. The score is the mean distance, 1 − cosine, to the ten nearest others."""
    scores = neighbours.loneliness(upload.features(), _NEIGHBOURS)
    order = np.lexsort((np.arange(len(scores)), -scores))[:limit]
    names = upload.names(order.tolist())
    told = [
        {"index": int(row), "name": name, "score": round(float(scores[row]), 6)}
        for row, name in zip(order, names, strict=True)
    ]
    score = f"mean of 1 − cosine to the {_NEIGHBOURS} nearest others"
    return {"outliers": told, "score": score, "mean": round(float(scores.mean()), 6), "total": upload.total}


def _equal(digests: list[str | None]) -> list[tuple[int, int]]:
    """Pairs `(first, later)` of rows whose files are equal."""
    first: dict[str, int] = {}
    pairs = []
    for row, digest in enumerate(digests):
        if digest is not None and first.setdefault(digest, row) != row:
            pairs.append((first[digest], row))
    return pairs


def _connected(count: int, pairs: list[tuple[int, int, float]]) -> list[list[int]]:
    """Groups of two and more rows that pairs connect, the largest first, then by their first row."""
    leader = list(range(count))

    def find(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for first, second, _ in pairs:
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for row in range(count):
        groups.setdefault(find(row), []).append(row)
    return sorted((rows for rows in groups.values() if len(rows) > 1), key=lambda rows: (-len(rows), rows[0]))
