"""What became of each file of an archive: a row, perhaps with a remark, or none, and why.

A remark never costs a picture its row: the readable pictures are taken in the order of their names, whatever they show.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets.collection.similarity import THRESHOLD, Pair
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
    copies: list[Pair],
    before: Before | None = None,
) -> dict[str, Any]:
    """The report of an upload that has just been read; with how its metadata was matched, if it has any.

    `copies` are pairs of pictures that are nearly the same; `before` is what its pictures are added to.
    """
    before = before or Before()
    remarks = [quality.remarks(facts) for facts in pictures.facts]
    for row in before.outside:
        remarks[row].insert(0, {"kind": "outside", "of": None, "reason": "it is far from all that was there before"})
    _name_copies(remarks, pictures, copies, before)
    files = [_row(before.count + k, name, remarks[k]) for k, name in enumerate(pictures.names)]
    files += [_none(skipped) for skipped in pictures.skipped + archive.replaced + archive.lost + archive.left]
    no_pictures = [Skipped(name=name, reason="it is no picture", kind="passed_over") for name in pictures.ignored]
    reason = f"only the first {intake['limit']} pictures are taken"
    first = intake["first"]
    beyond = [Skipped(name=name, reason=reason, kind="beyond") for name in archive.names[first + pictures.taken :]]
    reason = "it belongs to the upload that has the pictures before these"
    beyond += [Skipped(name=name, reason=reason, kind="beyond") for name in archive.names[:first]]
    files += [_none(skipped) for skipped in no_pictures + beyond]
    if described:
        kind = Skipped(name=described.file, reason="; ".join(described.remarks), kind="metadata")
        files.append(_none(kind))
    if archive.vectors:
        reason = "its vectors take the place of the network's"
        files.append(_none(Skipped(name=archive.vectors, reason=reason, kind="vectors")))
    matched = described.summary() if described else None
    return _summed(files, archive.ignored - len(archive.left), about(intake, len(pictures.names)), matched)


def write_report(dataset: Dataset, report: dict[str, Any]) -> None:
    """Store it; the row is saved by whoever finishes the step."""
    dataset.store("report", json.dumps(report).encode())


def of_names(names: list[str], skipped: list[dict[str, Any]], ignored: int, intake: Intake) -> dict[str, Any]:
    """What is known of an upload that was computed before there were reports."""
    files = [_row(index, name, []) for index, name in enumerate(names)]
    files += [_none(Skipped(name=entry["name"], reason=entry["reason"])) for entry in skipped]
    return _summed(files, ignored, about(intake, len(names)))


def _summed(
    files: list[dict[str, Any]], unlisted: int, about_all: list[str], matched: dict[str, Any] | None = None
) -> dict[str, Any]:
    """In the order of names. `unlisted` files were passed over without being listed."""
    files.sort(key=lambda file: (file["name"], file["index"] is None))
    counts = Counter(file["outcome"] for file in files)
    counts["passed_over"] += unlisted
    return {
        "files": files,
        "counts": {outcome: count for outcome, count in sorted(counts.items()) if count},
        "unlisted": unlisted,
        "metadata": matched,
        "total": len(files) + unlisted,
        "remarks": about_all,
    }


def _row(index: int, name: str, remarks: list[dict[str, Any]]) -> dict[str, Any]:
    """The first remark is the outcome: they come by weight."""
    first = remarks[0] if remarks else {"kind": "row", "of": None, "reason": ""}
    return {
        "name": name,
        "outcome": first["kind"],
        "index": index,
        "of": first.get("of"),
        "reason": first["reason"],
        "remarks": remarks,
    }


def _none(skipped: Skipped) -> dict[str, Any]:
    return {
        "name": skipped.name,
        "outcome": skipped.kind,
        "index": None,
        "of": None,
        "reason": skipped.reason,
        "remarks": [],
    }


def _name_copies(remarks: list[list[dict[str, Any]]], pictures: Extracted, near: list[Pair], before: Before) -> None:
    """Put before the other remarks of a row of which earlier one it is a copy."""

    def name(row: int) -> str:
        return before.names([row])[0] if row < before.count else pictures.names[row - before.count]

    copies: dict[int, dict[str, Any]] = {}
    first: dict[str, int] = {}
    for row, each in enumerate(pictures.facts, before.count):
        earlier = before.equal.get(row - before.count, first.setdefault(each.digest, row))
        if earlier != row:
            copies[row] = {"kind": "duplicate", "reason": f"the same file as {name(earlier)}", "of": earlier}
    for earlier, row, cosine in near:
        if row >= before.count and row not in copies and earlier not in copies:
            reason = f"nearly the same as {name(earlier)}, with a cosine of {cosine:.3f}"
            threshold = {"value": round(cosine, 6), "threshold": THRESHOLD}
            copies[row] = {"kind": "near_duplicate", "reason": reason, "of": earlier} | threshold
    for row, remark in copies.items():
        remarks[row - before.count].insert(0, remark)
