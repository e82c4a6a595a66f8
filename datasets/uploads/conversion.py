"""The folder of an upload as it was before `images.parquet` → as it is now. Used once, by a migration.

    archive.zip                            → source.zip
    tilemap.jpg                            → tilemaps/000.jpg
    {pca,umap}.{npy,npz}                   → layouts/
    names in the database, pictures.json,
    metadata.npz                           → images.parquet
    the rest of the row                    → manifest.json, and report.json where there was none

A conversion that was killed is simply run again: nothing is removed before what replaces it is there.
"""

import json
from pathlib import Path
from typing import Any

import orjson

from datasets.collection import image_table, manifest
from datasets.collection.stored_arrays import columns_of
from datasets.models import ARCHIVE, RESULTS, Status
from datasets.pictures import pipeline_settings
from datasets.pictures.zip_archive import Archive, Member
from embeddings.reducers import REDUCERS
from embeddings.vector_files import replacing

from . import import_report

_MOVED = {
    "archive.zip": ARCHIVE,
    "tilemap.jpg": RESULTS["tilemap"],
    **{f"{name}.{ending}": f"layouts/{name}.{ending}" for name in REDUCERS for ending in ("npy", "npz")},
}
_REPLACED = ("pictures.json", "metadata.npz", "metadata.json")


def converted(row: Any, folder: Path) -> dict[str, str]:
    """Convert the folder of a row of the old table. Returns its results' paths in the storage, by result."""
    for old, new in _MOVED.items():
        if (folder / old).exists():
            (folder / new).parent.mkdir(exist_ok=True)
            (folder / old).replace(folder / new)
    if row.status != Status.READY:  # what was begun is begun anew
        return {"report": f"{row.hash}/{RESULTS['report']}"} if row.report else {}
    stats = _json(folder / "pictures.json")
    if not (folder / RESULTS["images"]).exists():
        members = stats.get("member") or _members(folder / ARCHIVE, row.names)
        with replacing(folder / RESULTS["images"]) as file:
            image_table.write(
                file,
                row.names,
                stats=stats,
                members=[Member(*member) if member else None for member in members],
                metadata=columns_of(folder / "metadata.npz", len(row.names)),
            )
    if not row.report:
        report = import_report.of_names(row.names, row.skipped, row.ignored, row.intake)
        with replacing(folder / RESULTS["report"]) as file:
            file.write(json.dumps(report).encode())
    if not (folder / RESULTS["manifest"]).exists():
        with replacing(folder / RESULTS["manifest"]) as file:
            file.write(json.dumps(manifest.of_upload(row, folder, stats.get("space")), indent=1).encode())
    for name in _REPLACED:
        (folder / name).unlink(missing_ok=True)
    return {result: f"{row.hash}/{path}" for result, path in RESULTS.items()}


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def _members(archive: Path, names: list[str]) -> list[Member | None]:
    """Where pictures lie in an archive whose upload is so old that this was not kept."""
    try:
        with archive.open("rb") as file:
            opened = Archive(file, pipeline_settings.limits())
            return [opened.member(name) for name in names]
    except Exception:  # not kept, or damaged: the pictures are shown by their tiles then
        return [None] * len(names)
