"""Pictures, names and metadata by row. The answers are big, so orjson writes them as they are."""

from typing import Any

from rest_framework import serializers

from .fields import as_it_is, natural

_TYPES = ["boolean", "integer", "number", "text"]
_VALUES = {"type": "object", "additionalProperties": {"type": ["boolean", "number", "string"]}}


def _side(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, allow_null=True, **options)


def _rectangle() -> serializers.ListField:
    return serializers.ListField(child=natural(), min_length=4, max_length=4)


class ImageSerializer(serializers.Serializer[Any]):
    """A picture of a collection."""

    index = natural(help_text="Its row.")
    name = serializers.CharField(help_text="Its file's; a catalogue of an old server has numbers only.")
    width = _side(help_text="Pixels, upright; null where it is not known.")
    height = _side()
    bytes = natural(allow_null=True, help_text="Of its file.")
    metadata = as_it_is(_VALUES, help_text="Field → value; fields without one are left out.")


class FieldSerializer(serializers.Serializer[Any]):
    """A field of the metadata."""

    name = serializers.CharField()
    type = serializers.ChoiceField(_TYPES)


class ImageListSerializer(serializers.Serializer[Any]):
    """A page of pictures. `total` counts those of all pages."""

    images = ImageSerializer(many=True)
    total = natural()
    fields = FieldSerializer(many=True)  # type: ignore[assignment]


class FieldValueSerializer(serializers.Serializer[Any]):
    """A value, and how many pictures have it."""

    value = as_it_is({"type": ["boolean", "integer", "string"]})
    count = serializers.IntegerField(min_value=1)


class HistogramSerializer(serializers.Serializer[Any]):
    """How many values lie between an edge and the next."""

    counts = serializers.ListField(child=natural())
    edges = serializers.ListField(child=serializers.FloatField())


class FieldSummarySerializer(FieldSerializer):
    """How the values of a field are spread."""

    count = natural(help_text="Pictures that have a value.")
    distinct = natural(required=False, help_text="Different values, of booleans, texts, and integers beyond 2⁵³.")
    values = FieldValueSerializer(many=True, required=False, help_text="The most frequent ones of those.")
    min = serializers.FloatField(required=False, help_text="Of numbers, where there are any.")
    max = serializers.FloatField(required=False)
    histogram = HistogramSerializer(required=False)


class FieldListSerializer(serializers.Serializer[Any]):
    """What the metadata are."""

    fields = FieldSummarySerializer(many=True)  # type: ignore[assignment]
    lacks_clusters = serializers.BooleanField(
        help_text="Whether there are no fields of clusters because they have not been computed, and can be."
    )
    total = natural()


class RowListSerializer(serializers.Serializer[Any]):
    """Rows of pictures, ascending."""

    rows = serializers.ListField(child=natural())
    total = natural()


class FieldColumnSerializer(FieldSerializer):
    """One field of all pictures."""

    texts = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Of a text field: what the numbers in `values` stand for.",
    )
    values = serializers.ListField(
        child=as_it_is({"type": ["boolean", "number", "null"]}),
        help_text="Value k belongs to row k; null where the picture has none.",
    )


class TileSerializer(serializers.Serializer[Any]):
    """Rectangles are left, top, width, height."""

    index = natural()
    name = serializers.CharField()
    cell = _rectangle()
    picture = _rectangle()


class TilemapManifestSerializer(serializers.Serializer[Any]):
    """Where each picture lies in a tilemap."""

    width = as_it_is({"const": 500})
    height = as_it_is({"const": 5000})
    cell = as_it_is({"const": 50})
    tiles = TileSerializer(many=True)
