"""Rows by picture → columns with names and types of their own, and remarks on what was cut."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from datasets.pictures.storable import storable

from .columns import Column, column
from .matching import PrecisionChoice
from .records import KEY, Records
from .table import Table

_FIELDS = 200
"""At most so many."""
_TEXT = 1_000_000
"""Characters of a value: half a novel. All of an upload.s are 16 MiB at most."""
_HEAD = 200
"""Characters of a field's name."""
_NOTHING = {"NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "Null", "null", "None", "NaN", "nan", "-nan", "-NaN"}
"""What pandas takes for no value, letter by letter: `na` is a word in Polish."""
_COUNTER = re.compile(rf"|Unnamed: 0|{re.escape(KEY)}")


def table(records: Records, choice: PrecisionChoice, found: Sequence[Sequence[Any] | None]) -> tuple[Table, list[str]]:
    """A field for each column but the one with the names. `found` has a picture's cells, or None."""
    remarks: list[str] = []
    width = max([len(records.heads), *(len(row) for row in found if row is not None)], default=0)
    heads = [*(records.heads if choice.has_heads else ()), *[""] * width][:width]
    parts: list[tuple[int, str, list[Any]]] = []
    left_out = False
    for position, head in enumerate(heads):
        if position == choice.column:
            continue
        cut: list[int] = []
        values = [None if row is None or position >= len(row) else _value(row[position], cut) for row in found]
        name = _plain(head)
        if not name and all(value is None for value in values):
            continue  # a delimiter at the lines' ends
        if position == 0 and choice.has_heads and _COUNTER.fullmatch(name) and _counts(values):
            continue  # the rows' own numbers, as pandas writes them
        name = name.strip("()") if name == KEY else name
        if len(parts) == _FIELDS:
            left_out = True
            break
        if len(name) > _HEAD:
            name = name[:_HEAD]
            remarks.append(f"the name of its field “{name[:40]}…” was cut at {_HEAD} characters")
        if cut:
            remarks.append(f"{len(cut)} values of “{name[:40]}” were cut at {_TEXT:,} characters")
        parts.append((position, name, values))
    if left_out:
        remarks.append(f"only its first {_FIELDS} fields were taken")
    names = _distinct([(position, name) for position, name, _ in parts])
    columns: dict[str, Column] = {
        name: column(name, values, decimal_comma=records.decimal_comma)
        for name, (_, _, values) in zip(names, parts, strict=True)
    }
    return Table(columns=columns, total=len(found)), remarks


def _value(cell: Any, cut: list[int]) -> Any:
    """What a cell says; None where it says nothing. Notes the length of what is cut."""
    if not isinstance(cell, str):
        return None if isinstance(cell, float) and cell != cell else cell
    text = cell.strip()
    if not text or text in _NOTHING:
        return None
    if len(text) > _TEXT:
        cut.append(len(text))
        text = text[:_TEXT]
    return storable(text)


def _counts(values: Sequence[Any]) -> bool:
    """Whether they are different whole numbers."""
    try:
        numbers = sorted(int(value) for value in values if value is not None)
    except (TypeError, ValueError):
        return False
    return len(numbers) > 0 and all(after > before for before, after in pairwise(numbers)) and numbers[0] >= 0


def _plain(head: str) -> str:
    return storable(" ".join(head.split()))


def _distinct(parts: Sequence[tuple[int, str]]) -> list[str]:
    """Every field has a name, and no two have the same: `x`, `x_2`; `column_4` where there is none in the fourth."""
    seen: dict[str, int] = {}
    names = []
    for position, name in parts:
        plain = name or f"column_{position + 1}"
        while plain in seen:
            seen[plain] += 1
            plain = f"{plain}_{seen[plain]}"
        seen[plain] = 1
        names.append(plain)
    return names
