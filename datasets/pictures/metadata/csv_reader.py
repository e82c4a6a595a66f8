"""The text of a CSV → heads and rows, as people have them: any delimiter, quotes, comments, titles, lines of `sep=`."""

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from .picture_names import PictureNames, looks_like_file
from .records import Records

# The module's own limit, 128 KiB, costs all rows where one caption is longer. The file's size is limited already.
csv.field_size_limit(2**31 - 1)

_DELIMITERS = ",;\t|"
_SAMPLE_ROWS, _SAMPLE_TEXT = 60, 2**18
_WIDEST = 5000
"""Cells of a row that are looked at."""
_SEP = re.compile(r"\s*\"?sep=(.)\"?[^\S\n]*(?:\n|$)", re.IGNORECASE)
_SINGLE = re.compile(r"(?:^|[,;\t|]) *'[^'\n]*' *(?=[,;\t|]|$)", re.MULTILINE)
_DOUBLE = re.compile(r'(?:^|[,;\t|]) *"', re.MULTILINE)
_ESCAPED = re.compile(r'\\"(?!\s*(?:[,;\t|]|$))', re.MULTILINE)
_END = "\x01\x02\x01"
"""A line that no file has: it comes out alone unless a quotation mark before it was never closed."""


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    delimiter: str
    quote: str | None
    """None where quotation marks mean nothing."""

    @property
    def options(self) -> dict[str, Any]:
        """For the module's readers."""
        quotes = {"quotechar": self.quote} if self.quote else {"quoting": csv.QUOTE_NONE}
        return {"delimiter": self.delimiter, "skipinitialspace": True, **quotes}

    def read(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The rows, blank ones left out."""
        for row in csv.reader(lines, **self.options):
            if len(row) == 1 and self.delimiter in row[0] and self.quote:
                # A whole line in quotes, as spreadsheets leave one that they did not take apart.
                row = next(csv.reader([row[0]], delimiter=self.delimiter, skipinitialspace=True))
            if self.quote is None:
                row = [cell.strip().strip('"') for cell in row]
            if self.delimiter == " " and row and not row[-1]:
                row.pop()
            if any(cell and not cell.isspace() for cell in row):
                yield row[:_WIDEST]


def records(text: str, names: PictureNames) -> Records:
    """Of a text with `\\n` at its lines' ends. The first row that is neither title nor comment names the fields."""
    remarks: list[str] = []
    declared = _SEP.match(text)
    if declared:
        text = text[declared.end() :]
    if '\\"' in text:
        text = _ESCAPED.sub('""', text)
    dialect = _dialect(text, names, declared[1] if declared else None)
    if dialect.quote and _is_left_open(text, dialect):
        remarks.append("one of its quotation marks is never closed, so that they all were taken as they stand")
        dialect = _Dialect(delimiter=dialect.delimiter, quote=None)

    def rows() -> Iterator[list[str]]:
        return dialect.read(io.StringIO(text, newline="\n"))

    sample = list(islice(rows(), _SAMPLE_ROWS))
    start, heads = _heads(sample, names)
    return Records(
        heads=heads,
        rows=lambda: islice(rows(), start, None),
        may_lack_heads=True,
        decimal_comma=dialect.delimiter == ";",
        remarks=remarks,
    )


def _dialect(text: str, names: PictureNames, declared: str | None) -> _Dialect:
    """The delimiter by which most rows have the same number of cells, names of files standing alone in one of them."""
    sample = text[:_SAMPLE_TEXT]
    quote = "'" if _SINGLE.search(sample) and not _DOUBLE.search(sample) else '"'
    if declared:
        return _Dialect(delimiter=declared, quote=quote)
    best, score = None, (False, 0.0, 0)
    for delimiter in _DELIMITERS:
        dialect = _Dialect(delimiter=delimiter, quote=quote)
        rows = list(islice(dialect.read(io.StringIO(sample, newline="\n")), _SAMPLE_ROWS))
        rows = [row for row in rows if not row[0].startswith("#")]
        width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        if max(map(len, rows), default=1) < 2:
            continue
        width = max(width, 2)
        count = sum(len(row) == width for row in rows)
        named = sum(any(looks_like_file(cell) or names.find(cell) for cell in row) for row in rows)
        this = (2 * named >= len(rows), count / len(rows), width)
        if this > score:
            best, score = dialect, this
    return best or _Dialect(delimiter=" ", quote=quote)


def _is_left_open(text: str, dialect: _Dialect) -> bool:
    lines = chain(io.StringIO(text, newline="\n"), ["\n", _END])
    (last,) = deque(csv.reader(lines, **dialect.options), maxlen=1)
    return last != [_END]


def _heads(sample: list[list[str]], names: PictureNames) -> tuple[int, list[str]]:
    """How many rows come before the first that is of a picture, and what the columns are called."""
    at, comment = 0, None
    while at < len(sample) and sample[at][0].startswith("#"):
        comment = sample[at]
        at += 1
    while at + 1 < len(sample) and _is_title(sample[at], sample[at + 1], names):
        at += 1
    if at >= len(sample):  # nothing but comments: perhaps the names begin like that
        at, comment = 0, None
    body = sample[at:]
    if not body:
        return 0, []
    is_row = any(looks_like_file(cell) or names.find(cell) for cell in body[0])
    if comment and len(comment) == len(body[0]) > 1 and is_row:
        return at, [comment[0].lstrip("# "), *comment[1:]]
    heads = body[0]
    widths = {len(row) for row in body[1:]}
    if widths == {len(heads) + 1} and all(row[-1] for row in body[1:]):
        heads = ["", *heads]  # R does not name the column of its rows' names
    return at + 1, heads


def _is_title(row: list[str], following: list[str], names: PictureNames) -> bool:
    """Whether a line is a title above the table: one cell, where the next has several."""
    filled = [cell for cell in row if cell.strip()]
    return (
        len(filled) == 1
        and filled[0] == row[0]
        and sum(bool(cell.strip()) for cell in following) > 1
        and not (looks_like_file(row[0]) or names.find(row[0]))
    )
