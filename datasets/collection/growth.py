"""What is known of a collection's neighbourhoods, carried on to one that has more pictures: nothing of it is measured
anew, and ids of clusters stay what they are."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings import nearest_neighbours, neighbour_index
from embeddings.extractors import Features
from embeddings.layouts import METHODS, Neighbours
from embeddings.placing import distances_of
from embeddings.reducers import REDUCERS

from . import cluster_labels, layouts, saved_views
from .base import Collection
from .clusters import Clusters
from .folder import CollectionFolder, link
from .layouts import LayoutCard
from .similarity import NEIGHBOURS, THRESHOLD, Pair, SimilarityTables, near

if TYPE_CHECKING:
    from .image_table import ImageTable

FEW = 1000
"""Added pictures that are compared with the others one by one. More are a reason to measure all anew."""


@dataclass(frozen=True, kw_only=True)
class AddedNeighbours:
    """The pictures that are nearest to each of m added ones."""

    old_rows: NDArray[np.int64]
    """`(m, k)` of those that were there before."""
    old_similarities: Features
    """`(m, k)` cosines of `old_rows`."""
    scores: NDArray[np.float32]
    """`(m,)` how far each is from those, as outliers are scored."""
    rows: NDArray[np.int64]
    """`(m, k)` of all."""
    similarities: Features
    """`(m, k)` cosines of `rows`."""

    @classmethod
    def of(cls, old: Collection, features: Features) -> "AddedNeighbours":
        """Of `(m, d)` features."""
        finder = old.finder()
        found = [finder.nearest(vector, NEIGHBOURS) for vector in features]
        old_rows = np.stack([each.rows for each in found])
        to_old = np.stack([each.similarities for each in found])
        rows, similarities = old_rows, to_old
        if 1 < len(features) <= FEW:
            own_rows, own = nearest_neighbours.nearest_of_all([features], NEIGHBOURS)
            rows = np.concatenate([rows, own_rows + old.total], axis=1)
            similarities = np.concatenate([to_old, own], axis=1)
            order = np.lexsort((rows, -similarities), axis=1)[:, :NEIGHBOURS]
            rows, similarities = np.take_along_axis(rows, order, 1), np.take_along_axis(similarities, order, 1)
        scores = nearest_neighbours.outlier_scores(to_old)
        return cls(old_rows=old_rows, old_similarities=to_old, scores=scores, rows=rows, similarities=similarities)

    def outside(self, old: Collection) -> NDArray[np.bool_]:
        """`(m,)` which lie far from all that was there: beyond the upper inner fence of Tukey (1977) of its outlier
        scores, their third quartile and 1.5 times the distance of the quartiles. Among 1,200 flowers it tells 99.6 % of
        900 faces and 0.3 % of 300 other flowers; the outer fence, at three times, tells 9 % of the faces."""
        if old.total <= NEIGHBOURS:
            return np.zeros(len(self.scores), np.bool_)
        first, third = np.quantile(old.outlier_scores(), [0.25, 0.75])
        beyond: NDArray[np.bool_] = self.scores > third + 1.5 * (third - first)
        return beyond


def share(old: Collection, folder: CollectionFolder, *more: Path) -> None:
    """Link what a collection has in common with the one that it grows out of, `more` files of that, and the views that
    people saved. Fields that lie beside a catalogue are put into a table of its own."""
    old.folder.share(folder, *more)
    if old.saved_views_path.exists():
        link(old.saved_views_path, folder.path / saved_views.FILE)
    if old.metadata_path and old.metadata_path.exists():
        from .image_table import write_with_fields

        write_with_fields(folder.table_path, old.total, old.folder.table_path, old.metadata_path)


def carry_clusters(old: Collection, folder: CollectionFolder, labels: str, added: AddedNeighbours) -> None:
    """Store the clusters of a collection that grew, under the names that they had; `labels` is their file's name."""
    found = Clusters.load(old.folder.clusters_path, old.total)
    if found is None:  # not computed: it is asked for
        return
    grown = found.grown(added.old_rows) if found.levels else Clusters.find(folder.features(0))
    grown.save(folder.clusters_path)
    cluster_labels.carry(old.cluster_labels_path, found, folder.path / labels, grown)


def find_clusters(old: Collection, folder: CollectionFolder, labels: str) -> None:
    """Store the clusters of a collection of the same pictures, found anew, under the names that they had; `labels` is
    their file's name."""
    before = Clusters.load(old.folder.clusters_path, old.total)
    found = Clusters.find(folder.features(0))
    found.save(folder.clusters_path)
    if before is not None:
        cluster_labels.carry_to_alike(old.cluster_labels_path, before, folder.path / labels, found)


def carry_layouts(
    old: Collection, folder: CollectionFolder, added: AddedNeighbours, equal: Mapping[int, int]
) -> list[str]:
    """Store the layouts beside PCA and UMAP with the added pictures in them → the names of those in which none can be
    placed. `equal` has the rows of the same files as some of the added: they get the same places."""
    nearest = Neighbours(rows=added.old_rows, distances=distances_of(added.old_similarities))
    left = []
    for card in layouts.cards(old.folder):
        place = METHODS[card.kind].place
        if place is None:
            left.append(card.name)
            continue
        with suppress(FileNotFoundError):  # deleted meanwhile
            places = layouts.places(old.folder, card.name)
            placed = place(places, nearest, card.parameters)
            for picture, row in equal.items():
                placed[picture] = places[row]
            grown = replace(card, placed=card.placed + len(placed))
            layouts.store(folder, grown, np.concatenate([places, placed]))
    return left


def share_layouts(old: Collection, folder: CollectionFolder) -> list[LayoutCard]:
    """Link the layouts beside PCA and UMAP to a collection of the same features in which these two are others → grids
    that were made of those."""
    found = {card.name: card for card in layouts.cards(old.folder)}
    left = []
    for card in found.values():
        base = card.name
        while base in found:
            base = found[base].parameters.get("layout", "")
        if base in REDUCERS:
            left.append(card)
            continue
        with suppress(FileNotFoundError):  # deleted meanwhile
            layouts.share(old.folder, card.name, folder)
    return left


def carry_similarity(
    old: Collection, folder: CollectionFolder, images: "ImageTable", added: AddedNeighbours, equal: dict[int, int]
) -> list[Pair]:
    """Store copies and outliers of a collection that grew, where those of so many pictures are kept → pairs of nearly
    equal pictures. `images` is its table, `equal` the first row with the file of a later one."""
    tables, blocks = old.similarity(), folder.features(0)
    fingerprints = images.fingerprints()
    if len(added.rows) > FEW or (tables is None and images.total > FEW):
        nearest_neighbours.build_if_missing(blocks, folder.index)
        grown = SimilarityTables.measure(blocks, fingerprints, images.column("digest"), folder.index)
    elif tables is None:
        return near(np.concatenate(blocks), fingerprints, THRESHOLD)
    else:
        pairs = [(first, later) for later, first in equal.items()]
        grown = tables.grown(added.rows, added.similarities, fingerprints, pairs)
        # Where it has become too large for none, or for the one that it has. What is linked is not read again.
        if not neighbour_index.is_announced(folder.index, (images.total, blocks[0].shape[1])):
            nearest_neighbours.build_if_missing(blocks, folder.index)
    grown.save(folder.similarity_path)
    return grown.pairs(THRESHOLD)
