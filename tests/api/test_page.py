"""The document of the page and the small tilemaps that it draws, without a browser."""

import io
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray
from PIL import Image
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue
from datasets.catalogue.tilemap_prerendering import TilemapPrerendering
from datasets.models import Dataset, Status
from datasets.tilemaps import downscale
from datasets.tilemaps.detect import detect_shapes
from datasets.tilemaps.layout import CAPACITY, Tilemap, place_of, tile
from embeddings.images.decoding import RGB
from tests.support.pictures import colour, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def tilemap(*sizes: tuple[int, int]) -> bytes:
    made = Tilemap()
    for index, size in enumerate(sizes):
        made.put(index, tile(np.asarray(Image.new("RGB", size, colour(index)))))
    return made.jpeg()


def policy_of(response: Any) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize("address", ["/", "/compare"])
def test_pages_allow_nothing_but_their_own_scripts(client: Client, address: str) -> None:
    response = client.get(address)
    policy = policy_of(response)
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    page = response.content.decode()
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page
    assert client.post(address).status_code == 405


def test_only_the_comparison_frames_the_page_and_nothing_the_comparison(client: Client) -> None:
    page, comparison = client.get("/"), client.get("/compare")
    assert (page["X-Frame-Options"], policy_of(page)["frame-ancestors"]) == ("SAMEORIGIN", "'self'")
    assert "frame-src" not in policy_of(page)
    assert (comparison["X-Frame-Options"], policy_of(comparison)["frame-ancestors"]) == ("DENY", "'none'")
    assert policy_of(comparison)["frame-src"] == "'self'"
    assert "connect-src" not in policy_of(comparison)
    for other in ("/openapi.json", "/status", "/admin/login/"):
        assert client.get(other)["X-Frame-Options"] == "DENY", other


@pytest.mark.parametrize(
    "left",
    [
        "dataset=" + "0f" * 16 + "&view=pca&is.kind=a+b%26c",
        '"><script>alert(1)</script>',
        "javascript:alert(1)",
        "//elsewhere.example/",
        "\r\nż",
    ],
)
def test_what_a_comparison_is_asked_for_stays_the_query_of_its_frames(client: Client, left: str) -> None:
    sources: list[str] = []

    class Frames(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script" or "src" in dict(attrs)
            if tag == "iframe":
                sources.append(dict(attrs)["src"] or "")

    Frames().feed(client.get("/compare", {"left": left}).content.decode())
    assert sources == [f"/?{left}", "/?"]


def test_the_page_knows_that_there_is_no_catalogue(client: Client) -> None:
    assert '"total": 0' in client.get("/").content.decode()


def test_old_addresses_of_an_upload_lead_to_its_cloud(client: Client) -> None:
    response = client.get("/look/" + "0f" * 16)
    assert response.status_code == 301
    assert response["Location"] == "/?dataset=" + "0f" * 16


def pixels_of(jpeg: bytes) -> RGB:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def shapes_in(small: bytes) -> NDArray[np.uint8]:
    comment = Image.open(io.BytesIO(small)).info["comment"]
    return np.frombuffer(bytes.fromhex(comment.decode()), np.uint8).reshape(CAPACITY, 2)


def body(answer: Any) -> bytes:
    assert answer.status_code == 200
    return bytes(answer.getvalue() if answer.streaming else answer.content)


@pytest.mark.parametrize("size", [12, 24])
def test_small_tiles_are_filled_by_their_pictures(size: int) -> None:
    pixels = pixels_of(tilemap((178, 218), (300, 100), (50, 50), (10, 500)))
    small = pixels_of(downscale.small(pixels, detect_shapes(pixels), size)).astype(int)
    assert small.shape == (100 * size, 10 * size, 3)
    for index in range(4):
        cell = small[:size, index * size : (index + 1) * size]
        assert np.abs(cell[2:-2, 2:-2] - colour(index)).max() <= 12


@pytest.mark.parametrize("size", [12, 24])
def test_small_tiles_look_as_pillow_makes_them(size: int) -> None:
    rng = np.random.default_rng(3)
    made, shapes = Tilemap(), np.full((CAPACITY, 2), 48, np.uint8)
    for index in range(CAPACITY):
        shapes[index, index % 2] = 1 + index * 7 % 48
        rough = rng.integers(0, 256, (6, 6, 3), np.uint8)
        made.put(index, np.asarray(Image.fromarray(rough).resize(tuple(shapes[index].tolist()))))
    pixels = pixels_of(made.jpeg())
    small = pixels_of(downscale.small(pixels, shapes, size)).astype(int)
    wrong = []
    for index, (width, height) in enumerate(shapes.tolist()):
        left, top = place_of(index, width, height)
        edge = 1 if min(width, height) > 4 else 0
        box = (left + edge, top + edge, left + width - edge, top + height - edge)
        expected = Image.fromarray(pixels).crop(box).resize((size, size), Image.Resampling.HAMMING)
        row, column = (size * place for place in divmod(index, 10))
        found = small[row : row + size, column : column + size]
        wrong.append(found.mean(axis=(0, 1)) - np.asarray(expected).mean(axis=(0, 1)))
    # The JPEG blurs colours, so that single pixels differ; a neighbour's or the ground's white would show in the mean.
    assert np.abs(wrong).mean() < 2
    assert np.abs(np.mean(wrong, axis=0)).max() < 1


def test_the_comment_of_a_tilemap_holds_the_shapes() -> None:
    pixels = pixels_of(tilemap((178, 218), (300, 100), (50, 50)))
    shapes = shapes_in(downscale.small(pixels, detect_shapes(pixels), 12))
    assert shapes[:4].tolist() == [[39, 48], [48, 16], [48, 48], [48, 48]]


@pytest.mark.parametrize("side", range(1, 49))
def test_every_shape_is_seen_again(side: int) -> None:
    made = Tilemap()
    made.put(0, np.zeros((48, side, 3), np.uint8))
    made.put(1, np.zeros((side, 48, 3), np.uint8))
    made.put(2, np.zeros((48, 20, 3), np.uint8))
    found = detect_shapes(pixels_of(made.jpeg()))[:2].astype(int)
    assert np.abs(found - [[side, 48], [48, side]]).max() <= 1


def test_among_pictures_of_one_shape_a_white_edge_is_a_picture_too() -> None:
    made = Tilemap()
    for index in range(19):
        made.put(index, np.full((48, 39, 3), 255 if index == 4 else 90, np.uint8))
    made.put(7, np.pad(np.full((48, 21, 3), 90, np.uint8), ((0, 0), (9, 9), (0, 0)), constant_values=255))
    made.put(19, np.full((30, 48, 3), 90, np.uint8))
    found = detect_shapes(pixels_of(made.jpeg())).tolist()
    assert found[:4] + found[5:20] == [[39, 48]] * 18 + [[48, 30]]
    assert found[4] == found[20] == [48, 48]  # nothing is detect_shapes there


def test_an_upload_knows_its_shapes_whatever_is_white(client: Client) -> None:
    framed = Image.new("RGB", (80, 100), "white")
    framed.paste(colour(1), (30, 0, 50, 100))
    data = io.BytesIO()
    framed.save(data, "PNG")
    file = io.BytesIO(zipped({"a.png": picture(0, (100, 40)), "b.png": data.getvalue(), "c.png": picture(2, (9, 90))}))
    file.name = "three.zip"
    dataset_id = client.post("/dataset", {"file": file}).content.decode()
    small = body(client.get(f"/dataset/{dataset_id}/tilemap?tile=24"))
    assert shapes_in(small)[:4].tolist() == [[48, 19], [38, 48], [5, 48], [48, 48]]
    white = pixels_of(small)[2:-2, 26:30].astype(int)[:20]
    assert white.min() > 225
    tiles = client.get(f"/dataset/{dataset_id}/tilemap/manifest").json()["tiles"]
    assert [tile["picture"][2:] for tile in tiles] == [[48, 19], [38, 48], [5, 48]]


@pytest.mark.parametrize("damaged", [b"", b"\xff\xd8 no picture", tilemap((50, 50))[:900]])
def test_a_damaged_tilemap_is_reported(client: Client, damaged: bytes) -> None:
    path = install_three()
    path.write_bytes(damaged)
    answer = client.get("/tilemaps/000?tile=12")
    assert answer.status_code == 404
    assert "damaged" in answer.json()["error"]


def test_a_tilemap_of_another_size_is_reported(client: Client) -> None:
    file = io.BytesIO()
    Image.new("RGB", (500, 50)).save(file, "JPEG")
    install_three().write_bytes(file.getvalue())
    answer = client.get("/tilemaps/000?tile=12")
    assert answer.status_code == 404
    assert "500 × 5000" in answer.json()["error"]


def install_three() -> Path:
    """A catalogue as an old server leaves it. Returns where its tilemap lies."""
    from django.conf import settings

    installation.install(
        settings.DATA_DIR, {name: np.zeros((3, 3), np.float32) for name in ("pca", "umap")}, name="Three"
    )
    path = installed_catalogue.tilemap_path(settings.DATA_DIR / "tilemaps", 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(tilemap((50, 50), (50, 50), (50, 50)))
    return path


def test_an_uploads_small_tilemap_is_served_and_kept(client: Client) -> None:
    file = io.BytesIO(zipped({f"{index}.png": picture(index, (30, 60)) for index in range(3)}))
    file.name = "three.zip"
    dataset_id = client.post("/dataset", {"file": file}).content.decode()
    answer = client.get(f"/dataset/{dataset_id}/tilemap?tile=12")
    assert answer["Content-Type"] == "image/jpeg"
    assert "immutable" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(body(answer))).size == (120, 1200)
    again = client.get(f"/dataset/{dataset_id}/tilemap?tile=12", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_other_sizes_are_refused_in_words(client: Client) -> None:
    install_three()
    assert client.get("/tilemaps/000?tile=24").status_code == 200
    for wrong in ("0", "13", "24.0", "x", ""):
        answer = client.get(f"/tilemaps/000?tile={wrong}")
        assert answer.status_code == 400
        assert "ask for 12 and 24" in answer.json()["error"]


@pytest.fixture
def kept(settings: Settings, tmp_path: Path) -> Callable[[], list[Path]]:
    """Tells which small tilemaps of the catalogue are kept; none at first."""
    settings.CACHE_DIR = tmp_path / "cache"
    return lambda: sorted((tmp_path / "cache" / "answers" / "catalogue").rglob("*-tilemap-*"))


@pytest.mark.usefixtures("own_disk")
def test_small_tilemaps_are_prerendered_once(client: Client, kept: Callable[[], list[Path]]) -> None:
    install_three()
    prerendering = TilemapPrerendering()
    prerendering.step()
    made = kept()
    assert len(made) == 2
    for size, path in zip((12, 24), made, strict=True):
        assert body(client.get(f"/tilemaps/000?tile={size}")) == path.read_bytes()
    stamps = [path.stat().st_mtime_ns for path in made]
    prerendering.step()
    TilemapPrerendering().step()  # as after a restart
    assert [path.stat().st_mtime_ns for path in kept()] == stamps


@pytest.mark.usefixtures("own_disk")
def test_uploads_come_before_prerendering(kept: Callable[[], list[Path]]) -> None:
    install_three()
    upload = Dataset.objects.create(hash="0f" * 16, status=Status.QUEUED)
    prerendering = TilemapPrerendering()
    prerendering.step()
    assert kept() == []
    upload.delete()
    prerendering.step()
    assert len(kept()) == 2


def test_a_tilemap_that_cannot_be_prerendered_is_skipped(kept: Callable[[], list[Path]]) -> None:
    install_three().write_bytes(b"\xff\xd8 no picture")
    TilemapPrerendering().step()
    assert kept() == []
