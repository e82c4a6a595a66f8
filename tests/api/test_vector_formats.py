"""Vectors in every form, read back by the libraries they are made for; windows and samples."""

import io
import json
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from django.test import Client

from datasets.api.http.formats import FORMATS
from datasets.catalogue import installation
from datasets.collection import sampling
from embeddings.quantization import LEVELS, dequantize, unpacked
from tests.api.test_pictures import upload
from tests.support import clustered_pictures

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 40
ABOUT = "file,age,kind,x\n" + "".join(f"{k:02d}.jpg,{k},{'cat' if k % 2 else 'dog'},true\n" for k in range(COUNT - 1))


def body(client: Client, path: str, **headers: str) -> bytes:
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert response.status_code == 200, response.content
    return bytes(response.getvalue())


@pytest.fixture
def dataset_id(client: Client) -> str:
    files = {f"{k:02d}.jpg": data for k, data in enumerate(islice(clustered_pictures.FILES.values(), COUNT))}
    return upload(client, files | {"metadata.csv": ABOUT.encode()})


def test_every_form_holds_the_same_numbers(client: Client, dataset_id: str) -> None:
    path = f"/dataset/{dataset_id}/features/umap"
    wanted = np.array(client.get(path).json()["features"], np.float32)
    assert np.array_equal(np.load(io.BytesIO(body(client, f"{path}?format=npy"))), wanted)
    raw = client.get(f"{path}?format=raw")
    assert (raw["X-Shape"], raw["X-Dtype"]) == (f"{COUNT},3", "<f4")
    assert np.array_equal(np.frombuffer(raw.getvalue(), "<f4").reshape(COUNT, 3), wanted)
    codes = client.get(f"{path}?format=uint16")
    assert (codes["X-Shape"], codes["X-Dtype"]) == (f"{COUNT},3", "<u2")
    off = np.abs(dequantize(unpacked(codes.getvalue())) - wanted)
    assert (off <= np.ptp(wanted, axis=0) / LEVELS / 2 * 1.001).all()
    tables = {
        "arrow": pa.ipc.open_stream(body(client, f"{path}?format=arrow")).read_all(),
        "parquet": pa.parquet.read_table(io.BytesIO(body(client, f"{path}?format=parquet"))),
        "csv": pa.csv.read_csv(io.BytesIO(body(client, f"{path}?format=csv"))),
    }
    for name, table in tables.items():
        assert table.column_names == ["index", "name", "x", "y", "z", "age", "kind", "x_", "cluster"], name
        vectors = np.stack([table[axis].to_numpy().astype(np.float32) for axis in "xyz"], axis=1)
        assert np.array_equal(vectors, wanted), name
        rows = table.drop_columns("cluster").to_pylist()
        assert [row["index"] for row in rows] == list(range(COUNT))
        assert rows[7] | dict.fromkeys("xyz") == {
            "index": 7, "name": "07.jpg", "x": None, "y": None, "z": None, "age": 7, "kind": "cat", "x_": True
        }  # fmt: skip
        assert rows[COUNT - 1]["age"] is None
    schema = tables["arrow"].schema
    assert [str(schema.field(name).type) for name in ("index", "x", "age", "kind", "x_")] == [
        "int64", "float", "int64", "string", "bool"
    ]  # fmt: skip


def test_the_networks_features_come_in_every_form(client: Client, dataset_id: str) -> None:
    path = f"/dataset/{dataset_id}/features/network"
    wanted = np.array(json.loads(body(client, path))["features"], np.float32)
    features = np.load(io.BytesIO(body(client, f"{path}?format=npy")))
    assert features.shape == (COUNT, 1280)
    assert np.array_equal(features, wanted)
    table = pa.ipc.open_stream(body(client, f"{path}?format=arrow")).read_all()
    assert np.array_equal(np.stack(table["features"].to_numpy()), features)
    flat = pa.csv.read_csv(io.BytesIO(body(client, f"{path}?format=csv&limit=2")))
    assert np.array_equal(flat["f1279"].to_numpy().astype(np.float32), features[:2, 1279])


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("image/webp", "json"),
        ("nonsense", "json"),
        ("application/json", "json"),
        ("application/x-npy", "npy"),
        ("application/x-npy, */*", "npy"),
        ("application/x-npy;q=0.4, application/json", "json"),
        ("text/csv;q=0.9, application/vnd.apache.parquet;q=0.95", "parquet"),
        ("application/octet-stream", "raw"),
        ("application/vnd.wwzd.uint16", "uint16"),
        ("APPLICATION/VND.APACHE.ARROW.STREAM", "arrow"),
        ("text/csv; charset=utf-8", "csv"),
        ("text/csv;q=0", "json"),
    ],
)
def test_accept_chooses_the_form_and_json_is_what_all_others_get(
    client: Client, data: Any, accept: str, form: str
) -> None:
    arrays = {name: np.zeros((5, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Test")
    response = client.get("/pca/0/0/standalone", headers={"Accept": accept})
    response.getvalue()
    assert response.status_code == 200
    assert response["Content-Type"] == FORMATS[form].media_type
    assert "Accept" in response["Vary"].split(", ")
    assert client.get(f"/pca/0/0/standalone?format={form}", headers={"Accept": "text/csv"})["Content-Type"] == (
        FORMATS[form].media_type
    )


def test_forms_have_tags_and_parts_of_their_own(client: Client, dataset_id: str) -> None:
    tags = set()
    for form in FORMATS:
        path = f"/dataset/{dataset_id}/features/pca?format={form}"
        response = client.get(path)
        content = response.getvalue()
        tags.add(response["ETag"])
        assert client.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304
        part = client.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.getvalue()) == (206, content[10:20])
    assert len(tags) == len(FORMATS)


def test_windows_and_samples_name_their_rows(client: Client, data: Any) -> None:
    arrays = {name: np.random.default_rng(3).normal(size=(2500, 3)).astype(np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Test")
    answer = client.get("/umap/1/2/standalone?offset=990&limit=20").json()
    assert answer["indices"] == list(range(1990, 2010))
    assert (answer["total"], answer["tilemap_ids"]) == (1500, ["001", "002"])
    assert np.array_equal(np.array(answer["features"], np.float32), arrays["umap"][1990:2010])
    assert client.get("/umap/1/2/standalone?offset=5000").json()["features"] == []
    sample = client.get("/pca/0/2/standalone?sample=100&seed=7").json()
    rows = sample["indices"]
    assert rows == sorted(set(rows))
    assert len(rows) == 100
    assert max(rows) > 2000
    assert np.array_equal(np.array(sample["features"], np.float32), arrays["pca"][rows])
    assert client.get("/pca/0/2/standalone?sample=100&seed=7").json() == sample
    assert client.get("/pca/0/2/standalone?sample=100&seed=8").json()["indices"] != rows
    assert client.get("/pca/0/2/standalone?sample=9999").json()["indices"] == list(range(2500))
    for rows, query in ((range(990, 1010), "offset=990&limit=20"), (sample["indices"], "sample=100&seed=7")):
        numbers = list(rows)
        read = unpacked(body(client, f"/pca/0/2/standalone?format=uint16&{query}"))
        assert (read.minimum == arrays["pca"][numbers].min(axis=0)).all()
        assert (np.abs(dequantize(read) - arrays["pca"][numbers]) <= read.step / 2 * 1.001).all()
    assert unpacked(body(client, "/pca/0/2/standalone?format=uint16&offset=5000")).codes.shape == (0, 3)
    table = pa.ipc.open_stream(body(client, "/pca/1/1/standalone?format=arrow&sample=10")).read_all()
    assert all(1000 <= row["index"] < 2000 and row["name"] == f"{row['index']:06d}" for row in table.to_pylist())


@pytest.mark.parametrize("count", [1, 2, 7, 100, 999, 1000])
def test_a_sample_has_its_size_and_misses_no_group(count: int) -> None:
    random = np.random.default_rng(1)
    centres = np.array([[0, 0, 0], [50, 0, 0], [0, 50, 50]])
    labels = random.choice(3, 1000, p=[0.9, 0.06, 0.04])
    points = (centres[labels] + random.normal(size=(1000, 3))).astype(np.float32)
    rows = sampling.stratified(points, count, seed=4)
    assert len(rows) == len(set(rows.tolist())) == count
    if count == 100:
        # Each group has its share, to one or two.
        assert np.abs(np.bincount(labels[rows], minlength=3) - np.bincount(labels) / 10).max() <= 3
    assert len(sampling.stratified(np.zeros((1000, 3), np.float32), count, seed=4)) == count


def test_a_sample_of_millions_is_of_all_of_them() -> None:
    points = np.arange(2_500_000, dtype=np.float32)[:, None]
    rows = sampling.stratified(points, 100, seed=4)
    assert len(set(rows.tolist())) == 100
    assert np.bincount(rows // 25_000, minlength=100).max() <= 2


@pytest.mark.parametrize(
    "query",
    [
        "format=xml",
        "format=",
        "offset=-1",
        "offset=x",
        "limit=0",
        "sample=0",
        "sample=1e3",
        "seed=-5",
        "seed=99999999999",
        "sample=3&limit=2",
    ],
)
def test_an_invalid_window_or_sample_is_refused_with_a_sentence(client: Client, data: Any, query: str) -> None:
    arrays = {name: np.zeros((5, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Test")
    response = client.get(f"/pca/0/0/standalone?{query}")
    assert response.status_code == 400
    assert response.json()["error"].endswith(".")
