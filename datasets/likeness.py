"""Among pictures: which are the same, or nearly, and which are like no other. An upload's are compared when someone
asks, a catalogue's once and for all (`kin`)."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings import neighbours
from embeddings.features import Features

from .collection import Collection, Installed, Upload
from .kin import BITS, NEIGHBOURS, Pair, equal, fingerprints_of

THRESHOLD = 0.9
"""Cosine from which two pictures may be one, saved anew: of 100 different faces the two likest have 0.89."""


def near(features: Features, fingerprints: NDArray[np.uint64], threshold: float) -> list[Pair]:
    """Rows `(i, j, cosine)`, i < j, that show the same, the likest first.

    The network alone takes two pictures of one thing for the same, and a fingerprint alone two of the same layout: only
    together do they mean a copy that was scaled, cropped a little or saved anew.
    """
    if not len(fingerprints):
        return neighbours.pairs(features, threshold)
    # Fingerprints first: comparing them costs next to nothing, and leaves few pairs of features to compare.
    apart = np.bitwise_count(fingerprints[:, None] ^ fingerprints[None])
    first, second = np.nonzero(np.triu(apart <= BITS, 1))
    if len(first) > 10 * len(features):  # as of scans, which are all white with a line or two
        alike = set(zip(first.tolist(), second.tolist(), strict=True))
        return [pair for pair in neighbours.pairs(features, threshold) if pair[:2] in alike]
    cosines = neighbours.cosines(features[first], features[second])
    order = np.lexsort((second, first, -cosines))
    return [(int(first[k]), int(second[k]), float(cosines[k])) for k in order if cosines[k] >= threshold]


def duplicates(found: Collection, threshold: float) -> dict[str, Any]:
    """Groups of pictures that are connected by likeness, the largest first; each one's least cosine stands beside it.

    Raises `NotThere` for a catalogue of which that was not measured.
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
    """The loneliest pictures first. The score is the mean distance, 1 − cosine, to the ten nearest others.

    Raises `NotThere` for a catalogue of which that was not measured.
    """
    scores = _loneliness(found)
    order = np.lexsort((np.arange(len(scores)), -scores))[:limit].tolist()
    told = [
        {"index": row, "name": name, "score": round(float(scores[row]), 6)}
        for row, name in zip(order, found.names(order), strict=True)
    ]
    score = f"mean of 1 − cosine to the {NEIGHBOURS} nearest others"
    return {"outliers": told, "score": score, "mean": round(float(scores.mean()), 6), "total": found.total}


def _copies(found: Collection, threshold: float) -> tuple[list[tuple[int, int]], list[Pair]]:
    """Pairs of equal files, and pairs at least so similar."""
    if isinstance(found, Installed):
        kin = found.kin()
        return [(first, second) for first, second in kin.equal.tolist()], kin.pairs(threshold)
    if isinstance(found, Upload):
        facts = [found.facts(row) for row in range(found.total)]
        fingerprints = fingerprints_of([each.fingerprint if each else None for each in facts])
        return equal(each.digest if each else None for each in facts), near(found.features(), fingerprints, threshold)
    raise TypeError(found)


def _loneliness(found: Collection) -> NDArray[np.float32]:
    if isinstance(found, Installed):
        return found.kin().loneliness
    if isinstance(found, Upload):
        return neighbours.loneliness(neighbours.nearest_of_all([found.features()], NEIGHBOURS)[1])
    raise TypeError(found)


def _connected(count: int, pairs: list[Pair]) -> list[list[int]]:
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
