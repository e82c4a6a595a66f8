"""Rows of the projector → the pictures of the ZIP that they name, and what each row's picture is called."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from datasets.pictures.metadata.matching import OF_NAMES
from datasets.pictures.metadata.picture_names import PictureNames, looks_like_file, plain_path
from datasets.pictures.zip_layout import named_as_picture, unlike

from .labels import Labels

_ENDING = ".png"
"""Of a picture whose name has none: cells are PNG files."""
_LONGEST = 200
"""Characters of a name."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]+")


@dataclass(frozen=True, kw_only=True)
class Named:
    """What each row's picture is called, and where it lies."""

    names: list[str]
    """All different, with the endings of pictures."""
    pictures: list[str | None]
    """Paths in the ZIP; None where it has no such picture."""
    column: int | None
    """Of the metadata, whose cells are those names and say nothing else."""


def named(labels: Labels | None, count: int, pictures: Sequence[str]) -> Named:
    """By the column that names pictures of the ZIP or is called and filled as one of names is; else by row number.

    `pictures` are paths in the ZIP.
    """
    known = PictureNames([_base(path) for path in pictures])
    column = _column(labels, known) if labels else None
    cells = labels.column(column) if labels and column is not None else [""] * count
    digits = len(str(max(count - 1, 0)))
    names: dict[str, str] = {}
    """What was taken → the cell that it was made of."""
    found: list[str | None] = []
    taken: set[str] = set()
    for row, cell in enumerate(cells):
        match = known.find(cell) if cell else None
        path = pictures[match[0]] if match and pictures[match[0]] not in taken else None
        found.append(path)
        if path is not None:
            taken.add(path)
        name = _file_name(_base(path) if path else cell) or f"{row:0{digits}d}{_ENDING}"
        names[unlike(name, names)] = cell
    said = all(
        path or _base(cell) in (name, name.removesuffix(_ENDING))
        for path, (name, cell) in zip(found, names.items(), strict=True)
    )
    return Named(names=list(names), pictures=found, column=column if said else None)


def _column(labels: Labels, known: PictureNames) -> int | None:
    """The best one, if any is good: of names of pictures or files, or of different words under a name's head."""
    best, score = None, (0, 0, False)
    for number, head in enumerate(labels.heads):
        cells = [cell for cell in labels.column(number) if cell]
        if not cells or 2 * len(cells) < len(labels.rows):
            continue
        files = sum(map(looks_like_file, cells))
        matched = len({match[0] for cell in cells if (match := known.find(cell))})
        are_distinct = len(set(cells)) == len(labels.rows)
        if not are_distinct and 2 * files < len(cells):
            continue
        is_called_so = bool(OF_NAMES.fullmatch(head.strip().casefold())) or len(labels.heads) == 1
        has_words = not all(cell.strip().isdecimal() for cell in cells)
        this = (matched, files, is_called_so and are_distinct and has_words)
        if this > score:
            best, score = number, this
    return best


def _file_name(text: str) -> str:
    """A file's name as near to a text as can be; empty where nothing is left."""
    plain = _UNPRINTABLE.sub("", unicodedata.normalize("NFC", text))
    plain = _base(plain) if looks_like_file(plain) else plain.replace("/", "_").replace("\\", "_")
    plain = plain.strip().lstrip(".")
    if not plain:
        return ""
    if named_as_picture(plain):
        stem, _, ending = plain.rpartition(".")
        return f"{stem[:_LONGEST]}.{ending}" if stem else f"{ending}{_ENDING}"
    return plain[:_LONGEST] + _ENDING


def _base(path: str) -> str:
    return plain_path(path).rstrip("/").rpartition("/")[2]
