"""The catalogue as it was before it was a collection → as it is now. Done once, at a start or by a command.

data/catalogue/{000.npy,000.jpg,000.json,fitted,neighbours,kin.npz}   → data/collections/<id>/, if it is of no build
data/vectors/{catalogue.json,pca-….npy,umap-….npy}                    → data/catalogue.json, which names that
                                                                        collection, or one with these vectors alone
data/vectors/metadata-….{parquet,npz}                                 → data/collections/metadata-….parquet

A build in progress gets the present form too. Files are moved; what was killed on the way goes on at the next call.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from datasets.collection import image_table, manifest
from datasets.collection.folder import discard
from datasets.collection.stored_arrays import columns_of
from embeddings.reducers import REDUCERS
from embeddings.vector_files import BadVectors, load, replacing

from .build_directory import BuildDirectory
from .installation import described_by, install, write_manifest
from .installed_catalogue import metadata_path


def is_needed(data: Path) -> bool:
    """Whether anything of the installed catalogue, or of a build in progress, is of the old form."""
    return any(
        (
            (data / "vectors" / "catalogue.json").exists(),
            (data / "catalogue" / "source.json").exists(),
            (data / "build" / "source.json").exists() and any((data / "build").glob("[0-9]*.*")),
            (data / "build" / "fitted").exists(),
        )
    )


def convert(data: Path) -> None:
    """Raises `BadVectors` where the catalogue is damaged."""
    if not is_needed(data):
        return
    for folder in (data / "build", data / "catalogue"):
        _move_files(BuildDirectory(path=folder))
    _convert_built(data)
    _convert_vectors(data)


def _move_files(work: BuildDirectory) -> None:
    """Put the files of a folder of the old form where they lie now; what counts for the others last."""
    for suffix, place in ((".npy", work.features_path), (".jpg", work.tilemap_path), (".json", work.record_path)):
        for path in sorted(work.path.glob(f"[0-9]*{suffix}")):
            _move(path, place(int(path.stem)))
    fitted = work.path / "fitted"
    for path in sorted(fitted.glob("*.np?")):
        _move(path, work.layouts / path.name)
    if (fitted / "done").exists():
        _move(fitted / "space.json", work.layouts / "space.json")
    discard(fitted)
    for name in ("index.npz", "index.faiss", "index.json"):
        _move(work.path / "neighbours" / name, work.index / name)
    discard(work.path / "neighbours")
    _move(work.path / "kin.npz", work.similarity_path)
    if work.source_path.exists() and "network" not in work.source and work.source["precision"] != "int8":
        network = ":".join(work.source[name] for name in ("backbone", "weights", "precision"))
        with replacing(work.source_path) as file:
            file.write(json.dumps(work.source | {"network": network}, indent=1).encode())


def _convert_built(data: Path) -> None:
    """Make a collection of the folder that was built. One whose layouts are damaged is a build in progress."""
    work = BuildDirectory(path=data / "catalogue")
    if not work.source_path.exists():
        return
    if not work.table_path.exists():
        work.write_table(work.ranges())
        (work.path / "names").unlink(missing_ok=True)
    try:
        fingerprint = manifest.fingerprint(work.vectors())
    except (BadVectors, FileNotFoundError):
        work.forget_fit()
        target = data / "build"
        if target.exists():
            raise BadVectors(
                f"the layouts in {work.path} are damaged, and a build lies in {target}: finish or remove it"
            ) from None
    else:
        write_manifest(fingerprint, work, described_by(work))
        target = data / "collections" / fingerprint
        discard(target)
        target.parent.mkdir(exist_ok=True)
    work.path.rename(target)


def _convert_vectors(data: Path) -> None:
    """Have the installed vectors named by the pointer; the collection that has them is found by them."""
    folder = data / "vectors"
    path = folder / "catalogue.json"
    if not path.exists():
        return
    try:
        card: dict[str, Any] = json.loads(path.read_text())
        files = {reducer: folder / f"{reducer}-{card['identity']}.npy" for reducer in REDUCERS}
        vectors = {reducer: load(file) for reducer, file in files.items()}
        install(data, vectors, name=card["name"], demo=card["demo"], pickles=card["pickles"])
    except (ValueError, LookupError, TypeError, FileNotFoundError) as error:
        raise BadVectors(f"{path} is damaged: remove it, and the next start imports the pickles") from error
    for found in folder.glob("metadata-*"):
        _convert_metadata(data, found, card["total"])
    path.unlink()
    for file in files.values():
        file.unlink()
    with suppress(OSError):  # what is no one's stays
        folder.rmdir()


def _convert_metadata(data: Path, path: Path, total: int) -> None:
    """A file whose fields cannot be read stays where it is."""
    target = metadata_path(data, path.stem.removeprefix("metadata-"))
    if path.suffix == ".parquet":
        _move(path, target)
    elif columns := columns_of(path, total):
        if not target.exists():
            image_table.add_metadata(target, total, columns)
        path.unlink()


def _move(source: Path, target: Path) -> None:
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
