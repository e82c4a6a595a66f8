"""The document of the page and the small tilemaps that it draws, without a browser."""

import io

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from datasets import atlas, catalogue
from datasets.tilemap import CAPACITY, Tilemap, tile

from .pictures import colour, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def sheet(*sizes: tuple[int, int]) -> bytes:
    made = Tilemap()
    for index, size in enumerate(sizes):
        made.put(index, tile(np.asarray(Image.new("RGB", size, colour(index)))))
    return made.jpeg()


def test_the_page_allows_nothing_but_its_own_scripts(client: Client) -> None:
    response = client.get("/")
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    page = response.content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page
    assert client.post("/").status_code == 405


def test_the_page_knows_that_there_is_no_catalogue(client: Client) -> None:
    assert '"total": 0' in client.get("/").content.decode()


def test_old_addresses_of_an_upload_lead_to_its_cloud(client: Client) -> None:
    response = client.get("/look/" + "0f" * 16)
    assert response.status_code == 301
    assert response["Location"] == "/?dataset=" + "0f" * 16


@pytest.mark.parametrize("size", [12, 24])
def test_small_tiles_are_filled_by_their_pictures(size: int) -> None:
    small = Image.open(io.BytesIO(atlas.small(sheet((178, 218), (300, 100), (50, 50)), size)))
    assert small.size == (10 * size, 100 * size)
    pixels = np.asarray(small).astype(int)
    for index in range(3):
        cell = pixels[:size, index * size : (index + 1) * size]
        assert np.abs(cell[2:-2, 2:-2] - colour(index)).max() <= 12


def test_the_comment_says_the_shapes() -> None:
    small = Image.open(io.BytesIO(atlas.small(sheet((178, 218), (300, 100), (50, 50)), 12)))
    shapes = np.frombuffer(bytes.fromhex(small.info["comment"].decode()), np.uint8).reshape(CAPACITY, 2)
    assert shapes[:4].tolist() == [[39, 48], [48, 16], [48, 48], [48, 48]]


@pytest.mark.parametrize("side", range(1, 49))
def test_every_shape_is_found_again(side: int) -> None:
    made = Tilemap()
    made.put(0, np.zeros((48, side, 3), np.uint8))
    made.put(1, np.zeros((side, 48, 3), np.uint8))
    for index in range(2, 8):
        made.put(index, np.zeros((48, 48, 3), np.uint8))
    pixels = np.asarray(Image.open(io.BytesIO(made.jpeg())).convert("RGB"))
    found = atlas.shapes_of(pixels)[:2].astype(int)
    # Whatever is all but square is taken for square here, as most cells are.
    expected = 48 if side >= 44 else side
    assert np.abs(found - [[expected, 48], [48, expected]]).max() <= 2


def test_an_uploads_small_tilemap_is_served_and_kept(client: Client) -> None:
    file = io.BytesIO(zipped({f"{index}.png": picture(index, (30, 60)) for index in range(3)}))
    file.name = "three.zip"
    identity = client.post("/dataset", {"file": file}).content.decode()
    answer = client.get(f"/dataset/{identity}/tilemap?tile=12")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert "immutable" in answer["Cache-Control"]
    body = answer.getvalue() if answer.streaming else answer.content
    assert Image.open(io.BytesIO(body)).size == (120, 1200)
    again = client.get(f"/dataset/{identity}/tilemap?tile=12", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_other_sizes_are_refused_in_words(client: Client) -> None:
    from django.conf import settings

    catalogue.install(settings.DATA_DIR, {name: np.zeros((3, 3), np.float32) for name in ("pca", "umap")}, name="Three")
    path = catalogue.tilemap_path(settings.DATA_DIR / "tilemaps", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(sheet((50, 50), (50, 50), (50, 50)))
    assert client.get("/tilemaps/000?tile=24").status_code == 200
    for wrong in ("0", "13", "24.0", "x", ""):
        answer = client.get(f"/tilemaps/000?tile={wrong}")
        assert answer.status_code == 400
        assert "ask for 12 and 24" in answer.json()["error"]
