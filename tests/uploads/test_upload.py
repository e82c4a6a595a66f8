"""POST /dataset, by way of the real network and the real reducers, run inline."""

import io

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from datasets.collection.uploaded import Upload
from datasets.models import Dataset, Status
from datasets.storage.local_copy import contents
from tests.support.pictures import colour, photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def upload(client: Client, archive: bytes, name: str = "photos.zip") -> str:
    response = send(client, archive, name)
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def send(client: Client, archive: bytes, name: str = "photos.zip"):  # type: ignore[no-untyped-def]
    file = io.BytesIO(archive)
    file.name = name
    return client.post("/dataset", {"file": file})


def test_it_answers_with_the_bare_id_and_serves_what_it_computed(client: Client) -> None:
    dataset_id = upload(client, zipped({f"{k}.jpg": photograph(k) for k in range(8)}))
    assert len(dataset_id) == 32
    for reducer in ("pca", "umap"):
        answer = client.get(f"/dataset/{dataset_id}/features/{reducer}").json()
        assert answer["total"] == 8
        assert np.isfinite(answer["features"]).all()
        assert np.shape(answer["features"]) == (8, 3)
    tilemap = client.get(f"/dataset/{dataset_id}/tilemap")
    assert tilemap["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(tilemap.getvalue())).size == (500, 5000)


def test_row_tile_and_name_are_the_same_picture(client: Client) -> None:
    files = {f"{k:03d}.png": picture(37 * k % 1000) for k in range(30)}
    dataset_id = upload(client, zipped(files))
    dataset = Dataset.objects.get(hash=dataset_id)
    assert Upload(dataset).names(range(dataset.count)) == sorted(files)
    tilemap = np.asarray(Image.open(io.BytesIO(client.get(f"/dataset/{dataset_id}/tilemap").getvalue())))
    for k in range(30):
        row, column = divmod(k, 10)
        centre = tilemap[row * 50 + 25, column * 50 + 25].astype(int)
        assert np.abs(centre - colour(37 * k % 1000)).max() < 8


@pytest.mark.parametrize("count", range(1, 21))
def test_any_small_number_of_pictures_gets_finite_vectors(client: Client, count: int) -> None:
    dataset_id = upload(client, zipped({f"{k}.jpg": photograph(k) for k in range(count)}))
    for reducer in ("pca", "umap"):
        vectors = client.get(f"/dataset/{dataset_id}/features/{reducer}").json()["features"]
        assert np.shape(vectors) == (count, 3)
        assert np.isfinite(vectors).all()


def test_the_same_archive_is_answered_from_what_is_stored(client: Client) -> None:
    archive = zipped({f"{k}.jpg": photograph(k) for k in range(5)})
    first = upload(client, archive)
    finished = Dataset.objects.get().finished_at
    assert upload(client, archive, "another-name.zip") == first
    assert Dataset.objects.get().finished_at == finished


def test_an_unreadable_picture_is_skipped_and_recorded(client: Client) -> None:
    files = {"a.jpg": photograph(1), "b.jpg": b"not a picture", "c.jpg": photograph(2)[:900], "d.jpg": photograph(3)}
    dataset = Dataset.objects.get(hash=upload(client, zipped(files)))
    assert Upload(dataset).names(range(dataset.count)) == ["a.jpg", "d.jpg"]
    assert {entry["name"] for entry in dataset.skipped} == {"b.jpg", "c.jpg"}
    assert all(entry["reason"] for entry in dataset.skipped)


def test_no_readable_picture_is_refused_and_leaves_nothing_but_a_report(client: Client) -> None:
    response = send(client, zipped({"a.jpg": b"no", "b.png": b"no"}))
    assert response.status_code == 400
    assert "a.jpg" in response.json()["error"]
    dataset = Dataset.objects.get()
    assert dataset.status == Status.FAILED
    assert [path.name for path in contents(dataset.folder)] == ["report.json"]
