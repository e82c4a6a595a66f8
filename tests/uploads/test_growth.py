"""Pictures that are added to an upload, and an upload that is laid out anew."""

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings

from datasets.errors import URN
from datasets.models import Dataset
from datasets.uploads import parents
from embeddings.reducers import REDUCERS
from tests.support.clustered_pictures import FILES
from tests.support.pictures import photograph, zipped
from tests.support.vectors import array

pytestmark = pytest.mark.django_db(transaction=True)


def sent(name: str, data: bytes) -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


def uploaded(client: Client, files: dict[str, bytes], query: str = "") -> str:
    archive = sent("photos.zip", zipped(files, zipfile.ZIP_STORED))
    response = client.post(f"/dataset{query}", {"file": archive}, headers={"prefer": "respond-async"})
    assert response.status_code == 200, response.content
    return str(response.json()["id"])


def added(client: Client, dataset_id: str, files: dict[str, bytes]) -> Any:
    """What the server says of a ZIP of files that are added."""
    response = client.post(f"/dataset/{dataset_id}/images", {"file": sent("more.zip", zipped(files))})
    assert response.status_code == 200, response.content
    return response.json()


def photographs(numbers: Iterable[int]) -> dict[str, bytes]:
    return {f"{number:03d}.jpg": photograph(number) for number in numbers}


def test_what_was_there_stays_byte_for_byte(client: Client) -> None:
    old = uploaded(client, photographs(range(30)) | {"metadata.csv": b"file,age\n000.jpg,7\n"})
    table = b"file,age,place\n100.jpg,2.5,Krak\xc3\xb3w\n"
    answer = added(client, old, photographs(range(100, 104)) | {"metadata.csv": table})
    new = answer["id"]
    assert (answer["parent"], answer["count"], answer["added"]) == (old, 34, 4)
    assert answer["name"] == "photos.zip"
    for name in (*REDUCERS, "network"):
        before, after = (array(client, f"/dataset/{dataset}/features/{name}") for dataset in (old, new))
        assert after[:30].tobytes() == before.tobytes()
        assert np.isfinite(after[30:]).all()
    assert client.get(f"/dataset/{new}/info").json() == {"total": 34, "ranges": {"000": [0, 33]}}
    for row, number in ((0, 0), (29, 29), (30, 100), (33, 103)):
        assert client.get(f"/dataset/{new}/images/{row}").getvalue() == photograph(number)
    listed = client.get(f"/dataset/{new}/images").json()
    assert [image["name"] for image in listed["images"]][-5:] == ["029.jpg", "100.jpg", "101.jpg", "102.jpg", "103.jpg"]
    assert listed["images"][0]["metadata"]["age"] == 7
    assert listed["images"][30]["metadata"] | {"cluster": None} == {
        "age": 2.5,
        "place": "Kraków",
        "outside": False,
        "cluster": None,
    }
    # The upload itself is as it was.
    assert client.get(f"/dataset/{old}").json()["count"] == 30
    assert client.get(f"/dataset/{old}/info").json()["total"] == 30


def test_a_picture_lies_where_it_would_lie_alone(client: Client) -> None:
    old = uploaded(client, photographs(range(20)))
    together = added(client, old, photographs(range(50, 55)))["id"]
    alone = added(client, old, photographs([52]))["id"]
    for name in REDUCERS:
        whole = array(client, f"/dataset/{together}/features/{name}")
        assert np.array_equal(array(client, f"/dataset/{alone}/features/{name}")[20], whole[22])
    # One by one, in any order, as all at once.
    step = alone
    for number in (50, 51, 53, 54):
        step = added(client, step, photographs([number]))["id"]
    found = array(client, f"/dataset/{step}/features/umap")
    assert np.array_equal(np.sort(found[20:], axis=0), np.sort(whole[20:], axis=0))
    assert client.get(f"/dataset/{step}").json()["count"] == 25
    assert client.get(f"/dataset/{step}/images/24").getvalue() == photograph(54)
    assert client.get(f"/dataset/{step}/export").status_code == 200
    with zipfile.ZipFile(io.BytesIO(client.get(f"/dataset/{step}/export").getvalue())) as archive:
        exported = np.load(io.BytesIO(archive.read("features.npy")))
    assert np.array_equal(exported, array(client, f"/dataset/{step}/features/network"))


def test_tiles_stand_beside_those_that_were_there(client: Client) -> None:
    old = uploaded(client, photographs(range(8)))
    new = added(client, old, photographs([90, 91]))["id"]
    from PIL import Image

    sheets = [
        np.asarray(Image.open(io.BytesIO(client.get(f"/dataset/{dataset}/tilemap").getvalue())), np.int16)
        for dataset in (old, new)
    ]
    assert np.abs(sheets[0][:50, :400] - sheets[1][:50, :400]).mean() < 0.5
    alone = uploaded(client, photographs([90, 91]))
    tile = np.asarray(Image.open(io.BytesIO(client.get(f"/dataset/{alone}/tilemap").getvalue())), np.int16)
    assert np.abs(tile[:50, :100] - sheets[1][:50, 400:500]).mean() < 4
    assert (sheets[1][56:] == 255).all()  # a block of 8 pixels is on both sides of the tiles' edge
    tiles = client.get(f"/dataset/{new}/tilemap/manifest").json()["tiles"]
    assert [entry["name"] for entry in tiles][8:] == ["090.jpg", "091.jpg"]


def test_files_are_shared_and_outlive_the_upload(client: Client) -> None:
    old = uploaded(client, photographs(range(12)))
    new = added(client, old, photographs(range(40, 43)))["id"]
    folders = [Path(default_storage.path(dataset)) for dataset in (old, new)]
    for name in ("features.npy", "images.parquet", "source.zip", "layouts/umap.npz"):
        assert (folders[0] / name).samefile(folders[1] / name), name
    manifest = json.loads((folders[1] / "manifest.json").read_text())
    assert manifest["parent"] == old
    assert (
        manifest["files"]["features.npy"]
        == json.loads((folders[0] / "manifest.json").read_text())["files"]["features.npy"]
    )
    assert client.delete(f"/dataset/{old}").status_code == 204
    assert client.get(f"/dataset/{new}/images/3").getvalue() == photograph(3)
    assert client.get(f"/dataset/{new}/images/3/neighbors", {"k": 14}).json()["neighbors"][0]["similarity"] <= 1
    again = added(client, new, photographs([60]))
    assert again["count"] == 16


def of_kind(kind: str, numbers: Iterable[int]) -> dict[str, bytes]:
    return {f"{kind}-{k:02d}.jpg": FILES[f"{kind}-{k:02d}.jpg"] for k in numbers}


def test_what_is_far_from_all_that_was_there_is_marked(client: Client) -> None:
    old = uploaded(client, of_kind("garden", range(20)))
    same = {"same.jpg": FILES["garden-05.jpg"]}
    answer = added(client, old, of_kind("garden", [20]) | of_kind("wood", [3]) | same)
    new = answer["id"]
    assert client.get(f"/dataset/{new}/images/rows", {"outside": "true"}).json()["rows"] == [22]
    assert answer["outside"] == 1
    report = {entry["name"]: entry for entry in client.get(f"/dataset/{new}/report").json()["files"]}
    assert report["garden-20.jpg"]["outcome"] in {"row", "near_duplicate"}
    assert (report["wood-03.jpg"]["outcome"], report["wood-03.jpg"]["index"]) == ("outside", 22)
    assert (report["same.jpg"]["outcome"], report["same.jpg"]["of"]) == ("duplicate", 5)
    assert "garden-05.jpg" in report["same.jpg"]["reason"]
    # Compared with all: with what was there, and with what came with it.
    groups = client.get(f"/dataset/{new}/duplicates", {"threshold": "1"}).json()["groups"]
    assert [5, 21] in [[image["index"] for image in group["images"]] for group in groups]


def test_clusters_keep_their_ids_and_names(client: Client) -> None:
    old = uploaded(client, of_kind("garden", range(20)) | of_kind("meadow", range(20)) | of_kind("wood", range(20)))
    before = client.get(f"/dataset/{old}/clusters").json()["levels"][0]
    response = client.patch(f"/dataset/{old}/clusters/1/1", {"label": "mine"}, content_type="application/json")
    assert response.status_code == 200, response.content
    rows = client.get(f"/dataset/{old}/images/rows", {"cluster": "1"}).json()["rows"]
    kind = ("garden", "meadow", "wood")[rows[0] // 20]
    new = added(client, old, of_kind(kind, range(20, 23)))["id"]
    after = client.get(f"/dataset/{new}/clusters").json()["levels"][0]
    assert [cluster["id"] for cluster in after["clusters"]] == [cluster["id"] for cluster in before["clusters"]]
    assert [cluster["label"] for cluster in after["clusters"]][0] == "mine"
    assert client.get(f"/dataset/{new}/images/rows", {"cluster": "1"}).json()["rows"] == [*rows, 60, 61, 62]


def test_picture_files_are_taken_as_they_are(client: Client) -> None:
    old = uploaded(client, photographs(range(6)))
    files = [sent("a.jpg", photograph(21)), sent("a.jpg", photograph(22))]
    answer = client.post(f"/dataset/{old}/images", {"file": files}).json()
    assert answer["count"] == 8
    names = [image["name"] for image in client.get(f"/dataset/{answer['id']}/images").json()["images"]]
    assert names[6:] == ["a (2).jpg", "a.jpg"]
    assert client.get(f"/dataset/{answer['id']}/images/7").getvalue() == photograph(21)
    # The same once more is the same dataset.
    again = client.post(
        f"/dataset/{old}/images", {"file": [sent("a.jpg", photograph(21)), sent("a.jpg", photograph(22))]}
    )
    assert again.json()["id"] == answer["id"]
    many = client.post(f"/dataset/{old}/images", {"file": [sent(f"{k}.jpg", photograph(21)) for k in range(101)]})
    assert (many.status_code, "one ZIP" in many.json()["error"]) == (413, True)
    both = client.post(f"/dataset/{old}/images", {"file": [sent("a.jpg", photograph(21)), sent("b.zip", zipped({}))]})
    assert (both.status_code, both.json()["type"]) == (400, URN + "several-files")


@pytest.mark.slow
def test_more_than_a_range_and_a_refit(client: Client, small_network: None) -> None:
    old = uploaded(client, {f"{k:04d}.jpg": photograph(k, (48, 40)) for k in range(990)})
    answer = added(client, old, {f"more-{k:04d}.jpg": photograph(2000 + k, (48, 40)) for k in range(25)})
    new = answer["id"]
    assert client.get(f"/dataset/{new}/info").json()["ranges"] == {"000": [0, 989 + 10], "001": [1000, 1014]}
    assert (
        array(client, f"/dataset/{new}/umap/0/0/standalone")[:990].tobytes()
        == array(client, f"/dataset/{old}/features/umap").tobytes()
    )
    tiles = client.get(f"/dataset/{new}/tilemaps/1/manifest").json()["tiles"]
    assert (tiles[0]["index"], tiles[0]["name"], len(tiles)) == (1000, "more-0010.jpg", 15)
    assert client.get(f"/dataset/{new}/images/1014").getvalue() == photograph(2024, (48, 40))
    window = client.get(f"/dataset/{new}/features/network", {"offset": 988, "limit": 4}).json()["features"]
    assert np.allclose(window, array(client, f"/dataset/{new}/features/network")[988:992])
    assert len(client.get(f"/dataset/{new}/outliers", {"limit": 1000}).json()["outliers"]) == 1000

    response = client.post(f"/dataset/{new}/refit")
    assert response.status_code == 200, response.content
    refit = response.json()["id"]
    assert (response.json()["parent"], response.json()["count"], response.json()["added"]) == (new, 1015, 0)
    for name in REDUCERS:
        before, after = (array(client, f"/dataset/{dataset}/features/{name}") for dataset in (new, refit))
        assert after.shape == before.shape
        assert not np.array_equal(after, before)
        # No turn brings it nearer to what it was.
        from scipy.spatial.transform import Rotation

        best, _ = Rotation.align_vectors(before - before.mean(0), after - after.mean(0))
        assert best.magnitude() < 0.02
    assert client.get(f"/dataset/{refit}/images/1014").getvalue() == photograph(2024, (48, 40))
    assert client.post(f"/dataset/{new}/refit").json()["id"] == refit
    # It grows as any other; a picture that is there already lies where it lies.
    more = added(client, refit, {"again.jpg": photograph(7, (48, 40))})["id"]
    places = array(client, f"/dataset/{more}/features/pca")
    assert np.allclose(places[1015], places[7], atol=1e-4)
    umap = array(client, f"/dataset/{more}/features/umap")
    assert np.linalg.norm(umap[1015] - umap[7]) < 0.3 * umap.std()


def test_what_cannot_grow_says_why(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    old = uploaded(client, photographs(range(5)))

    def refused(code: str, status: int = 409, files: dict[str, bytes] | None = None) -> None:
        archive = sent("more.zip", zipped(files or photographs([9])))
        response = client.post(f"/dataset/{old}/images", {"file": archive})
        answer = response.json()
        assert response.status_code == status, answer
        assert (answer["problem"] if status == 200 else answer)["type"] == URN + code

    settings.MAX_PICTURES = 5
    refused("collection-full", 413)
    settings.MAX_PICTURES = 50_000
    monkeypatch.setattr(parents, "MAX_PARTS", 1)
    refused("too-many-parts")
    monkeypatch.undo()
    refused(
        "none-readable",
        200,  # computed at once, as tests have it
        {"a.jpg": b"no picture"},
    )
    refused("zip-empty", 400, {"a.txt": b"none"})
    vectors = io.BytesIO()
    np.save(vectors, np.ones((1, 8), np.float32))
    refused("own-vectors", 400, photographs([9]) | {"vectors.npy": vectors.getvalue()})
    Dataset.objects.filter(hash=old).update(network="resnet50:other:fp32")
    refused("not-comparable")
    Dataset.objects.filter(hash=old).update(network="own:0123")
    refused("own-vectors", 400)
    assert client.post("/dataset/0123456789abcdef0123456789abcdef/images").status_code == 404
    assert client.post("/dataset/0123456789abcdef0123456789abcdef/refit").status_code == 404
    assert client.post(f"/dataset/{old}/images").json()["type"] == URN + "no-file"
    # Nothing is left of what was refused.
    assert {path.name for path in Path(default_storage.path(".")).iterdir() if any(path.rglob("features*.npy"))} == {
        old
    }


def test_an_old_upload_without_models_is_refit_first(client: Client) -> None:
    old = uploaded(client, photographs(range(8)))
    for model in Path(default_storage.path(old)).glob("layouts/*.npz"):
        model.unlink()
    response = client.post(f"/dataset/{old}/images", {"file": sent("more.zip", zipped(photographs([9])))})
    assert (response.status_code, response.json()["type"]) == (409, URN + "space-gone")
    refit = client.post(f"/dataset/{old}/refit").json()["id"]
    assert added(client, refit, photographs([9]))["count"] == 9
