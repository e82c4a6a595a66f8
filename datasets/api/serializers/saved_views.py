"""Views of a collection that people saved."""

from typing import Any

from rest_framework import serializers

from datasets.collection.saved_views import ID, LENGTHS, MOST

from .fields import natural


class SavedViewSerializer(serializers.Serializer[Any]):
    """What was seen of a collection."""

    def get_fields(self) -> dict[str, Any]:
        return {
            "id": serializers.RegexField(
                f"^{ID.pattern}$", required=False, help_text="Always there in answers; a view that is new has none yet."
            ),
            "name": serializers.CharField(max_length=LENGTHS["name"], allow_blank=True),
            "note": serializers.CharField(max_length=LENGTHS["note"], allow_blank=True),
            "state": serializers.CharField(
                max_length=LENGTHS["state"],
                allow_blank=True,
                help_text="What the page's address holds of it, such as `view=pca&colour=kind`.",
            ),
        }


class SavedViewListSerializer(serializers.Serializer[Any]):
    """All views of a collection, in their order."""

    views = serializers.ListField(child=SavedViewSerializer(), max_length=MOST)


class SavedViewsSerializer(SavedViewListSerializer):
    """All views of a collection, in their order, and how many there may be."""

    limit = natural()
