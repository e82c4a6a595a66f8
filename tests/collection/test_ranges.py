"""Ranges of 1000 pictures."""

import pytest

from datasets.errors import ApiError, NotFound
from datasets.tilemaps.ranges import bounds, count, parse, range_id, span

CELEBA = 202_599


@pytest.mark.parametrize(
    ("total", "ranges"),
    [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (CELEBA, 203), (3_000_000, 3000)],
)
def test_ranges_cover_every_picture_once(total: int, ranges: int) -> None:
    assert count(total) == ranges
    covered = list(bounds(total))
    assert [covered_id for covered_id, _ in covered] == [range_id(number) for number in range(ranges)]
    assert sum(last - first + 1 for _, (first, last) in covered) == total
    for number, (_, (first, last)) in enumerate(covered):
        assert first == 1000 * number
        assert last == min(first + 999, total - 1)


def test_the_bounds_are_those_of_the_contract() -> None:
    ranges = dict(bounds(CELEBA))
    assert ranges["000"] == [0, 999]
    assert ranges["202"] == [202_000, 202_598]
    assert dict(bounds(0)) == {}
    assert dict(bounds(1)) == {"000": [0, 0]}


def test_ids_have_three_digits_or_more() -> None:
    assert [range_id(number) for number in (0, 7, 42, 999, 1000, 2999)] == ["000", "007", "042", "999", "1000", "2999"]
    assert list(dict(bounds(1_001_000)))[-2:] == ["999", "1000"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("000", 0), ("7", 7), ("07", 7), ("007", 7), ("0007", 7), ("202", 202), ("000000000202", 202)],
)
def test_a_range_is_read_padded_or_not(text: str, number: int) -> None:
    assert parse(text, CELEBA) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.0",
        "1e3",
        "0x1",
        "1_0",
        " 1",
        "1 ",
        "1\n",
        "a",
        "٣",
        "３",
        "²",
        "١٢",
        "null",
        "1" * 13,
        "9" * 5000,
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse(text, CELEBA)
    assert caught.value.kind == "bad-request"
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("text", "total"), [("203", CELEBA), ("1", 1000), ("0", 0), ("9" * 12, CELEBA), ("3000", 3_000_000)]
)
def test_a_range_that_is_not_there_is_not_found(text: str, total: int) -> None:
    with pytest.raises(NotFound) as caught:
        parse(text, total)
    assert caught.value.kind == "not-found"
    assert ("empty" in str(caught.value)) == (total == 0)


def test_ranges_past_999_are_found() -> None:
    assert parse("1000", 3_000_000) == 1000
    assert parse("2999", 3_000_000) == 2999


@pytest.mark.parametrize(
    ("start", "end", "rows"),
    [
        ("0", "0", slice(0, 1000)),
        ("0", "9", slice(0, 10_000)),
        ("000", "202", slice(0, CELEBA)),
        ("202", "202", slice(202_000, CELEBA)),
        ("007", "12", slice(7000, 13_000)),
    ],
)
def test_two_ranges_span_all_rows_between_them(start: str, end: str, rows: slice) -> None:
    numbers, found = span(start, end, CELEBA)
    assert found == rows
    assert numbers == range(int(start), int(end) + 1)


def test_reversed_ranges_are_refused() -> None:
    with pytest.raises(ApiError, match="reversed: 012 comes after 007") as caught:
        span("12", "7", CELEBA)
    assert caught.value.kind == "bad-request"


@pytest.mark.parametrize(
    ("start", "end", "error"),
    [("0", "203", NotFound), ("203", "0", NotFound), ("x", "0", ApiError), ("0", "x", ApiError)],
)
def test_both_ends_must_be_there(start: str, end: str, error: type[ApiError]) -> None:
    with pytest.raises(ApiError) as caught:
        span(start, end, CELEBA)
    assert type(caught.value) is error
