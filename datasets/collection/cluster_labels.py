"""Names that people gave clusters: a small JSON file beside the collection, which itself never changes.

    {"version": "…", "labels": {"1": {"7": "night"}}}        level → cluster → name, both counted from 1

They belong to the clusters that they were given to: with other clusters, as of another version, they are not shown.
"""

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.vector_files import replacing

from .clusters import Clusters

LEAST_ALIKE = 0.9
"""Share of the pictures of two clusters that both have, from which the later one is taken for the earlier one. From a
half on no second one can have it (MONIC, Spiliopoulou et al. 2006); between, a name may not hold any more."""

_writing = threading.Lock()
"""The web process alone writes them, in several threads."""


def fingerprint(clusters: Clusters) -> str:
    """Equal clusters have equal ones."""
    digest = hashlib.sha256()
    for level in clusters.levels:
        digest.update(level.labels.tobytes())
    return digest.hexdigest()[:16]


def read(path: Path, clusters: Clusters) -> dict[tuple[int, int], str]:
    """Names by level and cluster, both counted from 0."""
    try:
        stored = json.loads(path.read_text())
        if stored["version"] != fingerprint(clusters):
            return {}
        return {
            (int(level) - 1, int(cluster) - 1): str(label)
            for level, labels in stored["labels"].items()
            for cluster, label in labels.items()
        }
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def carry(source: Path, old: Clusters, target: Path, new: Clusters) -> None:
    """Give the clusters of a collection that grew the names that they had before."""
    if labels := read(source, old):
        _store(target, new, labels)


def carry_to_alike(source: Path, old: Clusters, target: Path, new: Clusters) -> None:
    """Give clusters that were found anew the names of those before that have nearly the same pictures, if not the same
    number."""
    found: dict[tuple[int, int], str] = {}
    for (level, cluster), label in sorted(read(source, old).items()):
        like = _most_alike(old.levels[level].labels == cluster, new, level)
        if like is not None:
            found.setdefault(like, label)
    if found:
        _store(target, new, found)


def _most_alike(members: NDArray[np.bool_], clusters: Clusters, level: int) -> tuple[int, int] | None:
    """The level and number of the cluster whose Jaccard index with the members is the greatest, if it is great enough;
    of equal ones that on `level`."""
    found = []
    for number, each in enumerate(clusters.levels):
        both = np.bincount(each.labels[members] + 1, minlength=len(each.sizes) + 1)[1:]
        shares = both / (each.sizes + members.sum() - both)
        cluster = int(shares.argmax())
        found.append((float(shares[cluster]), number == level, (number, cluster)))
    share, _, alike = max(found, default=(0.0, False, None))
    return alike if share >= LEAST_ALIKE else None


def write(path: Path, clusters: Clusters, level: int, cluster: int, label: str) -> None:
    """Name a cluster; an empty name takes the one away that it had."""
    with _writing:
        _store(path, clusters, read(path, clusters) | {(level, cluster): label})


def _store(path: Path, clusters: Clusters, labels: dict[tuple[int, int], str]) -> None:
    stored: dict[str, dict[str, str]] = {}
    for (level, cluster), text in sorted(labels.items()):
        if text:
            stored.setdefault(str(level + 1), {})[str(cluster + 1)] = text
    with replacing(path) as file:
        file.write(json.dumps({"version": fingerprint(clusters), "labels": stored}, ensure_ascii=False).encode())
