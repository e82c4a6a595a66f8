"""A cloud as a 3-D model and as a table with pictures, read back by libraries of those who use such files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh
from django.core.management import call_command
from django.test import Client
from PIL import Image

from datasets.catalogue import installation
from datasets.collection import cloud_model
from tests.api.test_pictures import upload
from tests.support.pictures import colour, photograph, picture, zipped

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 23
ABOUT = b"file,age,image\n" + b"".join(b"%02d.png,%d,x\n" % (k, k) for k in range(COUNT))


def code(k: int) -> int:
    return 37 * k % 1000


@pytest.fixture
def dataset_id(client: Client) -> str:
    return upload(client, {f"{k:02d}.png": picture(code(k)) for k in range(COUNT)} | {"metadata.csv": ABOUT})


def scene(content: bytes) -> trimesh.Scene:
    loaded = trimesh.load(io.BytesIO(content), file_type="glb", process=False)
    assert isinstance(loaded, trimesh.Scene)
    return loaded


def quads(mesh: Any) -> tuple[np.ndarray[Any, Any], list[tuple[int, ...]]]:
    """`(n, 3)`, the middles of a mesh's quads, and the colours that its texture has in their middles."""
    texture = mesh.visual.material.baseColorTexture.convert("RGB")
    middles = mesh.visual.uv.reshape(-1, 4, 2).mean(axis=1)  # trimesh counts from the bottom
    pixels = [texture.getpixel((int(u * texture.width), int((1 - v) * texture.height))) for u, v in middles]
    return mesh.vertices.reshape(-1, 4, 3).mean(axis=1), pixels


def vectors(client: Client, path: str) -> np.ndarray[Any, Any]:
    return np.array(client.get(path).json()["features"], np.float32)


@pytest.mark.parametrize("layout", ["pca", "umap"])
def test_a_model_has_each_picture_where_the_layout_puts_it(client: Client, dataset_id: str, layout: str) -> None:
    response = client.get(f"/dataset/{dataset_id}/export.glb?layout={layout}")
    assert response.status_code == 200
    assert response["Content-Type"] == "model/gltf-binary"
    assert response["Content-Disposition"] == f'attachment; filename="{dataset_id}-{layout}.glb"'
    loaded = scene(response.getvalue())
    (mesh,) = loaded.geometry.values()
    centres, colours = quads(mesh)
    assert np.allclose(centres, vectors(client, f"/dataset/{dataset_id}/features/{layout}"), atol=1e-4)
    for k, found in enumerate(colours):
        assert np.abs(np.array(found) - colour(code(k))).max() < 16, k
    # The node above brings the cloud to the size of a room.
    placed = loaded.to_mesh()
    middles = placed.vertices.reshape(-1, 4, 3).mean(axis=1)
    assert np.allclose(middles.mean(axis=0), 0, atol=1e-4)
    assert np.quantile(np.linalg.norm(middles, axis=1), 0.95) == pytest.approx(1, abs=1e-3)
    assert (np.cross(*np.diff(mesh.triangles[:, :3], axis=1).transpose(1, 0, 2))[:, 2] > 0).all()  # they face +Z
    again = client.get(f"/dataset/{dataset_id}/export.glb?layout={layout}", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_a_window_of_a_model_has_its_pictures_alone(client: Client, dataset_id: str) -> None:
    content = client.get(f"/dataset/{dataset_id}/export.glb?offset=7&limit=5").getvalue()
    (mesh,) = scene(content).geometry.values()
    centres, colours = quads(mesh)
    assert np.allclose(centres, vectors(client, f"/dataset/{dataset_id}/features/umap")[7:12], atol=1e-4)
    assert all(np.abs(np.array(colours[k]) - colour(code(7 + k))).max() < 16 for k in range(5))


@pytest.mark.slow
def test_a_catalogues_model_has_a_mesh_a_range(
    client: Client, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_network: None
) -> None:
    total = 1010
    (tmp_path / "photos.zip").write_bytes(zipped({f"{k:04d}.png": picture(code(k)) for k in range(total)}))
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(tmp_path / "photos.zip"), **quiet)
    wanted = vectors(client, "/pca/0/1/standalone")
    for first, limit in ((0, cloud_model.WHOLE_TILEMAPS), (1, 1000)):  # two windows: answers are kept
        monkeypatch.setattr(cloud_model, "WHOLE_TILEMAPS", limit)
        meshes = scene(client.get(f"/catalogue/export.glb?layout=pca&offset={first}").getvalue()).geometry
        assert {name: len(mesh.faces) for name, mesh in meshes.items()} == {"000": 2 * (1000 - first), "001": 20}
        for name, rows in (("000", range(first, 1000)), ("001", range(1000, total))):
            centres, colours = quads(meshes[name])
            assert np.allclose(centres, wanted[rows.start : rows.stop], atol=1e-4)
            for k in (0, 1, 9):
                assert np.abs(np.array(colours[k]) - colour(code(rows[k]))).max() < 30


def test_a_table_has_pictures_coordinates_and_metadata(client: Client, dataset_id: str) -> None:
    response = client.get(f"/dataset/{dataset_id}/export.parquet?layout=pca&offset=2")
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(response.getvalue()))
    assert table.column_names == ["index", "name", "x", "y", "z", "image", "age", "image_"]
    rows = table.to_pylist()
    assert [row["index"] for row in rows] == list(range(2, COUNT))
    wanted = vectors(client, f"/dataset/{dataset_id}/features/pca")[2:]
    assert np.array_equal(np.array([[row[axis] for axis in "xyz"] for row in rows], np.float32), wanted)
    for k, row in enumerate(rows, 2):
        assert (row["name"], row["image"]["path"], row["age"]) == (f"{k:02d}.png", f"{k:02d}.png", k)
        shown = Image.open(io.BytesIO(row["image"]["bytes"]))
        pixel = shown.getpixel((shown.width // 2, shown.height // 2))
        assert np.abs(np.array(pixel) - colour(code(k))).max() < 16


@pytest.mark.parametrize("suffix", ["glb", "parquet"])
def test_what_cannot_be_had_is_a_sentence(client: Client, data: Path, suffix: str) -> None:
    assert client.get(f"/catalogue/export.{suffix}").status_code == 404
    arrays = {name: np.zeros((50_001, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Test")
    many = client.get(f"/catalogue/export.{suffix}").json()
    assert many["type"] == "urn:wwzd:error:export-too-large"
    assert many["params"] == {"limit": 50_000}
    assert client.get(f"/catalogue/export.{suffix}?limit=50").json()["type"] == "urn:wwzd:error:tilemap-missing"
    assert client.get(f"/catalogue/export.{suffix}?offset=60000").status_code == 404
    assert client.get(f"/catalogue/export.{suffix}?layout=tsne").status_code == 400
    assert client.get(f"/dataset/{'0' * 32}/export.{suffix}").status_code == 404


def test_pictures_that_lie_on_one_spot_have_a_model(client: Client) -> None:
    dataset_id = upload(client, {"a.jpg": photograph(1)})
    (mesh,) = scene(client.get(f"/dataset/{dataset_id}/export.glb").getvalue()).geometry.values()
    assert np.isfinite(mesh.vertices).all()
    assert np.ptp(mesh.vertices, axis=0)[:2].max() > 0.1
