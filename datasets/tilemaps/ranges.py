"""Ranges of 1000 pictures: "000" … "202" … ↔ slices of the catalogue's rows."""

import re
from collections.abc import Iterator

from datasets.errors import ApiError, NotFound

SIZE = 1000

_NUMBER = re.compile(r"[0-9]{1,12}")


def range_id(number: int) -> str:
    """Three digits at least: 7 → "007", 1234 → "1234"."""
    return f"{number:03d}"


def count(total: int) -> int:
    """How many ranges `total` pictures fill."""
    return -(-total // SIZE)


def bounds(total: int) -> Iterator[tuple[str, list[int]]]:
    """Each range's id with its first and last index, both inclusive; the last range may be short."""
    for number in range(count(total)):
        yield range_id(number), [number * SIZE, min((number + 1) * SIZE, total) - 1]


def parse(text: str, total: int) -> int:
    """A range's number from its id, padded or not. Raises `ApiError` or `NotFound`."""
    if not _NUMBER.fullmatch(text):
        raise ApiError(f"“{text[:40]}” is no range: a range is a number such as 0 or 007.", code="range-unknown")
    number = int(text)
    if number >= count(total):
        known = f"the last one is {range_id(count(total) - 1)}" if total else "the catalogue is empty"
        raise NotFound(f"There is no range {range_id(number)}: {known}.", code="range-unknown")
    return number


def span(start: str, end: str, total: int) -> tuple[range, slice]:
    """Two range ids, both inclusive → the ranges' numbers and the slice of rows that they hold."""
    first, last = parse(start, total), parse(end, total)
    if last < first:
        sentence = f"The ranges are reversed: {range_id(first)} comes after {range_id(last)}."
        raise ApiError(sentence, code="parameter-invalid", name="end")
    return range(first, last + 1), slice(first * SIZE, min((last + 1) * SIZE, total))
