"""A file that says something of pictures → a table: CSV, JSON, CelebA's attributes and identities.

Nothing in such a file fails an upload: what cannot be used is told in remarks.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .archive import Archive, MemberError
from .metadata import Column, Table, column, empty

LARGEST = 16 * 2**20
"""Bytes of such a file in an upload."""
_FIELDS, _TEXT = 200, 500
"""At most so many fields, and so many characters of a value."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a file says, before it is known which pictures there are."""

    fields: list[str]
    rows: dict[str, list[Any]]
    """Values by file name, without folders; None where there is none."""
    remarks: list[str] = field(default_factory=list)

    def table(self, names: Sequence[str]) -> tuple[Table, list[str]]:
        """For these pictures, in their order, and what there is to remark.

        Where not one name is known but there are as many rows as pictures, the rows are taken in their order: that is
        how an old server's catalogue, which has no names, gets CelebA's attributes.
        """
        remarks = list(self.remarks)
        by_case = {name.casefold(): name for name in self.rows}
        found = [self.rows.get(name, self.rows.get(by_case.get(name.casefold(), ""))) for name in names]
        matched = sum(row is not None for row in found)
        if not matched and len(self.rows) == len(names) and names:
            remarks.append("its names are not those of the pictures, so its rows were taken in their order")
            found = list(self.rows.values())
        elif matched < len(names):
            remarks.append(f"{len(names) - matched} of {len(names)} pictures are not in it")
        if (extra := len(self.rows) - matched) > 0 and matched:
            remarks.append(f"{extra} of its rows name no picture")
        columns: dict[str, Column] = {}
        for index, name in enumerate(self.fields):
            columns[name] = column(name, [None if row is None else row[index] for row in found])
        return Table(columns=columns, total=len(names)), remarks


def read(data: bytes, name: str) -> Read:
    """A file of any of the kinds, told by its name and content. Raises `ValueError` with a reason."""
    text, remarks = _decoded(data)
    if name.lower().endswith(".json"):
        fields, rows = _json(text, remarks)
    elif _is_celeba(text):
        fields, rows = _celeba(text, remarks)
    elif re.match(r"[^\s,;]+\.[A-Za-z]+ +[0-9]+\s*$", text[:200].splitlines()[0] if text else ""):
        fields, rows = ["identity"], {line.split()[0]: [line.split()[1]] for line in text.splitlines() if line.strip()}
    else:
        fields, rows = _csv(text, remarks)
    if not fields or not rows:
        raise ValueError("it says nothing of any picture")
    if len(fields) > _FIELDS:
        remarks.append(f"only its first {_FIELDS} fields of {len(fields)} were taken")
        fields, rows = fields[:_FIELDS], {name: row[:_FIELDS] for name, row in rows.items()}
    return Read(fields=fields, rows=rows, remarks=remarks)


def of_archive(archive: Archive, pictures: Sequence[str]) -> tuple[Table, list[str]]:
    """What an archive says of its pictures, and remarks: every failure is one."""
    name = archive.metadata
    if name is None:
        return empty(len(pictures)), []
    try:
        if archive.size(name) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 2**20} MiB")
        return read(archive.read(name), name).table(pictures)
    except (MemberError, ValueError, csv.Error, RecursionError) as error:
        return empty(len(pictures)), [f"it was not used: {' '.join(str(error).split())[:200]}"]


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), ["it is not UTF-8, so letters beyond ASCII may be wrong"]


def _csv(text: str, remarks: list[str]) -> tuple[list[str], dict[str, list[Any]]]:
    """The first row names the fields, the first column the files."""
    lines = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=_delimiter(text))
    header = next((line for line in lines if any(cell.strip() for cell in line)), [])
    fields = _distinct(header[1:])
    rows: dict[str, list[Any]] = {}
    ragged = 0
    for line in lines:
        if not line or not line[0].strip():
            continue
        cells: list[Any] = [cell.strip()[:_TEXT] or None for cell in line[1:]]
        ragged += len(cells) != len(fields)
        rows[_base(line[0])] = (cells + [None] * len(fields))[: len(fields)]
    if ragged:
        remarks.append(f"{ragged} of its rows have more or fewer cells than its first row")
    return fields, rows


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _json(text: str, remarks: list[str]) -> tuple[list[str], dict[str, list[Any]]]:
    """`{"a.jpg": {"field": value}}`, or a list of objects whose first value is the file's name."""
    data = json.loads(text)
    pairs = list(_named(data))
    fields = _distinct(list(dict.fromkeys(str(key) for _, values in pairs for key in values)))
    keys = list(dict.fromkeys(key for _, values in pairs for key in values))
    skipped = len(data) - len(pairs)
    if skipped:
        remarks.append(f"{skipped} of its entries are no objects with a file's name")
    return fields, {_base(name): [_plain(values.get(key)) for key in keys] for name, values in pairs}


def _named(data: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(data, dict):
        yield from ((name, values) for name, values in data.items() if isinstance(values, dict))
    elif isinstance(data, list):
        for entry in data:
            if isinstance(entry, dict) and entry:
                first, *others = entry.items()
                if isinstance(first[1], str):
                    yield first[1], dict(others)
    else:
        raise ValueError("it is neither an object nor a list")


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, str):
        return value.strip()[:_TEXT] or None
    return value if value is None or isinstance(value, bool | int | float) else json.dumps(value)[:_TEXT]


def _is_celeba(text: str) -> bool:
    """CelebA's attribute file: a count, names, then a row of ±1 a picture."""
    lines = text[:10_000].splitlines()
    return len(lines) > 2 and lines[0].strip().isdecimal() and set(lines[2].split()[1:]) <= {"1", "-1"}


def _celeba(text: str, remarks: list[str]) -> tuple[list[str], dict[str, list[Any]]]:
    lines = text.splitlines()
    fields = _distinct(lines[1].split())
    rows: dict[str, list[Any]] = {}
    for line in lines[2:]:
        name, *marks = line.split() or [""]
        if len(marks) == len(fields):
            rows[_base(name)] = [{"1": True, "-1": False}.get(mark) for mark in marks]
    if (lost := int(lines[0]) - len(rows)) > 0:
        remarks.append(f"it announces {lost} rows more than it has")
    return fields, rows


def _distinct(names: Sequence[str]) -> list[str]:
    """Every field has a name, and no two have the same."""
    seen: dict[str, int] = {}
    told = []
    for index, name in enumerate(names):
        plain = " ".join(name.split())[:100] or f"column_{index + 2}"
        while plain in seen:
            seen[plain] += 1
            plain = f"{plain}_{seen[plain]}"
        seen[plain] = 1
        told.append(plain)
    return told


def _base(name: str) -> str:
    return name.strip().replace("\\", "/").rpartition("/")[2]
