"""Layouts as tiles of points: written by a command or with a catalogue, read by calls."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue
from datasets.collection import manifest, point_tiles
from datasets.errors import URN
from datasets.tilemaps.colours import mean_colours
from datasets.tilemaps.layout import Tilemap
from tests.support.pictures import colour

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 40_000
Array = np.ndarray[Any, Any]


def installed(data: Path, *, pictures: bool = True) -> dict[str, Array]:
    """A catalogue of so many points in two layouts, whose pictures have one of ten colours each, repeated."""
    random = np.random.default_rng(1)
    arrays = {name: random.normal(scale=50, size=(COUNT, 3)).astype(np.float32) for name in ("pca", "umap")}
    if pictures:
        tilemap = Tilemap()
        for index in range(1000):
            tilemap.put(index, np.full((48, 30, 3), colour(index % 10), np.uint8))
        content = tilemap.jpeg()
        (data / "tilemaps").mkdir()
        for number in range(39):  # the last one is missing
            installed_catalogue.tilemap_path(data / "tilemaps", number).write_bytes(content)
    installation.install(data, arrays, name="Many")
    return arrays


def build() -> str:
    out = io.StringIO()
    call_command("build_point_tiles", stdout=out)
    return out.getvalue()


def nodes_of(client: Client, base: str, places: Array) -> list[tuple[Array, Array, Array]]:
    """Rows, places and colours of each node, each by a `Range` of its own."""
    index = client.get(base).json()
    found, offset = [], 0
    for count, box in zip(index["counts"], index["boxes"], strict=True):
        size = index["stride"] * count
        last = offset + size - 1
        response = client.get(f"{base}/{index['nodes']}", headers={"Range": f"bytes={offset}-{last}"})
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes {offset}-{last}/{index['bytes']}"
        content = response.getvalue()
        rows = np.frombuffer(content, "<u4", count)
        steps = np.frombuffer(content, "<u2", 3 * count, 4 * count).reshape(-1, 3)
        colours = np.frombuffer(content, "u1", -1, 10 * count).reshape(-1, 3)
        least, most = np.array(box).reshape(2, 3)
        found.append((rows, least + steps * (most - least) / 65535, colours))
        assert np.abs(found[-1][1] - places[rows]).max() <= (most - least).max() / 65535 / 2 * 1.001
        offset += size + -size % 4
    assert offset == index["bytes"]
    return found


@pytest.mark.parametrize("layout", ["pca", "umap"])
def test_nodes_have_rows_places_and_colours_of_all(client: Client, data: Path, layout: str) -> None:
    places = installed(data)[layout]
    assert f"{layout}: 40,000 points in " in build()
    nodes = nodes_of(client, f"/catalogue/points/{layout}", places)
    assert len(nodes) > 2
    rows = np.concatenate([node[0] for node in nodes])
    assert np.array_equal(np.sort(rows), np.arange(COUNT))
    colours = np.concatenate([node[2] for node in nodes])
    expected = np.array([colour(index) for index in range(10)])[rows % 10]
    expected[rows >= 39_000] = 128
    assert np.abs(colours.astype(int) - expected).max() < 12  # half-size pixels at the edge have some white


def test_points_without_pictures_have_no_colours(client: Client, data: Path) -> None:
    installed(data, pictures=False)
    build()
    index = client.get("/catalogue/points/umap").json()
    assert (index["colours"], index["stride"], index["count"]) == (False, 10, COUNT)
    assert len(client.get(f"/catalogue/points/umap/{index['nodes']}").getvalue()) == index["bytes"]


def test_caches_keep_nodes_and_ask_for_the_index(client: Client, data: Path) -> None:
    installed(data, pictures=False)
    build()
    response = client.get("/catalogue/points/umap")
    assert response["Cache-Control"] == "public, no-cache"
    assert client.get("/catalogue/points/umap", headers={"If-None-Match": response["ETag"]}).status_code == 304
    address = f"/catalogue/points/umap/{response.json()['nodes']}"
    nodes = client.get(address)
    assert len(nodes.getvalue()) == response.json()["bytes"]
    assert nodes["Content-Type"] == "application/vnd.wwzd.points"
    assert "immutable" in nodes["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": nodes["ETag"]}).status_code == 304
    assert client.get(address, headers={"Range": "bytes=999999999-"}).status_code == 416
    beside = f"/dataset/{installed_catalogue.installed_folder(data).path.name}/points/umap"
    assert client.get(beside).json() == response.json()


def test_what_is_written_again_is_the_same_and_leaves_nothing_behind(client: Client, data: Path) -> None:
    installed(data)
    build()
    folder = installed_catalogue.installed_folder(data)
    before = {path.name: path.read_bytes() for path in folder.points.iterdir()}
    assert len(before) == 4
    build()
    assert {path.name: path.read_bytes() for path in folder.points.iterdir()} == before
    for path in (data / "tilemaps").iterdir():
        path.unlink()
    old = client.get("/catalogue/points/umap").json()["nodes"]
    build()  # of other bytes, without colours
    assert len(list(folder.points.iterdir())) == 4
    response = client.get(f"/catalogue/points/umap/{old}")
    assert (response.status_code, response.json()["type"]) == (404, f"{URN}point-tiles-missing")
    assert manifest.digests(folder.path).keys() == {"layouts/pca.npy", "layouts/umap.npy"}


def test_what_there_is_not_is_said(client: Client, data: Path) -> None:
    with pytest.raises(CommandError, match="No catalogue is installed"):
        build()
    installed(data, pictures=False)
    response = client.get("/catalogue/points/umap")
    assert (response.status_code, response.json()["params"]) == (404, {"name": "umap"})
    assert "build_point_tiles" in response.json()["error"]
    assert client.get("/catalogue/points/tsne-1a2b3c").json()["type"] == f"{URN}layout-unknown"
    assert client.get("/catalogue/points/..%2Fsecret").status_code == 404
    build()
    assert client.get("/catalogue/points/umap/00000000-0000000").status_code == 404


def test_large_catalogues_get_them_when_they_are_published(client: Client, data: Path, settings: Settings) -> None:
    settings.POINT_TILES_FROM = COUNT + 1
    installed(data, pictures=False)
    build()
    assert client.get("/catalogues").json()["catalogues"][0]["points"] == []
    settings.POINT_TILES_FROM = COUNT
    assert client.get("/catalogues").json()["catalogues"][0]["points"] == ["pca", "umap"]
    for path in installed_catalogue.installed_folder(data).points.iterdir():
        path.unlink()
    installed(data, pictures=False)
    assert client.get("/catalogue/points/pca").json()["count"] == COUNT
    assert 'href="/catalogue/points/umap"' in client.get("/").content.decode() or not built()


def test_a_page_is_told_the_middle_and_the_radius(data: Path) -> None:
    places = installed(data, pictures=False)["umap"]
    build()
    index = point_tiles.read(installed_catalogue.installed_folder(data), "umap")
    assert index is not None
    assert np.allclose(index["middle"], places.mean(axis=0), atol=1e-3)
    within = np.linalg.norm(places - places.mean(axis=0), axis=1) <= index["radius"]
    assert within.mean() == pytest.approx(0.95, abs=0.01)


def test_the_white_around_a_picture_does_not_count() -> None:
    tilemap = Tilemap()
    tilemap.put(3, np.full((10, 48, 3), (200, 30, 90), np.uint8))
    colours = mean_colours(tilemap.jpeg()).astype(int)
    assert np.abs(colours[3] - (200, 30, 90)).max() < 12
    assert colours[4].min() > 250


def built() -> bool:
    """Whether the page's scripts are there."""
    return finders.find("viewer/built/main.js") is not None
