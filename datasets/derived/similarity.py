"""Copies and outliers of a collection whose build did not look for them."""

from typing import TYPE_CHECKING, Any

from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from datasets.collection.similarity import SimilarityTables
from embeddings import nearest_neighbours

if TYPE_CHECKING:
    from .kinds import Report


def is_ready(folder: CollectionFolder, name: str) -> bool:
    return folder.similarity_path.exists()


def compute(found: Collection, name: str, parameters: dict[str, Any], report: "Report") -> None:
    blocks = found.blocks()
    nearest_neighbours.build_if_missing(blocks, found.folder.index, lambda: report.stage("index"))
    report.stage("copies, outliers")
    images = found.images
    tables = SimilarityTables.measure(blocks, images.fingerprints(), images.column("digest"), found.folder.index)
    report.stage("storing")
    tables.save(found.folder.similarity_path)
