"""What is like what."""

from typing import Any

from rest_framework import serializers

from .fields import cosine, natural, vector


class GroupMemberSerializer(serializers.Serializer[Any]):
    """A picture of a group."""

    index = natural()
    name = serializers.CharField()


class NeighborSerializer(GroupMemberSerializer):
    """A picture like the one asked about."""

    similarity = cosine(help_text="The cosine of their features.")

    def get_fields(self) -> dict[str, Any]:
        where = serializers.CharField(help_text="Among whose pictures: self, catalogue, or an upload's id.")
        return super().get_fields() | {"in": where}  # a word of Python's own


class NeighborsSerializer(serializers.Serializer[Any]):
    """The pictures most like one."""

    neighbors = NeighborSerializer(many=True)


class TextSearchResultSerializer(NeighborsSerializer):
    """The pictures that a text describes best."""

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"in": serializers.CharField()}


class SearchResultSerializer(TextSearchResultSerializer):
    """The pictures most like the one that was sent."""

    pca = vector(allow_null=True, help_text="Its place among them; null where the reducer is not at hand.")
    umap = vector(allow_null=True)


class DuplicateGroupSerializer(serializers.Serializer[Any]):
    """Pictures that are one and the same, or nearly."""

    kind = serializers.ChoiceField(["exact", "near"], help_text="exact: equal files.")
    images = serializers.ListField(child=GroupMemberSerializer(), min_length=2)
    similarity = cosine(help_text="The least among those that are alike.")


class DuplicatesSerializer(serializers.Serializer[Any]):
    """All groups of a collection."""

    groups = DuplicateGroupSerializer(many=True)
    threshold = serializers.FloatField(min_value=0, max_value=1)
    total = natural()


class OutlierSerializer(GroupMemberSerializer):
    """A picture that is like few others."""

    score = serializers.FloatField(min_value=-0.0001, max_value=2.0001)


class OutliersSerializer(serializers.Serializer[Any]):
    """The pictures that are least like any other."""

    outliers = OutlierSerializer(many=True)
    score = serializers.CharField(help_text="What the score is, in words.")
    mean = serializers.FloatField(help_text="Of the scores of all pictures.")
    total = natural()
