"""A whole upload as one file, read back by what it is made for."""

import csv
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image

from datasets.api.export import is_large
from datasets.api.export import zipped as archived
from datasets.catalogue import installation
from datasets.models import Dataset
from embeddings.vector_files import StackedRows
from tests.api.test_pictures import upload
from tests.support.pictures import colour, photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)

ABOUT = b"file,age,note\n1.jpg,7,with\ttab\n0.jpg,,two\n"


@pytest.fixture
def dataset_id(client: Client) -> str:
    return upload(client, {f"{k}.jpg": photograph(k) for k in range(6)} | {"metadata.csv": ABOUT})


def exported(client: Client, dataset_id: str, query: str = "") -> zipfile.ZipFile:
    response = client.get(f"/dataset/{dataset_id}/export{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.testzip() is None
    return archive


def test_an_export_holds_all_that_is_known(client: Client, dataset_id: str) -> None:
    archive = exported(client, dataset_id)
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["files"]) | {"manifest.json"} == set(archive.namelist())
    assert (manifest["id"], manifest["total"]) == (dataset_id, 6)
    assert manifest["versions"]["numpy"] == np.__version__
    for reducer in ("pca", "umap"):
        vectors = np.load(io.BytesIO(archive.read(f"{reducer}.npy")))
        assert np.array_equal(vectors, Dataset.objects.get().vectors(reducer))
    assert np.load(io.BytesIO(archive.read("features.npy"))).shape == (6, 1280)
    assert Image.open(io.BytesIO(archive.read("tilemap.jpg"))).size == (500, 5000)
    rows = list(csv.DictReader(io.StringIO(archive.read("pictures.csv").decode())))
    assert [row["name"] for row in rows] == [f"{k}.jpg" for k in range(6)]
    assert [row["age"] for row in rows] == ["", "7", "", "", "", ""]
    assert (rows[2]["width"], rows[2]["height"]) == ("89", "109")
    assert len(json.loads(archive.read("tilemap.json"))["tiles"]) == 6
    assert json.loads(archive.read("report.json"))["total"] == 7


def test_the_catalogues_export_holds_names_metadata_and_vectors(client: Client, data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped({f"{k}.jpg": photograph(k) for k in range(6)}))
    (tmp_path / "about.csv").write_bytes(ABOUT)
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(tmp_path / "photos.zip"), "--metadata", str(tmp_path / "about.csv"), **quiet)
    response = client.get("/catalogue/export")
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    assert set(manifest["files"]) | {"manifest.json"} == set(archive.namelist())
    assert (manifest["name"], manifest["total"]) == ("photos", 6)
    rows = list(csv.DictReader(io.StringIO(archive.read("pictures.csv").decode())))
    assert [row["name"] for row in rows] == [f"{k}.jpg" for k in range(6)]
    assert [row["age"] for row in rows] == ["", "7", "", "", "", ""]
    for reducer in ("pca", "umap"):
        served = client.get(f"/{reducer}/0/0/standalone").json()["features"]
        assert np.array_equal(np.load(io.BytesIO(archive.read(f"{reducer}.npy"))), np.array(served, np.float32))


def test_an_old_servers_catalogue_is_exported_with_its_numbers(client: Client, data: Path) -> None:
    arrays = {name: np.zeros((1500, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Old")
    archive = zipfile.ZipFile(io.BytesIO(client.get("/catalogue/export").getvalue()))
    rows = list(csv.DictReader(io.StringIO(archive.read("pictures.csv").decode())))
    assert [row["name"] for row in rows] == [f"{k:06d}" for k in range(1500)]
    assert [row["index"] for row in rows] == [str(k) for k in range(1500)]


def test_equal_datasets_have_equal_exports(client: Client, dataset_id: str) -> None:
    first, second = (client.get(f"/dataset/{dataset_id}/export").getvalue() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("call", ["export", "export?format=projector", "export.glb", "export.parquet"])
def test_an_export_holds_until_the_dataset_is_another(client: Client, dataset_id: str, call: str) -> None:
    path = f"/dataset/{dataset_id}/{call}"
    first = client.get(path)
    assert first["Cache-Control"] == "public, no-cache"
    content = first.getvalue()
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again["ETag"]) == (304, first["ETag"])
    head = client.head(path)
    assert (head.status_code, head["ETag"], head.getvalue()) == (200, first["ETag"], b"")
    renamed = client.patch(f"/dataset/{dataset_id}", '{"name": "Other"}', content_type="application/json")
    assert renamed.status_code == 200
    later = client.get(path, headers={"If-None-Match": first["ETag"]})
    if call in ("export", "export.glb"):  # which hold the name
        assert (later.status_code, later["ETag"] != first["ETag"]) == (200, True)
        assert later.getvalue() != content
    elif later.status_code == 200:
        assert later.getvalue() == content


def test_a_catalogues_export_holds_until_its_metadata_are_others(client: Client, data: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped({f"{k}.jpg": photograph(k) for k in range(6)}))
    (tmp_path / "about.csv").write_bytes(ABOUT)
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(tmp_path / "photos.zip"), **quiet)
    path = f"/dataset/{client.get('/catalogues').json()['catalogues'][0]['id']}/export"
    first = client.get(path)
    content = first.getvalue()
    for each in (path, "/catalogue/export"):
        assert client.get(each, headers={"If-None-Match": first["ETag"]}).status_code == 304
    call_command("import_metadata", str(tmp_path / "about.csv"), **quiet)
    for each in (path, "/catalogue/export"):
        later = client.get(each, headers={"If-None-Match": first["ETag"]})
        assert (later.status_code, later["Cache-Control"]) == (200, "public, no-cache")
        assert later.getvalue() != content


def test_the_projectors_folder_is_whole(client: Client, dataset_id: str) -> None:
    archive = exported(client, dataset_id, "?format=projector")
    config = archive.read("projector_config.pbtxt").decode()
    for name, width in (("features", 1280), ("pca", 3), ("umap", 3)):
        assert f'tensor_path: "{name}.bytes"' in config
        assert len(archive.read(f"{name}.bytes")) == 6 * width * 4
    lines = archive.read("metadata.tsv").decode().splitlines()
    assert lines[:3] == ["name\tage\tnote", "0.jpg\t\ttwo", "1.jpg\t7\twith tab"]
    assert len(lines) == 7


@pytest.mark.slow
def test_the_projectors_sprite_is_a_square_in_the_order_of_rows(client: Client) -> None:
    dataset_id = upload(client, {f"{k:02d}.png": picture(37 * k % 1000) for k in range(23)})
    sprite = np.asarray(Image.open(io.BytesIO(exported(client, dataset_id, "?format=projector").read("sprite.jpg"))))
    assert sprite.shape == (250, 250, 3)  # TensorBoard takes 23 pictures for 5 rows of 5
    for k in range(23):
        row, place = divmod(k, 5)
        centre = sprite[row * 50 + 25, place * 50 + 25].astype(int)
        assert np.abs(centre - colour(37 * k % 1000)).max() < 12


def test_without_metadata_the_labels_are_names(client: Client) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1), "b.jpg": photograph(2)})
    archive = exported(client, dataset_id, "?format=projector")
    assert archive.read("metadata.tsv") == b"a.jpg\nb.jpg\n"


def test_what_cannot_be_exported_is_a_sentence(client: Client, dataset_id: str) -> None:
    assert client.get(f"/dataset/{dataset_id}/export?format=tar").status_code == 400
    assert client.get("/dataset/0123456789abcdef0123456789abcdef/export").status_code == 404


@pytest.mark.slow
def test_features_of_more_than_two_gigabytes_fit_in() -> None:
    rows = StackedRows([np.broadcast_to(np.float32(1), (2, 270_000_000))])
    assert is_large(rows)
    assert not is_large(StackedRows([np.ones((6, 1280), np.float32)]))
    content = bytes(2**24)
    size = rows.shape[0] * rows.shape[1] * 4
    pieces = archived({"features.npy": lambda: (content for _ in range(size // len(content)))}, large={"features.npy"})
    assert sum(map(len, pieces)) > 2**31
