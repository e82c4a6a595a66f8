"""JSON and JSON Lines in the shapes that programs write."""

import json
from typing import Any

import pytest

from tests.support.descriptions import ANIMALS, KINDS, read, values

RECORDS = [{"file": name, "kind": f"k{number}"} for number, name in enumerate(ANIMALS)]
SHUFFLED = [RECORDS[k] for k in (2, 0, 3, 1)]
COCO = {
    "info": {"year": 2026},
    "images": [{"id": 10 + k, "file_name": name} for k, name in enumerate(ANIMALS)],
    "annotations": [{"id": 1, "image_id": 12, "category_id": 1}, {"id": 2, "image_id": 12, "category_id": 2}],
    "categories": [{"id": 1, "name": "fur"}, {"id": 2, "name": "tail"}],
}


@pytest.mark.parametrize(
    "data",
    [
        SHUFFLED,
        [{"kind": row["kind"], "file": row["file"]} for row in SHUFFLED],
        [{"kind": row["kind"], "image": {"path": f"data/{row['file']}"}} for row in SHUFFLED],
        {row["file"]: {"kind": row["kind"]} for row in SHUFFLED},
        {row["file"][:3]: {"kind": row["kind"]} for row in SHUFFLED},
        {str(k): row for k, row in enumerate(SHUFFLED)},
        {"version": 1, "data": SHUFFLED},
        {"version": 1, "pages": {"items": SHUFFLED}},
        {"file": [row["file"] for row in SHUFFLED], "kind": [row["kind"] for row in SHUFFLED]},
        {key: {str(k): row[key] for k, row in enumerate(SHUFFLED)} for key in ("file", "kind")},
        {"columns": ["kind", "file"], "index": [0, 1, 2, 3], "data": [[row["kind"], row["file"]] for row in SHUFFLED]},
        [["file", "kind"], *([row["file"], row["kind"]] for row in SHUFFLED)],
        [[row["file"], {"kind": row["kind"]}] for row in SHUFFLED],
    ],
)
def test_rows_are_found_in_any_shape(data: Any) -> None:
    for file, content in (
        ("metadata.json", json.dumps(data)),
        ("metadata.json", "\ufeff" + json.dumps(data, indent=1)),
        ("metadata.json", json.dumps(data).encode("utf-16")),
        ("metadata.csv", json.dumps(data)),
    ):
        assert values(content if isinstance(content, bytes) else content, file=file) == KINDS, file


@pytest.mark.parametrize(
    "content",
    [
        "".join(json.dumps(row) + "\n" for row in SHUFFLED),
        "\ufeff" + "\r\n\r\n".join(json.dumps(row) for row in SHUFFLED),
        "".join(json.dumps({"kind": row["kind"], "file_name": row["file"]}) + "\n" for row in SHUFFLED),
        json.dumps(SHUFFLED, indent=1),
        "\n".join(json.dumps(line) for line in [["file", "kind"], *([row["file"], row["kind"]] for row in SHUFFLED)]),
    ],
)
@pytest.mark.parametrize("file", ["metadata.jsonl", "metadata.json"])
def test_json_lines_are_read(content: str, file: str) -> None:
    described = read(content, file=file)
    assert [described.table.row(row)["kind"] for row in range(4)] == ["k0", "k1", "k2", "k3"]
    assert described.remarks == []


def test_a_bad_line_costs_itself() -> None:
    lines = [json.dumps(row) for row in SHUFFLED]
    lines[1] = lines[1][:9]
    described = read("\n".join(lines), file="metadata.jsonl")
    assert described.pictures == 3
    assert "1 of its lines are no JSON objects" in described.remarks


def test_labels_may_hold_their_pictures() -> None:
    data = {"wild": ["ant.png", "x/bee.png"], "tame": ["cat.png", "dog.png"]}
    assert values(json.dumps(data), file="metadata.json") == [
        {"label": "wild"}, {"label": "wild"}, {"label": "tame"}, {"label": "tame"}
    ]  # fmt: skip
    data["tame"].pop()
    assert values(json.dumps(data), file="metadata.json")[2:] == [{"label": "tame"}, {}]
    assert values(json.dumps(dict(zip(ANIMALS, "wxyz", strict=True))), file="metadata.json")[3] == {"value": "z"}


def test_cocos_images_have_their_categories() -> None:
    rows = values(json.dumps(COCO), file="metadata.json")
    assert rows[2] == {"id": 12, "category": "fur, tail"}
    assert rows[3] == {"id": 13}


def test_objects_inside_become_fields_and_lists_texts() -> None:
    data = {"ant.png": {"pose": {"yaw": 1.5, "eyes": {"left": True}}, "box": [1, 2], "note": None, "size": "4,2"}}
    assert values(json.dumps(data), ["ant.png"], "metadata.json") == [
        {"pose.yaw": 1.5, "pose.eyes.left": True, "box": "[1, 2]", "size": "4,2"}
    ]


def test_every_number_is_what_it_was() -> None:
    text = '{"ant.png": {"a": 12345678901234567890123, "b": 9007199254740993, "c": NaN, "d": 1e999, "e": 1.0, "f": %s}}'
    row = values(text % ("7" * 5000), ["ant.png"], "metadata.json")[0]
    assert row == {"a": "12345678901234567890123", "b": 9007199254740993, "d": "1e999", "e": 1, "f": "7" * 5000}


def test_half_characters_are_replaced_and_nul_goes() -> None:
    assert values('{"ant.png": {"a\\u0000b": "\\u0000c"}}', ["ant.png"], "metadata.json") == [{"ab": "c"}]
    assert values('{"ant.png": {"a\\ud800": "\\udc00b"}}', ["ant.png"], "metadata.json") == [{"a?": "?b"}]


@pytest.mark.parametrize(
    "content", ["", "7", '"x"', "null", "[]", "{}", "[[]]", "[{}]", '{"a": []}', "[1, 2]", "{", "[" * 10**5]
)
def test_json_without_records_is_an_error(content: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read(content, file="metadata.json")
