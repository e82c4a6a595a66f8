"""Clusters of an upload and of the catalogue: what is told of them, filtered by, renamed, exported, computed later."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from datasets.catalogue.collection import installed
from datasets.collection.uploaded import upload as uploaded
from datasets.errors import URN
from datasets.models import DerivedResult
from tests.api.test_pictures import QUIET, upload
from tests.support.clustered_pictures import FILES, KINDS, TABLE
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def dataset_id(client: Client) -> str:
    return upload(client, FILES | {"metadata.csv": TABLE.encode()})


@pytest.fixture
def address(dataset_id: str) -> str:
    return f"/dataset/{dataset_id}"


def clusters(client: Client, address: str, level: int = 1) -> list[dict[str, Any]]:
    response = client.get(f"{address}/clusters")
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["levels"][level - 1]["clusters"]
    return found


def rename(client: Client, address: str, label: Any, which: str = "1/1") -> Any:
    body = label if isinstance(label, dict) else {"label": label}
    return client.patch(f"{address}/clusters/{which}", json.dumps(body), content_type="application/json")


def code(answer: Any) -> str:
    sentence(answer.json(), answer.status_code)
    return str(answer.json()["type"].removeprefix(URN))


def test_they_are_told_with_what_is_frequent_in_them(client: Client, address: str) -> None:
    answer = client.get(f"{address}/clusters").json()
    listed = client.get(f"{address}/images?limit=1000").json()["images"]
    assert answer["total"] == len(FILES)
    assert answer["levels"], "no clusters at all"
    for level in answer["levels"]:
        column = client.get(f"{address}/images/fields/{level['field']}").json()
        members = [None if code is None else column["texts"][code] for code in column["values"]]
        assert members.count(None) == level["outside"]
        for cluster in level["clusters"]:
            rows = [row for row, member in enumerate(members) if member == str(cluster["id"])]
            assert len(rows) == cluster["size"]
            assert cluster["medoid"]["index"] in rows
            assert cluster["medoid"]["name"] == listed[cluster["medoid"]["index"]]["name"]
            for trait in cluster["traits"]:
                if trait["field"] == "kind":
                    inside = [listed[row]["metadata"]["kind"] == trait["value"] for row in rows]
                    assert (sum(inside), trait["inside"]) == (trait["count"], pytest.approx(np.mean(inside), abs=1e-6))
                    assert trait["outside"] < trait["inside"]
    labels = {cluster["label"].split()[0] for cluster in answer["levels"][0]["clusters"]}
    assert labels <= set(KINDS)
    assert len(labels) >= 2


def test_they_filter_as_metadata_do(client: Client, address: str) -> None:
    first, second = clusters(client, address)[:2]
    rows = client.get(f"{address}/images/rows?cluster=1").json()["rows"]
    assert len(rows) == first["size"]
    both = client.get(f"{address}/images/rows?cluster=1&cluster=2").json()["rows"]
    assert len(both) == first["size"] + second["size"]
    kind = first["label"].split()[0]
    counted = {trait["value"]: trait["count"] for trait in first["traits"]}
    assert client.get(f"{address}/images/rows?cluster=1&kind={kind}").json()["total"] == counted[kind]
    fields = {field["name"]: field for field in client.get(f"{address}/images/fields").json()["fields"]}
    assert fields["cluster"]["values"][0] == {"value": "1", "count": first["size"]}


def test_they_are_exported(client: Client, address: str) -> None:
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{address}/export").getvalue()))
    rows = list(csv.DictReader(io.StringIO(archive.read("pictures.csv").decode())))
    rows_in_it = sum(row["cluster"] == "1" for row in rows)
    assert rows_in_it == clusters(client, address)[0]["size"]


def test_a_name_is_kept_and_can_be_taken_away(client: Client, address: str) -> None:
    before = client.get(f"{address}/clusters")
    own = clusters(client, address)[0]
    answer = rename(client, address, "  Łąka\n w maju ")
    assert answer.status_code == 200
    assert answer.json() == own | {"label": "Łąka w maju", "is_named": True}
    assert answer["Cache-Control"] == "no-store"
    after = client.get(f"{address}/clusters", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert clusters(client, address)[0] == answer.json()
    assert clusters(client, address)[1]["label"] != "Łąka w maju"
    assert rename(client, address, "").json() == own


def test_names_that_cannot_be_given_are_refused(client: Client, address: str) -> None:
    for body in ({"label": 3}, {"name": "x"}, {"label": "x" * 81}, {"label": "x", "more": 1}, {}):
        answer = rename(client, address, body)
        assert (answer.status_code, code(answer)) == (400, "parameter-invalid"), body
    assert client.patch(f"{address}/clusters/1/1", "[", content_type="application/json").status_code == 400
    for which in ("1/99", "9/1", "0/1", "1/0", "x/1", "1/x", "1/9999999999999", "1/-1", "²/1"):
        answer = rename(client, address, "x", which)
        assert (answer.status_code, code(answer)) == (404, "cluster-unknown"), which
    assert not any(cluster["is_named"] for cluster in clusters(client, address))


def test_damaged_names_are_none(client: Client, dataset_id: str, address: str) -> None:
    rename(client, address, "meadow")
    path = uploaded(dataset_id).cluster_labels_path
    for content in (b"[", b"[]", b'{"version": 1}', path.read_bytes().replace(b'"version": "', b'"version": "0')):
        path.write_bytes(content)
        assert not any(cluster["is_named"] for cluster in clusters(client, address))


def test_few_pictures_have_none(client: Client) -> None:
    address = f"/dataset/{upload(client, {f'{k}.jpg': photograph(k) for k in range(4)})}"
    assert client.get(f"{address}/clusters").json() == {"levels": [], "total": 4}
    assert client.get(f"{address}/images/fields").json() == {"fields": [], "lacks_clusters": False, "total": 4}
    assert rename(client, address, "x").status_code == 404


def test_without_metadata_they_are_called_by_their_numbers(client: Client) -> None:
    address = f"/dataset/{upload(client, FILES)}"
    for level in client.get(f"{address}/clusters").json()["levels"]:
        prefix = "" if level["level"] == 1 else f"{level['level']}."
        for cluster in level["clusters"]:
            assert (cluster["label"], cluster["traits"]) == (f"{prefix}{cluster['id']}", [])


def test_a_field_of_the_same_name_goes_before(client: Client) -> None:
    table = "file,cluster\n" + "".join(f"{name},mine\n" for name in FILES)
    address = f"/dataset/{upload(client, FILES | {'metadata.csv': table.encode()})}"
    assert client.get(f"{address}/images/rows?cluster=mine").json()["total"] == len(FILES)
    assert clusters(client, address)


def test_an_upload_from_before_gets_them_when_it_is_asked(client: Client, dataset_id: str, address: str) -> None:
    expected = client.get(f"{address}/clusters").json()
    path = uploaded(dataset_id).folder.clusters_path
    for content in (None, b"damaged"):
        path.unlink()
        if content:
            path.write_bytes(content)
        for call in ("images/fields", "images"):
            assert client.get(f"{address}/{call}")["Cache-Control"] == "public, no-cache"
        assert client.get(f"{address}/images/fields").json()["lacks_clusters"] is True
        missing = client.get(f"{address}/clusters")
        assert (missing.status_code, code(missing)) == (404, "clusters-missing")
        assert client.get(f"{address}/images/rows?cluster=1").status_code == 400
        answer = client.post(f"{address}/clusters")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "progress": 1.0})
        assert client.get(f"{address}/clusters").json() == expected
        assert client.get(f"{address}/images/fields").json()["lacks_clusters"] is False
        for call in ("images/fields", "images"):
            assert "immutable" in client.get(f"{address}/{call}")["Cache-Control"]


@pytest.mark.parametrize(
    "call",
    [
        *("export", "export?format=projector", "export.parquet", "features/pca?format=csv"),
        *("features/network?format=parquet", "umap/0/0/standalone?format=arrow", "images", "images/fields"),
    ],
)
def test_what_was_answered_before_clusters_came_holds_no_longer(
    client: Client, dataset_id: str, address: str, call: str
) -> None:
    uploaded(dataset_id).folder.clusters_path.unlink()
    before = client.get(f"{address}/{call}")
    content = before.getvalue()
    assert before["Cache-Control"] == "public, no-cache"
    asked = {"If-None-Match": before["ETag"]}
    assert client.get(f"{address}/{call}", headers=asked).status_code == 304
    assert client.post(f"{address}/clusters").status_code == 200
    after = client.get(f"{address}/{call}", headers=asked)
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.getvalue() != content
    assert client.get(f"{address}/{call}", headers={"If-None-Match": after["ETag"]}).status_code == 304
    assert client.get(f"{address}/{call}", headers={"If-Match": before["ETag"]}).status_code == 412


def test_what_holds_no_clusters_is_the_same_for_ever(client: Client, dataset_id: str, address: str) -> None:
    calls = ["tilemap", "features/umap", "features/network", "images/0", "images/0/thumbnail", "images/rows?search=0"]
    uploaded(dataset_id).folder.clusters_path.unlink()
    before = [client.get(f"{address}/{call}") for call in calls]
    assert client.post(f"{address}/clusters").status_code == 200
    for call, answer in zip(calls, before, strict=True):
        assert "immutable" in answer["Cache-Control"], call
        assert client.get(f"{address}/{call}").getvalue() == answer.getvalue(), call
    for call in ("images/rows?cluster=1", "images/fields/cluster"):
        assert "immutable" in client.get(f"{address}/{call}")["Cache-Control"], call


def test_what_is_asked_for_waits_in_the_background(
    client: Client, dataset_id: str, address: str, settings: Settings
) -> None:
    uploaded(dataset_id).folder.clusters_path.unlink()
    settings.TASKS_BACKEND = "database"
    for _ in range(2):
        answer = client.post(f"{address}/clusters")
        assert (answer.status_code, answer.json()) == (202, {"status": "queued", "progress": 0.0})
    assert DerivedResult.objects.count() == 1
    call_command("compute_results")
    assert clusters(client, address)


def test_what_has_failed_is_told_once_and_tried_again(
    client: Client, dataset_id: str, address: str, settings: Settings
) -> None:
    folder = uploaded(dataset_id).folder
    folder.clusters_path.unlink()
    settings.TASKS_BACKEND = "database"
    assert client.post(f"{address}/clusters").status_code == 202
    features = folder.path / "features.npy"
    features.rename(folder.path / "aside.npy")
    call_command("compute_results")
    (folder.path / "aside.npy").rename(features)
    answer = client.post(f"{address}/clusters")
    assert (answer.status_code, code(answer)) == (500, "features-missing")
    assert client.post(f"{address}/clusters").json() == {"status": "queued", "progress": 0.0}
    call_command("compute_results")
    assert clusters(client, address)


def test_the_catalogue_has_them_and_keeps_their_names(client: Client, data: Path, tmp_path: Path) -> None:
    (tmp_path / "collection.zip").write_bytes(zipped(FILES))
    (tmp_path / "about.csv").write_text(TABLE)
    call_command(
        "build_catalogue", str(tmp_path / "collection.zip"), "--metadata", str(tmp_path / "about.csv"), **QUIET
    )
    own = clusters(client, "/catalogue")
    assert {cluster["label"].split()[0] for cluster in own} <= set(KINDS)
    assert rename(client, "/catalogue", "first").status_code == 200
    call_command("fit_reducers", "--again", **QUIET)
    assert clusters(client, "/catalogue") == [own[0] | {"label": "first", "is_named": True}, *own[1:]]
    assert client.get("/catalogue/images/rows?cluster=1").json()["total"] == own[0]["size"]
    installed().folder.clusters_path.unlink()
    assert client.get("/catalogue/clusters").status_code == 404
    assert client.post("/catalogue/clusters").status_code == 200
    assert len(clusters(client, "/catalogue")) == len(own)


def test_a_collection_without_features_cannot_have_them(client: Client, dataset_id: str, address: str) -> None:
    found = uploaded(dataset_id)
    found.folder.clusters_path.unlink()
    (found.folder.path / "features.npy").unlink()
    answer = client.post(f"{address}/clusters")
    assert (answer.status_code, code(answer)) == (404, "features-missing")
    assert client.get(f"{address}/images/fields").json()["lacks_clusters"] is False
    assert client.post("/catalogue/clusters").status_code == 404
