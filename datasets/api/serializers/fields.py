"""Fields that the serializers of several modules have."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


def natural(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, **options)


def url(**options: Any) -> serializers.RegexField:
    return serializers.RegexField("^/", **options)


def cosine(**options: Any) -> serializers.FloatField:
    return serializers.FloatField(min_value=-1.0001, max_value=1.0001, **options)


def texts(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), **options)


def vector(**options: Any) -> serializers.ListField:
    """Three coordinates."""
    return serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3, **options)


def as_it_is(shape: Any, make: Callable[[Any], Any] | None = None, **options: Any) -> Any:
    """Data that are answered as they are, or as a function makes them of the whole instance.

    `shape` describes them: a serializer, a field or a JSON schema.
    """

    @extend_schema_field(shape)
    class AsItIs(serializers.Field):  # type: ignore[type-arg]
        def to_representation(self, value: Any) -> Any:
            return value if make is None else make(value)

    return AsItIs(**options if make is None else {**options, "source": "*"})
