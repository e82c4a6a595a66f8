"""The installed catalogue (CelebA, or any other big collection): its vectors, tilemaps and where they lie.

data/pickles/celeba_features_{pca,umap}_reduced.pickle    what the old server left, or `build_catalogue` wrote
data/vectors/catalogue.json, {pca,umap}-<identity>.npy    what is served, memory-mapped
data/tilemaps/tilemap-000.jpg …
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.errors import NotFound
from datasets.tilemaps.ranges import parse, range_id
from embeddings import legacy_pickles, vector_files
from embeddings.reducers import REDUCERS
from embeddings.vector_files import BadVectors, Vectors

FORMAT = 1
_MANIFEST_KEYS = {"identity", "name", "demo", "total", "pickles"}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is installed. Immutable: a new one is loaded when the files change."""

    vectors: dict[str, Vectors]
    """`(total, 3) float32` by reducer, memory-mapped; empty where no catalogue is installed."""
    total: int
    name: str
    demo: bool
    fingerprint: str
    folder: Path
    """The folder of tilemaps."""

    def tilemap(self, text: str) -> Path:
        """The tilemap of a range. Raises `ApiError` or `NotFound`."""
        number = parse(text, self.total)
        path = tilemap_path(self.folder, number)
        if not path.is_file():
            raise NotFound(f"The tilemap of range {range_id(number)} has not been built.", code="tilemap-missing")
        return path


def tilemap_path(folder: Path, number: int) -> Path:
    return folder / f"tilemap-{range_id(number)}.jpg"


def pickle_path(data: Path, reducer: str) -> Path:
    return data / "pickles" / f"celeba_features_{reducer}_reduced.pickle"


class CatalogueStore:
    """Gives the catalogue that lies in a data folder now; looks at one file's date to see whether it changed."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._manifest_path = data / "vectors" / "catalogue.json"
        self._loaded: tuple[tuple[int, int] | None, Catalogue] | None = None

    def catalogue(self) -> Catalogue:
        """Raises `BadVectors` where the files are damaged."""
        version = _version(self._manifest_path)
        if self._loaded is None or self._loaded[0] != version:
            self._loaded = version, self._load()
        return self._loaded[1]

    def _load(self) -> Catalogue:
        manifest = read_manifest(self._data)
        try:
            arrays = self._arrays(manifest)
        except FileNotFoundError:  # another catalogue was installed between the two lines above
            manifest = read_manifest(self._data)
            arrays = self._arrays(manifest)
        if any(len(array) != manifest["total"] for array in arrays.values()):
            raise BadVectors(
                f"{self._manifest_path} and the vectors beside it do not fit: run `manage.py import_pickles --force`"
            )
        return Catalogue(
            vectors=arrays,
            total=manifest.get("total", 0),
            name=manifest.get("name", ""),
            demo=manifest.get("demo", False),
            fingerprint=manifest.get("identity", ""),
            folder=self._data / "tilemaps",
        )

    def _arrays(self, manifest: dict[str, Any]) -> dict[str, Vectors]:
        return {
            reducer: vector_files.load(self._manifest_path.parent / f"{reducer}-{manifest['identity']}.npy")
            for reducer in (REDUCERS if manifest else ())
        }


@cache
def shelf() -> CatalogueStore:
    """Of this service's data folder."""
    return CatalogueStore(settings.DATA_DIR)


def read_manifest(data: Path) -> dict[str, Any]:
    """What is written of the installed catalogue; empty where there is none. Raises `BadVectors`."""
    path = data / "vectors" / "catalogue.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BadVectors(f"{path} is damaged: run `manage.py import_pickles --force`") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not manifest.keys() >= _MANIFEST_KEYS:
        raise BadVectors(f"{path} is of another format: run `manage.py import_pickles --force`")
    return manifest


def install(data: Path, arrays: dict[str, Vectors], *, name: str, demo: bool = False) -> None:
    """Make these vectors the catalogue. A running server takes them up at its next request."""
    lengths = {reducer: len(array) for reducer, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise BadVectors(f"the reducers have different numbers of rows: {lengths}")
    fingerprint = content_fingerprint(arrays)
    folder = data / "vectors"
    for reducer, array in arrays.items():
        vector_files.save(folder / f"{reducer}-{fingerprint}.npy", array)
    manifest = {
        "format": FORMAT,
        "identity": fingerprint,
        "name": name,
        "demo": demo,
        "total": next(iter(lengths.values())),
        "pickles": _pickle_versions(data),
    }
    with vector_files.replacing(folder / "catalogue.json") as file:
        file.write(json.dumps(manifest, indent=1).encode())
    for old in folder.glob("*.npy"):
        if fingerprint not in old.name:
            old.unlink()


def has_new_pickles(data: Path) -> bool:
    """Whether the pickles are others than those that the installed vectors came from."""
    versions = _pickle_versions(data)
    return any(versions.values()) and read_manifest(data).get("pickles") != versions


def import_pickles(data: Path, *, name: str = "CelebA", demo: bool = False) -> int:
    """Check the pickles and install what they hold. Returns the number of rows. Raises `BadVectors`."""
    missing = [str(pickle_path(data, reducer)) for reducer in REDUCERS if not pickle_path(data, reducer).is_file()]
    if missing:
        raise BadVectors(f"there is no {' and no '.join(missing)}; a catalogue needs the pickle of every reducer")
    arrays = {reducer: legacy_pickles.read(pickle_path(data, reducer)) for reducer in REDUCERS}
    try:
        installed = read_manifest(data)
    except BadVectors:
        installed = {}  # damaged: this is what mends it
    if installed.get("identity") == content_fingerprint(arrays):
        # The same vectors with other dates, as after a copy of the folder: still the catalogue that it was.
        name, demo = installed["name"], installed["demo"]
    install(data, arrays, name=name, demo=demo)
    return len(next(iter(arrays.values())))


def content_fingerprint(arrays: dict[str, Vectors]) -> str:
    """Equal vectors have equal identities."""
    digest = hashlib.sha256()
    for array in arrays.values():
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _pickle_versions(data: Path) -> dict[str, list[int] | None]:
    found = {reducer: _version(pickle_path(data, reducer)) for reducer in REDUCERS}
    return {reducer: list(version) if version else None for reducer, version in found.items()}


def _version(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns
