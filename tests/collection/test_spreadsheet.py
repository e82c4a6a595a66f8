"""Exported tables do no harm in a spreadsheet, and have no two columns of one name."""

import csv
import io
import json
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from django.test import Client

from datasets.collection.spreadsheet import heads, safe
from tests.api.test_pictures import upload
from tests.support.pictures import photograph

NAMES = ["+1.jpg", "-2.jpg", "=cmd|' C calc'!A0.jpg", "@SUM(A1).jpg", "plain.jpg"]
FIELDS = ["name", "index", "width", "x", "x_", "tile", "=1+1", "bytes", "id", "mixed"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1+1", "-", "+"]
)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["", "a=1", "'=1", " =1", "-5", "+4.5", "-1e9", "-4,5", "-" + "9" * 30, -5, -0.5, True, None]
)
def test_numbers_and_all_else_stay_what_they_are(value: Any) -> None:
    assert safe(value) is value


def test_heads_are_distinct_and_change_no_more_than_they_must() -> None:
    assert heads(["index", "name", "x"], ["x", "kind", "x_", "name"]) == [
        "index",
        "name",
        "x",
        "x__",
        "kind",
        "x_",
        "name_",
    ]
    assert heads([], ["a", "b"]) == ["a", "b"]


def about() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file", *FIELDS])
    for number, name in enumerate(NAMES):
        row = [f"Mr {number}", 100 + number, 7000, 0.5, "=2+2", "@t", -number, "-4", 2**62 + number, "-3"]
        writer.writerow([name, *row[:-1], "-3" if number else "=SUM(A1)"])
    return text.getvalue().encode()


@pytest.fixture
def dataset_id(db: None, client: Client) -> str:
    return upload(client, {name: photograph(k) for k, name in enumerate(NAMES)} | {"metadata.csv": about()})


def body(client: Client, path: str) -> bytes:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return bytes(response.getvalue())


def rows_of(content: bytes, dialect: str = "excel") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode()), dialect))


@pytest.mark.django_db(transaction=True)
def test_no_export_has_two_columns_of_one_name_or_a_formula(client: Client, dataset_id: str) -> None:
    archive = zipfile.ZipFile(io.BytesIO(body(client, f"/dataset/{dataset_id}/export")))
    projector = zipfile.ZipFile(io.BytesIO(body(client, f"/dataset/{dataset_id}/export?format=projector")))
    tables = {
        "pictures": rows_of(archive.read("pictures.csv")),
        "projector": [line.split("\t") for line in projector.read("metadata.tsv").decode().splitlines()],
        "umap": rows_of(body(client, f"/dataset/{dataset_id}/features/umap?format=csv")),
        "network": rows_of(body(client, f"/dataset/{dataset_id}/features/network?format=csv&limit=2")),
    }
    for what, (head, *rows) in tables.items():
        assert len(set(head)) == len(head), what
        assert {len(row) for row in rows} == {len(head)}, what
        for cell in [*head, *(cell for row in rows for cell in row)]:
            assert safe(cell) == cell, (what, cell)
        columns = dict(zip(head, zip(*rows, strict=True), strict=True))
        assert list(columns["name"])[:2] == ["'+1.jpg", "'-2.jpg"], what
        assert list(columns["id"])[:2] == [str(2**62), str(2**62 + 1)], what
        assert list(columns["name_"])[:2] == ["Mr 0", "Mr 1"], what
        assert list(columns["'=1+1"])[:2] == ["0", "-1"], what
        assert list(columns["mixed"])[:2] == ["'=SUM(A1)", "-3"], what
    # Forms with types of their own keep texts as they are.
    read = {
        "arrow": pa.ipc.open_stream(body(client, f"/dataset/{dataset_id}/features/pca?format=arrow")).read_all(),
        "parquet": pa.parquet.read_table(
            io.BytesIO(body(client, f"/dataset/{dataset_id}/features/pca?format=parquet"))
        ),
    }
    for what, table in read.items():
        assert len(set(table.column_names)) == len(table.column_names), what
        assert table["name"].to_pylist() == NAMES, what
        assert table["id"].to_pylist() == [2**62 + number for number in range(5)], what
        assert table["x__"].to_pylist() == [0.5] * 5, what
        assert table["x_"].to_pylist() == ["=2+2"] * 5, what
    images = json.loads(body(client, f"/dataset/{dataset_id}/images"))["images"]
    assert images[0]["metadata"]["name"] == "Mr 0"
    assert images[0]["name"] == "+1.jpg"
