"""The page for people, with real uploads."""

import io

import pytest
from django.test import Client
from PIL import Image

from datasets.busy import LIFETIME
from datasets.models import BusyFlag, Dataset

from .pictures import photograph, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def post(client: Client, content: bytes) -> "object":
    file = io.BytesIO(content)
    file.name = "holiday.zip"
    return client.post("/", {"file": file}, follow=True)


def test_the_page_works_without_a_catalogue(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "None is installed" in response.content.decode()
    assert client.get("/look/catalogue/umap.png").status_code == 404


def test_a_posted_zip_is_shown_with_its_clouds_and_what_was_skipped(client: Client) -> None:
    response = post(client, zipped({"a.jpg": photograph(1), "b.jpg": photograph(2), "c.jpg": b"no"}))
    page = response.content.decode()  # type: ignore[attr-defined]
    identity = Dataset.objects.get().hash
    assert "holiday.zip" in page
    assert "2 pictures" in page
    assert "c.jpg" in page
    for reducer in ("pca", "umap"):
        picture = client.get(f"/look/{identity}/{reducer}.png")
        assert Image.open(io.BytesIO(picture.content)).size == (900, 640)


@pytest.mark.parametrize("content", [b"not a zip", zipped({"folder/a.jpg": photograph(1)})])
def test_a_bad_upload_is_told_in_words(client: Client, content: bytes) -> None:
    response = post(client, content)
    assert response.status_code == 400  # type: ignore[attr-defined]
    assert 'role="alert"' in response.content.decode()  # type: ignore[attr-defined]


def test_a_busy_server_says_so_on_the_page(client: Client) -> None:
    BusyFlag.objects.take("someone", LIFETIME)
    assert client.get("/").status_code == 200
    response = post(client, zipped({"a.jpg": photograph(1)}))
    assert response.status_code == 503  # type: ignore[attr-defined]
    assert "Server is busy" in response.content.decode()  # type: ignore[attr-defined]


def test_an_unknown_dataset_is_a_page_too(client: Client) -> None:
    response = client.get("/look/0123456789abcdef0123456789abcdef")
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()
