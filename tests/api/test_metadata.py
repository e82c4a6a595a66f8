"""What archives and files say of pictures: read whatever their form, returned, filtered, summed up."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets.catalogue import installation
from datasets.collection import image_table
from datasets.collection.image_table import ImageTable
from datasets.models import Dataset
from datasets.pictures.metadata import files
from tests.api.test_pictures import QUIET, upload
from tests.support.paths import SAMPLES
from tests.support.pictures import photograph

ATTRIBUTES = SAMPLES / "celeba-3000-list_attr.txt"
PICTURES = {f"{name}.jpg": photograph(seed) for seed, name in enumerate("abcd")}

TABLE = """file,age,height,kind,adult
a.jpg,31,1.75,cat,true
b.jpg,,1.5,dog,false
folder/c.jpg,47,,cat,true
"""


WANTED = [
    {"age": 31, "height": 1.75, "kind": "cat", "adult": True},
    {"height": 1.5, "kind": "dog", "adult": False},
    {"age": 47, "kind": "cat", "adult": True},
]


def test_metadata_survive_being_stored_and_added_to(tmp_path: Path) -> None:
    names = ["a.jpg", "b.jpg", "c.jpg"]
    path = tmp_path / "metadata.parquet"
    image_table.add_metadata(path, 3, files.read(TABLE.encode(), "x.csv", names).table.columns.values())
    assert ImageTable(3, (), path).metadata(range(3)) == WANTED
    more = b"file,kind,note.of\na.jpg,ant,x\nb.jpg,bee,\nc.jpg,,z\n"
    image_table.add_metadata(path, 3, files.read(more, "y.csv", names).table.columns.values())
    again = ImageTable(3, (), path)
    assert list(again.field_types) == ["age", "height", "kind", "adult", "note.of"]
    assert again.metadata([0, 2]) == [
        {"age": 31, "height": 1.75, "kind": "ant", "adult": True, "note.of": "x"},
        {"age": 47, "adult": True, "note.of": "z"},
    ]
    assert ImageTable(4, (), path).field_types == {}
    path.write_bytes(b"damaged")
    assert ImageTable(3, (), path).field_types == {}


@pytest.mark.django_db(transaction=True)
def test_an_upload_brings_its_metadata(client: Client) -> None:
    dataset_id = upload(client, PICTURES | {"metadata.csv": TABLE.encode()})
    answer = client.get(f"/dataset/{dataset_id}/images").json()
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
        found = client.get(f"/dataset/{dataset_id}/images?{query}").json()
        assert [each["index"] for each in found["images"]] == rows, query
        if "offset" not in query:
            assert client.get(f"/dataset/{dataset_id}/images/rows?{query}").json() == {"rows": rows, "total": len(rows)}
    assert client.get(f"/dataset/{dataset_id}/images?kind=cat&limit=1").json()["total"] == 2
    for query in ("sex=1", "age=old", "age=1..x", "adult=perhaps", "field.sex=1"):
        for call in ("images", "images/rows"):
            response = client.get(f"/dataset/{dataset_id}/{call}?{query}")
            assert response.status_code == 400
            assert "“" in response.json()["error"]
    fields = {each["name"]: each for each in client.get(f"/dataset/{dataset_id}/images/fields").json()["fields"]}
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
    (entry,) = [
        file for file in client.get(f"/dataset/{dataset_id}/report").json()["files"] if file["outcome"] == "metadata"
    ]
    assert entry["reason"] == "1 of 4 pictures are not in it"
    summary = {
        "file": "metadata.csv",
        "fields": 4,
        "rows": 3,
        "pictures": 3,
        "unmatched": 0,
        "unmatched_names": [],
        "remarks": ["1 of 4 pictures are not in it"],
    }
    assert client.get(f"/dataset/{dataset_id}").json()["metadata"] == summary
    assert client.get(f"/dataset/{dataset_id}/report").json()["metadata"] == summary
    assert Dataset.objects.get().ignored == 0


@pytest.mark.django_db(transaction=True)
def test_a_field_comes_as_a_whole(client: Client) -> None:
    dataset_id = upload(client, PICTURES | {"metadata.csv": TABLE.encode()})
    summary = [
        client.get(f"/dataset/{dataset_id}/images/fields/{name}").json() for name in ("age", "height", "kind", "adult")
    ]
    assert summary == [
        {"name": "age", "type": "integer", "values": [31, None, 47, None]},
        {"name": "height", "type": "number", "values": [1.75, 1.5, None, None]},
        {"name": "kind", "type": "text", "texts": ["cat", "dog"], "values": [0, 1, 0, None]},
        {"name": "adult", "type": "boolean", "values": [True, False, True, None]},
    ]
    response = client.get(f"/dataset/{dataset_id}/images/fields/sex")
    assert response.status_code == 404
    assert response.json()["error"] == "There is no field “sex”; known are age, height, kind, adult."


@pytest.mark.django_db(transaction=True)
def test_fields_may_be_called_as_parameters_are_or_hold_a_slash(client: Client) -> None:
    table = b"file,limit,search,a/b,field.x\na.jpg,5,one,1,7\nb.jpg,6,two,2,8\n"
    dataset_id = upload(client, {name: PICTURES[name] for name in ("a.jpg", "b.jpg")} | {"metadata.csv": table})
    for query, rows in (
        ("field.limit=6", [1]),
        ("field.search=one", [0]),
        ("search=a&field.search=one", [0]),
        ("search=a&field.search=two", []),
        ("a/b=2", [1]),
        ("field.field.x=8", [1]),
        ("limit=6", [0, 1]),
    ):
        found = client.get(f"/dataset/{dataset_id}/images?{query}").json()
        assert [each["index"] for each in found["images"]] == rows, query
    assert client.get(f"/dataset/{dataset_id}/images/fields/a%2Fb").json()["values"] == [1, 2]
    assert client.get(f"/dataset/{dataset_id}/images/fields/a/b").json()["values"] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_unmatched_rows_are_named_in_the_dataset_and_its_report(client: Client) -> None:
    dataset_id = upload(client, PICTURES | {"metadata.csv": b"file,x\n1.jpg,1\n2.jpg,2\n3.jpg,3\n4.jpg,4\n"})
    answer = client.get(f"/dataset/{dataset_id}/images").json()
    assert (answer["fields"], [each["metadata"] for each in answer["images"]]) == ([], [{}] * 4)
    summary = client.get(f"/dataset/{dataset_id}").json()["metadata"]
    assert (summary["unmatched"], summary["unmatched_names"]) == (4, ["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
    assert summary["remarks"] == ["it was not used: not one of its 4 rows names a picture (1.jpg, 2.jpg, 3.jpg, …)"]
    report = client.get(f"/dataset/{dataset_id}/report").json()
    assert report["metadata"] == summary
    assert [file["reason"] for file in report["files"] if file["outcome"] == "metadata"] == summary["remarks"]
    assert client.delete(f"/dataset/{dataset_id}").status_code == 204
    plain = upload(client, PICTURES)
    assert client.get(f"/dataset/{plain}").json()["metadata"] is None
    assert client.get(f"/dataset/{plain}/report").json()["metadata"] is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["metadata.jsonl", "Metadata.JSONL", "metadata.tsv", "metadata.json", "METADATA.CSV"])
def test_any_of_the_files_is_read(client: Client, name: str) -> None:
    rows = [{"age": number, "file_name": picture} for number, picture in enumerate(PICTURES)]
    tabs = "age\tfile\n" + "".join(f"{row['age']}\t{row['file_name']}\n" for row in rows)
    lines = "\n".join(json.dumps(row) for row in rows)
    dataset_id = upload(client, PICTURES | {name: (lines if "JSON" in name.upper() else tabs).encode()})
    images = client.get(f"/dataset/{dataset_id}/images").json()["images"]
    assert [each["metadata"] for each in images] == [{"age": number} for number in range(4)]
    assert Dataset.objects.get().ignored == 0


@pytest.mark.django_db(transaction=True)
def test_integers_are_exact_however_large(client: Client) -> None:
    numbers = [1234567890123456789, 1234567890123456788, 9007199254740993, -9007199254740993]
    table = "file,id,long\n" + "".join(
        f"{name},{number},{number}0000000000\n" for name, number in zip(PICTURES, numbers, strict=True)
    )
    dataset_id = upload(client, PICTURES | {"metadata.csv": table.encode()})
    images = client.get(f"/dataset/{dataset_id}/images").json()["images"]
    assert [each["metadata"] for each in images] == [{"id": n, "long": f"{n}0000000000"} for n in numbers]
    assert client.get(f"/dataset/{dataset_id}/images/fields/id").json()["values"] == numbers
    (summary, texts) = client.get(f"/dataset/{dataset_id}/images/fields").json()["fields"]
    assert (summary["type"], texts["type"]) == ("integer", "text")
    assert (summary["min"], summary["max"], summary["distinct"]) == (numbers[3], numbers[0], 4)
    assert [each["value"] for each in summary["values"]] == sorted(numbers)
    for query, rows in (
        (f"id={numbers[0]}", [0]),
        (f"id={numbers[1]}", [1]),
        ("id=9007199254740992", []),
        ("id=9007199254740993", [2]),
        ("id=9007199254740994..1234567890123456788", [1]),
        ("id=..-9007199254740993", [3]),
        ("id=..-9007199254740994", []),
        (f"id={10**30}", []),
        (f"id=-{10**30}..{10**30}", [0, 1, 2, 3]),
        (f"long={numbers[1]}0000000000", [1]),
    ):
        assert client.get(f"/dataset/{dataset_id}/images/rows?{query}").json()["rows"] == rows, query


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", b""),
        ("metadata.csv", b"\0\0\0"),
        ("metadata.csv", b"file\n"),
        ("metadata.csv", b'file,x\n"a.jpg,1\n'),
        ("metadata.csv", b"\xff\xfe\x00"),
        ("metadata.csv", b"sep="),
        ("metadata.csv", b"#\n#\n"),
        ("metadata.csv", bytes(range(256)) * 40),
        ("metadata.csv", b"," * 2_000_000),
        ("metadata.jsonl", b"{}\n[]\n7\n{"),
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
    dataset_id = upload(client, {"a.jpg": photograph(1), name: content})
    answer = client.get(f"/dataset/{dataset_id}/images").getvalue()
    assert json.loads(answer)["images"][0]["name"] == "a.jpg"
    files = client.get(f"/dataset/{dataset_id}/report").json()["files"]
    assert [file["outcome"] for file in files if file["name"] != "a.jpg"] == ["metadata"]


@pytest.mark.django_db(transaction=True)
def test_the_catalogue_takes_celebas_files(data: Path, tmp_path: Path, client: Client) -> None:
    total = 1200
    arrays = {name: np.zeros((total, 3), np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="CelebA")
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


def test_celebas_own_attributes_are_read(tmp_path: Path) -> None:
    if not ATTRIBUTES.exists():
        pytest.skip("shared/data/celeba-3000-list_attr.txt is not here")
    names = [f"{k + 1:06d}.jpg" for k in range(3000)]
    described = files.read(ATTRIBUTES.read_bytes(), ATTRIBUTES.name, names)
    table = described.table
    assert (len(table.columns), described.rows, described.remarks) == (40, 3000, [])
    assert {column.type for column in table.columns.values()} == {"boolean"}
    text = io.StringIO(ATTRIBUTES.read_text())
    lines = [line.split() for line in text.readlines()[1:]]
    smiling = lines[0].index("Smiling") + 1
    image_table.add_metadata(tmp_path / "metadata.parquet", 3000, table.columns.values())
    stored = ImageTable(3000, (), tmp_path / "metadata.parquet")
    assert list(stored.select({"Smiling": ["1"]})) == [k for k, line in enumerate(lines[1:]) if line[smiling] == "1"]
