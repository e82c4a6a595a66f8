"""Pictures are added to a dataset → another dataset, in which all that was there stays where it stood; or one is laid
out anew.

What both have in common is linked. Each added picture is placed by the reducers that placed the others, whatever else
is added with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from datasets.collection import growth
from datasets.collection.clusters import Clusters
from datasets.collection.folder import CollectionFolder, numbered
from datasets.collection.similarity import Pair
from datasets.collection.uploaded import LABELS, Upload
from datasets.errors import ApiError, Conflict, TooLarge
from datasets.models import Dataset
from datasets.pictures import own_vectors
from datasets.pictures.decoding_revision import decoding_revision
from datasets.pictures.metadata import files
from datasets.pictures.metadata.columns import Column
from datasets.pictures.metadata.files import Described
from datasets.pictures.own_vectors import OwnVectors
from datasets.pictures.zip_archive import Archive
from embeddings.pipeline import OWN_VECTORS, Pipeline, placed, with_own_vectors
from embeddings.reducers import REDUCERS, Reducer
from embeddings.vector_files import dumped, save

from . import projector_import, results
from .import_report import Before, reported, write_report
from .range_extraction import Extracted, extract
from .selection import Intake, intake_of

MAX_PARTS = 200
"""Parts that a collection may have: each is a few files to open."""
OUTSIDE = "outside"
"""The field that tells which of the added pictures are far from all that was there."""


def check(parent: Upload, pipeline: Pipeline) -> None:
    """Raises `Conflict` where pictures cannot be placed by `pipeline` among those of a dataset."""
    if not _is_own(parent) and parent.network != pipeline.network:
        raise Conflict(
            "These pictures were computed with another network, weights or precision than this server has now: send "
            "all of them together.",
            code="not-comparable",
        )
    if parent.space is None:
        is_placeable = all(parent.folder.model_path(name).exists() for name in REDUCERS)
    else:
        is_placeable = pipeline.space is not None and pipeline.space.fingerprint == parent.space
    if not is_placeable:
        raise Conflict(
            "What placed these pictures is not at hand any more: lay them out anew with “POST …/refit”, and add to "
            "that dataset.",
            code="space-gone",
        )
    if parent.folder.parts >= MAX_PARTS:
        sentence = f"Pictures were added {MAX_PARTS - 1} times to these: send all of them together."
        raise Conflict(sentence, code="too-many-parts", count=MAX_PARTS - 1)


def check_vectors(parent: Upload, archive: Archive) -> None:
    """Raises `ApiError` where an archive lacks the vectors that a dataset's pictures came with, or has some where those
    are the network's."""
    has_vectors = bool(archive.vectors or archive.picture_vectors)
    if _is_own(parent) and archive.fault:
        raise archive.fault
    if _is_own(parent) and not has_vectors:
        raise ApiError(
            "These pictures came with vectors of their own, which nothing here can make of others: send a ZIP with a "
            "vectors.npy or vectors.parquet beside the pictures, made as theirs were.",
            code="own-vectors",
        )
    if has_vectors and not _is_own(parent):
        sentence = "The ZIP has vectors of its own; those of the pictures that it is added to are the network's."
        raise ApiError(sentence, code="own-vectors")


def _is_own(parent: Upload) -> bool:
    return parent.network.startswith(OWN_VECTORS)


def parent_of(dataset: Dataset) -> Upload:
    """Raises `Conflict` where it was deleted."""
    found = Dataset.objects.ready().filter(hash=dataset.intake["parent"]).first()
    if found is None:
        sentence = "The dataset that this one was to be made of was deleted."
        raise Conflict(sentence, code="dataset-deleted")
    return Upload(found)


def add(
    dataset: Dataset,
    parent: Upload,
    pipeline: Pipeline,
    on_stage: Callable[[str], object],
    on_progress: Callable[[float], None],
) -> None:
    """Compute a queued dataset of pictures that are added to its parent's. Its manifest is left to be written."""
    check(parent, pipeline)
    folder, part = CollectionFolder(path=dataset.folder), parent.folder.parts
    # What people saved of the parent shows the same here: rows and places are as they were.
    parent.folder.share(folder, *parent.folder.models(), parent.saved_views_path)
    on_stage("features")
    with projector_import.opened(dataset) as archive:
        own = _vectors_beside(parent, archive)
        if own:
            pipeline = with_own_vectors(pipeline, parent.network.removeprefix(OWN_VECTORS))
        pictures, described, intake = _take(dataset, archive, pipeline, on_progress, parent)
        versions = {"decoding": str(decoding_revision(archive, 0, dataset.limit))}
    if own:
        save(folder.part_features_path(part), own.of(pictures.names))
    features = folder.part_features(part)
    for name, reducer in _reducers(parent, pipeline).items():
        on_stage(name)
        dataset.store(name, dumped(np.concatenate([parent.dataset.vectors(name), placed(reducer, features)])))
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
    dataset.space, dataset.explained_variance = parent.dataset.space, parent.dataset.explained_variance
    dataset.engine, dataset.versions = own.file if own else str(pipeline.extractor.info), versions


def refit(dataset: Dataset, parent: Upload, pipeline: Pipeline, on_stage: Callable[[str], object]) -> None:
    """Compute a queued dataset of its parent's pictures, laid out by themselves and turned rigidly onto how they lay.

    Its manifest is left to be written."""
    folder, old = CollectionFolder(path=dataset.folder), parent.dataset
    on_stage("features")
    parent.folder.share(folder, parent.folder.similarity_path, old.path("report"))
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
    Clusters.find(folder.features(0)).save(folder.clusters_path)
    for result in ("tilemap", "images", "features", "report"):
        dataset.note(result)
    dataset.count, dataset.explained_variance = old.count, places.explained_variance
    dataset.backbone, dataset.precision, dataset.network = old.backbone, old.precision, old.network
    dataset.engine, dataset.space = old.engine, "own"
    dataset.versions = {"decoding": old.versions.get("decoding", "")}


def _vectors_beside(parent: Upload, archive: Archive) -> OwnVectors | None:
    """The vectors of an archive's pictures, where the parent's came with vectors, too. Raises `ApiError`."""
    check_vectors(parent, archive)
    own = own_vectors.of_archive(archive)
    width = parent.features().shape[1]
    if own and own.vectors.shape[1] != width:
        sentence = (
            f"The vectors in {own.file} have {own.vectors.shape[1]} numbers, and those of the pictures that they are "
            f"added to have {width}: send vectors that were made alike."
        )
        raise ApiError(sentence, code="vectors-unmatched", count=own.vectors.shape[1], name=own.file)
    return own


def _take(
    dataset: Dataset, archive: Archive, pipeline: Pipeline, on_progress: Callable[[float], None], parent: Upload
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


def _reducers(parent: Upload, pipeline: Pipeline) -> dict[str, Reducer]:
    """Those that placed the parent's pictures: its own, or the catalogue's."""
    return pipeline.space.reducers() if parent.space and pipeline.space else parent.reducers()


def _with_outside(fields: Iterable[Column], outside: list[bool], parent: Upload) -> list[Column]:
    """The fields of the added pictures and the mark, unless the pictures have another field of its name."""
    found = list(fields)
    taken = OUTSIDE in {field.name for field in found}
    if taken or parent.images.field_types.get(OUTSIDE, "boolean") != "boolean":
        return found
    return [*found, Column(name=OUTSIDE, type="boolean", values=outside)]


def _equal(parent: Upload, pictures: Extracted) -> dict[int, int]:
    """Which of the added pictures are the same files as some that were there, and as which rows."""
    known = parent.images.with_digests([facts.digest for facts in pictures.facts])
    return {k: known[facts.digest] for k, facts in enumerate(pictures.facts) if facts.digest in known}


def _carry(
    parent: Upload, folder: CollectionFolder, count: int, added: growth.AddedNeighbours, before: Before
) -> list[Pair]:
    """Store the clusters, copies and outliers of all → pairs of nearly equal pictures."""
    from datasets.collection.image_table import ImageTable

    growth.carry_clusters(parent, folder, LABELS, added)
    images = ImageTable(parent.total + count, folder.table_paths)
    equal = {parent.total + k: row for k, row in before.equal.items()}
    return growth.carry_similarity(parent, folder, images, added, equal)
