"""Which of an archive's pictures an upload has: numbers for programs, sentences for people."""

from typing import Any, TypedDict

from datasets.pictures.storable import storable
from datasets.pictures.zip_archive import Archive

from .range_extraction import Extracted


class Intake(TypedDict, total=False):
    """What `Dataset.intake` holds."""

    limit: int
    """How many pictures it may have."""
    signature: str
    """Of the pipeline that its id was made with (`Pipeline.signature`)."""
    first: int
    """How many of the archive's pictures, in the order of names, come before this upload's."""
    available: int
    """Pictures in the archive, as the names promise."""
    over_capacity: int
    """How many come after this upload's and were not looked at."""
    folder: str
    """Whose pictures they are; empty for the top level."""
    in_folders: int
    """Pictures in folders that were not taken."""
    parent: str
    """The dataset that its pictures were added to."""
    refit: bool
    """Whether it has no pictures of its own, and the parent's are laid out anew."""
    added: int
    """How many pictures it has that its parent has not; they come last."""
    outside: int
    """How many of these are far from all that was there."""
    projector: dict[str, Any]
    """What is told of the Embedding Projector's folder that it was sent as."""
    projector_fault: str
    """Why the configuration of the Embedding Projector in the archive was not used."""
    layouts_left: list[str]
    """Layouts of the parent that it has not, since no pictures can be placed in them."""


def intake_of(archive: Archive, pictures: Extracted, first: int, limit: int) -> Intake:
    """Of an upload that begins at the archive's picture `first`."""
    available = len(archive.names)
    return {
        "first": first,
        "limit": limit,
        "available": available,
        "over_capacity": max(available - first - pictures.taken, 0),
        "folder": archive.folder,
        "in_folders": archive.in_folders,
        **({"projector": storable(archive.sent)} if archive.sent else {}),
        **({"projector_fault": storable(str(archive.fault))} if archive.fault else {}),
    }


def remarks(intake: Intake, count: int) -> list[str]:
    """What a person should know who expects all pictures of the ZIP to be there."""
    found = []
    first, available, over = intake.get("first", 0), intake.get("available", 0), intake.get("over_capacity", 0)
    if first:
        found.append(f"{first + 1:,} to {available - over:,} of {available:,}, by name")
    elif over:
        found.append(f"{count:,} of {available:,}: the first by name")
    if in_folders := intake.get("in_folders", 0):
        found.append(f"{in_folders:,} pictures in folders were not taken: only those at the ZIP's top level are")
    sent = intake.get("projector", {})
    if (embeddings := sent.get("embeddings", 1)) > 1:
        found.append(f"the first of {embeddings:,} embeddings; the others were not taken")
    if missing := sent.get("without_picture", 0):
        found.append(f"{missing:,} of {sent['rows']:,} vectors were not taken: there is no picture of them")
    if fault := intake.get("projector_fault"):
        found.append(f"the pictures were read as those of any ZIP, without the Embedding Projector's vectors: {fault}")
    if left := intake.get("layouts_left"):
        found.append(f"layouts that were not carried on, as no pictures can be placed in them: {', '.join(left)}")
    return found
