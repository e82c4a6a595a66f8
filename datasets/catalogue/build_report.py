"""What became of each file of a build's source → `report.json`, as of an upload.

A source may have millions of files. The first thousands are listed: those without a row before those with a remark, and
these before all others. The others are counted.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datasets.collection import report
from datasets.collection.similarity import THRESHOLD
from datasets.pictures import image_stats, quality

from .build_directory import LISTED, BuildDirectory


def reported(work: BuildDirectory, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of a build whose similarities are measured, by the records of its ranges."""
    names = [name for record in records for name in record["names"]]
    tables = work.similarity(len(names))
    copies = report.copies(tables.equal.tolist(), tables.pairs(THRESHOLD)) if tables else {}
    left, counts = work.without_row(records)

    def remarks(row: int, facts: Mapping[str, Any], index: int) -> list[report.Remark]:
        known = image_stats.at(facts, index)
        copied = [report.copy_remark(copies[row], names.__getitem__)] if row in copies else []
        return copied + (quality.remarks(known) if known else [])

    def rows() -> Iterator[report.Entry]:
        row = 0
        for record in records:
            for index, name in enumerate(record["names"]):
                entry = report.row_entry(row, name, remarks(row, record.get("facts", {}), index))
                counts[entry["outcome"]] += 1
                yield entry
                row += 1

    def candidates() -> Iterator[report.Entry]:
        yield from map(report.entry_without_row, left)
        yield from rows()

    files = heapq.nsmallest(LISTED, candidates(), key=_weight)
    unlisted = counts - Counter(file["outcome"] for file in files)
    return report.summed(files, unlisted, _about(work, sum(unlisted.values())), rows=len(names))


def _weight(entry: report.Entry) -> tuple[int, str]:
    if entry["index"] is None:
        return 0, entry["name"]
    return (1 if entry["remarks"] else 2), entry["name"]


def _about(work: BuildDirectory, unlisted: int) -> list[str]:
    found = []
    if unlisted:
        found.append(f"{unlisted:,} files are counted and not listed: those without a row come first")
    if not work.passed_over_path.exists():
        found.append("which files were passed over is not known: this was built before that was noted")
    return found
