"""Rows of metadata → the picture that each is of: by its name, or not at all."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from .picture_names import STEM, PictureNames, folded, looks_like_file, plain_path
from .records import KEY, Records

_OF_FILES = re.compile(
    r"(file|image|img|picture|photo|bild|datei|plik|obraz|zdj[eę]cie)s?([ _-]?(name|path|file|url|uri|nazwa|id))?s?"
    r"|path|nazwa pliku|fichier|archivo"
)
"""What a column of files' names is called."""
OF_NAMES = re.compile(rf"{_OF_FILES.pattern}|id|names?|nazwa|key|stem|url|uri|{re.escape(KEY)}")
"""What one is called that may hold them."""
_BLANK = re.compile(r"|index|unnamed: [0-9]+")
"""What a column that counts its rows is called."""
_LISTED = 10
"""Names of rows without a picture that are told."""
_COLUMNS, _VALUES = 2000, 200
"""That are looked at for names, and of each so many values."""
_SAMPLE = 1000
"""Rows by which the column is told of which no name is known."""
_SURE_AFTER = 5000
"""Rows after which a column whose names are known in every second row is taken without reading on."""


@dataclass(frozen=True, kw_only=True)
class PrecisionChoice:
    """The column that holds the names."""

    column: int
    score: int
    """How well its cells are pictures' names."""
    has_heads: bool
    """Whether the first line says what the columns are called."""


@dataclass(kw_only=True)
class Matched:
    """Rows by picture, and those that are of none."""

    found: list[Sequence[Any] | None]
    """For each picture its row's cells."""
    rows: int = 0
    unmatched: int = 0
    unmatched_names: list[str] = field(default_factory=list)
    """The first of them."""
    of_others: int = 0
    """Rows of files that are known and are not among the pictures."""
    remarks: list[str] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """That have a row."""
        return sum(row is not None for row in self.found)


@dataclass
class _Seen:
    """What was seen of one column."""

    filled: int = 0
    looks: int = 0
    """Cells that are called as picture files are."""
    full: set[int] = field(default_factory=set)
    """Pictures named with their endings."""
    stems: set[int] = field(default_factory=set)
    hits: int = 0
    values: set[str] = field(default_factory=set)
    """The first different ones."""


def choose(records: Records, names: PictureNames) -> PrecisionChoice | None:
    """The column that names pictures of these, whatever its place or heading; None where there is none.

    A column of words may happen to be called as pictures are, `cat` of `cat.png`: where another column plainly holds
    files' names, it is that one or none.
    """
    rows, seen = _look(records, names)
    heads = [head.strip().casefold() for head in records.heads] + [""] * len(seen)
    # A column that names another picture of some rows, such as `copy_of`, is not what is looked for.
    columns = [k for k in range(len(seen)) if 2 * seen[k].filled >= max(rows, 1)]
    columns = columns if records.names is None else [records.names][: len(seen)]
    if files := [k for k in columns if 2 * seen[k].looks >= seen[k].filled]:
        named = [k for k in files if seen[k].hits]
        if not named and any(not heads[k] or _OF_FILES.fullmatch(heads[k]) or looks_like_file(heads[k]) for k in files):
            return None
        columns = named or [k for k in columns if OF_NAMES.fullmatch(heads[k])]
    elif plain := [k for k in columns if _OF_FILES.fullmatch(heads[k]) and _are_distinct(seen[k])]:
        columns = plain
    good = [k for k in columns if _is_trusted(seen[k], heads[k], names)]
    if not good:
        return None

    def score(k: int) -> tuple[int, bool, int]:
        return 10 * len(seen[k].full) + len(seen[k].stems), bool(OF_NAMES.fullmatch(heads[k])), -k

    best = max(good, key=score)
    return PrecisionChoice(column=best, score=score(best)[0], has_heads=not _is_row(records, best, heads[best], names))


def assign(records: Records, choice: PrecisionChoice, names: PictureNames, others: PictureNames) -> Matched:
    """Give every picture its row; rows of `others` are counted apart.

    Of two rows for one picture, that counts which is called more like it, else the later one; none where two other
    names could both mean it.
    """
    by_picture: dict[int, tuple[int, str, Sequence[Any]]] = {}
    twice, unclear, surplus, ragged, nameless = 0, set[int](), list[str](), 0, 0
    matched = Matched(found=[None] * len(names.names))

    def leave(name: str) -> None:
        matched.unmatched += 1
        if len(surplus) < _LISTED:
            surplus.append(name[:200])

    for row in _rows(records, choice):
        cell = row[choice.column] if choice.column < len(row) else None
        if cell is None or str(cell).strip() == "":
            nameless += any(value is not None and str(value).strip() for value in row)
            continue
        found = names.find(cell)
        if found is None and str(row[0]).startswith("#") and len(row) < len(records.heads):
            continue  # a comment
        matched.rows += 1
        ragged += _is_ragged(row, len(records.heads))
        name = str(cell).strip()
        other = others.find(cell)
        if other is not None and (found is None or other[1] < found[1]):
            matched.of_others += 1
            continue
        if found is None:
            leave(name)
            continue
        picture, level = found
        before = by_picture.get(picture)
        if before is None or level < before[0]:
            if before is not None:
                leave(before[1])
            unclear.discard(picture)
            by_picture[picture] = level, name, row
        elif level > before[0]:
            leave(name)
        else:
            same = folded(plain_path(before[1])) == folded(plain_path(name))
            twice += same
            if not same:
                unclear.add(picture)
            by_picture[picture] = level, name, row
    for picture, (_, _, row) in by_picture.items():
        if picture not in unclear:
            matched.found[picture] = row
    matched.unmatched_names = surplus
    for picture in sorted(unclear):
        leave(by_picture[picture][1])
    if nameless:
        matched.remarks.append(f"{nameless} of its rows have no name")
    if ragged:
        matched.remarks.append(f"{ragged} of its rows have more or fewer cells than its first row")
    if twice:
        matched.remarks.append(f"{twice} of its rows name a picture that a later row names again; the last one counts")
    if unclear:
        first = ", ".join(names.names[picture] for picture in sorted(unclear)[:3])
        matched.remarks.append(f"{len(unclear)} pictures could be meant by several of its rows and got none ({first})")
    return matched


def fallback(records: Records) -> PrecisionChoice:
    """Where the names are if they are no known pictures': what looks like files, or is called so, or comes first."""
    nobody = PictureNames([])
    _, seen = _look(records, nobody, _SAMPLE)
    heads = [head.strip().casefold() for head in records.heads] + [""] * len(seen)
    columns = range(len(seen))
    looking = max(columns, key=lambda k: seen[k].looks, default=0)
    called = next((k for k in columns if OF_NAMES.fullmatch(heads[k])), 0)
    column = records.names
    if column is None:
        column = looking if seen and seen[looking].looks else called
    has_heads = not _is_row(records, column, heads[column] if heads else "", nobody)
    return PrecisionChoice(column=column, score=0, has_heads=has_heads)


def in_order(records: Records, choice: PrecisionChoice, count: int) -> Matched:
    """The rows as they come, for pictures without names. Raises `ValueError` where there are not as many, or where
    their own names are in another order."""
    rows = list(_rows(records, choice))
    if len(rows) != count:
        raise ValueError(
            f"the catalogue's {count:,} pictures have no names, so that rows are taken in their order, and it has "
            f"{len(rows):,} rows"
        )
    called = [str(row[choice.column]) for row in rows if choice.column < len(row)]
    if called != sorted(called) and called != sorted(called, key=_natural):
        raise ValueError(
            "the catalogue's pictures have no names, so that rows are taken in their order, and its names are in no "
            "order: sort its rows by name"
        )
    remark = "the catalogue has no names, so that its rows were taken in their order"
    return Matched(found=list(rows), rows=count, remarks=[remark])


def _look(records: Records, names: PictureNames, most: int | None = None) -> tuple[int, list[_Seen]]:
    """How many rows there are, or were looked at, and what was seen of each column."""
    seen: list[_Seen] = []
    first = [records.heads] if records.may_lack_heads else []
    rows = 0
    for number, row in enumerate(islice(chain(first, records.rows()), most)):
        while len(seen) < min(len(row), _COLUMNS):
            seen.append(_Seen())
        is_head = bool(first) and number == 0
        rows += not is_head and any(cell not in (None, "") for cell in row)
        for column, cell in zip(seen, row, strict=False):
            if cell is None or cell == "":
                continue
            found, looks = names.find(cell), looks_like_file(cell)
            if is_head and not (found or looks):
                continue
            column.filled += 1
            column.looks += looks
            if len(column.values) < _VALUES:
                column.values.add(str(cell)[:100])
            if found is not None:
                column.hits += 1
                (column.stems if found[1] == STEM else column.full).add(found[0])
        if number % _SURE_AFTER == _SURE_AFTER - 1 and any(2 * len(column.full) > number for column in seen):
            break
    return rows, seen


def _are_distinct(seen: _Seen) -> bool:
    return 2 * len(seen.values) > min(seen.filled, _VALUES)


def _is_trusted(seen: _Seen, head: str, names: PictureNames) -> bool:
    """Whether names are what a column is for: words that happen to be some pictures' without their endings, or the
    rows' own numbers, are not enough."""
    if seen.full:
        return True
    if _BLANK.fullmatch(head) and all(value.isdecimal() for value in seen.values):
        return False
    most = max(1, min(seen.filled, len(names.names)))
    is_called_so = bool(OF_NAMES.fullmatch(head))
    return bool(seen.stems) and 2 * len(seen.stems) >= seen.hits and (is_called_so or 2 * len(seen.stems) >= most)


def _is_row(records: Records, column: int, head: str, names: PictureNames) -> bool:
    """Whether the first line is of a picture, like the others."""
    if not records.may_lack_heads or column >= len(records.heads):
        return False
    cell = records.heads[column]
    found = names.find(cell)
    if looks_like_file(cell) or found is not None and found[1] != STEM:
        return True
    return found is not None and not OF_NAMES.fullmatch(head)


def _rows(records: Records, choice: PrecisionChoice) -> Iterator[Sequence[Any]]:
    rows: Iterable[Sequence[Any]] = records.rows()
    return iter(rows) if choice.has_heads else chain([records.heads], rows)


def _is_ragged(row: Sequence[Any], width: int) -> bool:
    """Whether a row has another number of cells, but for empty ones at its end."""
    return len(row) < width or any(value not in (None, "") for value in row[width:])


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts 2.jpg before 10.jpg."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"([0-9]+)", name)]
