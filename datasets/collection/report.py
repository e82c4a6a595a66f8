"""The entries of an import report, of an upload or of a catalogue: what became of each file, and with which remarks.

A remark never costs a picture its row: the readable pictures are taken in the order of their names, whatever they show.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from datasets.pictures.zip_archive import Skipped

from .similarity import THRESHOLD, Pair

Remark = dict[str, Any]
Entry = dict[str, Any]


def row_entry(index: int, name: str, remarks: list[Remark]) -> Entry:
    """Of a picture. The first remark is the outcome: they come by weight."""
    first = remarks[0] if remarks else {"kind": "row", "of": None, "reason": ""}
    return {
        "name": name,
        "outcome": first["kind"],
        "index": index,
        "of": first.get("of"),
        "reason": first["reason"],
        "remarks": remarks,
    }


def entry_without_row(skipped: Skipped) -> Entry:
    """Of a file that became no picture."""
    return {
        "name": skipped.name,
        "outcome": skipped.kind,
        "index": None,
        "of": None,
        "reason": skipped.reason,
        "remarks": [],
    }


def of_metadata(summary: Mapping[str, Any]) -> Entry:
    """Of a file that was read as metadata, by how it was matched."""
    return entry_without_row(Skipped(name=summary["file"], reason="; ".join(summary["remarks"]), kind="metadata"))


def copies(equal: Iterable[tuple[int, int]], near: Iterable[Pair]) -> dict[int, tuple[int, float | None]]:
    """Rows that are copies → the earlier row, and their cosine, None of the same file."""
    found: dict[int, tuple[int, float | None]] = {later: (earlier, None) for earlier, later in equal}
    for earlier, later, cosine in near:
        if later not in found and earlier not in found:
            found[later] = earlier, cosine
    return found


def copy_remark(copy: tuple[int, float | None], name: Callable[[int], str]) -> Remark:
    """Of an entry of `copies`; `name` tells that of a row."""
    earlier, cosine = copy
    if cosine is None:
        return {"kind": "duplicate", "reason": f"the same file as {name(earlier)}", "of": earlier}
    reason = f"nearly the same as {name(earlier)}, with a cosine of {cosine:.3f}"
    measured = {"value": round(cosine, 6), "threshold": THRESHOLD}
    return {"kind": "near_duplicate", "reason": reason, "of": earlier} | measured


def summed(
    files: list[Entry],
    unlisted: Mapping[str, int],
    remarks: list[str],
    metadata: Mapping[str, Any] | None = None,
    rows: int | None = None,
) -> dict[str, Any]:
    """The report, in the order of names. `unlisted` counts, by their outcomes, files that are not among `files`; where
    pictures are among them, `rows` is how many there are."""
    files.sort(key=lambda file: (file["name"], file["index"] is None))
    counts = Counter(file["outcome"] for file in files)
    counts.update(unlisted)
    beside = sum(unlisted.values())
    return {
        "files": files,
        "counts": {outcome: count for outcome, count in sorted(counts.items()) if count},
        "rows": sum(file["index"] is not None for file in files) if rows is None else rows,
        "unlisted": beside,
        "metadata": metadata,
        "total": len(files) + beside,
        "remarks": remarks,
    }
