"""Uploads that hold more than is taken: what is told of it, and how the rest is had."""

import io
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from datasets.models import Dataset
from datasets.uploads import intake
from tests.support.pictures import photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for five pictures, so that the tests are fast."""
    monkeypatch.setattr(intake, "CAPACITY", 5)


def upload(client: Client, files: dict[str, bytes], name: str = "photos.zip") -> str:
    file = io.BytesIO(zipped(files))
    file.name = name
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 200, response.content
    return response.content.decode()


def import_of(client: Client, dataset_id: str) -> Any:
    return client.get(f"/dataset/{dataset_id}").json()


def test_pictures_over_capacity_are_reported_by_every_call(client: Client) -> None:
    dataset_id = upload(client, {f"{k:02d}.png": picture(k) for k in range(8)})
    account = import_of(client, dataset_id)
    assert (account["count"], account["first"], account["over_capacity"]) == (5, 0, 3)
    assert account["remarks"] == ["5 of 8: the first by name"]
    report = client.get(f"/dataset/{dataset_id}/report").json()
    assert report["remarks"] == account["remarks"]
    assert report["counts"]["beyond"] == 3
    (listed,) = client.get("/dataset").json()["datasets"]
    assert listed["over_capacity"] == 3


def test_an_upload_that_is_whole_has_no_rest(client: Client) -> None:
    dataset_id = upload(client, {f"{k}.png": picture(k) for k in range(5)})
    account = import_of(client, dataset_id)
    assert (account["remarks"], account["over_capacity"]) == ([], 0)
    assert "rest" not in account["links"]
    answer = client.post(f"/dataset/{dataset_id}/rest")
    assert answer.status_code == 409
    assert answer.json()["error"] == "All pictures of this archive have been taken."
    assert client.post(f"/dataset/{'0f' * 16}/rest").status_code == 404


def test_the_rest_are_datasets_of_their_own(client: Client) -> None:
    """Each picture of the archive is in exactly one of them, in the order of names, whatever was skipped."""
    files = {f"{k:02d}.png": picture(k) for k in range(12)} | {"02b.png": b"no picture", "07b.png": b"no picture"}
    dataset_ids, names = [upload(client, files)], []
    while rest := import_of(client, dataset_ids[-1])["links"].get("rest"):
        answer = client.post(rest)
        assert answer.status_code in {200, 202}
        dataset_id = answer.json()["id"]
        assert answer["Location"] == f"/dataset/{dataset_id}"
        dataset_ids.append(dataset_id)
    assert len(set(dataset_ids)) == 3
    for dataset_id in dataset_ids:
        names += [image["name"] for image in client.get(f"/dataset/{dataset_id}/images").json()["images"]]
    assert names == [f"{k:02d}.png" for k in range(12)]
    accounts = [import_of(client, dataset_id) for dataset_id in dataset_ids]
    assert [account["first"] for account in accounts] == [0, 6, 12]
    assert [account["remarks"] for account in accounts] == [
        ["5 of 14: the first by name"],
        ["7 to 12 of 14, by name"],
        ["13 to 14 of 14, by name"],
    ]
    assert [account["name"] for account in accounts] == ["photos.zip", "photos (7–).zip", "photos (13–).zip"]
    # Asked for again, it is the same; and its pictures can be had from its archive.
    assert client.post(f"/dataset/{dataset_ids[0]}/rest").json()["id"] == dataset_ids[1]
    original = client.get(f"/dataset/{dataset_ids[2]}/images/1")
    assert (b"".join(original) if original.streaming else original.content) == files["11.png"]
    report = client.get(f"/dataset/{dataset_ids[1]}/report").json()
    assert report["counts"]["beyond"] == 8
    assert report["total"] == 14


def test_the_rest_needs_the_archive(client: Client, settings: Settings) -> None:
    settings.KEEP_ARCHIVES = False
    dataset_id = upload(client, {f"{k}.png": picture(k) for k in range(8)})
    assert "rest" not in import_of(client, dataset_id)["links"]
    answer = client.post(f"/dataset/{dataset_id}/rest")
    assert answer.status_code == 410
    assert "not kept" in answer.json()["error"]
    assert Dataset.objects.count() == 1


def test_taken_and_ignored_folders_are_reported(client: Client) -> None:
    account = import_of(client, upload(client, {f"faces/{k}.jpg": photograph(k) for k in range(3)}))
    assert (account["count"], account["folder"], account["in_folders"], account["remarks"]) == (3, "faces", 0, [])
    files = {"stray.jpg": photograph(1)} | {f"faces/{k}.jpg": photograph(k) for k in range(3)}
    account = import_of(client, upload(client, files))
    assert (account["count"], account["folder"], account["in_folders"]) == (1, None, 3)
    assert account["remarks"] == ["3 pictures in folders were not taken: only those at the ZIP's top level are"]
