"""The installed catalogue (CelebA, or any other big collection): its vectors, tilemaps and where they lie.

data/pickles/celeba_features_{pca,umap}_reduced.pickle    what the old server left, or `build_catalogue` wrote
data/vectors/catalogue.json, {pca,umap}-<identity>.npy    what is served, memory-mapped
data/tilemaps/tilemap-000.jpg …
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings import pickles, vectors
from embeddings.reducers import REDUCERS
from embeddings.vectors import BadVectors, Vectors

from .errors import NotThere
from .ranges import parse, range_id

FORMAT = 1
_CARD = {"identity", "name", "demo", "total", "pickles"}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What is installed. Immutable: a new one is loaded when the files change."""

    vectors: dict[str, Vectors]
    """`(total, 3) float32` by reducer, memory-mapped; empty where no catalogue is installed."""
    total: int
    name: str
    demo: bool
    identity: str
    folder: Path
    """The folder of tilemaps."""

    def tilemap(self, text: str) -> Path:
        """The tilemap of a range. Raises `Refusal` or `NotThere`."""
        number = parse(text, self.total)
        path = tilemap_path(self.folder, number)
        if not path.is_file():
            raise NotThere(f"The tilemap of range {range_id(number)} has not been built.")
        return path


def tilemap_path(folder: Path, number: int) -> Path:
    return folder / f"tilemap-{range_id(number)}.jpg"


def pickle_path(data: Path, reducer: str) -> Path:
    return data / "pickles" / f"celeba_features_{reducer}_reduced.pickle"


class Shelf:
    """Gives the catalogue that lies in a data folder now; looks at one file's date to see whether it changed."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._card = data / "vectors" / "catalogue.json"
        self._loaded: tuple[tuple[int, int] | None, Catalogue] | None = None

    def catalogue(self) -> Catalogue:
        """Raises `BadVectors` where the files are damaged."""
        version = _version(self._card)
        if self._loaded is None or self._loaded[0] != version:
            self._loaded = version, self._load()
        return self._loaded[1]

    def _load(self) -> Catalogue:
        card = read_card(self._data)
        try:
            arrays = self._arrays(card)
        except FileNotFoundError:  # another catalogue was installed between the two lines above
            card = read_card(self._data)
            arrays = self._arrays(card)
        if any(len(array) != card["total"] for array in arrays.values()):
            raise BadVectors(
                f"{self._card} and the vectors beside it do not fit: run `manage.py import_pickles --force`"
            )
        return Catalogue(
            vectors=arrays,
            total=card.get("total", 0),
            name=card.get("name", ""),
            demo=card.get("demo", False),
            identity=card.get("identity", ""),
            folder=self._data / "tilemaps",
        )

    def _arrays(self, card: dict[str, Any]) -> dict[str, Vectors]:
        return {
            reducer: vectors.load(self._card.parent / f"{reducer}-{card['identity']}.npy")
            for reducer in (REDUCERS if card else ())
        }


def read_card(data: Path) -> dict[str, Any]:
    """What is written of the installed catalogue; empty where there is none. Raises `BadVectors`."""
    path = data / "vectors" / "catalogue.json"
    try:
        card: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BadVectors(f"{path} is damaged: run `manage.py import_pickles --force`") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or not card.keys() >= _CARD:
        raise BadVectors(f"{path} is of another format: run `manage.py import_pickles --force`")
    return card


def install(data: Path, arrays: dict[str, Vectors], *, name: str, demo: bool = False) -> None:
    """Make these vectors the catalogue. A running server takes them up at its next request."""
    lengths = {reducer: len(array) for reducer, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise BadVectors(f"the reducers have different numbers of rows: {lengths}")
    identity = identify(arrays)
    folder = data / "vectors"
    for reducer, array in arrays.items():
        vectors.save(folder / f"{reducer}-{identity}.npy", array)
    card = {
        "format": FORMAT,
        "identity": identity,
        "name": name,
        "demo": demo,
        "total": next(iter(lengths.values())),
        "pickles": _pickle_versions(data),
    }
    with vectors.replacing(folder / "catalogue.json") as file:
        file.write(json.dumps(card, indent=1).encode())
    for old in folder.glob("*.npy"):
        if identity not in old.name:
            old.unlink()


def has_new_pickles(data: Path) -> bool:
    """Whether the pickles are others than those that the installed vectors came from."""
    versions = _pickle_versions(data)
    return any(versions.values()) and read_card(data).get("pickles") != versions


def import_pickles(data: Path, *, name: str = "CelebA", demo: bool = False) -> int:
    """Check the pickles and install what they hold. Returns the number of rows. Raises `BadVectors`."""
    missing = [str(pickle_path(data, reducer)) for reducer in REDUCERS if not pickle_path(data, reducer).is_file()]
    if missing:
        raise BadVectors(f"there is no {' and no '.join(missing)}; a catalogue needs the pickle of every reducer")
    arrays = {reducer: pickles.read(pickle_path(data, reducer)) for reducer in REDUCERS}
    try:
        installed = read_card(data)
    except BadVectors:
        installed = {}  # damaged: this is what mends it
    if installed.get("identity") == identify(arrays):
        # The same vectors with other dates, as after a copy of the folder: still the catalogue that it was.
        name, demo = installed["name"], installed["demo"]
    install(data, arrays, name=name, demo=demo)
    return len(next(iter(arrays.values())))


def identify(arrays: dict[str, Vectors]) -> str:
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
