"""Clusters of pictures that are like each other."""

from typing import Any

from rest_framework import serializers

from datasets.models import DerivedResult
from datasets.search.clusters import LABEL_LENGTH

from .fields import as_it_is, natural
from .search import GroupMemberSerializer


def _share(**options: Any) -> serializers.FloatField:
    return serializers.FloatField(min_value=0, max_value=1, **options)


class TraitSerializer(serializers.Serializer[Any]):
    """A value that is over-represented in a cluster."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "field": serializers.CharField(),  # a word of the serializer's own
            "value": as_it_is(
                {"type": ["boolean", "integer", "string"]},
                help_text="Of many different numbers the part as a filter takes it: `..3`, `3..9`, `9..`.",
            ),
            "count": natural(help_text="Pictures of the cluster that have it."),
            "inside": _share(help_text="Of those pictures of the cluster that have any value."),
            "outside": _share(help_text="The same of the pictures outside."),
        }


class ClusterSerializer(serializers.Serializer[Any]):
    """Pictures that are like each other."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "id": serializers.IntegerField(min_value=1, help_text="On its level; 1 is the largest."),
            "parent": serializers.IntegerField(
                min_value=1, allow_null=True, help_text="The cluster of the level before in which it lies wholly."
            ),
            "size": serializers.IntegerField(min_value=1, help_text="Pictures."),
            "medoid": GroupMemberSerializer(help_text="The picture in its middle."),
            "label": serializers.CharField(help_text="Its name, else its most telling trait, else its id."),
            "is_named": serializers.BooleanField(help_text="Whether someone gave it the name."),
            "traits": TraitSerializer(many=True, help_text="The most telling first."),
        }


class ClusterLevelSerializer(serializers.Serializer[Any]):
    """A level."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "level": serializers.IntegerField(min_value=1),
            "field": serializers.CharField(help_text="What its column is called among the fields."),
            "clusters": ClusterSerializer(many=True),
            "outside": natural(help_text="Pictures that are in no cluster."),
        }


class ClusterListSerializer(serializers.Serializer[Any]):
    """All levels, the coarsest first."""

    levels = ClusterLevelSerializer(many=True)
    total = natural()


class ClusterLabelSerializer(serializers.Serializer[Any]):
    """A cluster's new name. An empty one takes the name away."""

    def get_fields(self) -> dict[str, Any]:
        return {"label": serializers.CharField(max_length=LABEL_LENGTH, allow_blank=True)}


class ComputationSerializer(serializers.Serializer[Any]):
    """How far something is that is computed in the background."""

    status = serializers.ChoiceField([*(status.value for status in DerivedResult.STATUSES), "ready"])
    progress = _share()
