"""How another collection becomes the catalogue: `installed_catalogue` reads what this writes."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from datasets.collection import manifest as manifests
from datasets.collection import point_tiles
from datasets.collection.folder import CollectionFolder, discard
from embeddings import legacy_pickles, vector_files
from embeddings.reducers import REDUCERS
from embeddings.vector_files import BadVectors, Vectors

from .installed_catalogue import (
    FORMAT,
    collections,
    installed_folder,
    is_built,
    manifest_of,
    pickle_path,
    pickle_versions,
    pickle_versions_path,
    pointer_path,
    tilemap_of,
)


def install(
    data: Path,
    vectors: dict[str, Vectors],
    *,
    name: str,
    demo: bool = False,
    pickles: dict[str, list[int] | None] | None = None,
) -> None:
    """Make these vectors the catalogue. A running server takes them up at its next request.

    A collection that has them already becomes the catalogue, with all that is known of it. `pickles` are the versions
    of the pickles that they came from; those that are there now, if it is left out.
    """
    lengths = {reducer: len(array) for reducer, array in vectors.items()}
    if len(set(lengths.values())) != 1:
        raise BadVectors(f"the reducers have different numbers of rows: {lengths}")
    folder = _folder_with(data, manifests.fingerprint(vectors))
    for reducer, array in vectors.items():
        vector_files.save(folder.layout_path(reducer), array)  # also where they are: this is what mends them
    try:
        manifest_of(folder)
    except (BadVectors, FileNotFoundError):
        write_manifest(folder.path.name, folder, described_by(folder) or {"name": name, "demo": demo})
    if point_tiles.are_wanted(next(iter(lengths.values()))):
        list(point_tiles.build_all(folder, partial(tilemap_of, data, folder)))
    point(data, folder.path.name, pickle_versions(data) if pickles is None else pickles)
    remove_others(data, is_kept=is_built)


def described_by(folder: CollectionFolder) -> dict[str, Any]:
    """What a build has noted of itself for the manifest; empty for vectors from elsewhere."""
    paths = folder.path / "source.json", folder.layouts / "fit.json"
    return {name: value for path in paths if path.exists() for name, value in json.loads(path.read_text()).items()}


def write_manifest(collection_id: str, folder: CollectionFolder, described: dict[str, Any]) -> None:
    content = manifests.of_catalogue(collection_id, folder.path, folder.vectors(), described)
    with vector_files.replacing(folder.manifest_path) as file:
        file.write(json.dumps(content, indent=1).encode())


def import_pickles(data: Path, *, name: str = "CelebA", demo: bool = False) -> int:
    """Check the pickles and install what they hold. Returns the number of rows. Raises `BadVectors`."""
    missing = [str(pickle_path(data, reducer)) for reducer in REDUCERS if not pickle_path(data, reducer).is_file()]
    if missing:
        raise BadVectors(f"there is no {' and no '.join(missing)}; a catalogue needs the pickle of every reducer")
    vectors = {reducer: legacy_pickles.read(pickle_path(data, reducer)) for reducer in REDUCERS}
    install(data, vectors, name=name, demo=demo)
    return len(next(iter(vectors.values())))


def point(data: Path, collection: str, pickles: dict[str, list[int] | None]) -> None:
    """Make a collection the catalogue: all that it takes lies in its place. `pickles` are those that are there."""
    with vector_files.replacing(pointer_path(data)) as file:
        file.write(json.dumps({"format": FORMAT, "id": collection, "pickles": pickles}, indent=1).encode())
    if any(pickles.values()):  # after the rest: an import that was killed before is made again
        with vector_files.replacing(pickle_versions_path(data)) as file:
            file.write(json.dumps(pickles).encode())


def _folder_with(data: Path, fingerprint: str) -> CollectionFolder:
    """Where the collection with these vectors lies, or will lie."""
    names = (fingerprint, f"{fingerprint}-2")
    folders = [CollectionFolder(path=data / "collections" / name) for name in names]
    with_features = next((folder for folder in folders if is_built(folder)), None)
    return with_features or next((folder for folder in folders if folder.path.exists()), folders[0])


def remove_others(data: Path, *, is_kept: Callable[[CollectionFolder], bool]) -> None:
    """Remove what is neither the catalogue nor kept, and what a process that was killed was writing or removing."""
    installed = installed_folder(data)
    for folder in collections(data):
        if folder != installed and not is_kept(folder):
            discard(folder.path)
    for leftover in (data / "collections").glob(".*/"):
        shutil.rmtree(leftover, ignore_errors=True)
