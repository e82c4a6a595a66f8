"""What became of each file of an archive: a row, perhaps with a remark, or none, and why."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets.collection.report import copies, copy_remark, entry_without_row, of_metadata, row_entry, summed
from datasets.collection.similarity import Pair
from datasets.models import Dataset
from datasets.pictures import quality
from datasets.pictures.metadata.files import Described
from datasets.pictures.zip_archive import Archive, Skipped

from .range_extraction import Extracted
from .selection import Intake
from .selection import remarks as about


@dataclass(frozen=True, kw_only=True)
class Before:
    """The pictures of another dataset that an upload's are added to: none, if it is not said."""

    count: int = 0
    names: Callable[[Sequence[int]], list[str]] = field(default=lambda rows: [])
    equal: Mapping[int, int] = field(default_factory=dict)
    """Which of the upload's pictures are the same files as rows that were there, and as which."""
    outside: Sequence[int] = ()
    """Which of the upload's pictures are far from all that was there."""


def reported(
    archive: Archive,
    pictures: Extracted,
    described: Described | None,
    intake: Intake,
    near: list[Pair],
    before: Before | None = None,
) -> dict[str, Any]:
    """The report of an upload that has just been read; with how its metadata was matched, if it has any.

    `near` are pairs of pictures that are nearly the same; `before` is what its pictures are added to.
    """
    before = before or Before()
    remarks = [quality.remarks(facts) for facts in pictures.facts]
    for row in before.outside:
        remarks[row].insert(0, {"kind": "outside", "of": None, "reason": "it is far from all that was there before"})
    _name_copies(remarks, pictures, near, before)
    files = [row_entry(before.count + k, name, remarks[k]) for k, name in enumerate(pictures.names)]
    files += [
        entry_without_row(skipped) for skipped in pictures.skipped + archive.replaced + archive.lost + archive.left
    ]
    no_pictures = [Skipped(name=name, reason="it is no picture", kind="passed_over") for name in pictures.ignored]
    reason = f"only the first {intake['limit']} pictures are taken"
    first = intake["first"]
    beyond = [Skipped(name=name, reason=reason, kind="beyond") for name in archive.names[first + pictures.taken :]]
    reason = "it belongs to the upload that has the pictures before these"
    beyond += [Skipped(name=name, reason=reason, kind="beyond") for name in archive.names[:first]]
    files += [entry_without_row(skipped) for skipped in no_pictures + beyond]
    matched = described.summary() if described else None
    if matched:
        files.append(of_metadata(matched))
    if archive.vectors:
        reason = "its vectors take the place of the network's"
        files.append(entry_without_row(Skipped(name=archive.vectors, reason=reason, kind="vectors")))
    unlisted = {"passed_over": archive.ignored - len(archive.left)}
    return summed(files, unlisted, about(intake, len(pictures.names)), matched)


def write_report(dataset: Dataset, report: dict[str, Any]) -> None:
    """Store it; the row is saved by whoever finishes the step."""
    dataset.store("report", json.dumps(report).encode())


def of_names(names: list[str], skipped: list[dict[str, Any]], ignored: int, intake: Intake) -> dict[str, Any]:
    """What is known of an upload that was computed before there were reports."""
    files = [row_entry(index, name, []) for index, name in enumerate(names)]
    files += [entry_without_row(Skipped(name=entry["name"], reason=entry["reason"])) for entry in skipped]
    return summed(files, {"passed_over": ignored}, about(intake, len(names)))


def _name_copies(
    remarks: list[list[dict[str, Any]]], pictures: Extracted, near: Sequence[Pair], before: Before
) -> None:
    """Put before the other remarks of a row of which earlier one it is a copy."""

    def name(row: int) -> str:
        return before.names([row])[0] if row < before.count else pictures.names[row - before.count]

    first: dict[str, int] = {}
    earlier = {
        row: before.equal.get(row - before.count, first.setdefault(facts.digest, row))
        for row, facts in enumerate(pictures.facts, before.count)
    }
    equal = [(other, row) for row, other in earlier.items() if other != row]
    for row, copy in copies(equal, (pair for pair in near if pair[1] >= before.count)).items():
        remarks[row - before.count].insert(0, copy_remark(copy, name))
