"""The collection that pictures are added to, an upload or a catalogue: found again, and whether it can take them."""

from datasets.catalogue.collection import CatalogueCollection, is_id, of_id
from datasets.collection.base import Collection
from datasets.collection.uploaded import upload
from datasets.errors import ApiError, Conflict, NotFound
from datasets.models import COLLECTIONS, DATASETS, Dataset, StoredFolder
from datasets.pictures.zip_archive import Archive
from embeddings.pipeline import OWN_VECTORS, Pipeline

MAX_PARTS = 200
"""Parts that a collection may have: each is a few files to open."""


def parent_of(dataset: Dataset) -> Collection:
    """Raises `Conflict` where it was deleted, or where another catalogue has taken its place."""
    parent = dataset.intake["parent"]
    try:
        return of_id(parent) if is_id(parent) else upload(parent)
    except NotFound:
        pass
    if is_id(parent):
        sentence = (
            "The catalogue that these were to be added to was replaced or removed: add them to what is there now."
        )
        raise Conflict(sentence, code="catalogue-replaced")
    raise Conflict("The dataset that this one was to be made of was deleted.", code="dataset-deleted")


def is_here(dataset: Dataset) -> bool:
    """Whether this host has the catalogue that pictures are added to, unless no host has it any more."""
    names = stored_names(dataset) if is_id(dataset.intake.get("parent", "")) else []
    try:
        return not names or bool(parent_of(dataset))
    except Conflict:
        return not StoredFolder.objects.filter(name__in=names).exists()


def stored_names(dataset: Dataset) -> list[str]:
    """What its parent's folder is called in the object store; none where it has no parent."""
    parent = dataset.intake.get("parent", "")
    return [f"{COLLECTIONS if is_id(parent) else DATASETS}/{parent}"] if parent else []


def check(parent: Collection, pipeline: Pipeline) -> None:
    """Raises `Conflict` where pictures cannot be placed by `pipeline` among those of a collection."""
    if isinstance(parent, CatalogueCollection):
        _check_catalogue(parent)
    if not is_own(parent) and parent.network != pipeline.network:
        raise Conflict(
            "These pictures were computed with another network, weights or precision than this server has now: send "
            "all of them together.",
            code="not-comparable",
        )
    if parent.space is None:
        is_placeable = parent.folder.has_models
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


def _check_catalogue(parent: CatalogueCollection) -> None:
    if not parent.folder.can_grow:
        raise Conflict(
            "This catalogue came without features, names or fitted models, as that of another server does, so no "
            "pictures can be placed in it: build it here with `manage.py build_catalogue`.",
            code="catalogue-not-built",
        )
    if not parent.folder.similarity_path.exists():
        raise Conflict(
            "Copies and outliers of this catalogue have not been looked for, so what is added could not be compared "
            "with them: run `manage.py fit_reducers`, which does it.",
            code="kin-missing",
        )


def check_vectors(parent: Collection, archive: Archive) -> None:
    """Raises `ApiError` where an archive lacks the vectors that a collection's pictures came with, or has some where
    those are the network's."""
    has_vectors = bool(archive.vectors or archive.picture_vectors)
    if is_own(parent) and archive.fault:
        raise archive.fault
    if is_own(parent) and not has_vectors:
        raise ApiError(
            "These pictures came with vectors of their own, which nothing here can make of others: send a ZIP with a "
            "vectors.npy or vectors.parquet beside the pictures, made as theirs were.",
            code="own-vectors",
        )
    if has_vectors and not is_own(parent):
        sentence = "The ZIP has vectors of its own; those of the pictures that it is added to are the network's."
        raise ApiError(sentence, code="own-vectors")


def is_own(parent: Collection) -> bool:
    """Whether its vectors came with its pictures."""
    return parent.network.startswith(OWN_VECTORS)
