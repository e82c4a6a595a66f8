"""What the service says of itself and of its catalogue."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from .fields import as_it_is, natural, texts, url

_RANGES = {
    "type": "object",
    "patternProperties": {
        "^[0-9]{3,}$": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
    },
    "additionalProperties": False,
}


class StatusSerializer(serializers.Serializer[Any]):
    """Free."""

    busy = as_it_is({"const": False})


class CatalogueInfoSerializer(serializers.Serializer[Any]):
    """How many pictures the catalogue has, and its ranges."""

    total = natural(help_text="Pictures.")
    ranges = as_it_is(_RANGES, help_text="First and last index of each range, both included.")


class HealthSerializer(serializers.Serializer[Any]):
    """Whether requests and the database work, and how far the worker is."""

    status = as_it_is({"const": "ok"})
    worker = serializers.ChoiceField(
        ["absent", "preparing", "cannot prepare", "warming up", "ready"],
        help_text="“preparing”: the network is fetched or converted, once. Uploads wait, or get 503 as long as its "
        "weights are not known. “cannot prepare”: it failed, and is tried again each minute; what is there is served, "
        "uploads get 503.",
    )
    engine = serializers.CharField(help_text="What the worker computes with, once it is ready.", allow_blank=True)


class CatalogueEntrySerializer(serializers.Serializer[Any]):
    """A catalogue in a list of them."""

    id = serializers.CharField()
    name = serializers.CharField()
    total = natural()
    demo = serializers.BooleanField()
    is_installed = serializers.BooleanField(help_text="Whether calls without an id are about it.")
    has_report = serializers.BooleanField(help_text="Whether `…/report` tells what became of the files of its source.")
    add = as_it_is(
        url(),
        lambda entry: reverse("dataset-images", args=[entry.id]) if entry.can_grow else None,
        allow_null=True,
        help_text="Where to POST pictures that are to be added; null where it came without what that takes.",
    )
    points = texts(
        help_text="Layouts that are to be had as tiles of points (`…/points/{layout}`), which the page uses."
    )


class CataloguesSerializer(serializers.Serializer[Any]):
    """All catalogues."""

    catalogues = CatalogueEntrySerializer(many=True)
