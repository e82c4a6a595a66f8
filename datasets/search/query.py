"""One picture → its nearest neighbours and its own places, among the catalogue or among the pictures of an upload.

Runs in the worker, which has the network; `client` is the web process's side of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from django.conf import settings

from datasets.catalogue.collection import CatalogueCollection
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.errors import ApiError, Conflict, ServerError
from datasets.pictures import pipeline_settings
from datasets.pictures.decoder_pool import decoders
from datasets.storage.objects import StorageAway
from datasets.uploads import outages
from embeddings.extractors import Features
from embeddings.images.decoding import UnreadableImage
from embeddings.pipeline import OWN_VECTORS, Pipeline
from embeddings.reducers import REDUCERS

from . import collections, query_pictures


def answer(token: str, target: str | None, count: int) -> dict[str, Any]:
    """What the client gets, or `{"error", "kind", "code", "params"}`."""
    return or_problem(lambda: _answer(token, target, count))


def or_problem(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is found, or an error of ours in a form that the queue carries."""
    try:
        return find()
    except (ApiError, StorageAway, OSError) as error:
        problem = error if isinstance(error, ApiError) else outages.api_error(error)
        if problem is None:
            raise
        return problem.as_dict()


def _answer(token: str, target: str | None, count: int) -> dict[str, Any]:
    pipeline = pipeline_settings.pipeline()  # whose network is warm, whatever space it has
    among = collections.find(target)
    check_comparable(pipeline.network, among)
    features = _features(token, pipeline)
    found = among.finder().nearest(features[0], count)
    return {
        "neighbors": neighbour_entries(among, found.rows.tolist(), found.similarities.tolist(), target or "catalogue"),
        **_places(features, among, pipeline_settings.catalogue_pipeline()),
        "in": target or "catalogue",
    }


def check_comparable(network: str, among: Collection) -> None:
    """Raises `Conflict` where the features of `among` were computed with another network, or by none."""
    if network != among.network and OWN_VECTORS in (network[: len(OWN_VECTORS)], among.network[: len(OWN_VECTORS)]):
        raise Conflict(
            "These pictures came with vectors of their own, which no network here makes: only they can be compared "
            "with each other.",
            code="own-vectors",
        )
    if not network or among.network != network:
        raise Conflict(
            "These pictures were computed with another network, weights or precision, so they cannot be compared.",
            code="not-comparable",
        )


def neighbour_entries(
    among: Collection, rows: list[int], similarities: list[float], where: str
) -> list[dict[str, Any]]:
    return [
        {"index": row, "name": name, "similarity": round(similarity, 6), "in": where}
        for row, name, similarity in zip(rows, among.names(rows), similarities, strict=True)
    ]


def _features(token: str, pipeline: Pipeline) -> Features:
    backbone = pipeline.weights.backbone
    try:
        picture = decoders().prepared(
            query_pictures.read(token),
            resize=backbone.resize,
            side=backbone.side,
            max_pixels=settings.MAX_MEGAPIXELS * 1_000_000,
        )
    except UnreadableImage as error:
        raise ApiError(f"The picture cannot be read: {error}.", code="picture-unreadable") from error
    except FileNotFoundError:
        raise ServerError("The picture came too late.") from None  # nobody waits for it any more
    return pipeline.extract([picture.crop])


def _places(features: Features, among: Collection, pipeline: Pipeline) -> dict[str, list[float] | None]:
    """Where each reducer puts the picture, in the space of those it is compared with; None where that is not kept."""
    space = pipeline.space.fingerprint if pipeline.space else None
    if isinstance(among, Upload) and among.space is None:
        reducers = among.reducers()
        places = {name: reducer.transform(features) for name, reducer in reducers.items()}
    elif space is not None and (
        (isinstance(among, CatalogueCollection) and among.id == collections.installed().id)
        or (isinstance(among, Upload) and among.space == space)
    ):
        places = pipeline.place(features, lambda name: None).vectors
    else:
        places = {}
    return {name: np.asarray(places[name])[0].tolist() if name in places else None for name in REDUCERS}
