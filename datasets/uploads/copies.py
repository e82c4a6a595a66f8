"""Copies among the pictures of an upload: up to 1000 are all compared, of more those with their nearest neighbours."""

import numpy as np

from datasets.collection.folder import CollectionFolder
from datasets.collection.similarity import THRESHOLD, Pair, SimilarityTables, fingerprints_of, near
from datasets.models import Dataset
from embeddings import nearest_neighbours

from .range_extraction import Extracted


def near_copies(dataset: Dataset, pictures: Extracted) -> list[Pair]:
    """Pairs of an upload of at most 1000 pictures; none where it has no picture."""
    if not pictures.names:
        return []
    features = np.asarray(CollectionFolder(path=dataset.folder).all_features())
    return near(features, fingerprints_of([facts.fingerprint for facts in pictures.facts]), THRESHOLD)


def find_similar(dataset: Dataset, pictures: Extracted) -> SimilarityTables:
    """Make the index of neighbours where it is of use, and store which pictures are copies and which are outliers."""
    folder = CollectionFolder(path=dataset.folder)
    blocks = folder.features(0)
    nearest_neighbours.build_if_missing(blocks, folder.index)
    tables = SimilarityTables.measure(
        blocks,
        fingerprints_of([facts.fingerprint for facts in pictures.facts]),
        [facts.digest for facts in pictures.facts],
        folder.index,
    )
    tables.save(folder.similarity_path)
    return tables
