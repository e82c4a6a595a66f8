"""`manifest.json`, the last file of a collection's folder: what belongs together, and the digests of the files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from datasets.models import ARCHIVE, Dataset
from datasets.tilemaps import ranges
from embeddings.reducers import REDUCERS
from embeddings.vector_files import Vectors

from . import layouts, saved_views

FORMAT = 1


def of_upload(
    dataset: Dataset, folder: Path, space: str | None, shared: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Of a dataset whose other files have been written; `space` is the fingerprint of the catalogue's space that it
    was placed in, None where it was laid out by itself; `shared` is the manifest of the one that it grew out of."""
    return {
        "format": FORMAT,
        "id": dataset.hash,
        "count": dataset.count,
        "ranges": dict(ranges.bounds(dataset.count)),
        "backbone": dataset.backbone,
        "network": dataset.network,
        "precision": dataset.precision,
        "space": space,
        "reducers": list(REDUCERS),
        "seed": dataset.seed,
        "versions": dataset.versions,
        "parent": shared.get("id"),
        "catalogue": _catalogue_of(shared),
        "files": digests(folder, shared.get("files", {})),
    }


def _catalogue_of(shared: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of which catalogue the first pictures are of a collection that grew out of another one, if they are."""
    if "fingerprint" not in shared:
        return shared.get("catalogue")
    return {name: shared[name] for name in ("id", "count", "pictures")}


def of_catalogue(
    collection_id: str, folder: Path, vectors: Mapping[str, Vectors], described: Mapping[str, Any]
) -> dict[str, Any]:
    """Of a folder whose other files have been written; `described` is what is known beside the vectors: the name, and
    of a collection that was built here what it was built with."""
    total = len(next(iter(vectors.values())))
    return {
        "format": FORMAT,
        "id": collection_id,
        "fingerprint": fingerprint(vectors),
        "count": total,
        "ranges": dict(ranges.bounds(total)),
        "space": None,
        "reducers": list(vectors),
        "files": digests(folder),
        **{name: described.get(name, default) for name, default in _DESCRIBED.items()},
    }


_DESCRIBED: dict[str, Any] = {
    "name": "",
    "demo": False,
    "backbone": "",
    "network": "",
    "precision": "",
    "pictures": "",
    "seed": None,
    "versions": {},
    "fit_sample": None,
}
"""What a manifest says of a collection that came without it."""


def fingerprint(vectors: Mapping[str, Vectors]) -> str:
    """Equal vectors have equal fingerprints."""
    digest = hashlib.sha256()
    for array in vectors.values():
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def digests(folder: Path, shared: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """SHA-256 of each file by its path in the folder. Not of the upload as it came: its id is made of its content; nor
    of what comes and goes later, views that people save, further layouts and tiles of points.

    `shared` are those of a folder from which files may have been linked: what has several links is not read again.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    found = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.suffix == Path(ARCHIVE).suffix or name in ("manifest.json", saved_views.FILE):
            continue
        if path.parent.name == "points" or (path.parent.name == "layouts" and layouts.is_further(path.name)):
            continue
        if name in shared and path.stat().st_nlink > 1:
            found[name] = shared[name]
            continue
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
