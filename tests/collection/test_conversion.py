"""Folders as they were before there was one kind of them: converted once, and nobody's upload is lost."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from datasets.catalogue import conversion, installed_catalogue
from datasets.catalogue.build_directory import BuildDirectory
from datasets.catalogue.collection import installed
from datasets.collection.uploaded import upload as opened
from datasets.models import Dataset
from datasets.pictures.image_stats import ImageStats
from tests.api.test_pictures import upload
from tests.support.pictures import photograph, zipped

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = ("datasets", "0001_initial")
FILES = {f"{k}.jpg": photograph(k) for k in range(6)}
ABOUT = b"file,age,note,score,adult\n1.jpg,7,with,1.5,true\n0.jpg,,two,,false\n3.jpg,9007199254740993,with,-2,true\n"
CALLS = (
    "",
    "/images",
    "/images/fields",
    "/images/fields/age",
    "/images/fields/note",
    "/images?note=with",
    "/images/4",
    "/images/4/thumbnail",
    "/images/4/neighbors",
    "/report",
    "/duplicates",
    "/outliers",
    "/tilemap",
    "/tilemap/manifest",
    "/features/pca",
    "/features/umap?format=csv",
    "/features/network?format=npy",
    "/export?format=projector",
    "/export",
)


def migrate_to_now() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("datasets"))


@pytest.fixture(autouse=True)
def _migrated() -> Iterator[None]:
    yield
    migrate_to_now()


def answers(client: Client, identity: str) -> dict[str, bytes]:
    return {call: client.get(f"/dataset/{identity}{call}").getvalue() for call in CALLS}


def stored_arrays(fields: list[dict[str, Any]]) -> bytes:
    """Whole fields, as the interface tells them, in the old form."""
    types = {"boolean": np.int8, "integer": np.int64, "number": np.float64, "text": np.int32}
    missing = {"boolean": -1, "integer": np.iinfo(np.int64).min, "number": np.nan, "text": -1}
    arrays: dict[str, Any] = {}
    for index, field in enumerate(fields):
        values = [missing[field["type"]] if value is None else value for value in field["values"]]
        arrays[f"column-{index}"] = np.array(values, types[field["type"]])
    described = [{"name": each["name"], "type": each["type"], "texts": each.get("texts", [])} for each in fields]
    file = io.BytesIO()
    described_bytes = np.frombuffer(json.dumps(described).encode(), np.uint8)
    np.savez_compressed(file, format=np.int64(1), total=np.int64(6), fields=described_bytes, **arrays)
    return file.getvalue()


def made_old(dataset: Dataset, *, has_report: bool = True, has_stats: bool = True) -> None:
    """Put the row and the folder of a ready upload into the old form."""
    images, folder, space = opened(dataset.hash).images, dataset.folder, dataset.manifest["space"]
    names = images.names(range(dataset.count))
    known = ImageStats.__dataclass_fields__
    stats = {name: images.column(name) for name in known} | {"member": [images.member(k) for k in range(len(names))]}
    fields = [field.whole() for field in images.fields()]
    moved = {"source.zip": "archive.zip", "tilemaps/000.jpg": "tilemap.jpg"}
    moved |= {f"layouts/{name}": name for name in ("pca.npy", "umap.npy", "pca.npz", "umap.npz")}
    for new, old in moved.items():
        if (folder / new).exists():
            (folder / new).rename(folder / old)
    for gone in ("images.parquet", "manifest.json"):
        (folder / gone).unlink()
    for empty in ("tilemaps", "layouts"):
        (folder / empty).rmdir()
    if has_stats:
        (folder / "pictures.json").write_text(json.dumps(stats | {"space": space}))
    (folder / "metadata.npz").write_bytes(stored_arrays(fields))
    (folder / "metadata.json").write_text("{}")
    if not has_report:
        (folder / "report.json").unlink()
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    before: Any = executor.loader.project_state([BEFORE]).apps.get_model("datasets", "Dataset")
    paths = {name: f"{dataset.hash}/{name}.npy" for name in ("features", "pca", "umap")}
    paths |= {"archive": f"{dataset.hash}/archive.zip", "tilemap": f"{dataset.hash}/tilemap.jpg"}
    paths["report"] = f"{dataset.hash}/report.json" if has_report else ""
    paths["pictures"] = f"{dataset.hash}/pictures.json" if has_stats else ""
    before.objects.filter(hash=dataset.hash).update(names=names, metadata=f"{dataset.hash}/metadata.npz", **paths)


def test_an_upload_answers_as_before(client: Client) -> None:
    identity = upload(client, FILES | {"metadata.csv": ABOUT, "bad.jpg": b"no picture"})
    wanted = answers(client, identity)
    made_old(Dataset.objects.get())
    migrate_to_now()
    assert answers(client, identity) == wanted
    dataset = Dataset.objects.get()
    assert set(dataset.manifest["files"]) >= {"images.parquet", "features.npy", "layouts/pca.npy", "tilemaps/000.jpg"}
    left = {path.name for path in dataset.folder.iterdir() if not path.name.startswith(".stored")}
    listed = {"images.parquet", "features.npy", "index", "layouts", "tilemaps", "report.json", "manifest.json"}
    listed |= {"source.zip"}
    assert left == listed


def test_a_conversion_that_was_killed_is_run_again(client: Client) -> None:
    identity = upload(client, FILES | {"metadata.csv": ABOUT})
    wanted = answers(client, identity)
    made_old(Dataset.objects.get())
    folder = Dataset.objects.defer(None).only("hash").get().local_folder
    (folder / "tilemaps").mkdir()
    (folder / "tilemap.jpg").rename(folder / "tilemaps" / "000.jpg")
    (folder / "archive.zip").rename(folder / "source.zip")
    migrate_to_now()
    assert answers(client, identity) == wanted


def test_what_was_never_noted_is_found_out_or_left_open(client: Client) -> None:
    identity = upload(client, FILES)
    made_old(Dataset.objects.get(), has_report=False, has_stats=False)
    migrate_to_now()
    assert client.get(f"/dataset/{identity}/images/1").content == FILES["1.jpg"]
    (first, *_) = client.get(f"/dataset/{identity}/images").json()["images"]
    assert (first["name"], first["width"]) == ("0.jpg", None)
    assert client.get(f"/dataset/{identity}/report").json()["counts"] == {"row": 6}


def make_catalogue_old(data: Path, fields: list[dict[str, Any]]) -> None:
    """Put the catalogue that was built, and its fields, into the old form."""
    manifest, pointer = installed_catalogue.read_manifest(data), installed_catalogue.read_pointer(data)
    old, vectors = data / "catalogue", data / "vectors"
    installed_catalogue.installed_folder(data).path.rename(old)
    for path in [*(old / "features").iterdir(), *(old / "tilemaps").iterdir(), *(old / "ranges").iterdir()]:
        path.rename(old / path.name)
    (old / "layouts").rename(old / "fitted")
    (old / "fitted" / "fit.json").unlink()
    (old / "fitted" / "done").touch()
    (old / "index").rename(old / "neighbours")
    (old / "neighbours" / "similarity.npz").rename(old / "kin.npz")
    for gone in ("images.parquet", "manifest.json"):
        (old / gone).unlink()
    for empty in ("features", "tilemaps", "ranges"):
        (old / empty).rmdir()
    (old / "names").write_bytes(b"".join(f"{name}\0".encode() for name in FILES))
    identity = manifest["fingerprint"]
    vectors.mkdir()
    for reducer in ("pca", "umap"):
        shutil.copy(old / "fitted" / f"{reducer}.npy", vectors / f"{reducer}-{identity}.npy")
    card = {"format": 1, "identity": identity, "total": manifest["count"], "pickles": pointer["pickles"]}
    (vectors / "catalogue.json").write_text(json.dumps(card | {"name": manifest["name"], "demo": False}))
    (vectors / f"metadata-{identity}.npz").write_bytes(stored_arrays(fields))
    (data / "catalogue.json").unlink()
    shutil.rmtree(data / "collections")


# What was about to be moved or written when the conversion was killed, if it was.
@pytest.mark.parametrize("killed_at", ["", "umap.npy", "similarity.npz", "manifest.json", "catalogue.json", "metadata"])
def test_a_catalogue_answers_as_before(
    client: Client, data: Path, tmp_path: Path, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped(FILES))
    (tmp_path / "about.csv").write_bytes(ABOUT)
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(tmp_path / "photos.zip"), "--metadata", str(tmp_path / "about.csv"), **quiet)
    for written_since in (installed_catalogue.installed_folder(data).report_path, installed().metadata_report_path):
        written_since.unlink()
    calls = ("images", "images/fields", "images?search=3", "images/4", "duplicates", "outliers", "export")
    wanted = {call: client.get(f"/catalogue/{call}").getvalue() for call in calls}
    fields = [client.get(f"/catalogue/images/fields/{name}").json() for name in ("age", "note", "score", "adult")]
    make_catalogue_old(data, fields)
    before = {path.name: path.stat().st_ino for path in (data / "catalogue").glob("*.npy")}
    assert conversion.is_needed(data)
    if killed_at:
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", killing(killed_at))
            with pytest.raises(KeyboardInterrupt):
                conversion.convert(data)
        assert conversion.is_needed(data)
    conversion.convert(data)
    assert not conversion.is_needed(data)
    installed_catalogue.catalogue_store.cache_clear()
    assert {call: client.get(f"/catalogue/{call}").getvalue() for call in calls} == wanted
    assert not (data / "catalogue").exists()
    assert not (data / "vectors").exists()
    features = installed_catalogue.installed_folder(data).path / "features"
    assert {path.name: path.stat().st_ino for path in features.iterdir()} == before
    assert not installed_catalogue.has_new_pickles(data)


def killing(name: str) -> Callable[[Path, Path], None]:
    """A move that ends the process as soon as this file is to be moved."""
    move = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name.startswith(name):
            raise KeyboardInterrupt
        move(source, target)

    return killed


def test_a_build_that_others_vectors_have_replaced_is_kept(client: Client, data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped(FILES))
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(tmp_path / "photos.zip"), **quiet)
    make_catalogue_old(data, [])
    others = {name: np.zeros((6, 3), np.float32) for name in ("pca", "umap")}
    vectors = data / "vectors"
    card = json.loads((vectors / "catalogue.json").read_text())
    for path in vectors.glob("*.npy"):
        path.unlink()
    for reducer, array in others.items():
        np.save(vectors / f"{reducer}-0123456789abcdef.npy", array)
    (vectors / "catalogue.json").write_text(json.dumps(card | {"identity": "0123456789abcdef", "name": "Others"}))
    conversion.convert(data)
    assert installed_catalogue.read_manifest(data)["name"] == "Others"
    assert client.get("/catalogue/images/1").json()["error"]
    call_command("fit_reducers", **quiet)
    assert installed_catalogue.read_manifest(data)["name"] == "photos"
    assert client.get("/catalogue/images/1").content == FILES["1.jpg"]


def test_a_build_in_progress_goes_on(data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped(FILES))
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("extract_features", str(tmp_path / "photos.zip"), **quiet)
    work = BuildDirectory(path=data / "build")
    extracted = work.features_path(0).stat().st_ino
    for path in (work.features_path(0), work.tilemap_path(0), work.record_path(0)):
        path.rename(work.path / path.name)
        path.parent.rmdir()
    call_command("build_catalogue", str(tmp_path / "photos.zip"), **quiet)
    assert installed_catalogue.installed_folder(data).features_path(0).stat().st_ino == extracted
    assert installed_catalogue.read_manifest(data)["count"] == 6
