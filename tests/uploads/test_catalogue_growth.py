"""Pictures that are added to a catalogue: an upload that begins with all of the catalogue's."""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue, publication
from datasets.derived import jobs
from datasets.errors import URN, Conflict
from datasets.models import Dataset, Status
from datasets.pictures import pipeline_settings
from datasets.uploads import processing
from embeddings.reducers import REDUCERS
from tests.support.clustered_pictures import FILES
from tests.support.pictures import photograph, zipped
from tests.support.vectors import array
from tests.uploads.test_growth import added, of_kind, photographs, sent, uploaded

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"stdout": io.StringIO(), "stderr": io.StringIO()}


def built(tmp_path: Path, name: str, files: dict[str, bytes], *, folder: str = "", packed: bool = False) -> str:
    """The id of a catalogue of these files."""
    source = tmp_path / (folder or name)
    if packed:
        source = source.with_suffix(".zip")
        source.write_bytes(zipped(files))
    else:
        source.mkdir()
        for file, data in files.items():
            (source / file).write_bytes(data)
    call_command("build_catalogue", str(source), "--name", name, **QUIET)
    return publication.find(settings.DATA_DIR, name).id


def refused(client: Client, catalogue: str, files: dict[str, bytes] | None = None) -> tuple[int, str]:
    response = client.post(f"/dataset/{catalogue}/images", {"file": sent("a.zip", zipped(files or photographs([90])))})
    return response.status_code, response.json()["type"].removeprefix(URN)


def test_all_that_the_catalogue_has_stays_byte_for_byte(client: Client, data: Path, tmp_path: Path) -> None:
    catalogue = built(tmp_path, "Faces", photographs(range(30)))
    answer = client.post("/catalogue/images", {"file": [sent("a.jpg", photograph(7)), sent("b.jpg", photograph(90))]})
    assert answer.status_code == 200, answer.content
    described = answer.json()
    new = described["id"]
    assert (described["parent"], described["name"], described["count"], described["added"]) == (
        catalogue,
        "Faces",
        32,
        2,
    )
    assert (described["space"], described["status"], len(described["explained_variance"])) == ("own", "ready", 3)
    alone = uploaded(client, photographs([90]))
    assert client.get(f"/dataset/{alone}").json()["space"] == "catalogue"
    for name in REDUCERS:
        before, after = array(client, f"/{name}/0/0/standalone"), array(client, f"/dataset/{new}/features/{name}")
        assert after[:30].tobytes() == before.tobytes()
        # By the models that place uploads among the catalogue's pictures.
        assert np.array_equal(after[31], array(client, f"/dataset/{alone}/features/{name}")[0])
    assert client.delete(f"/dataset/{alone}").status_code == 204
    features = np.load(data / "collections" / catalogue / "features" / "000.npy")
    assert array(client, f"/dataset/{new}/features/network")[:30].tobytes() == features.tobytes()
    assert client.get(f"/dataset/{new}/info").json() == {"total": 32, "ranges": {"000": [0, 31]}}
    for row, number in ((0, 0), (29, 29), (30, 7), (31, 90)):
        assert client.get(f"/dataset/{new}/images/{row}").getvalue() == photograph(number)
    names = [image["name"] for image in client.get(f"/dataset/{new}/images").json()["images"]]
    assert (names[0], names[29:]) == ("000.jpg", ["029.jpg", "a.jpg", "b.jpg"])
    near = client.get(f"/dataset/{new}/images/30/neighbors", {"k": 1}).json()["neighbors"]
    assert near[0]["index"] == 7
    groups = client.get(f"/dataset/{new}/duplicates", {"threshold": "1"}).json()["groups"]
    assert [7, 30] in [[image["index"] for image in group["images"]] for group in groups]
    report = {entry["name"]: entry for entry in client.get(f"/dataset/{new}/report").json()["files"]}
    assert (report["a.jpg"]["outcome"], report["a.jpg"]["of"]) == ("duplicate", 7)
    assert [entry["id"] for entry in client.get("/dataset").json()["datasets"]] == [new]
    with zipfile.ZipFile(io.BytesIO(client.get(f"/dataset/{new}/export").getvalue())) as archive:
        assert len(np.load(io.BytesIO(archive.read("features.npy")))) == 32
    # The catalogue itself is as it was, and the same once more is the same dataset.
    assert client.get("/dataset/info").json()["total"] == 30
    again = client.post("/catalogue/images", {"file": [sent("a.jpg", photograph(7)), sent("b.jpg", photograph(90))]})
    assert again.json()["id"] == new


def test_files_are_shared_with_the_catalogue_and_outlive_it(client: Client, data: Path, tmp_path: Path) -> None:
    first = built(tmp_path, "First", photographs(range(25)), packed=True)
    new = added(client, first, photographs(range(80, 83)))["id"]
    folders = data / "collections" / first, Path(default_storage.path(new))
    for name in ("features/000.npy", "images.parquet", "layouts/umap.npz"):
        assert (folders[0] / name).samefile(folders[1] / name), name
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in folders]
    assert manifests[1]["files"]["features/000.npy"] == manifests[0]["files"]["features/000.npy"]
    assert manifests[1]["catalogue"] == {"id": first, "count": 25, "pictures": str(tmp_path / "First.zip")}
    built(tmp_path, "Second", photographs(range(40, 60)))
    call_command("install_catalogue", "First", "--remove", **QUIET)
    # It grows on and is laid out anew, without the catalogue that it began with.
    grown = added(client, new, photographs([70]))["id"]
    assert client.get(f"/dataset/{grown}/images/3").getvalue() == photograph(3)
    assert client.get(f"/dataset/{grown}/images/26").getvalue() == photograph(81)
    for name in REDUCERS:
        before, after = (array(client, f"/dataset/{each}/features/{name}") for each in (new, grown))
        assert after[:28].tobytes() == before.tobytes()
    refit = client.post(f"/dataset/{grown}/refit").json()
    assert (refit["status"], refit["count"]) == ("ready", 29)
    assert client.get(f"/dataset/{refit['id']}/images/3").getvalue() == photograph(3)
    again = added(client, refit["id"], photographs([71]))
    assert array(client, f"/dataset/{again['id']}/features/network").shape[0] == 30
    # What the source is gone for has its thumbnail.
    (tmp_path / "First.zip").unlink()
    gone = client.get(f"/dataset/{grown}/images/3")
    assert (gone.status_code, gone.json()["type"]) == (404, URN + "original-missing")
    assert client.get(f"/dataset/{grown}/images/3/thumbnail").status_code == 200
    assert client.get(f"/dataset/{grown}/images/26").status_code == 200
    assert client.delete(f"/dataset/{new}").status_code == 204
    assert client.get(f"/dataset/{grown}/images/26").status_code == 200


def test_files_are_copied_to_another_file_system(
    client: Client, data: Path, tmp_path: Path, settings: Settings
) -> None:
    memory = Path("/dev/shm")
    if not memory.exists() or memory.stat().st_dev == data.stat().st_dev:
        pytest.skip("needs a second file system in /dev/shm")
    catalogue = built(tmp_path, "Faces", photographs(range(12)))
    with tempfile.TemporaryDirectory(dir=memory) as elsewhere:
        storage = settings.STORAGES["default"] | {"OPTIONS": {"location": elsewhere, "allow_overwrite": True}}
        settings.STORAGES = settings.STORAGES | {"default": storage}
        new = added(client, catalogue, photographs([40]))["id"]
        features = Path(elsewhere) / new / "features" / "000.npy"
        assert features.read_bytes() == (data / "collections" / catalogue / "features" / "000.npy").read_bytes()
        manifest = json.loads((Path(elsewhere) / new / "manifest.json").read_text())
        assert manifest["files"]["features/000.npy"] == hashlib.sha256(features.read_bytes()).hexdigest()
        near = client.get(f"/dataset/{new}/images/12/neighbors", {"k": 3}).json()["neighbors"]
        assert len(near) == 3


def test_what_people_made_of_the_catalogue_is_carried_on(client: Client, data: Path, tmp_path: Path) -> None:
    kinds = {kind: of_kind(kind, range(20)) for kind in ("garden", "meadow", "wood")}
    catalogue = built(tmp_path, "Flowers", kinds["garden"] | kinds["meadow"] | kinds["wood"])
    base = f"/dataset/{catalogue}"
    table = tmp_path / "labels.csv"
    table.write_text("file,age\n" + "".join(f"{name},{k}\n" for k, name in enumerate(kinds["meadow"])))
    call_command("import_metadata", str(table), **QUIET)
    response = client.patch(f"{base}/clusters/1/1", {"label": "mine"}, content_type="application/json")
    assert response.status_code == 200, response.content
    view = {"name": "Mine", "note": "", "state": "view=pca&chosen=3"}
    views = client.put(f"{base}/views", {"views": [view]}, content_type="application/json").json()["views"]
    body = {"kind": "tsne", "parameters": {}}
    layout = client.post(f"{base}/layouts", body, content_type="application/json").json()["name"]
    rows = client.get(f"{base}/images/rows", {"cluster": "1"}).json()["rows"]
    kind = list(kinds)[rows[0] // 20]

    more = of_kind(kind, range(20, 23)) | {"metadata.csv": f"file,age\n{kind}-21.jpg,99\n".encode()}
    new = f"/dataset/{added(client, catalogue, more)['id']}"
    assert client.get(f"{new}/images/rows", {"age": "99"}).json()["rows"] == [61]
    assert client.get(f"{new}/images/rows", {"age": "3"}).json()["rows"] == [23]
    assert client.get(f"{new}/images/rows", {"cluster": "1"}).json()["rows"] == [*rows, 60, 61, 62]
    clusters = client.get(f"{new}/clusters").json()["levels"][0]["clusters"]
    assert clusters[0]["label"] == "mine"
    assert client.get(f"{new}/views").json()["views"] == views
    before, after = (array(client, f"{each}/layouts/{layout}") for each in (base, new))
    assert after[:60].tobytes() == before.tobytes()
    assert len(after) == 63
    # From then on each has its own.
    client.put(f"{new}/views", {"views": []}, content_type="application/json")
    assert client.get(f"{base}/views").json()["views"] == views
    assert client.get(f"{base}/images").json()["images"][0]["metadata"].keys() <= {"cluster", "cluster.2", "cluster.3"}


@pytest.mark.slow
def test_one_of_several_ranges_grows(client: Client, small_network: None, tmp_path: Path) -> None:
    files = {f"{k:04d}.jpg": photograph(k, (48, 40)) for k in range(1010)}
    catalogue = built(tmp_path, "Many", files, packed=True)
    more = {f"more-{k:04d}.jpg": photograph(2000 + k, (48, 40)) for k in range(995)}
    new = f"/dataset/{added(client, catalogue, more)['id']}"
    assert client.get(f"{new}/info").json()["ranges"] == {"000": [0, 999], "001": [1000, 1999], "002": [2000, 2004]}
    for row, number in ((1009, 1009), (1010, 2000), (2004, 2994)):
        assert client.get(f"{new}/images/{row}").getvalue() == photograph(number, (48, 40))
    before = array(client, "/umap/0/1/standalone")
    assert array(client, f"{new}/umap/0/2/standalone")[:1010].tobytes() == before.tobytes()
    window = client.get(f"{new}/features/network", {"offset": 998, "limit": 14}).json()["features"]
    assert np.allclose(window, array(client, f"{new}/features/network")[998:1012])
    assert len(client.get(f"{new}/outliers", {"limit": 1000}).json()["outliers"]) == 1000
    tiles = client.get(f"{new}/tilemaps/1/manifest").json()["tiles"]
    assert [tiles[k]["name"] for k in (9, 10)] == ["1009.jpg", "more-0000.jpg"]


def test_what_cannot_grow_says_why(client: Client, data: Path, tmp_path: Path, settings: Settings) -> None:
    assert refused(client, "0123456789abcdef") == (404, "catalogue-missing")
    assert client.post("/catalogue/images", {"file": sent("a.jpg", photograph(1))}).status_code == 404
    # As the server of 2021 left it: vectors alone.
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    installation.install(data, dict.fromkeys(REDUCERS, vectors), name="CelebA")
    (bare,) = (entry.id for entry in publication.entries(data))
    assert refused(client, bare) == (409, "catalogue-not-built")
    assert client.get("/catalogues").json()["catalogues"][0]["add"] is None

    settings.MAX_PICTURES = 2
    catalogue = built(tmp_path, "Faces", photographs(range(8)))
    assert client.get("/catalogues").json()["catalogues"][0]["add"] == f"/dataset/{catalogue}/images"
    # Those of the catalogue do not count, but what was added does.
    once = added(client, catalogue, photographs([20, 21]))["id"]
    assert refused(client, once) == (413, "collection-full")
    settings.TOKENS = "write"
    assert client.post(f"/dataset/{catalogue}/images", {"file": sent("a.jpg", photograph(1))}).status_code == 401
    assert client.post("/catalogue/images", {"file": sent("a.jpg", photograph(1))}).status_code == 401
    settings.TOKENS = "off"
    npy = io.BytesIO()
    np.save(npy, np.ones((1, 8), np.float32))
    assert refused(client, catalogue, photographs([9]) | {"vectors.npy": npy.getvalue()}) == (400, "own-vectors")
    assert client.post(f"/dataset/{catalogue}/images").json()["type"] == URN + "no-file"
    folder = data / "collections" / catalogue
    similarity = folder / "index" / "similarity.npz"
    shutil.move(similarity, tmp_path / "kept.npz")
    assert refused(client, catalogue) == (409, "kin-missing")
    shutil.move(tmp_path / "kept.npz", similarity)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"network": "resnet50:other:fp32"}))
    installed_catalogue.catalogue_store.cache_clear()
    assert refused(client, catalogue) == (409, "not-comparable")
    assert Dataset.objects.count() == 1


def waiting(client: Client, parent: str, settings: Settings) -> Dataset:
    """So many pictures to be added that they are left to the process beside the worker, which does not run here."""
    settings.TASKS_BACKEND = "database"
    many = dict.fromkeys((f"{k:04d}.jpg" for k in range(1001)), photograph(50, (48, 40)))
    described = client.post(f"/dataset/{parent}/images", {"file": sent("more.zip", zipped(many))})
    assert described.status_code == 202, described.content
    return Dataset.objects.get(hash=described.json()["id"], status=Status.QUEUED)


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_catalogue_that_goes_while_pictures_wait_fails_them_plainly(
    client: Client, tmp_path: Path, settings: Settings, is_replaced: bool
) -> None:
    catalogue = built(tmp_path, "Faces", photographs(range(8)))
    dataset = waiting(client, catalogue, settings)
    if is_replaced:
        built(tmp_path, "Faces", photographs(range(30, 40)), folder="others")
    else:
        built(tmp_path, "Second", photographs(range(30, 40)))
        call_command("install_catalogue", "Faces", "--remove", **QUIET)
    processing.process(dataset, "worker")
    answer = client.get(f"/dataset/{dataset.hash}").json()
    assert (answer["status"], answer["problem"]["type"]) == ("failed", URN + "catalogue-replaced")
    assert answer["problem"]["status"] == 409
    assert client.delete(f"/dataset/{dataset.hash}").status_code == 204
    assert not Path(default_storage.path(dataset.hash)).exists()


@pytest.mark.parametrize("code", ["catalogue-replaced", "dataset-deleted"])
def test_a_parent_that_goes_while_it_is_read_is_told_of(
    client: Client, data: Path, tmp_path: Path, settings: Settings, small_network: None, code: str
) -> None:
    is_catalogue = code == "catalogue-replaced"
    files = photographs(range(8))
    parent = built(tmp_path, "Faces", files) if is_catalogue else uploaded(client, files)
    dataset = waiting(client, parent, settings)

    class Report(processing.Report):
        def stage(self, name: str) -> None:
            if name == "pca":
                if is_catalogue:
                    shutil.rmtree(data / "collections" / parent)
                else:
                    Dataset.objects.get(hash=parent).delete()

    dataset.claim("worker")
    with pytest.raises(Conflict) as raised:
        processing._process(dataset, pipeline_settings.pipeline(), Report(dataset))
    assert raised.value.code == code


def test_layouts_that_wait_for_the_parent_are_asked_for_in_the_child(
    client: Client, tmp_path: Path, settings: Settings
) -> None:
    catalogue = built(tmp_path, "Faces", {name: FILES[name] for name in list(FILES)[:24]})
    settings.TASKS_BACKEND = "database"
    body = {"kind": "tsne", "parameters": {}}
    described = client.post(f"/dataset/{catalogue}/layouts", body, content_type="application/json").json()
    assert described["status"] == "queued"
    settings.TASKS_BACKEND = "immediate"
    new = added(client, catalogue, of_kind("wood", [20]))["id"]
    listed = {each["name"]: each for each in client.get(f"/dataset/{new}/layouts").json()["layouts"]}
    assert listed[described["name"]]["status"] == "queued"
    jobs.compute_all("worker")
    for each, count in ((catalogue, 24), (new, 25)):
        assert len(array(client, f"/dataset/{each}/layouts/{described['name']}")) == count
    listed = {each["name"]: each for each in client.get(f"/dataset/{new}/layouts").json()["layouts"]}
    assert (listed[described["name"]]["status"], listed[described["name"]]["placed"]) == ("ready", 0)
