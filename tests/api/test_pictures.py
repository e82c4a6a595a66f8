"""Pictures and names: which picture is row k, its file, its thumbnail, its place in the tilemap."""

import io
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue
from datasets.collection import image_table, thumbnails
from datasets.models import Dataset
from datasets.pictures import decoder_pool
from datasets.search import collections
from datasets.tilemaps.layout import Tilemap, tile
from tests.support.pictures import colour, encode, photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)

QUIET: dict[str, Any] = {"stdout": io.StringIO(), "stderr": io.StringIO()}


def upload(client: Client, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> str:
    file = io.BytesIO(zipped(files, compression))
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def turned(size: tuple[int, int]) -> bytes:
    """A JPEG that stands upright only by its EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(Image.new("RGB", size, (200, 30, 30)), "JPEG", exif=exif)


def test_images_lists_names_and_upright_sizes_in_the_order_of_rows(client: Client) -> None:
    files = {"b.png": picture(1, (30, 20)), "a.jpg": photograph(1), "c.jpg": turned((60, 40))}
    dataset_id = upload(client, files)
    answer = client.get(f"/dataset/{dataset_id}/images").json()
    assert answer["total"] == 3
    listed = [(each["index"], each["name"], each["width"], each["height"]) for each in answer["images"]]
    assert listed == [(0, "a.jpg", 89, 109), (1, "b.png", 30, 20), (2, "c.jpg", 40, 60)]
    assert [each["bytes"] for each in answer["images"]] == [len(files[name]) for name in sorted(files)]


def test_images_come_page_by_page(client: Client) -> None:
    dataset_id = upload(client, {f"{k}.png": picture(k) for k in range(8)})
    pages = [client.get(f"/dataset/{dataset_id}/images?offset={offset}&limit=3").json() for offset in (0, 3, 6, 9)]
    assert [[each["index"] for each in page["images"]] for page in pages] == [[0, 1, 2], [3, 4, 5], [6, 7], []]
    assert {page["total"] for page in pages} == {8}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_an_original_comes_back_byte_for_byte(client: Client, compression: int) -> None:
    files = {"a.jpg": photograph(1), "b.png": picture(5), "c.webp": picture(6, form="WEBP"), "broken.jpg": b"no"}
    dataset_id = upload(client, files, compression)
    for row, (name, kind) in enumerate((("a.jpg", "jpeg"), ("b.png", "png"), ("c.webp", "webp"))):
        response = client.get(f"/dataset/{dataset_id}/images/{row}")
        assert response.content == files[name]
        assert response["Content-Type"] == f"image/{kind}"
        assert name in response["Content-Disposition"]
        again = client.get(f"/dataset/{dataset_id}/images/{row}", headers={"If-None-Match": response["ETag"]})
        assert again.status_code == 304


def test_where_the_archive_is_not_kept_the_thumbnail_comes_from_the_tile(client: Client, settings: Settings) -> None:
    settings.KEEP_ARCHIVES = False
    dataset_id = upload(client, {f"{k:02d}.png": picture(37 * k, (120, 60)) for k in range(12)})
    response = client.get(f"/dataset/{dataset_id}/images/11")
    assert response.status_code == 410
    assert response.json()["error"].endswith(".")
    thumbnail = opened(client.get(f"/dataset/{dataset_id}/images/11/thumbnail").getvalue())
    assert thumbnail.size == (48, 24)
    assert np.abs(np.asarray(thumbnail)[12, 24].astype(int) - colour(407)).max() < 12


@pytest.mark.usefixtures("own_disk")
def test_a_damaged_archive_is_a_sentence(client: Client) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1)})
    path = Path(Dataset.objects.get().archive.path)
    path.write_bytes(path.read_bytes()[:300] + bytes(path.stat().st_size - 300))
    assert client.get(f"/dataset/{dataset_id}/images/0").status_code == 404
    path.unlink()
    assert client.get(f"/dataset/{dataset_id}/images/0").status_code == 410


def test_a_thumbnail_fits_its_size_stands_upright_and_is_never_enlarged(client: Client) -> None:
    files = {"a.jpg": turned((600, 400)), "b.png": picture(3, (20, 30)), "c.png": picture(3, (4000, 10))}
    dataset_id = upload(client, files)

    def size(row: int, query: str = "") -> tuple[int, int]:
        return opened(client.get(f"/dataset/{dataset_id}/images/{row}/thumbnail{query}").getvalue()).size

    assert size(0) == (85, 128)
    assert size(0, "?size=64") == (43, 64)
    assert size(1) == (20, 30)
    assert size(2, "?size=100") == (96, 1)


def test_a_thumbnail_is_webp_for_those_who_take_it(client: Client) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1)})
    path = f"/dataset/{dataset_id}/images/0/thumbnail"
    for query, accept, kind in (
        ("", "*/*", "JPEG"),
        ("", "image/avif,image/webp,*/*", "WEBP"),
        ("?format=jpeg", "image/webp", "JPEG"),
        ("?format=webp", "text/html", "WEBP"),
    ):
        response = client.get(path + query, headers={"Accept": accept})
        assert opened(response.getvalue()).format == kind
        assert response["Content-Type"] == f"image/{kind.lower()}"
        assert response["Vary"] == "Accept"


def test_a_tilemap_manifest_locates_each_picture(client: Client) -> None:
    sizes = [(178, 218), (50, 20), (7, 7), (300, 100), (41, 48)] * 3
    files = {f"{k:02d}.png": picture(61 * k % 1000, size) for k, size in enumerate(sizes)}
    dataset_id = upload(client, files)
    path = f"/dataset/{dataset_id}/tilemap/manifest"
    manifest = client.get(path).json()
    assert (manifest["width"], manifest["height"], manifest["cell"]) == (500, 5000, 50)
    tilemap = np.asarray(opened(client.get(f"/dataset/{dataset_id}/tilemap").getvalue())).astype(int)
    for k, entry in enumerate(manifest["tiles"]):
        assert (entry["index"], entry["name"]) == (k, f"{k:02d}.png")
        assert entry["cell"] == [50 * (k % 10), 50 * (k // 10), 50, 50]
        left, top, width, height = entry["picture"]
        inside = tilemap[top : top + height, left : left + width]
        assert np.abs(np.median(inside, axis=(0, 1)) - colour(61 * k % 1000)).max() < 8
        assert max(width, height) == 48
        x, y, w, h = entry["cell"]
        assert tilemap[y : y + h, x : x + w].min(axis=2)[:, [0, -1]].min() > 200
    # Where nothing was noted, the same is seen in the tilemap; dark enough pictures only, for white has no edge.
    dataset = Dataset.objects.get()
    with dataset.writing("images") as table:
        image_table.write(
            table, [f"{k:02d}.png" for k in range(len(sizes))], stats={}, members=[None] * len(sizes), metadata=()
        )
    Dataset.objects.update(finished_at=dataset.created_at)
    seen = client.get(path).json()["tiles"]
    dark = [k for k in range(len(sizes)) if max(colour(61 * k % 1000)) < 200]
    for k in dark:
        assert np.abs(np.subtract(seen[k]["picture"], manifest["tiles"][k]["picture"])).max() <= 2


@pytest.mark.parametrize("packed", [False, True])
def test_a_catalogue_built_here_has_names_and_pictures(
    data: Path, tmp_path: Path, client: Client, packed: bool
) -> None:
    files = {f"{k:03d}.jpg": photograph(k) for k in range(30)}
    source = tmp_path / "pictures"
    if packed:
        source = source.with_suffix(".zip")
        source.write_bytes(zipped({f"img/{name}": content for name, content in files.items()}))
    else:
        source.mkdir()
        for name, content in files.items():
            (source / name).write_bytes(content)
    call_command("build_catalogue", str(source), **QUIET)
    answer = client.get("/catalogue/images?offset=7&limit=1").json()
    assert answer["total"] == 30
    expected = {
        "index": 7,
        "name": "007.jpg",
        "width": 89,
        "height": 109,
        "bytes": len(files["007.jpg"]),
        "metadata": {},
    }
    assert answer["images"] == [expected]
    assert client.get("/catalogue/images/7").content == files["007.jpg"]
    assert opened(client.get("/catalogue/images/7/thumbnail?size=64").getvalue()).size == (52, 64)
    assert client.get("/tilemaps/0/manifest").json()["tiles"][29]["name"] == "029.jpg"
    source.rename(tmp_path / "elsewhere")
    response = client.get("/catalogue/images/7")
    assert response.status_code == 404
    assert response.json()["error"].endswith(".")
    assert opened(client.get("/catalogue/images/8/thumbnail?size=64").getvalue()).size == (39, 48)
    # Another catalogue's names are not this one's.
    arrays = {name: np.zeros((30, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Another")
    assert client.get("/catalogue/images?offset=7&limit=1").json()["images"][0]["name"] == "000007"


def test_an_old_servers_catalogue_has_numbers_and_tiles(data: Path, client: Client) -> None:
    arrays = {name: np.zeros((1500, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Old")
    assert client.get("/catalogue/images/3/thumbnail").status_code == 404
    tilemap = Tilemap()
    for index in range(1000):
        tilemap.put(index, tile(np.full((218, 178, 3), colour(index), np.uint8)))
    path = installed_catalogue.tilemap_path(data / "tilemaps", 0)
    path.parent.mkdir()
    path.write_bytes(tilemap.jpeg())
    answer = client.get("/catalogue/images?offset=1200&limit=1").json()
    expected = {"index": 1200, "name": "001200", "width": None, "height": None, "bytes": None, "metadata": {}}
    assert answer["images"] == [expected]
    assert client.get("/catalogue/images/3").status_code == 404
    thumbnail = opened(client.get("/catalogue/images/234/thumbnail").getvalue())
    assert thumbnail.size == (39, 48)
    assert np.abs(np.asarray(thumbnail)[24, 20].astype(int) - colour(234)).max() < 8


def test_without_a_catalogue_there_are_no_pictures(client: Client) -> None:
    for path in ("/catalogue/images", "/catalogue/images/0", "/tilemaps/0/manifest"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("images/1", 404),
        ("images/x", 400),
        ("images/-1", 400),
        ("images/1.0", 400),
        ("images/٣", 400),
        ("images/99999999999999", 400),
        ("images/1/thumbnail", 404),
        ("images/0/thumbnail?size=99999", 400),
        ("images/0/thumbnail?size=0", 400),
        ("images/0/thumbnail?size=abc", 400),
        ("images/0/thumbnail?format=gif", 400),
        ("images?offset=-1", 400),
        ("images?limit=0", 400),
        ("images?limit=1001", 400),
        ("images?limit=", 400),
    ],
)
def test_what_cannot_be_is_a_sentence(client: Client, path: str, status: int) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1)})
    response = client.get(f"/dataset/{dataset_id}/{path}")
    assert response.status_code == status
    assert response.json()["error"].endswith(".")


def test_an_unknown_dataset_has_no_pictures(client: Client) -> None:
    for path in ("images", "images/0", "images/0/thumbnail", "tilemap/manifest"):
        assert client.get(f"/dataset/0123456789abcdef0123456789abcdef/{path}").status_code == 404


def test_deleting_an_upload_forgets_its_thumbnails(client: Client) -> None:
    from datasets.collection.response_cache import kept

    dataset_id = upload(client, {"a.jpg": photograph(1)})
    assert client.get(f"/dataset/{dataset_id}/images/0/thumbnail").status_code == 200
    assert dataset_id in kept().owners("dataset")
    cache_key = collections.find(dataset_id).cache_key
    Dataset.objects.get().delete()
    assert dataset_id in cache_key
    assert dataset_id not in kept().owners("dataset")
    assert client.get(f"/dataset/{dataset_id}/images/0/thumbnail").status_code == 404


def test_thumbnails_have_few_sizes() -> None:
    sizes = {thumbnails.few(size) for size in range(8, thumbnails.LARGEST + 1)}
    assert len(sizes) < 25
    assert {8, 16, 48, 64, 128, 240, 256, 384, 1024} <= sizes
    assert all(thumbnails.few(size) <= size for size in range(8, thumbnails.LARGEST + 1))


def test_whoever_would_wait_long_for_a_thumbnail_is_refused_and_others_are_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{k}.png": picture(k, (90, 60)) for k in range(3)}
    dataset_id = upload(client, files)
    path = f"/dataset/{dataset_id}/images"
    made = client.get(f"{path}/0/thumbnail?size=64").getvalue()
    monkeypatch.setattr(thumbnails, "_MAKING", threading.BoundedSemaphore(1))
    with thumbnails.turn():
        began = time.monotonic()
        refused = client.get(f"{path}/1/thumbnail?size=64")
        assert time.monotonic() - began < 2
        assert refused.status_code == 503
        assert refused["Retry-After"].isdecimal()
        assert "Too many thumbnails" in refused.json()["error"]
        assert client.get(f"{path}/0/thumbnail?size=64").getvalue() == made
    assert client.get(f"{path}/1/thumbnail?size=64").status_code == 200


def test_a_slow_picture_is_decoded_once_for_all_its_sizes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_id = upload(client, {"0.png": picture(7, (1500, 900)), "1.png": picture(8)})
    decoded = []
    isolated = decoder_pool.Decoders._isolated

    def counted(*arguments: Any) -> Any:
        decoded.append(1)
        return isolated(*arguments)

    monkeypatch.setattr(decoder_pool.Decoders, "_isolated", counted)
    for size in (32, 64, 128, 1024):
        shown = opened(client.get(f"/dataset/{dataset_id}/images/0/thumbnail?size={size}").getvalue())
        assert max(shown.size) == size
        assert np.abs(np.asarray(shown)[3, 3].astype(int) - colour(7)).max() < 8
    assert decoded == [1]
