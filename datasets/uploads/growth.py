"""Pictures are added to a dataset → another dataset, in which all that was there stays where it stood; or one is laid
out anew.

What both have in common is linked. Each added picture is placed by the reducers that placed the others, whatever else
is added with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from datasets.collection import growth
from datasets.collection.base import Collection
from datasets.collection.folder import CollectionFolder, numbered
from datasets.collection.similarity import Pair
from datasets.collection.uploaded import LABELS, Upload
from datasets.errors import ApiError, TooLarge
from datasets.models import Dataset
from datasets.pictures import own_vectors
from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.metadata import files
from datasets.pictures.metadata.columns import Column
from datasets.pictures.metadata.files import Described
from datasets.pictures.own_vectors import OwnVectors
from datasets.pictures.zip_archive import Archive
from embeddings.pipeline import OWN_VECTORS, Pipeline, placed, with_own_vectors
from embeddings.reducers import REDUCERS, Reducer, load_all
from embeddings.vector_files import dumped, save

from . import fetching, further_layouts, parents, projector_import, results
from .further_layouts import WantedLayout
from .import_report import Before, reported, write_report
from .range_extraction import Extracted, extract
from .selection import Intake, intake_of

OUTSIDE = "outside"
"""The field that tells which of the added pictures are far from all that was there."""


def add(
    dataset: Dataset,
    parent: Collection,
    pipeline: Pipeline,
    on_stage: Callable[[str], object],
    on_progress: Callable[[float], None],
) -> list[WantedLayout]:
    """Compute a queued dataset of pictures that are added to its parent's → the layouts that are to be computed of it
    later. Its manifest is left to be written."""
    parents.check(parent, pipeline)
    fetching.fetch_all(parent.folder.path)
    on_stage("features")
    wanted = further_layouts.pending(parent)
    folder, part = CollectionFolder(path=dataset.folder), parent.folder.parts
    growth.share(parent, folder, *parent.folder.models())
    with projector_import.opened(dataset) as archive:
        own = _vectors_beside(parent, archive)
        if own:
            pipeline = with_own_vectors(pipeline, parent.network.removeprefix(OWN_VECTORS))
        pictures, described, intake = _take(dataset, archive, pipeline, on_progress, parent)
        versions = {"decoding": str(decoding_revision(archive, 0, dataset.limit))}
    if own:
        save(folder.part_features_path(part), own.of(pictures.names))
    features = folder.part_features(part)
    for name, reducer in _reducers(parent, folder, pipeline).items():
        on_stage(name)
        dataset.store(name, dumped(np.concatenate([parent.vectors(name), placed(reducer, features)])))
    on_stage("storing")
    added = growth.AddedNeighbours.of(parent, features)
    outside = added.outside(parent)
    fields = _with_outside(described.table.columns.values() if described else (), outside.tolist(), parent)
    results.write_table(numbered(folder.table_path, part), archive, pictures, fields)
    before = Before(
        count=parent.total,
        names=parent.names,
        equal=_equal(parent, pictures),
        outside=np.flatnonzero(outside).tolist(),
    )
    copies = _carry(parent, folder, len(pictures.names), added, before)
    left = growth.carry_layouts(parent, folder, added, before.equal)
    intake["layouts_left"] = left
    write_report(dataset, reported(archive, pictures, described, intake, copies, before))
    dataset.count = parent.total + len(pictures.names)
    dataset.intake = dataset.intake | {"outside": len(before.outside), "layouts_left": left}
    for result in ("tilemap", "images", "features"):
        dataset.note(result)
    results.describe(dataset, pipeline)
    dataset.space, dataset.explained_variance = "catalogue" if parent.space else "own", parent.explained_variance
    dataset.engine, dataset.versions = results.engine(pipeline, own), versions
    return wanted


def refit(
    dataset: Dataset, parent: Upload, pipeline: Pipeline, on_stage: Callable[[str], object]
) -> list[WantedLayout]:
    """Compute a queued dataset of its parent's pictures, laid out by themselves and turned rigidly onto how they lay →
    as `add`. What does not depend on PCA's and UMAP's places stays.

    Its manifest is left to be written."""
    fetching.fetch_all(parent.folder.path)
    on_stage("features")
    pending = further_layouts.pending(parent)
    folder, old = CollectionFolder(path=dataset.folder), parent.dataset
    growth.share(parent, folder, parent.folder.similarity_path, old.path("report"))
    grids = growth.share_layouts(parent, folder)
    features = folder.all_features()

    def keep_fitted(reducer: Reducer) -> None:
        reducer.save(folder.model_path(reducer.name))

    places = replace(pipeline, space=None).place(
        features,
        on_stage,
        on_placed=lambda name, vectors: dataset.store(name, dumped(vectors)),
        on_fitted=keep_fitted,
        onto={name: old.vectors(name) for name in REDUCERS},
    )
    on_stage("storing")
    growth.find_clusters(parent, folder, LABELS)
    for result in ("tilemap", "images", "features", "report"):
        dataset.note(result)
    dataset.count, dataset.explained_variance = old.count, places.explained_variance
    dataset.backbone, dataset.precision, dataset.network = old.backbone, old.precision, old.network
    dataset.engine, dataset.space = old.engine, "own"
    dataset.versions = {"decoding": old.versions.get("decoding", "")}
    return [*map(WantedLayout.of, grids), *pending]


def _vectors_beside(parent: Collection, archive: Archive) -> OwnVectors | None:
    """The vectors of an archive's pictures, where the parent's came with vectors, too. Raises `ApiError`."""
    parents.check_vectors(parent, archive)
    own = own_vectors.of_archive(archive)
    width = parent.blocks()[0].shape[1]
    if own and own.vectors.shape[1] != width:
        sentence = (
            f"The vectors in {own.file} have {own.vectors.shape[1]} numbers, and those of the pictures that they are "
            f"added to have {width}: send vectors that were made alike."
        )
        raise ApiError(sentence, code="vectors-unmatched", count=own.vectors.shape[1], name=own.file)
    return own


def _take(
    dataset: Dataset, archive: Archive, pipeline: Pipeline, on_progress: Callable[[float], None], parent: Collection
) -> tuple[Extracted, Described | None, Intake]:
    """Extract the pictures that are added, and note what became of the archive's files.

    Raises `ApiError` where it has none.
    """
    pictures = extract(
        dataset,
        archive,
        pipeline,
        first=0,
        limit=dataset.limit,
        progress=on_progress,
        before=parent.total,
        part=parent.folder.parts,
    )
    described = files.of_archive(archive, pictures.names)
    intake = intake_of(archive, pictures, 0, dataset.limit)
    results.note_intake(dataset, archive, pictures, dataset.intake | intake | {"added": len(pictures.names)})
    if not pictures.names:
        write_report(dataset, reported(archive, pictures, described, intake, []))
        raise results.none_readable(pictures, TooLarge if pictures.over_limit else ApiError)
    return pictures, described, intake


def _reducers(parent: Collection, folder: CollectionFolder, pipeline: Pipeline) -> dict[str, Reducer]:
    """Those that placed the parent's pictures: the catalogue's, or its own, which were linked into the folder."""
    return pipeline.space.reducers() if parent.space and pipeline.space else load_all(folder.layouts)


def _with_outside(fields: Iterable[Column], outside: list[bool], parent: Collection) -> list[Column]:
    """The fields of the added pictures and the mark, unless the pictures have another field of its name."""
    found = list(fields)
    taken = OUTSIDE in {field.name for field in found}
    if taken or parent.images.field_types.get(OUTSIDE, "boolean") != "boolean":
        return found
    return [*found, Column(name=OUTSIDE, type="boolean", values=outside)]


def _equal(parent: Collection, pictures: Extracted) -> dict[int, int]:
    """Which of the added pictures are the same files as some that were there, and as which rows."""
    known = parent.images.with_digests([facts.digest for facts in pictures.facts])
    return {k: known[facts.digest] for k, facts in enumerate(pictures.facts) if facts.digest in known}


def _carry(
    parent: Collection, folder: CollectionFolder, count: int, added: growth.AddedNeighbours, before: Before
) -> list[Pair]:
    """Store the clusters, copies and outliers of all → pairs of nearly equal pictures."""
    from datasets.collection.image_table import ImageTable

    growth.carry_clusters(parent, folder, LABELS, added)
    images = ImageTable(parent.total + count, folder.table_paths)
    equal = {parent.total + k: row for k, row in before.equal.items()}
    return growth.carry_similarity(parent, folder, images, added, equal)
