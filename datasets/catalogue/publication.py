"""A finished build → a catalogue beside the others, each under its name; and which of them is installed.

Every step replaces whole files and can be repeated, so what was killed is simply run again.
"""

import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from datasets.collection import manifest as manifests
from datasets.collection import point_tiles
from datasets.collection.folder import CollectionFolder, discard, link, link_tree
from datasets.errors import NotFound
from datasets.storage.objects import is_used
from datasets.tilemaps import ranges
from embeddings import legacy_pickles
from embeddings.reducers import REDUCERS, Umap
from embeddings.vector_files import BadVectors, replacing

from . import build_report, installation, installed_catalogue
from .build_directory import BuildDirectory, BuildError
from .installed_catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A catalogue in a list of them."""

    id: str
    name: str
    total: int
    demo: bool
    is_installed: bool
    has_report: bool
    """Whether it is known what became of the files of its source."""
    can_grow: bool
    """Whether pictures can be added to it, as far as its files tell."""
    points: list[str]
    """Layouts that the page loads as tiles of points; none of a catalogue that it loads whole."""


def publish(data: Path, work: BuildDirectory, *, install: bool = True) -> int:
    """Make a fitted build a catalogue in place of one of its name, and install it if that is wanted. Returns the number
    of pictures."""
    records = work.ranges()
    work.write_table(records)
    with replacing(work.report_path) as file:
        file.write(json.dumps(build_report.reported(work, records)).encode())
    if install:
        _export(data, work)
    target = keep(data, work)
    if install:
        installation.point(data, target.path.name, installed_catalogue.pickle_versions(data))
    name, is_demo = work.source["name"], work.source["demo"]

    def is_kept(folder: CollectionFolder) -> bool:
        if folder == target:
            return True
        other = _manifest(folder)
        replaced = other.get("name") == name or (other.get("demo") and not is_demo)
        return installed_catalogue.is_built(folder) and bool(other) and not replaced

    installation.remove_others(data, is_kept=is_kept)
    discard(work.path)
    return sum(len(record["names"]) for record in records)


def keep(data: Path, build: BuildDirectory) -> CollectionFolder:
    """Link a build's files into a collection of its own, whose manifest comes last; the build stays where it is."""
    fingerprint = manifests.fingerprint(build.vectors())
    try:
        served = installed_catalogue.installed_folder(data).path.name
    except BadVectors:
        served = ""
    # What is served stays as it is until the pointer is moved, even if the vectors are the same.
    target = data / "collections" / (f"{fingerprint}-2" if served == fingerprint else fingerprint)
    part = CollectionFolder(path=target.with_name(f".{target.name}.part"))
    shutil.rmtree(part.path, ignore_errors=True)
    link_tree(build.path, part.path)
    if point_tiles.are_wanted(len(next(iter(build.vectors().values())))):
        list(point_tiles.build_all(part, part.tilemap_path))
    installation.write_manifest(target.name, part, installation.described_by(part))
    discard(target)
    part.path.rename(target)
    return CollectionFolder(path=target)


def entries(data: Path) -> list[Entry]:
    """All catalogues, the installed one first, then by name."""
    installed = installed_catalogue.installed_folder(data)
    found = [
        Entry(
            id=folder.path.name,
            name=manifest["name"],
            total=manifest["count"],
            demo=manifest["demo"],
            is_installed=folder == installed,
            has_report=folder.report_path.exists(),
            can_grow=folder.can_grow,
            points=tiled_layouts(folder, manifest["count"]),
        )
        for folder in installed_catalogue.collections(data)
        if (manifest := _manifest(folder))
    ]
    return sorted(found, key=lambda entry: (not entry.is_installed, entry.name.casefold(), entry.id))


def tiled_layouts(folder: CollectionFolder, total: int) -> list[str]:
    """Layouts that the page loads as tiles of points: those that have them, of a catalogue of so many pictures."""
    there = point_tiles.names(folder) if point_tiles.are_wanted(total) else []
    return there if Umap.name in there else []


def find(data: Path, wanted: str) -> Entry:
    """The catalogue of this id, or of this name. Raises `NotFound`."""
    known = entries(data)
    found = next((entry for entry in known if wanted in (entry.id, entry.name)), None)
    if found is None:
        names = ", ".join(f"“{entry.name}” ({entry.id})" for entry in known) or "none at all"
        raise NotFound(f"There is no catalogue “{wanted[:80]}”; known are {names}.", code="catalogue-missing")
    return found


def install(data: Path, wanted: str) -> Entry:
    """Make the catalogue of this id, or of this name, the one that the contract's calls serve. Raises `NotFound`."""
    entry = find(data, wanted)
    if not entry.is_installed:
        folder = CollectionFolder(path=data / "collections" / entry.id)
        _export(data, folder)
        installation.point(data, entry.id, installed_catalogue.pickle_versions(data))
        installed_catalogue.catalogue_store.cache_clear()
    return entry


def remove(data: Path, wanted: str) -> Entry:
    """Remove the files of a catalogue that is not installed. Raises `NotFound`, `BuildError` for the installed one."""
    found = find(data, wanted)
    if found.is_installed:
        raise BuildError(f"“{found.name}” is installed: install another one first")
    discard(data / "collections" / found.id)
    return found


def catalogue(data: Path, catalogue_id: str) -> Catalogue:
    """The catalogue of this id, installed or not. Raises `NotFound`."""
    folder = CollectionFolder(path=data / "collections" / catalogue_id)
    try:
        return _opened(data, folder, folder.manifest_path.stat().st_mtime_ns)
    except (FileNotFoundError, BadVectors):
        raise NotFound("There is no catalogue of this id.", code="catalogue-missing") from None


@lru_cache(maxsize=4)
def _opened(data: Path, folder: CollectionFolder, version: int) -> Catalogue:
    return installed_catalogue.opened(data, folder, installed_catalogue.manifest_of(folder))


def _manifest(folder: CollectionFolder) -> dict[str, Any]:
    try:
        return installed_catalogue.manifest_of(folder)
    except (FileNotFoundError, BadVectors):
        return {}


def _export(data: Path, folder: CollectionFolder) -> None:
    """Link and write what the old server's clients, its commands and uploads look for: tilemaps, models, pickles."""
    vectors = folder.vectors()
    for number in range(ranges.count(len(next(iter(vectors.values()))))):
        if folder.tilemap_path(number).exists():
            link(folder.tilemap_path(number), installed_catalogue.tilemap_path(data / "tilemaps", number))
    if installed_catalogue.is_built(folder) and not is_used():  # else once all hosts can have them
        link_models(data, folder)
    for reducer, array in vectors.items():
        legacy_pickles.write(installed_catalogue.pickle_path(data, reducer), array)


def link_models(data: Path, folder: CollectionFolder) -> None:
    """Put the fitted reducers of a built catalogue where uploads look for them."""
    models = data / "models" / installation.described_by(folder)["backbone"]
    for name in (*(f"{reducer}.npz" for reducer in REDUCERS), "space.json"):
        link(folder.layouts / name, models / name)
