"""What became of each file of an archive: a row, perhaps with a remark, or none, and why.

A remark never costs a picture its row: the first 1000 readable pictures are taken, whatever they show.
"""

from collections import Counter
from typing import Any

from . import likeness
from .archive import Archive, Skipped
from .facts import Facts
from .gather import Pictures
from .kin import fingerprints_of
from .models import Dataset
from .tilemap import CAPACITY

BLANK = 3.0
"""Contrast below which a picture shows nothing: a page without a word on it, a lens with its cap on."""
BLURRY = 0.001
"""Sharpness below which a picture is out of focus. 1,500 photographs of flowers and 3,000 faces: under 1 % are."""
SMALL = 32
"""Pixels of the shorter side below which the network sees little more than colour."""


def reported(archive: Archive, pictures: Pictures, of_metadata: list[str]) -> dict[str, Any]:
    """The report of an upload that has just been read; with what is to be remarked of its metadata."""
    remarks = [_remarks(facts) for facts in pictures.facts]
    _name_copies(remarks, pictures)
    files = [_row(index, name, remarks[index]) for index, name in enumerate(pictures.names)]
    files += [_none(skipped) for skipped in pictures.skipped + archive.replaced + archive.left]
    no_pictures = [Skipped(name=name, reason="it is no picture", kind="passed_over") for name in pictures.passed_over]
    reason = f"only the first {CAPACITY} pictures are taken"
    beyond = [Skipped(name=name, reason=reason, kind="beyond") for name in archive.names[pictures.taken :]]
    files += [_none(skipped) for skipped in no_pictures + beyond]
    if archive.metadata:
        kind = Skipped(name=archive.metadata, reason="; ".join(of_metadata), kind="metadata")
        files.append(_none(kind))
    return _summed(files, archive.passed_over - len(archive.left))


def of_older(dataset: Dataset) -> dict[str, Any]:
    """What is known of an upload that an older version has computed."""
    files = [_row(index, name, []) for index, name in enumerate(dataset.names)]
    files += [_none(Skipped(name=entry["name"], reason=entry["reason"])) for entry in dataset.skipped]
    return _summed(files, dataset.passed_over)


def _summed(files: list[dict[str, Any]], unlisted: int) -> dict[str, Any]:
    """In the order of names. `unlisted` files were passed over without being listed."""
    files.sort(key=lambda file: (file["name"], file["index"] is None))
    counts = Counter(file["outcome"] for file in files)
    counts["passed_over"] += unlisted
    return {
        "files": files,
        "counts": {outcome: count for outcome, count in sorted(counts.items()) if count},
        "unlisted": unlisted,
        "total": len(files) + unlisted,
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


def _remarks(facts: Facts) -> list[dict[str, Any]]:
    remarks = []
    if facts.contrast < BLANK:
        reason = f"its brightness varies by {facts.contrast:g} of 255, less than {BLANK:g}"
        remarks.append({"kind": "blank", "reason": reason, "value": facts.contrast, "threshold": BLANK})
    side = min(facts.width, facts.height)
    if side < SMALL:
        reason = f"it has {facts.width} × {facts.height} pixels, less than {SMALL} on one side"
        remarks.append({"kind": "too_small", "reason": reason, "value": side, "threshold": SMALL})
    elif facts.contrast >= BLANK and facts.sharpness < BLURRY:
        reason = f"its sharpness is {facts.sharpness:g}, less than {BLURRY:g}"
        remarks.append({"kind": "blurry", "reason": reason, "value": facts.sharpness, "threshold": BLURRY})
    return remarks


def _name_copies(remarks: list[list[dict[str, Any]]], pictures: Pictures) -> None:
    """Put before the other remarks of a row of which earlier one it is a copy."""
    names, facts = pictures.names, pictures.facts
    copies: dict[int, dict[str, Any]] = {}
    first: dict[str, int] = {}
    for row, each in enumerate(facts):
        earlier = first.setdefault(each.digest, row)
        if earlier != row:
            copies[row] = {"kind": "duplicate", "reason": f"the same file as {names[earlier]}", "of": earlier}
    fingerprints = fingerprints_of([each.fingerprint for each in facts])
    for earlier, row, cosine in likeness.near(pictures.features, fingerprints, likeness.THRESHOLD):
        if row not in copies and earlier not in copies:
            reason = f"nearly the same as {names[earlier]}, with a cosine of {cosine:.3f}"
            threshold = {"value": round(cosine, 6), "threshold": likeness.THRESHOLD}
            copies[row] = {"kind": "near_duplicate", "reason": reason, "of": earlier} | threshold
    for row, remark in copies.items():
        remarks[row].insert(0, remark)
