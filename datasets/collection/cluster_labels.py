"""Names that people gave clusters: a small JSON file beside the collection, which itself never changes.

    {"version": "…", "labels": {"1": {"7": "night"}}}        level → cluster → name, both counted from 1

They belong to the clusters that they were given to: with other clusters, as of another version, they are not shown.
"""

import hashlib
import json
import threading
from pathlib import Path

from embeddings.vector_files import replacing

from .clusters import Clusters

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
