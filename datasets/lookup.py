"""One picture → its nearest neighbours and its own places, among the catalogue or among the pictures of an upload.

Runs in the worker, which has the network; `asking` is the web process's side of it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from embeddings.features import Features
from embeddings.images import UnreadableImage, crop, decode
from embeddings.pipeline import Pipeline
from embeddings.reducers import REDUCERS

from . import collection, compute
from .collection import Collection, Installed, Upload
from .errors import Refusal


def answer(path: str, target: str | None, count: int) -> dict[str, Any]:
    """What the client gets, or `{"error", "status"}`."""
    try:
        return _answer(Path(path), target, count)
    except Refusal as refusal:
        return {"error": str(refusal), "status": refusal.status}


def _answer(path: Path, target: str | None, count: int) -> dict[str, Any]:
    pipeline = compute.pipeline()  # whose network is warm, whatever space it has
    among = collection.find(target)
    check_comparable(pipeline.network, among)
    features = _features(path, pipeline)
    found = among.finder().nearest(features[0], count)
    return {
        "neighbors": told(among, found.rows.tolist(), found.similarities.tolist(), target or "catalogue"),
        **_places(features, among, compute.catalogue_pipeline()),
        "in": target or "catalogue",
    }


def check_comparable(network: str, among: Collection) -> None:
    """Raises `Refusal` (409) where the features of `among` were computed with another network."""
    if not network or among.network != network:
        raise Refusal(
            "These pictures were computed with another network, weights or precision, so they cannot be compared.", 409
        )


def told(among: Collection, rows: list[int], similarities: list[float], where: str) -> list[dict[str, Any]]:
    return [
        {"index": row, "name": name, "similarity": round(similarity, 6), "in": where}
        for row, name, similarity in zip(rows, among.names(rows), similarities, strict=True)
    ]


def _features(path: Path, pipeline: Pipeline) -> Features:
    backbone = pipeline.weights.backbone
    try:
        rgb = decode(path.read_bytes(), min_side=backbone.resize, max_pixels=settings.MAX_MEGAPIXELS * 1_000_000)
    except UnreadableImage as error:
        raise Refusal(f"The picture cannot be read: {error}.") from error
    except FileNotFoundError:
        raise Refusal("The picture came too late.", 500) from None  # nobody waits for it any more
    return pipeline.extract([crop(rgb, resize=backbone.resize, side=backbone.side)])


def _places(features: Features, among: Collection, pipeline: Pipeline) -> dict[str, list[float] | None]:
    """Where each reducer puts the picture, in the space of those it is compared with; None where that is not kept."""
    space = pipeline.space.identity if pipeline.space else None
    if isinstance(among, Upload) and among.space is None:
        reducers = among.reducers()
        places = {name: reducer.transform(features) for name, reducer in reducers.items()}
    elif space is not None and (isinstance(among, Installed) or (isinstance(among, Upload) and among.space == space)):
        places = pipeline.place(features, lambda name: None).vectors
    else:
        places = {}
    return {name: np.asarray(places[name])[0].tolist() if name in places else None for name in REDUCERS}
