"""Catalogues beside the installed one: kept under their names, read by their ids, and installed instead of it."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets.catalogue import installed_catalogue, publication
from datasets.errors import URN
from tests.support.pictures import photograph, zipped
from tests.support.vectors import array

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"stdout": io.StringIO(), "stderr": io.StringIO()}


def folder_of(tmp_path: Path, name: str, numbers: range) -> str:
    folder = tmp_path / name
    folder.mkdir()
    for number in numbers:
        (folder / f"{number:03d}.jpg").write_bytes(photograph(number))
    return str(folder)


@pytest.fixture
def two(data: Path, tmp_path: Path) -> dict[str, str]:
    """The ids of a catalogue that is installed and of one that is kept beside it, by their names."""
    call_command("build_catalogue", folder_of(tmp_path, "first", range(12)), "--name", "First", **QUIET)
    second = folder_of(tmp_path, "second", range(40, 60))
    call_command("build_catalogue", second, "--name", "Second", "--no-install", **QUIET)
    return {entry.name: entry.id for entry in publication.entries(data)}


def test_one_is_installed_and_all_are_listed(client: Client, two: dict[str, str]) -> None:
    listed = client.get("/catalogues").json()["catalogues"]
    assert [(entry["name"], entry["total"], entry["is_installed"]) for entry in listed] == [
        ("First", 12, True),
        ("Second", 20, False),
    ]
    assert client.get("/dataset/info").json()["total"] == 12
    out = io.StringIO()
    call_command("install_catalogue", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["*", two["Second"]]


def test_another_one_is_read_by_its_id(client: Client, two: dict[str, str]) -> None:
    base = f"/dataset/{two['Second']}"
    assert client.get(f"{base}/info").json() == {"total": 20, "ranges": {"000": [0, 19]}}
    places = array(client, f"{base}/umap/0/0/standalone")
    assert places.shape == (20, 3)
    assert client.get(f"{base}/tilemaps/000").status_code == 200
    assert len(client.get(f"{base}/tilemaps/000/manifest").json()["tiles"]) == 20
    assert client.get(f"{base}/images/3").getvalue() == photograph(43)
    assert client.get(f"{base}/images").json()["total"] == 20
    assert client.get(f"{base}/clusters").status_code == 200
    assert len(client.get(f"{base}/images/3/neighbors", {"k": 4}).json()["neighbors"]) == 4
    assert client.get(f"{base}/layouts/pca/quality").json()["total"] == 20
    picture = io.BytesIO(photograph(45))
    picture.name = "45.jpg"
    found = client.post(f"/search?in={two['Second']}", {"file": picture}).json()
    assert (found["neighbors"][0]["index"], found["neighbors"][0]["similarity"]) == (5, 1)
    for path in ("info", "umap/0/0/standalone", "images"):
        assert client.get(f"/dataset/0123456789abcdef/{path}").status_code == 404
    assert client.get(f"{base}/umap/1/1/standalone").status_code == 404


def test_another_one_is_exported_with_metadata_of_its_own(client: Client, two: dict[str, str], tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,kind\n" + "".join(f"{number:03d}.jpg,k{number}\n" for number in range(40, 60)))
    call_command("import_metadata", str(table), "--catalogue", "Second", **QUIET)
    assert client.get("/catalogue/images/fields").json()["fields"] == []
    base = f"/dataset/{two['Second']}"
    assert client.get(f"{base}/images/3").status_code == 200
    assert client.get(f"{base}/images", {"kind": "k43"}).json()["images"][0]["index"] == 3
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{base}/export").getvalue()))
    assert json.loads(archive.read("manifest.json"))["name"] == "Second"
    assert archive.read("pictures.csv").decode().splitlines()[4].endswith(",k43")
    assert np.array_equal(np.load(io.BytesIO(archive.read("umap.npy"))), array(client, f"{base}/umap/0/0/standalone"))
    answer = client.get(f"{base}/export", {"format": "projector"})
    assert (answer.status_code, answer.json()["type"].removeprefix(URN)) == (400, "parameter-invalid")
    assert client.get("/dataset/0123456789abcdef/export").status_code == 404
    with pytest.raises(CommandError, match="known are “First”"):
        call_command("import_metadata", str(table), "--catalogue", "Third", **QUIET)


def test_another_one_is_installed_with_all_that_belongs_to_it(
    client: Client, data: Path, two: dict[str, str], tmp_path: Path
) -> None:
    first, second = (array(client, f"/dataset/{two[name]}/umap/0/0/standalone") for name in ("First", "Second"))
    assert np.array_equal(array(client, "/umap/0/0/standalone"), first)
    call_command("install_catalogue", "Second", **QUIET)
    assert client.get("/dataset/info").json()["total"] == 20
    assert np.array_equal(array(client, "/umap/0/0/standalone"), second)
    assert client.get("/catalogue/images/0").getvalue() == photograph(40)
    # Uploads lie in its space now: what it has lies where it lies there.
    sent = io.BytesIO(zipped({"a.jpg": photograph(44)}))
    sent.name = "a.zip"
    dataset = client.post("/dataset", {"file": sent}).content.decode()
    assert client.get(f"/dataset/{dataset}").json()["space"] == "catalogue"
    assert np.allclose(
        array(client, f"/dataset/{dataset}/features/pca")[0], array(client, "/pca/0/0/standalone")[4], atol=1e-3
    )
    # The pickles are its own, and importing them at the next start changes nothing.
    assert not installed_catalogue.has_new_pickles(data)
    # And back, by its id.
    call_command("install_catalogue", two["First"], **QUIET)
    assert np.array_equal(array(client, "/umap/0/0/standalone"), first)
    assert client.get(f"/dataset/{two['Second']}/info").json()["total"] == 20


def test_a_build_replaces_the_one_of_its_name_alone(
    client: Client, data: Path, two: dict[str, str], tmp_path: Path
) -> None:
    call_command(
        "build_catalogue", folder_of(tmp_path, "more", range(70, 85)), "--name", "Second", "--no-install", **QUIET
    )
    listed = {entry.name: entry for entry in publication.entries(data)}
    assert {name: entry.total for name, entry in listed.items()} == {"First": 12, "Second": 15}
    assert listed["First"].is_installed
    assert client.get(f"/dataset/{two['Second']}/info").status_code == 404
    call_command("build_catalogue", folder_of(tmp_path, "third", range(90, 96)), "--name", "Third", **QUIET)
    assert [entry.name for entry in publication.entries(data)] == ["Third", "First", "Second"]


def test_one_that_is_not_installed_can_be_removed(data: Path, two: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="install another one first"):
        call_command("install_catalogue", "First", "--remove", **QUIET)
    call_command("install_catalogue", "Second", "--remove", **QUIET)
    assert [entry.name for entry in publication.entries(data)] == ["First"]
    with pytest.raises(CommandError, match="known are “First”"):
        call_command("install_catalogue", "Second", **QUIET)


def test_the_admin_installs_another_one(client: Client, admin_client: Client, two: dict[str, str]) -> None:
    page = admin_client.get("/admin/datasets/catalogue/").content.decode()
    assert "First" in page
    assert 'aria-label="Install Second"' in page
    assert 'aria-label="Install First"' not in page
    answer = admin_client.post("/admin/datasets/catalogue/install", {"catalogue": two["Second"]}, follow=True)
    assert "“Second” is installed" in answer.content.decode()
    assert client.get("/dataset/info").json()["total"] == 20
    answer = admin_client.post("/admin/datasets/catalogue/install", {"catalogue": "nothing"}, follow=True)
    assert "There is no catalogue “nothing”" in answer.content.decode()
    assert client.get("/admin/datasets/catalogue/").status_code == 302
    assert client.post("/admin/datasets/catalogue/install", {"catalogue": two["First"]}).status_code == 302
    assert client.get("/dataset/info").json()["total"] == 20


def test_metadata_wait_for_the_installation(data: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("file,age\n")
    source = folder_of(tmp_path, "first", range(3))
    with pytest.raises(CommandError, match="once it is installed"):
        call_command("build_catalogue", source, "--no-install", "--metadata", str(table), **QUIET)
