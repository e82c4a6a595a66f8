"""Uploads of more than 1000 pictures: one collection in ranges, the same pictures as by parts."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from datasets.models import Dataset
from tests.support.pictures import photograph, zipped
from tests.support.vectors import array

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

COUNT = 1030
SAME = {3: 1020, 1005: 1025}
"""Pictures that are one file: in two ranges, and in one."""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    files = {f"{k:04d}.jpg": photograph(k, (48, 40)) for k in range(COUNT)}
    for first, later in SAME.items():
        files[f"{later:04d}.jpg"] = files[f"{first:04d}.jpg"]
    files["metadata.csv"] = ("file,number\n" + "".join(f"{k:04d}.jpg,{k}\n" for k in range(COUNT))).encode()
    return files


def send(client: Client, archive: bytes, query: str = "", **headers: str) -> Any:
    file = io.BytesIO(archive)
    file.name = "photos.zip"
    return client.post(f"/dataset{query}", {"file": file}, headers=headers)


def accepted(client: Client, archive: bytes, query: str) -> str:
    response = send(client, archive, query, prefer="respond-async")
    assert response.status_code == 200, response.content  # computed at once, as tests have it
    return str(response.json()["id"])


def test_all_pictures_become_one_collection(client: Client, files: dict[str, bytes], small_network: None) -> None:
    whole = accepted(client, zipped(files, zipfile.ZIP_STORED), "?limit=all")
    account = client.get(f"/dataset/{whole}").json()
    assert (account["count"], account["available"], account["over_capacity"]) == (COUNT, COUNT, 0)
    assert account["remarks"] == []
    info = client.get(account["links"]["info"]).json()
    assert info == {"total": COUNT, "ranges": {"000": [0, 999], "001": [1000, COUNT - 1]}}

    # The same tiles and features as where they are alone.
    last = {name: files[name] for name in sorted(files)[1000:COUNT]}
    alone = send(client, zipped(last)).content.decode()
    tilemap = client.get(f"/dataset/{alone}/tilemap").getvalue()
    assert client.get(f"/dataset/{whole}/tilemaps/001").getvalue() == tilemap
    assert client.get(f"/dataset/{whole}/tilemaps/0").getvalue() == client.get(f"/dataset/{whole}/tilemap").getvalue()
    features = array(client, f"/dataset/{whole}/features/network")
    assert np.array_equal(features[1000:], array(client, f"/dataset/{alone}/features/network"))

    _check_vectors(client, whole)
    _check_pictures(client, whole)
    _check_copies(client, whole, features)
    _check_export(client, whole)


def _check_vectors(client: Client, whole: str) -> None:
    umap = array(client, f"/dataset/{whole}/features/umap")
    assert umap.shape == (COUNT, 3)
    assert np.array_equal(array(client, f"/dataset/{whole}/umap/1/1/standalone"), umap[1000:])
    answer = client.get(f"/dataset/{whole}/umap/0/1/standalone").json()
    assert answer["tilemap_ids"] == ["000", "001"]
    assert answer["total"] == COUNT
    assert np.allclose(answer["features"], umap)
    window = client.get(f"/dataset/{whole}/features/umap", {"offset": 998, "limit": 4}).json()
    assert window["indices"] == [998, 999, 1000, 1001]
    assert np.allclose(window["features"], umap[998:1002])
    # Copies lie at one place, whichever range they are in.
    for one, other in SAME.items():
        assert np.array_equal(umap[one], umap[other])
    for path in ("umap/0/2/standalone", "umap/2/2/standalone", "tilemaps/2", "tilemaps/2/manifest"):
        assert client.get(f"/dataset/{whole}/{path}").status_code == 404
    assert client.get(f"/dataset/{whole}/umap/1/0/standalone").status_code == 400
    assert client.get(f"/dataset/{whole}/tilemaps/x").status_code == 400


def _check_pictures(client: Client, whole: str) -> None:
    tiles = client.get(f"/dataset/{whole}/tilemaps/1/manifest").json()["tiles"]
    assert len(tiles) == COUNT - 1000
    assert (tiles[0]["index"], tiles[0]["name"]) == (1000, "1000.jpg")
    assert client.get(f"/dataset/{whole}/tilemaps/1?tile=12").status_code == 200
    assert client.get(f"/dataset/{whole}/images/1007").getvalue() == photograph(1007, (48, 40))
    assert client.get(f"/dataset/{whole}/images/1007/thumbnail").status_code == 200
    rows = client.get(f"/dataset/{whole}/images/rows", {"number": "1001..1003"}).json()
    assert rows == {"rows": [1001, 1002, 1003], "total": 3}


def _check_copies(client: Client, whole: str, features: Any) -> None:
    groups = client.get(f"/dataset/{whole}/duplicates", {"threshold": "1"}).json()["groups"]
    exact = {tuple(entry["index"] for entry in group["images"]) for group in groups if group["kind"] == "exact"}
    assert set(SAME.items()) <= exact
    (nearest,) = client.get(f"/dataset/{whole}/images/3/neighbors", {"k": 1}).json()["neighbors"]
    assert (nearest["index"], nearest["similarity"]) == (SAME[3], 1)
    outlier = client.get(f"/dataset/{whole}/outliers", {"limit": 1}).json()["outliers"][0]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = np.sort(unit @ unit.T, axis=1)[:, -11:-1]
    assert outlier["index"] == int((1 - cosines).mean(axis=1).argmax())
    report = client.get(f"/dataset/{whole}/report").json()
    assert report["counts"]["duplicate"] == len(SAME)
    assert {file["index"]: file["of"] for file in report["files"] if file["outcome"] == "duplicate"} == {
        later: first for first, later in SAME.items()
    }


def _check_export(client: Client, whole: str) -> None:
    content = b"".join(client.get(f"/dataset/{whole}/export"))
    with zipfile.ZipFile(io.BytesIO(content)) as export:
        names = set(export.namelist())
        assert {"tilemaps/000.jpg", "tilemaps/001.json", "features.npy", "umap.npy", "report.json"} <= names
        assert len(np.load(io.BytesIO(export.read("features.npy")))) == COUNT
    content = b"".join(client.get(f"/dataset/{whole}/export?format=projector"))
    with zipfile.ZipFile(io.BytesIO(content)) as export:
        assert "sprite" not in export.read("projector_config.pbtxt").decode()
        assert "sprite.jpg" not in export.namelist()


def test_a_number_of_pictures_can_be_asked_for(client: Client, settings: Settings) -> None:
    archive = zipped({f"{k}.jpg": photograph(k) for k in range(8)})
    few = accepted(client, archive, "?limit=3")
    account = client.get(f"/dataset/{few}").json()
    assert (account["count"], account["over_capacity"]) == (3, 5)
    assert account["remarks"] == ["3 of 8: the first by name"]
    (beyond,) = {f["reason"] for f in client.get(f"/dataset/{few}/report").json()["files"] if f["outcome"] == "beyond"}
    assert beyond == "only the first 3 pictures are taken"
    rest = client.post(f"/dataset/{few}/rest?limit=all").json()
    assert (rest["count"], rest["first"]) == (5, 3)
    # All of them are what the contract's call takes: one dataset.
    assert accepted(client, archive, "?limit=all") == send(client, archive).content.decode()
    assert accepted(client, archive, "?limit=8") == accepted(client, archive, "?limit=1000")
    settings.MAX_PICTURES = 5
    assert client.get(f"/dataset/{accepted(client, archive, '?limit=all')}").json()["count"] == 5


@pytest.mark.parametrize("given", ["0", "-1", "many", "1e3", "1000000001", "", "٣"])
def test_a_limit_that_is_none_is_refused(client: Client, given: str) -> None:
    answer = send(client, zipped({"a.jpg": photograph(1)}), f"?limit={given}", prefer="respond-async")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("“limit” is a whole number from 1 to 1000000000, or “all”")
    assert not Dataset.objects.exists()


def test_who_waits_gets_the_first_1000(client: Client) -> None:
    answer = send(client, zipped({"a.jpg": photograph(1)}), "?limit=all")
    assert answer.status_code == 400
    assert "respond-async" in answer.json()["error"]
    assert not Dataset.objects.exists()
