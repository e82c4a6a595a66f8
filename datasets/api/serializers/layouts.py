"""Layouts of a collection, what they can be made of, and how far they can be trusted."""

from typing import Any

from rest_framework import serializers

from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.derived.layout_requests import LayoutState
from datasets.derived.layouts import requested
from datasets.models import Status
from embeddings.layouts import METHODS, Method

from .fields import as_it_is, natural, texts

_NUMBERS_BY_NAME = {"type": "object", "additionalProperties": {"type": ["number", "string"]}}
_TEXTS_BY_NAME = {"type": "object", "additionalProperties": {"type": "string"}}
_SHARE: dict[str, Any] = {"min_value": -0.0001, "max_value": 1.0001}
READY = "ready"


class LayoutSerializer(serializers.Serializer[Any]):
    """A layout: where all pictures of a collection lie."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(["pca", *METHODS])
    parameters = as_it_is(_NUMBERS_BY_NAME)
    dimensions = serializers.IntegerField(
        min_value=2, max_value=3, allow_null=True, help_text="null until it is there."
    )
    status = serializers.ChoiceField([READY, *(Status.QUEUED, Status.PROCESSING, Status.FAILED)])
    progress = serializers.FloatField(**_SHARE)
    error = serializers.CharField(allow_null=True, help_text="Why it could not be computed.")
    seconds = serializers.FloatField(
        min_value=0, allow_null=True, help_text="That it took; null where it is not known."
    )
    versions = as_it_is(_TEXTS_BY_NAME, help_text="Of what computed it.")
    supervised_by = serializers.CharField(
        allow_null=True,
        help_text="The field whose values drew pictures together; null where the pictures alone decide.",
    )
    can_place = serializers.BooleanField(help_text="Whether new pictures can be placed in it.")
    placed = natural(
        allow_null=True,
        help_text="How many of its last pictures were placed in it after it had been computed; null of PCA and UMAP.",
    )
    measured = serializers.BooleanField(help_text="Whether its quality has been measured.")


class MethodParameterSerializer(serializers.Serializer[Any]):
    """A parameter of a kind of layout."""

    name = serializers.CharField()
    type = serializers.ChoiceField(["integer", "number", "text"])
    default = as_it_is({"type": ["number", "string"]})
    minimum = serializers.FloatField(help_text="Included; of a text, characters.")
    maximum = serializers.FloatField()
    choices = texts(help_text="That it takes; empty where it takes others, too.")
    needs = serializers.CharField(
        allow_null=True, help_text="The parameter without whose value it has no say, and is left out."
    )
    description = serializers.CharField()


class LayoutMethodSerializer(serializers.Serializer[Any]):
    """A kind of layout that can be asked for."""

    name = serializers.ChoiceField(list(METHODS))
    description = serializers.CharField()
    can_place = serializers.BooleanField(help_text="Whether its layouts are carried on where pictures are added.")
    parameters = MethodParameterSerializer(many=True)


class LayoutsSerializer(serializers.Serializer[Any]):
    """All layouts of a collection, and the kinds that others can be made of."""

    layouts = LayoutSerializer(many=True)
    kinds = LayoutMethodSerializer(many=True)
    limit = natural(help_text="So many layouts beside PCA and UMAP at most.")


class LayoutRequestSerializer(serializers.Serializer[Any]):
    """A layout that is wanted."""

    kind = serializers.ChoiceField(list(METHODS))
    parameters = serializers.DictField(required=False, help_text="By name; the defaults for those that are not given.")


class NeighbourhoodScoresSerializer(serializers.Serializer[Any]):
    """How well the nearest of each picture are kept; 1 is best."""

    neighbors = serializers.IntegerField(min_value=1, source="neighbours")
    trustworthiness = serializers.FloatField(**_SHARE)
    continuity = serializers.FloatField(**_SHARE)
    kept = serializers.FloatField(**_SHARE, help_text="Share of the nearest that are among the most similar.")


class QualitySerializer(serializers.Serializer[Any]):
    """How far a layout can be trusted."""

    name = serializers.CharField()
    scores = NeighbourhoodScoresSerializer(many=True)
    total = natural()
    measured = natural(help_text="Pictures that the scores are averages of: all, or a sample.")
    exact = serializers.BooleanField()
    distortion_neighbors = natural()
    distortion_against = natural(help_text="Pictures that each was compared with for its distortion.")
    mean_distortion = serializers.FloatField(**_SHARE)
    worst = serializers.ListField(child=natural(), help_text="The pictures of the largest distortion.")
    sample_seed = natural()
    stability = serializers.FloatField(
        **_SHARE,
        allow_null=True,
        help_text="Share of the 10 nearest in the layout that are so with other seeds, too; null where there is none.",
    )
    other_seeds = natural(help_text="With so many it was compared.")
    seed = natural(allow_null=True)
    parameters = as_it_is(_NUMBERS_BY_NAME)
    supervised_by = serializers.CharField(
        allow_null=True, help_text="The field whose values drew pictures together: they, not the network, made groups."
    )
    explained_variance = as_it_is(
        {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
        allow_null=True,
        help_text="Shares of the variance along PCA's three axes; null of other layouts.",
    )
    network = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField(min_value=0)
    versions = as_it_is(_TEXTS_BY_NAME)


class PendingSerializer(serializers.Serializer[Any]):
    """What is being computed."""

    status = serializers.ChoiceField([Status.QUEUED, Status.PROCESSING])
    stage = serializers.CharField(allow_blank=True)
    progress = serializers.FloatField(**_SHARE)


_OF_CARD = ("kind", "parameters", "dimensions", "seconds", "versions", "supervised_by", "placed")


def entry(found: Collection, state: LayoutState) -> dict[str, Any]:
    """What is said of a layout."""
    card, row = state.card, state.row
    common = {
        "name": state.name,
        "progress": 1.0,
        "status": READY,
        "error": None,
        "seconds": None,
        "versions": {},
        "dimensions": None,
        "supervised_by": None,
        "can_place": False,
        "placed": None,
        "measured": layouts.quality_of(found.folder, state.name) is not None,
    }
    if row is not None:
        method, values = requested(row.parameters)
        specific = {
            "kind": method.name,
            "parameters": values,
            "status": row.status,
            "progress": row.progress,
            "placed": 0,
            "supervised_by": values.get("target"),
            "error": row.error or None,
            "can_place": method.can_place,
        }
    elif card is not None:
        specific = {name: getattr(card, name) for name in _OF_CARD}
        specific["can_place"] = METHODS[card.kind].can_place
    else:
        is_placed = isinstance(found, Upload) and found.space is not None
        specific = {
            "kind": state.name,
            "parameters": {},
            "dimensions": 3,
            "can_place": is_placed or found.folder.model_path(state.name).exists(),
        }
    return common | specific


def kinds() -> list[dict[str, Any]]:
    """What can be asked for."""
    return [_kind(method) for method in METHODS.values()]


def _kind(method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "description": method.description,
        "can_place": method.can_place,
        "parameters": [
            {
                "name": each.name,
                "type": each.type,
                "default": each.default,
                "minimum": each.least,
                "maximum": each.most,
                "choices": each.choices,
                "needs": each.needs if each.needs != each.name else None,
                "description": each.description,
            }
            for each in method.parameters
        ],
    }
