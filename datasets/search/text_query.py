"""A text → the pictures that it describes, among those of the catalogue or of an upload.

Whether a collection can be searched so is told in any process; the search runs in the worker, where the network is.
"""

from typing import Any

from datasets.collection.base import Collection
from datasets.errors import ApiError, Conflict
from datasets.pictures import pipeline_settings
from embeddings.backbones import BACKBONES, Weights, WeightsError, what_is_missing
from embeddings.nearest_neighbours import NeighbourSearch
from embeddings.pipeline import OWN_VECTORS
from embeddings.text_encoder import TextError, TextTooLong

from . import collections, query

_WITH_TEXT = "Pictures that are computed with BACKBONE=clip_vit_b32 can be."


def offers(network: str) -> bool:
    """Whether what was computed with this network, as `Collection.network` names it, can be searched by texts."""
    try:
        weights(network)
    except Conflict:
        return False
    return True


def weights(network: str) -> Weights:
    """Of the network for texts that goes with a collection's `network`, whatever this server computes uploads with.

    Raises `Conflict`, which says what would be needed.
    """
    if network.startswith(OWN_VECTORS):
        raise _none("These pictures came with vectors of their own, which no text can be compared with.")
    if not network:
        raise _none(
            f"It is not known which network computed these pictures, so no text can be looked for. {_WITH_TEXT}"
        )
    name, digest, *_ = network.split(":")
    backbone = BACKBONES.get(name)
    if backbone is None or backbone.text is None:
        raise _none(f"These pictures were computed with {name}, which takes no texts. {_WITH_TEXT}")
    if sentence := what_is_missing(name):
        raise _none(sentence)
    try:
        found = pipeline_settings.find_weights(name)
    except WeightsError:
        found = None
    if found is None or found.digest != digest:
        raise _none(
            f"The weights of {name} that these pictures were computed with are not at hand: name their file in "
            "CLIP_WEIGHTS."
        )
    return found


def answer(text: str, target: str | None, count: int) -> dict[str, Any]:
    """What the client gets, or `{"error", "kind", "code", "params"}`."""
    return query.or_problem(lambda: _answer(text, target, count))


def _answer(text: str, target: str | None, count: int) -> dict[str, Any]:
    among: Collection = collections.find(target)
    encoder = pipeline_settings.text_encoder(weights(among.network))
    try:
        vector = encoder.encode(text)
    except TextTooLong as error:
        raise ApiError(str(error), code="text-too-long", limit=error.limit) from error
    except TextError as error:
        raise ApiError(str(error), code="text-unreadable") from error
    # Every picture is compared: CLIP's texts lie apart from its pictures, for which alone an index is made.
    found = NeighbourSearch(among.blocks()).nearest(vector, count)
    where = target or "catalogue"
    entries = query.neighbour_entries(among, found.rows.tolist(), found.similarities.tolist(), where)
    return {"neighbors": entries, "in": where}


def _none(sentence: str) -> Conflict:
    return Conflict(sentence, code="no-text-search")
