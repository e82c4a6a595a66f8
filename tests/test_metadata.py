"""What archives and files say of pictures: read whatever their form, returned, filtered, summed up."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets import catalogue, metadata, metadata_files
from datasets.models import Dataset

from .pictures import photograph
from .test_pictures import QUIET, upload

ATTRIBUTES = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "celeba-3000-list_attr.txt"
PICTURES = {f"{name}.jpg": photograph(seed) for seed, name in enumerate("abcd")}

TABLE = """file,age,height,kind,adult
a.jpg,31,1.75,cat,true
b.jpg,,1.5,dog,false
folder/c.jpg,47,,cat,true
"""


def described(name: str, content: bytes, pictures: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    table, remarks = metadata_files.read(content, name).table(pictures)
    return [table.row(row) for row in range(len(pictures))], remarks


WANTED = [
    {"age": 31, "height": 1.75, "kind": "cat", "adult": True},
    {"height": 1.5, "kind": "dog", "adult": False},
    {"age": 47, "kind": "cat", "adult": True},
]


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        TABLE.encode("utf-16"),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace("\n", "\r\n").encode(),
        ("\n\n" + TABLE + "\n\n").encode(),
        TABLE.replace("folder/", "C:\\folder\\").encode(),
        TABLE.replace("a.jpg", "A.JPG").encode(),
    ],
)
def test_a_csv_of_any_dialect_says_the_same(content: bytes) -> None:
    assert described("metadata.csv", content, ["a.jpg", "b.jpg", "c.jpg"]) == (WANTED, [])


@pytest.mark.parametrize("as_list", [False, True])
def test_json_says_the_same(as_list: bool) -> None:
    data: Any = dict(zip(["a.jpg", "b.jpg", "x/c.jpg"], WANTED, strict=True))
    if as_list:
        data = [{"file": name, **values} for name, values in data.items()]
    assert described("metadata.json", json.dumps(data).encode(), ["a.jpg", "b.jpg", "c.jpg"]) == (WANTED, [])


def test_a_column_has_the_narrowest_type_that_holds_all_of_it() -> None:
    for values, kind in (
        (["1", "2"], "integer"),
        (["1", "2.5"], "number"),
        (["1", "x"], "text"),
        (["true", "False"], "boolean"),
        (["007", "008"], "text"),
        (["1e3", "-2"], "number"),
        (["nan", "1"], "text"),
        (["9" * 30, "1"], "number"),
        (["٣", "1"], "text"),
        ([True, 1], "text"),
        ([None, "5"], "integer"),
        ([None, None], "boolean"),
    ):
        assert metadata.column("x", values).type == kind, values


@pytest.mark.parametrize("values", [[2**62], [2**62, None, 2**62 + 1], [-1e308, 1e308], [5e-324, 0.0], [7]])
def test_any_numbers_have_a_histogram(values: list[float | None]) -> None:
    told = metadata.column("x", values).summary()
    present = [value for value in values if value is not None]
    assert (told["min"], told["max"], told["count"]) == (min(present), max(present), len(present))
    counts, edges = told["histogram"]["counts"], told["histogram"]["edges"]
    assert sum(counts) == len(present)
    assert len(edges) == len(counts) + 1
    assert np.isfinite(edges).all()


def test_gaps_and_surplus_are_remarks() -> None:
    content = b"file,x,x,\na.jpg,1,2,3,4\nb.jpg,5\nz.jpg,1,2,3\n,9,9,9\n"
    rows, remarks = described("metadata.csv", content, ["a.jpg", "b.jpg", "c.jpg"])
    assert rows == [{"x": 1, "x_2": 2, "column_4": 3}, {"x": 5}, {}]
    assert remarks == [
        "2 of its rows have more or fewer cells than its first row",
        "1 of 3 pictures are not in it",
        "1 of its rows name no picture",
    ]


def test_a_table_survives_being_stored(tmp_path: Path) -> None:
    table, _ = metadata_files.read(TABLE.encode(), "x.csv").table(["a.jpg", "b.jpg", "c.jpg"])
    path = tmp_path / "metadata.npz"
    path.write_bytes(table.dumped())
    again = metadata.stored(path, 3)
    assert [again.row(row) for row in range(3)] == WANTED
    assert metadata.stored(path, 4).columns == {}
    path.write_bytes(b"damaged")
    assert metadata.stored(path, 3).columns == {}


@pytest.mark.django_db(transaction=True)
def test_an_upload_brings_its_metadata(client: Client) -> None:
    identity = upload(client, PICTURES | {"metadata.csv": TABLE.encode()})
    answer = client.get(f"/dataset/{identity}/images").json()
    assert [each["metadata"] for each in answer["images"]] == [*WANTED, {}]
    assert [(each["name"], each["type"]) for each in answer["fields"]] == [
        ("age", "integer"),
        ("height", "number"),
        ("kind", "text"),
        ("adult", "boolean"),
    ]
    for query, rows in (
        ("kind=cat", [0, 2]),
        ("kind=cat&kind=dog", [0, 1, 2]),
        ("kind=cat&age=40..", [2]),
        ("age=..40", [0]),
        ("age=31", [0]),
        ("height=1.4..1.6", [1]),
        ("adult=1", [0, 2]),
        ("adult=false", [1]),
        ("kind=horse", []),
        ("kind=cat&offset=1", [2]),
        ("field.kind=cat", [0, 2]),
        ("field.kind=cat&kind=dog", [0, 1, 2]),
        ("kind=cat&search=C.J", [2]),
        ("search=.jpg", [0, 1, 2, 3]),
        ("search=x", []),
    ):
        found = client.get(f"/dataset/{identity}/images?{query}").json()
        assert [each["index"] for each in found["images"]] == rows, query
        if "offset" not in query:
            assert client.get(f"/dataset/{identity}/images/rows?{query}").json() == {"rows": rows, "total": len(rows)}
    assert client.get(f"/dataset/{identity}/images?kind=cat&limit=1").json()["total"] == 2
    for query in ("sex=1", "age=old", "age=1..x", "adult=perhaps", "field.sex=1"):
        for call in ("images", "images/rows"):
            response = client.get(f"/dataset/{identity}/{call}?{query}")
            assert response.status_code == 400
            assert "“" in response.json()["error"]
    fields = {each["name"]: each for each in client.get(f"/dataset/{identity}/images/fields").json()["fields"]}
    assert fields["kind"]["values"] == [{"value": "cat", "count": 2}, {"value": "dog", "count": 1}]
    assert fields["age"] | {"histogram": None} == {
        "name": "age",
        "type": "integer",
        "count": 2,
        "min": 31,
        "max": 47,
        "histogram": None,
    }
    assert sum(fields["age"]["histogram"]["counts"]) == 2
    (told,) = [
        file for file in client.get(f"/dataset/{identity}/report").json()["files"] if file["outcome"] == "metadata"
    ]
    assert told["reason"] == "1 of 4 pictures are not in it"
    assert Dataset.objects.get().passed_over == 0


@pytest.mark.django_db(transaction=True)
def test_a_field_comes_as_a_whole(client: Client) -> None:
    identity = upload(client, PICTURES | {"metadata.csv": TABLE.encode()})
    told = [
        client.get(f"/dataset/{identity}/images/fields/{name}").json() for name in ("age", "height", "kind", "adult")
    ]
    assert told == [
        {"name": "age", "type": "integer", "values": [31, None, 47, None]},
        {"name": "height", "type": "number", "values": [1.75, 1.5, None, None]},
        {"name": "kind", "type": "text", "texts": ["cat", "dog"], "values": [0, 1, 0, None]},
        {"name": "adult", "type": "boolean", "values": [True, False, True, None]},
    ]
    response = client.get(f"/dataset/{identity}/images/fields/sex")
    assert response.status_code == 404
    assert response.json()["error"] == "There is no field “sex”; known are age, height, kind, adult."


@pytest.mark.django_db(transaction=True)
def test_fields_may_be_called_as_parameters_are_or_hold_a_slash(client: Client) -> None:
    table = b"file,limit,search,a/b,field.x\na.jpg,5,one,1,7\nb.jpg,6,two,2,8\n"
    identity = upload(client, {name: PICTURES[name] for name in ("a.jpg", "b.jpg")} | {"metadata.csv": table})
    for query, rows in (
        ("field.limit=6", [1]),
        ("field.search=one", [0]),
        ("search=a&field.search=one", [0]),
        ("search=a&field.search=two", []),
        ("a/b=2", [1]),
        ("field.field.x=8", [1]),
        ("limit=6", [0, 1]),
    ):
        found = client.get(f"/dataset/{identity}/images?{query}").json()
        assert [each["index"] for each in found["images"]] == rows, query
    assert client.get(f"/dataset/{identity}/images/fields/a%2Fb").json()["values"] == [1, 2]
    assert client.get(f"/dataset/{identity}/images/fields/a/b").json()["values"] == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", b""),
        ("metadata.csv", b"\0\0\0"),
        ("metadata.csv", b"file\n"),
        ("metadata.csv", b'file,x\n"a.jpg,1\n'),
        ("metadata.csv", b"file,x\na.jpg," + b"y" * 200_000),
        ("metadata.json", b"{"),
        ("metadata.json", b"7"),
        ("metadata.json", b"[" * 100_000),
        ("metadata.json", b'{"a.jpg": 3}'),
        ("METADATA.JSON", b"[[], {}, 5]"),
        ("metadata.csv", b"file,x\n" + b"0" * (17 * 2**20)),
    ],
)
def test_no_metadata_fails_an_upload(client: Client, name: str, content: bytes) -> None:
    identity = upload(client, {"a.jpg": photograph(1), name: content})
    assert client.get(f"/dataset/{identity}/images").json()["images"][0]["name"] == "a.jpg"
    files = client.get(f"/dataset/{identity}/report").json()["files"]
    assert [file["outcome"] for file in files if file["name"] != "a.jpg"] == ["metadata"]


@pytest.mark.django_db(transaction=True)
def test_the_catalogue_takes_celebas_files(data: Path, tmp_path: Path, client: Client) -> None:
    total = 1200
    arrays = {name: np.zeros((total, 3), np.float32) for name in ("pca", "umap")}
    catalogue.install(data, arrays, name="CelebA")
    names = [f"{k + 1:06d}.jpg" for k in range(total)]
    attributes, identities = tmp_path / "list_attr_celeba.txt", tmp_path / "identity_CelebA.txt"
    rows = [f"{name}  {1 if k % 2 else -1} {1 if k % 3 else -1}" for k, name in enumerate(names)]
    attributes.write_text("\n".join([str(total), "Smiling Young ", *rows]) + "\n")
    identities.write_text("".join(f"{name} {k % 7}\n" for k, name in enumerate(names)))
    before = client.get("/catalogue/images?limit=1").headers["ETag"]
    call_command("import_metadata", str(attributes), str(identities), **QUIET)
    response = client.get("/catalogue/images?offset=1199&limit=1")
    assert response.json()["images"][0]["metadata"] == {"Smiling": True, "Young": True, "identity": 1199 % 7}
    assert client.get("/catalogue/images?limit=1").headers["ETag"] != before
    found = client.get("/catalogue/images?Smiling=1&Young=-1&limit=1000").json()
    assert [each["index"] for each in found["images"]] == [k for k in range(total) if k % 2 and not k % 3]
    assert found["total"] == 200
    # Its pictures have no names but their rows' numbers, and an answer of so many rows is kept.
    for _ in range(2):
        found = client.get("/catalogue/images/rows?search=1").json()
        assert found["rows"] == [k for k in range(total) if "1" in f"{k:06d}"]
        assert found["total"] == len(found["rows"])
    assert client.get("/catalogue/images/rows?search=11&Smiling=1").json()["rows"] == [
        k for k in range(total) if "11" in f"{k:06d}" and k % 2
    ]
    assert client.get("/catalogue/images/rows").json()["rows"] == list(range(total))
    assert client.get("/catalogue/images/fields/identity").json()["values"] == [k % 7 for k in range(total)]


def test_metadata_without_a_catalogue_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No catalogue"):
        call_command("import_metadata", str(tmp_path / "x.csv"))


@pytest.mark.django_db(transaction=True)
def test_building_takes_metadata_along(tmp_path: Path, client: Client) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, content in PICTURES.items():
        (folder / name).write_bytes(content)
    with pytest.raises(CommandError, match=r"nowhere\.csv"):
        call_command("build_catalogue", str(folder), "--metadata", "nowhere.csv", **QUIET)
    (tmp_path / "about.csv").write_text(TABLE)
    call_command("build_catalogue", str(folder), "--metadata", str(tmp_path / "about.csv"), **QUIET)
    images = client.get("/catalogue/images").json()["images"]
    assert [each["metadata"] for each in images] == [*WANTED, {}]


def test_celebas_own_attributes_are_read() -> None:
    if not ATTRIBUTES.exists():
        pytest.skip("shared/data/celeba-3000-list_attr.txt is not here")
    read = metadata_files.read(ATTRIBUTES.read_bytes(), ATTRIBUTES.name)
    assert (len(read.fields), len(read.rows), read.remarks) == (40, 3000, [])
    table, remarks = read.table([f"{k + 1:06d}.jpg" for k in range(3000)])
    assert remarks == []
    assert {column.type for column in table.columns.values()} == {"boolean"}
    text = io.StringIO(ATTRIBUTES.read_text())
    lines = [line.split() for line in text.readlines()[2:]]
    smiling = read.fields.index("Smiling") + 1
    assert table.select({"Smiling": ["1"]}).tolist() == [k for k, line in enumerate(lines) if line[smiling] == "1"]
