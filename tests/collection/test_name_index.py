"""Names in a table: by row, and searched as people type."""

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from datasets.collection import image_table
from datasets.collection.image_table import ImageTable


def table(names: Sequence[str]) -> ImageTable:
    file = io.BytesIO()
    image_table.write(file, names, stats={}, members=[None] * len(names), metadata=())
    with NamedTemporaryFile() as stored:
        stored.write(file.getvalue())
        stored.flush()
        found = ImageTable(len(names), [Path(stored.name)])
        found.named("")  # read while the file is there
        found.names([])
    return found


def test_each_row_has_its_name() -> None:
    names = ["b.jpg", "", "żółw.png", "日本.jpg", "b.jpg"]
    assert table(names).names(range(5)) == names
    assert table(names).names([3, 0]) == ["日本.jpg", "b.jpg"]
    assert table([]).named("a").tolist() == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("cat", [0, 1, 4]),
        ("CAT.", [0]),
        (".jpg", [0, 1]),
        ("tc", []),  # the end of one and the beginning of the next
        ("g\0C", []),
        ("\0", []),
        ("STRASSE", [2]),
        ("straße", [2]),
        ("ŻÓŁ", [3]),
        ("z\u0307o\u0301ł", [3]),
        ("t t", [4]),
        (".*", []),
        ("", [0, 1, 2, 3, 4]),
    ],
)
def test_search_goes_by_any_part_and_without_regard_to_case(text: str, rows: list[int]) -> None:
    names = table(["Cat.jpg", "concatenated.JPG", "Straße.png", "żo\u0301łw.png", "a cat t"])
    assert names.named(text).tolist() == rows


def test_a_name_that_is_no_text_harms_no_other() -> None:
    names = table(["a.jpg", "b\udcff.jpg", "c.jpg"])
    assert names.names([0, 2]) == ["a.jpg", "c.jpg"]
    assert names.named(".jpg").tolist() == [0, 1, 2]
