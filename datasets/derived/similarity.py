"""Copies and outliers of a collection whose build did not look for them."""

from typing import TYPE_CHECKING, Any

from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder
from datasets.collection.similarity import SimilarityTables
from embeddings import nearest_neighbours
from embeddings.nearest_neighbours import Index

if TYPE_CHECKING:
    from .kinds import Report


def is_ready(folder: CollectionFolder, name: str) -> bool:
    return folder.similarity_path.exists()


def compute(found: Collection, name: str, parameters: dict[str, Any], report: "Report") -> None:
    blocks = found.blocks()
    shape = found.total, blocks[0].shape[1]
    if found.total > nearest_neighbours.EXACT_ROWS and Index.open(found.folder.index, shape) is None:
        report.stage("index")
        nearest_neighbours.build(blocks, found.folder.index)
    report.stage("copies, outliers")
    images = found.images
    tables = SimilarityTables.measure(blocks, images.fingerprints(), images.column("digest"), found.folder.index)
    report.stage("storing")
    tables.save(found.folder.similarity_path)
