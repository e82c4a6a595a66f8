"""Names in one block of memory."""

import pytest

from datasets.names import Names


def test_each_row_has_its_name() -> None:
    names = ["b.jpg", "", "żółw.png", "日本.jpg", "b.jpg"]
    found = Names.of(names)
    assert len(found) == 5
    assert [found[row] for row in range(5)] == names
    again = Names(found.joined)
    assert [again[row] for row in range(5)] == names
    with pytest.raises(IndexError):
        found[5]
    assert len(Names.of([])) == 0
    assert Names.of([]).containing("a").tolist() == []


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
    names = Names.of(["Cat.jpg", "concatenated.JPG", "Straße.png", "żo\u0301łw.png", "a cat t"])
    assert names.containing(text).tolist() == rows


def test_a_name_that_is_no_text_harms_no_other() -> None:
    names = Names.of(["a.jpg", "b\udcff.jpg", "c.jpg"])
    assert (names[0], names[2]) == ("a.jpg", "c.jpg")
    assert names.containing(".jpg").tolist() == [0, 1, 2]
