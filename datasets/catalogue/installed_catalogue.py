"""Which collection is the catalogue (CelebA, or any other big one), and where what belongs to it lies.

data/catalogue.json                          names it; replaced atomically, and the last file of every change
data/collections/<id>/                       its folder (`datasets.collection.folder`), which never changes
data/collections/metadata-<fingerprint>.parquet   what `import_metadata` was told of the pictures with these vectors
data/collections/metadata-report-<fingerprint>.json   how the files of it were matched (`report`)
data/collections/cluster-labels-<fingerprint>.json   names that clusters were given
data/pickles/versions.json                   which pickles this host has imported or written last
data/{pickles/celeba_features_{pca,umap}_reduced.pickle,tilemaps/…}   what the old server left, or a build wrote
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets.collection import manifest as manifests
from datasets.collection.folder import CollectionFolder
from datasets.errors import NotFound
from datasets.tilemaps.ranges import parse, range_id
from embeddings.reducers import REDUCERS
from embeddings.vector_files import BadVectors, Vectors

FORMAT = 1
_POINTER_KEYS = {"id", "pickles"}
_MANIFEST_KEYS = {"fingerprint", "name", "demo", "count", "network", "pictures"}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is installed. Immutable: a new one is loaded when another one is installed."""

    vectors: dict[str, Vectors]
    """`(total, 3) float32` by reducer, memory-mapped; empty where no catalogue is installed."""
    total: int
    name: str
    demo: bool
    fingerprint: str
    network: str
    """What its features were computed with; empty where that is not known."""
    pictures: str
    """The folder or the ZIP that it was built from; empty where that is not known."""
    folder: CollectionFolder
    data: Path

    def tilemap(self, text: str) -> Path:
        """The tilemap of a range. Raises `ApiError` or `NotFound`."""
        number = parse(text, self.total)
        path = self.tilemap_path(number)
        if not path.is_file():
            raise NotFound(f"The tilemap of range {range_id(number)} has not been built.", code="tilemap-missing")
        return path

    def tilemap_path(self, number: int) -> Path:
        """Its own; else where the old server's lie, and those that `build_tilemaps` draws."""
        return tilemap_of(self.data, self.folder, number)

    @property
    def metadata_path(self) -> Path:
        return metadata_path(self.data, self.fingerprint)

    @property
    def cluster_labels_path(self) -> Path:
        """Beside the collections, as the metadata."""
        return self.data / "collections" / f"cluster-labels-{self.fingerprint}.json"


def tilemap_of(data: Path, folder: CollectionFolder, number: int) -> Path:
    own = folder.tilemap_path(number)
    return own if own.is_file() else tilemap_path(data / "tilemaps", number)


def tilemap_path(folder: Path, number: int) -> Path:
    return folder / f"tilemap-{range_id(number)}.jpg"


def pickle_path(data: Path, reducer: str) -> Path:
    return data / "pickles" / f"celeba_features_{reducer}_reduced.pickle"


def pickle_versions_path(data: Path) -> Path:
    return data / "pickles" / "versions.json"


def metadata_path(data: Path, fingerprint: str) -> Path:
    """Beside the collections: their folders never change, and the same vectors installed anew keep their fields."""
    return data / "collections" / f"metadata-{fingerprint}.parquet"


class CatalogueStore:
    """Gives the catalogue that lies in a data folder now; looks at one file's date to see whether it changed."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._loaded: tuple[tuple[int, int] | None, Catalogue] | None = None

    def catalogue(self) -> Catalogue:
        """Raises `BadVectors` where the files are damaged."""
        version = _version(pointer_path(self._data))
        if self._loaded is None or self._loaded[0] != version:
            found = self._load()
            if version is not None and not found.total:  # it is named before all of it is here
                return found
            self._loaded = version, found
        return self._loaded[1]

    def _load(self) -> Catalogue:
        try:
            return self._opened()
        except FileNotFoundError:  # another catalogue was installed while this one was opened
            return self._opened()

    def _opened(self) -> Catalogue:
        return opened(self._data, *_installed(self._data))


def opened(data: Path, folder: CollectionFolder, manifest: dict[str, Any]) -> Catalogue:
    """The catalogue in a folder; an empty `manifest` is of none. Raises `BadVectors`, `FileNotFoundError`."""
    vectors = folder.vectors() if manifest else {}
    if any(len(array) != manifest["count"] for array in vectors.values()):
        raise BadVectors(
            f"{folder.manifest_path} and the vectors beside it do not fit: run `manage.py import_pickles --force`"
        )
    return Catalogue(
        vectors=vectors,
        total=manifest.get("count", 0),
        name=manifest.get("name", ""),
        demo=manifest.get("demo", False),
        fingerprint=manifest.get("fingerprint", ""),
        network=manifest.get("network", ""),
        pictures=manifest.get("pictures", ""),
        folder=folder,
        data=data,
    )


@cache
def catalogue_store() -> CatalogueStore:
    """Of this service's data folder."""
    return CatalogueStore(settings.DATA_DIR)


def read_manifest(data: Path) -> dict[str, Any]:
    """That of the installed catalogue; empty where there is none. Raises `BadVectors`."""
    return _installed(data)[1]


def installed_folder(data: Path) -> CollectionFolder:
    """Of the installed catalogue; one that is not there where there is none. Raises `BadVectors`."""
    return CollectionFolder(path=data / "collections" / read_pointer(data).get("id", "none"))


def read_pointer(data: Path) -> dict[str, Any]:
    """What `data/catalogue.json` says; empty where there is none. Raises `BadVectors`."""
    try:
        return _read(pointer_path(data), FORMAT, _POINTER_KEYS)
    except FileNotFoundError:
        return {}


def built_collection(data: Path) -> CollectionFolder | None:
    """The catalogue, if it was built here, else one that was, and that pickles have replaced; with its features."""
    installed = installed_folder(data)
    found = sorted(collections(data), key=lambda folder: folder != installed)
    return next((each for each in found if is_built(each) and each.features_path(0).exists()), None)


def has_new_pickles(data: Path) -> bool:
    """Whether the pickles are others than those that were imported or written here last."""
    versions = pickle_versions(data)
    return any(versions.values()) and (not read_manifest(data) or _known_pickles(data) != versions)


def _known_pickles(data: Path) -> Any:
    """The pointer may be of another host, which has other pickles."""
    try:
        return json.loads(pickle_versions_path(data).read_text())
    except FileNotFoundError:  # of a service that noted them in the pointer alone
        return read_pointer(data)["pickles"]
    except ValueError:
        return {}


def pickle_versions(data: Path) -> dict[str, list[int] | None]:
    found = {reducer: _version(pickle_path(data, reducer)) for reducer in REDUCERS}
    return {reducer: list(version) if version else None for reducer, version in found.items()}


def pointer_path(data: Path) -> Path:
    return data / "catalogue.json"


def _installed(data: Path) -> tuple[CollectionFolder, dict[str, Any]]:
    """The catalogue's folder and its manifest, which is empty where there is none."""
    folder = installed_folder(data)
    try:
        return folder, manifest_of(folder)
    except FileNotFoundError:
        # Deleted, or another one was installed between the two lines above.
        return (folder, {}) if folder == installed_folder(data) else _installed(data)


def manifest_of(folder: CollectionFolder) -> dict[str, Any]:
    """Raises `BadVectors`, `FileNotFoundError`."""
    return _read(folder.manifest_path, manifests.FORMAT, _MANIFEST_KEYS)


def _read(path: Path, version: int, keys: set[str]) -> dict[str, Any]:
    """A JSON object of this format with these keys. Raises `BadVectors`, `FileNotFoundError`."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise BadVectors(f"{path} is damaged: run `manage.py import_pickles --force`") from error
    if not isinstance(found, dict) or found.get("format") != version or not found.keys() >= keys:
        raise BadVectors(f"{path} is of another format: run `manage.py import_pickles --force`")
    return found


def is_built(folder: CollectionFolder) -> bool:
    """Whether it was built here, which costs hours."""
    return (folder.path / "source.json").exists()


def collections(data: Path) -> Iterator[CollectionFolder]:
    """All of them, whatever they are."""
    for path in (data / "collections").glob("[!.]*/"):
        yield CollectionFolder(path=path)


def _version(path: Path) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns
