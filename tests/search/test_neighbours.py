"""Who is like whom: exactly and by the index, through the calls, on real digits by the real network."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django_tasks_db.models import DBTaskResult
from PIL import Image
from pytest_django import Settings

from datasets.catalogue import installed_catalogue
from datasets.management.commands.build_demo import digits
from datasets.models import Dataset, WorkerState
from datasets.search import tasks
from embeddings import nearest_neighbours, neighbour_index
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.neighbour_index import Index
from tests.api.test_pictures import QUIET, upload
from tests.support.paths import SAMPLES
from tests.support.pictures import encode, photograph, zipped
from tests.uploads.test_queue import DATABASE_QUEUE

FACES = SAMPLES / "celeba-3000.zip"


def clustered(count: int, width: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    random = np.random.default_rng(5)
    centres = random.normal(size=(30, width))
    return (centres[random.integers(0, 30, count)] + random.normal(scale=0.4, size=(count, width))).astype(np.float32)


def blocks(features: Any) -> list[Any]:
    return [features[start : start + 1000] for start in range(0, len(features), 1000)]


def test_the_nearest_are_those_of_the_largest_cosine() -> None:
    features = clustered(2500, 48)
    features[7] = 0
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    finder = NeighbourSearch(blocks(features))
    for row in (0, 999, 1000, 2499):
        cosines = unit @ unit[row]
        found = finder.nearest(features[row], 5, without=row)
        assert row not in found.rows
        assert set(found.rows) == set(np.argsort(-cosines)[1:6])
        assert np.allclose(found.similarities, cosines[found.rows], atol=1e-5)
        assert (np.diff(found.similarities) <= 0).all()
        # Its length is no matter.
        assert np.array_equal(finder.nearest(features[row] * 3, 5, without=row).rows, found.rows)


def test_duplicates_are_listed_in_the_order_of_their_rows() -> None:
    features = np.repeat(clustered(4, 40), 5, axis=0)
    found = NeighbourSearch([features]).nearest(features[7], 4, without=7)
    assert found.rows.tolist() == [5, 6, 8, 9]
    assert found.similarities.tolist() == [1.0] * 4


def test_a_small_collection_yields_fewer_neighbours_than_requested() -> None:
    features = clustered(3, 16)
    assert len(NeighbourSearch([features]).nearest(features[0], 10, without=0).rows) == 2
    assert len(NeighbourSearch([features[:1]]).nearest(features[0], 10, without=0).rows) == 0


def test_the_index_finds_nearly_all_and_measures_them_exactly(tmp_path: Path) -> None:
    features = clustered(12_000, 300)
    neighbour_index.build(blocks(features), tmp_path)
    exact, indexed = NeighbourSearch(blocks(features)), NeighbourSearch(blocks(features), tmp_path)
    hits = 0
    for row in range(0, 12_000, 60):
        wanted = exact.nearest(features[row], 10, without=row)
        found = indexed.nearest(features[row], 10, without=row)
        assert len(found.rows) == 10
        known = dict(zip(wanted.rows.tolist(), wanted.similarities.tolist(), strict=True))
        for place, similarity in zip(found.rows.tolist(), found.similarities.tolist(), strict=True):
            assert similarity == pytest.approx(known.get(place, similarity), abs=2e-6)
        hits += len(set(known) & set(found.rows.tolist()))
    assert hits / 2000 >= 0.98


def test_an_index_of_another_version_is_not_used(tmp_path: Path) -> None:
    features = clustered(500, 20)
    assert Index.open(tmp_path, (500, 20)) is None
    neighbour_index.build([features], tmp_path)
    assert Index.open(tmp_path, (500, 20)) is not None
    card = tmp_path / "index.json"
    whole = card.read_text()
    for other in (whole.replace('"format": 2', '"format": 99'), "{", "[]", "{}", '{"format": 2}', "\0"):
        card.write_text(other)
        assert Index.open(tmp_path, (500, 20)) is None
    card.write_text(whole)
    assert Index.open(tmp_path, (500, 20)) is not None


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 255 for byte in data[middle : middle + 64]) + data[middle + 64 :]


@pytest.mark.parametrize("name", ["index.faiss", "index.npz"])
@pytest.mark.parametrize("damage", [_cut, _flipped, lambda data: b"", lambda data: b"no index"])
def test_a_damaged_index_is_logged_and_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[bytes], bytes]
) -> None:
    features = clustered(nearest_neighbours.EXACT_ROWS + 1, 24)
    neighbour_index.build(blocks(features), tmp_path)
    exact = NeighbourSearch(blocks(features))
    path = tmp_path / name
    path.write_bytes(damage(path.read_bytes()))
    finder = NeighbourSearch(blocks(features), tmp_path)
    assert f"{name} is not what was written" in caplog.text
    for row in (0, 2500, 5000):
        found = finder.nearest(features[row], 10, without=row)
        assert np.array_equal(found.rows, exact.nearest(features[row], 10, without=row).rows)


@pytest.mark.parametrize("shape", [(5002, 32), (5001, 24), (10_003, 24)])
def test_an_index_of_other_features_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, shape: tuple[int, int]
) -> None:
    neighbour_index.build(blocks(clustered(5002, 24)), tmp_path)
    features = clustered(*shape)
    found = NeighbourSearch(blocks(features), tmp_path).nearest(features[3], 5, without=3)
    assert found.rows.tolist() == NeighbourSearch(blocks(features)).nearest(features[3], 5, without=3).rows.tolist()
    assert "it was made of [5002, 24] features" in caplog.text


def test_rows_that_came_after_the_index_are_found(tmp_path: Path) -> None:
    features = clustered(5300, 24)
    neighbour_index.build(blocks(features[:5100]), tmp_path)
    finder = NeighbourSearch([*blocks(features[:5100]), features[5100:5150], features[5150:]], tmp_path)
    exact = NeighbourSearch(blocks(features))
    for row in (7, 5099, 5100, 5149, 5150, 5299):
        assert np.array_equal(finder.vector(row), features[row])
        found, wanted = (each.nearest(features[row], 40, without=row) for each in (finder, exact))
        assert set(wanted.rows[wanted.rows >= 5100]) <= set(found.rows)
        assert len(set(found.rows) & set(wanted.rows)) >= 36


@pytest.mark.parametrize("count", [1, 2, 5, 2500, nearest_neighbours.EXACT_ROWS + 1000])
def test_every_row_has_its_nearest_neighbours(tmp_path: Path, count: int) -> None:
    features = clustered(count, 40)
    if count > nearest_neighbours.EXACT_ROWS:
        neighbour_index.build(blocks(features), tmp_path)
    rows, similarities = nearest_neighbours.nearest_of_all(blocks(features), 10, tmp_path)
    assert rows.shape == similarities.shape == (count, min(10, count - 1))
    assert (rows != np.arange(count)[:, None]).all()
    assert (np.diff(similarities, axis=1) <= 0).all()
    exact = NeighbourSearch(blocks(features))
    hits = 0
    for row in range(0, count, 50):
        found = exact.nearest(features[row], 10, without=row)
        known = dict(zip(found.rows.tolist(), found.similarities.tolist(), strict=True))
        for place, similarity in zip(rows[row].tolist(), similarities[row].tolist(), strict=True):
            assert similarity == pytest.approx(known.get(place, similarity), abs=2e-6)
        hits += len(set(known) & set(rows[row].tolist()))
    least = 0.9 if count > nearest_neighbours.EXACT_ROWS else 1
    assert hits >= least * len(range(0, count, 50)) * min(10, count - 1)


@pytest.fixture
def catalogue_of_photographs(data: Path, tmp_path: Path) -> dict[str, bytes]:
    files = {f"{index:04d}.jpg": photograph(index) for index in range(60)}
    path = tmp_path / "collection.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    call_command("build_catalogue", str(path), **QUIET)
    return files


def ask(client: Client, picture: bytes, query: str = "") -> Any:
    file = io.BytesIO(picture)
    file.name = "me.jpg"
    return client.post(f"/search{query}", {"file": file})


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_digits_have_neighbours_of_their_own_kind(client: Client) -> None:
    """scikit-learn's digits, all 1,797 of them, by the real network."""
    call_command("build_demo", **QUIET)
    same = []
    for row in range(0, 1797, 3):
        (name,) = (each["name"] for each in client.get(f"/catalogue/images?offset={row}&limit=1").json()["images"])
        found = client.get(f"/catalogue/images/{row}/neighbors?k=3").json()["neighbors"]
        same += [each["name"].split("-")[2] == name.split("-")[2] for each in found]
    assert np.mean(same) >= 0.85


@pytest.mark.django_db(transaction=True)
def test_copies_and_strangers_are_named(client: Client) -> None:
    files = {f"{k:02d}.jpg": photograph(k) for k in range(20)}
    files["copy-a.jpg"] = files["03.jpg"]
    files["copy-b.jpg"] = encode(Image.open(io.BytesIO(files["07.jpg"])), "JPEG", quality=60)
    files["digit.png"] = digits()["0000-digit-0.png"]
    dataset_id = upload(client, files)
    answer = client.get(f"/dataset/{dataset_id}/duplicates").json()
    found = [(group["kind"], [each["name"] for each in group["images"]]) for group in answer["groups"]]
    assert found == [("exact", ["03.jpg", "copy-a.jpg"]), ("near", ["07.jpg", "copy-b.jpg"])]
    assert answer["groups"][0]["similarity"] == 1.0 > answer["groups"][1]["similarity"] >= answer["threshold"]
    strict = client.get(f"/dataset/{dataset_id}/duplicates?threshold=1").json()["groups"]
    assert [group["kind"] for group in strict] == ["exact"]
    lonely = client.get(f"/dataset/{dataset_id}/outliers?limit=3").json()
    assert lonely["outliers"][0]["name"] == "digit.png"
    scores = [each["score"] for each in lonely["outliers"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("indexed", [False, True])
def test_a_catalogue_names_the_same_copies_and_strangers_as_an_upload_of_its_pictures(
    client: Client, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    files = {f"{k:02d}.jpg": photograph(k) for k in range(30)}
    files["copy-a.jpg"] = files["copy-b.jpg"] = files["03.jpg"]
    files["copy-c.jpg"] = encode(Image.open(io.BytesIO(files["07.jpg"])), "JPEG", quality=60)
    files["digit.png"] = digits()["0000-digit-0.png"]
    dataset_id = upload(client, files)
    (tmp_path / "collection.zip").write_bytes(zipped(files))
    if indexed:
        monkeypatch.setattr(nearest_neighbours, "EXACT_ROWS", 20)
    call_command("build_catalogue", str(tmp_path / "collection.zip"), **QUIET)
    for query in ("duplicates", "duplicates?threshold=1", "outliers?limit=5"):
        found, wanted = (client.get(f"/{owner}/{query}").json() for owner in ("catalogue", f"dataset/{dataset_id}"))
        if query.startswith("duplicates"):
            assert found == wanted
        else:
            assert [each["name"] for each in found["outliers"]] == [each["name"] for each in wanted["outliers"]]
            assert found["outliers"][0]["name"] == "digit.png"
    # Built by an older version, or damaged.
    path = installed_catalogue.installed_folder(data).similarity_path
    for number, damaged in enumerate((None, path.read_bytes()[:-100], b"")):
        path.unlink(missing_ok=True)
        if damaged is not None:
            path.write_bytes(damaged)
        for call in (f"duplicates?threshold=0.8{number}", f"outliers?limit={number + 7}"):  # what was asked is kept
            response = client.get(f"/catalogue/{call}")
            assert response.status_code == 404
            assert response.json()["error"].endswith("`manage.py fit_reducers` does it.")
    call_command("fit_reducers", **QUIET)
    assert client.get("/catalogue/outliers").json()["outliers"][0]["name"] == "digit.png"


@pytest.mark.django_db(transaction=True)
def test_copies_of_faces_are_found_and_different_faces_are_not_taken_for_copies(client: Client) -> None:
    if not FACES.exists():
        pytest.skip("shared/data/celeba-3000.zip is not here")
    with zipfile.ZipFile(FACES) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))[:300]
        files = {Path(name).name: archive.read(name) for name in names}
    chosen = list(files)[:30]
    copies = {f"copy-{name}": encode(Image.open(io.BytesIO(files[name])), "JPEG", quality=60) for name in chosen}
    dataset_id = upload(client, files | copies)
    groups = client.get(f"/dataset/{dataset_id}/duplicates").json()["groups"]
    found = {frozenset(each["name"] for each in group["images"]) for group in groups}
    wanted = {frozenset({name, f"copy-{name}"}) for name in chosen}
    assert len(found & wanted) == 30
    assert len(found - wanted) <= 1


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_compared_with_the_catalogue(client: Client, catalogue_of_photographs: dict[str, bytes]) -> None:
    dataset_id = upload(client, {"x.jpg": photograph(41), "y.jpg": photograph(9)})
    answer = client.get(f"/dataset/{dataset_id}/images/0/neighbors?k=3&in=catalogue").json()
    assert answer["neighbors"][0] == {"index": 41, "name": "0041.jpg", "similarity": 1.0, "in": "catalogue"}
    assert len(answer["neighbors"]) == 3
    own = client.get(f"/dataset/{dataset_id}/images/0/neighbors").json()["neighbors"]
    assert [(each["index"], each["in"]) for each in own] == [(1, "self")]
    among = client.get("/catalogue/images/41/neighbors?k=59").json()["neighbors"]
    assert len(among) == 59
    assert 41 not in {each["index"] for each in among}
    # Features of another network say nothing about the catalogue's.
    Dataset.objects.update(network="resnet50:0:fp32")
    assert client.get(f"/dataset/{dataset_id}/images/0/neighbors?in=catalogue").status_code == 409


@pytest.mark.django_db(transaction=True)
def test_a_large_catalogue_gets_an_index_that_answers_as_before(
    client: Client, data: Path, catalogue_of_photographs: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/catalogue/images/7/neighbors?k=5"
    exactly = client.get(path).json()
    assert not (installed_catalogue.installed_folder(data).index / "index.json").exists()
    monkeypatch.setattr(nearest_neighbours, "EXACT_ROWS", 20)
    call_command("fit_reducers", **QUIET)
    folder = installed_catalogue.installed_folder(data).index
    assert client.get(path).json() == exactly
    # That it is the index which answers shows by one that proposes too little: the features of other rows.
    features = np.concatenate(installed_catalogue.installed_folder(data).features(1))
    neighbour_index.build([features[::-1]], folder)
    monkeypatch.setattr(nearest_neighbours, "_CANDIDATES", 1)
    monkeypatch.setattr(nearest_neighbours, "_LEAST_CANDIDATES", 1)
    assert client.get(path).json() != exactly
    # A damaged one is found out, and made anew when the build is asked to.
    (folder / "index.faiss").write_bytes(b"no index")
    os.utime(folder / "index.json", (1, 1))
    assert client.get(path).json() == exactly
    monkeypatch.undo()
    monkeypatch.setattr(nearest_neighbours, "EXACT_ROWS", 20)
    call_command("fit_reducers", **QUIET)
    folder = installed_catalogue.installed_folder(data).index
    assert Index.open(folder, features.shape) is not None
    (folder / "index.faiss").unlink()
    os.utime(folder / "index.json", (2, 2))
    assert client.get(path).json() == exactly


@pytest.mark.django_db(transaction=True)
def test_search_by_picture_in_the_catalogue_returns_neighbours_and_coordinates(
    client: Client, catalogue_of_photographs: dict[str, bytes]
) -> None:
    answer = ask(client, catalogue_of_photographs["0017.jpg"], "?k=4").json()
    assert answer["in"] == "catalogue"
    assert answer["neighbors"][0] == {"index": 17, "name": "0017.jpg", "similarity": 1.0, "in": "catalogue"}
    assert len(answer["neighbors"]) == 4
    places = client.get("/pca/0/0/standalone").json()["features"]
    assert np.allclose(answer["pca"], places[17], atol=1e-3)
    assert np.isfinite(answer["umap"]).all()
    ask(client, photograph(1000))
    assert ask(client, catalogue_of_photographs["0017.jpg"], "?k=4").json() == answer


@pytest.mark.django_db(transaction=True)
def test_search_by_picture_in_a_dataset_fitted_on_itself(client: Client) -> None:
    dataset_id = upload(client, {f"{k:02d}.jpg": photograph(k) for k in range(12)})
    answer = ask(client, photograph(5), f"?in={dataset_id}&k=2").json()
    assert answer["neighbors"][0] == {"index": 5, "name": "05.jpg", "similarity": 1.0, "in": dataset_id}
    assert np.allclose(
        answer["pca"], client.get(f"/dataset/{dataset_id}/features/pca").json()["features"][5], atol=1e-3
    )
    assert np.shape(answer["umap"]) == (3,)
    for path in Dataset.objects.get().folder.rglob("*.npz"):
        path.unlink()
    assert ask(client, photograph(5), f"?in={dataset_id}").json()["pca"] is None


@pytest.mark.django_db(transaction=True)
def test_a_search_that_cannot_be_answered_is_refused_with_a_sentence(client: Client, data: Path) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1), "b.jpg": photograph(2)})
    for response, status in (
        (ask(client, b"no picture", f"?in={dataset_id}"), 400),
        (ask(client, photograph(1)[:500], f"?in={dataset_id}"), 400),
        (ask(client, photograph(1)), 404),
        (ask(client, photograph(1), "?in=0123456789abcdef0123456789abcdef"), 404),
        (ask(client, photograph(1), f"?in={dataset_id}&k=0"), 400),
        (ask(client, photograph(1), f"?in={dataset_id}&k=1001"), 400),
        (client.post(f"/search?in={dataset_id}"), 400),
        (client.get("/search"), 400),
        (client.get(f"/search?text=dog&in={dataset_id}"), 409),
        (client.get(f"/dataset/{dataset_id}/images/0/neighbors?k=0"), 400),
        (client.get(f"/dataset/{dataset_id}/images/0/neighbors?k=abc"), 400),
        (client.get(f"/dataset/{dataset_id}/images/0/neighbors?in=elsewhere"), 400),
        (client.get(f"/dataset/{dataset_id}/images/0/neighbors?in=catalogue"), 404),
        (client.get(f"/dataset/{dataset_id}/images/2/neighbors"), 404),
        (client.get(f"/dataset/{dataset_id}/duplicates?threshold=2"), 400),
        (client.get(f"/dataset/{dataset_id}/duplicates?threshold=nan"), 400),
        (client.get(f"/dataset/{dataset_id}/duplicates?threshold=0_1"), 400),
        (client.get(f"/dataset/{dataset_id}/outliers?limit=0"), 400),
        (client.get("/catalogue/duplicates"), 404),
        (client.get("/catalogue/outliers"), 404),
        (client.get("/catalogue/export"), 404),
    ):
        assert response.status_code == status, response.content
        assert response.json()["error"].endswith(".")
    assert not list((data / "tmp").iterdir())


@pytest.mark.django_db(transaction=True)
def test_without_a_worker_or_in_its_long_absence_a_client_is_sent_away(
    client: Client, settings: Settings, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1), "b.jpg": photograph(2)})
    settings.TASKS_BACKEND = "database"
    settings.TASKS = DATABASE_QUEUE
    monkeypatch.setattr("datasets.search.client.PATIENCE_SECONDS", 0.3)
    for sentence in ("No worker is running", "The worker has other work"):
        response = ask(client, photograph(1), f"?in={dataset_id}")
        assert response.status_code == 503
        assert response.json()["error"].startswith(sentence)
        assert int(response["Retry-After"]) > 0
        WorkerState.objects.beat("busy")
    assert not DBTaskResult.objects.exists()
    assert not list((data / "tmp").iterdir())


@pytest.mark.django_db(transaction=True)
def test_a_question_that_comes_too_late_harms_nothing() -> None:
    assert tasks.search_by_picture_file.func("/nowhere", None, 5)["kind"] in {"not-found", "server-error"}
