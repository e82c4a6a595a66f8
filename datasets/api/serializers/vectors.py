"""Vectors in JSON. They are written by `http.renderers.vectors`, straight from memory."""

from typing import Any

from rest_framework import serializers

from .fields import natural, vector


class VectorsSerializer(serializers.Serializer[Any]):
    """Row k belongs to tile k."""

    features = serializers.ListField(child=vector())
    total = natural()
    indices = serializers.ListField(
        child=natural(), required=False, help_text="Which pictures the rows are, where not all are there."
    )


class RangesSerializer(VectorsSerializer):
    """Row k belongs to tile k of the tilemaps, one after the other."""

    tilemap_ids = serializers.ListField(child=serializers.RegexField("^[0-9]{3,}$"))


class CatalogueVectorsSerializer(RangesSerializer):
    """Row k belongs to tile k of the tilemaps, one after the other."""

    tilemaps = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="The same list, with UMAP only."
    )


class NetworkFeaturesSerializer(VectorsSerializer):
    """Row k belongs to tile k."""

    features = serializers.ListField(child=serializers.ListField(child=serializers.FloatField(), min_length=1))


class LayoutVectorsSerializer(VectorsSerializer):
    """Row k belongs to tile k."""

    features = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=3)
    )


class DistortionSerializer(VectorsSerializer):
    """Row k belongs to tile k."""

    features = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=1, max_length=1)
    )
