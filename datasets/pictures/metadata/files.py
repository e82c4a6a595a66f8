"""A file that says something of pictures → a table: CSV, JSON, JSON Lines, CelebA's attributes and identities.

Nothing in such a file fails an upload: what cannot be used is told in remarks.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from datasets.pictures.zip_archive import Archive, MemberError

from . import csv_reader, json_reader, matching
from .fields import table
from .matching import Matched, PrecisionChoice
from .picture_names import PictureNames
from .records import Records
from .table import Table, empty
from .text import decoded

logger = logging.getLogger(__name__)

LARGEST = 16 * 2**20
"""Bytes of such a file in an upload."""
_ROWS = 500_000
"""Of such a file in an upload, of 1000 pictures at most."""
_FIRST = 3
"""Names that a remark gives as examples."""
_IDENTITY = re.compile(r"[^\s,;]+\.[A-Za-z]+ +[0-9]+\s*(\n|$)")


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a file says of pictures, and how it went."""

    file: str
    table: Table
    rows: int = 0
    """That have a name."""
    pictures: int = 0
    """That one of them names."""
    unmatched: int = 0
    """Rows that name no picture."""
    unmatched_names: list[str] = field(default_factory=list)
    """The first of them."""
    remarks: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """In short, for the interface."""
        return {
            "file": self.file,
            "fields": len(self.table.columns),
            "rows": self.rows,
            "pictures": self.pictures,
            "unmatched": self.unmatched,
            "unmatched_names": self.unmatched_names,
            "remarks": self.remarks,
        }


def read(
    data: bytes,
    file: str,
    names: Sequence[str],
    *,
    others: Sequence[str] = (),
    are_named: bool = True,
    most: int | None = None,
) -> Described:
    """A file of any of the kinds, told by its content, for these pictures in their order.

    Rows are of the pictures that they name; those of `others`, files that were left out, are no fault. Only pictures of
    a catalogue without names (`are_named` false) take as many rows in their order. Of a file with more than `most` rows
    the first ones are read. Raises `ValueError` with a reason where that cannot be.
    """
    known = PictureNames(names)
    text, remarks = decoded(data, names)
    records, choice = _best((_shortened(form, most) for form in _forms(text, file, known)), known)
    if records is None:
        raise ValueError("it says nothing of any picture")
    remarks += records.remarks
    if most and sum(1 for _ in islice(records.rows(), most)) == most:
        remarks.append(f"only its first {most:,} rows were read")
    if not are_named:
        choice = matching.fallback(records)
        matched = matching.in_order(records, choice, len(names))
    elif choice is None:
        return _unmatched(file, records, len(names), remarks)
    else:
        matched = matching.assign(records, choice, known, PictureNames(others))
    made, cut = table(records, choice, matched.found)
    if not made.columns:
        raise ValueError("it says nothing of any picture")
    return Described(
        file=file,
        table=made,
        rows=matched.rows,
        pictures=matched.pictures,
        unmatched=matched.unmatched,
        unmatched_names=matched.unmatched_names,
        remarks=[*remarks, *matched.remarks, *_missing(matched), *cut],
    )


def of_archive(archive: Archive, pictures: Sequence[str]) -> Described | None:
    """What an archive says of its pictures; None where it says nothing. Every failure is a remark."""
    file = archive.metadata
    if file is None:
        return None
    try:
        if archive.size(file) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 2**20} MiB")
        others = sorted(set(archive.names) - set(pictures))
        return read(archive.read(file), file, pictures, others=others, most=_ROWS)
    except (MemberError, ValueError, RecursionError) as error:
        reason = str(error)
    except Exception as error:  # whatever parsers make of strange content, the pictures are worth more
        logger.exception("metadata of an upload")
        reason = f"it cannot be read ({type(error).__name__})"
    return unused(file, len(pictures), reason)


def unused(file: str, total: int, reason: str) -> Described:
    """Of a file that says nothing of so many pictures, or cannot be read."""
    reason = " ".join(reason.split())[:200]
    return Described(file=file, table=empty(total), remarks=[f"it was not used: {reason}"])


def _forms(text: str, file: str, names: PictureNames) -> Iterator[Records]:
    """The ways in which a text can be taken. Raises `ValueError`."""
    ending = file.lower().rpartition(".")[2]
    if ending in {"json", "jsonl", "ndjson"} or text.lstrip()[:1] in {"{", "["}:
        try:
            yield from json_reader.interpretations(text, by_line=ending in {"jsonl", "ndjson"})
            return
        except ValueError:
            if ending in {"json", "jsonl", "ndjson"}:
                raise
    if _is_celeba(text):
        yield _celeba(text)
    elif _IDENTITY.match(text):
        lines = [line for line in text.splitlines() if line.strip()]
        yield Records(heads=["file", "identity"], names=0, rows=lambda: (line.split() for line in lines))
    else:
        yield csv_reader.records(text, names)


def _shortened(records: Records, most: int | None) -> Records:
    return replace(records, rows=lambda: islice(records.rows(), most)) if most else records


def _best(forms: Iterator[Records], names: PictureNames) -> tuple[Records | None, PrecisionChoice | None]:
    """The form whose names are most pictures', and where they stand; the first one where they are none's."""
    first: Records | None = None
    best: tuple[Records | None, PrecisionChoice | None] = None, None
    for records in forms:
        first = first or records
        choice = matching.choose(records, names)
        if choice and (best[1] is None or choice.score > best[1].score):
            best = records, choice
    return best if best[1] else (first, None)


def _unmatched(file: str, records: Records, total: int, remarks: list[str]) -> Described:
    choice = matching.fallback(records)
    matched = matching.assign(records, choice, PictureNames([]), PictureNames([]))
    if not matched.rows:
        raise ValueError("it says nothing of any picture")
    reason = f"it was not used: not one of its {matched.rows} rows names a picture{_examples(matched)}"
    return Described(
        file=file,
        table=empty(total),
        rows=matched.rows,
        unmatched=matched.unmatched,
        unmatched_names=matched.unmatched_names,
        remarks=[*remarks, reason],
    )


def _missing(matched: Matched) -> Iterator[str]:
    total = len(matched.found)
    if matched.pictures < total:
        yield f"{total - matched.pictures} of {total} pictures are not in it"
    if matched.of_others:
        yield f"{matched.of_others} of its rows name files of the ZIP that are not among these pictures"
    if matched.unmatched:
        yield f"{matched.unmatched} of its rows name no picture{_examples(matched)}"


def _examples(matched: Matched) -> str:
    names = matched.unmatched_names[:_FIRST]
    more = ", …" if matched.unmatched > len(names) else ""
    return f" ({', '.join(names)}{more})" if names else ""


def _is_celeba(text: str) -> bool:
    """CelebA's attribute file: a count, names, then a row of ±1 a picture."""
    lines = text[:10_000].splitlines()
    return len(lines) > 2 and lines[0].strip().isdecimal() and set(lines[2].split()[1:]) <= {"1", "-1"}


def _celeba(text: str) -> Records:
    lines = text.splitlines()
    heads = ["file", *lines[1].split()]

    def rows() -> Iterator[list[Any]]:
        for line in lines[2:]:
            name, *marks = line.split() or [""]
            if len(marks) == len(heads) - 1:
                yield [name, *({"1": True, "-1": False}.get(mark) for mark in marks)]

    lost = int(lines[0]) - sum(1 for _ in rows())
    remarks = [f"it announces {lost} rows more than it has"] if lost > 0 else []
    return Records(heads=heads, names=0, rows=rows, remarks=remarks)
