"""The points of a layout as tiles."""

from typing import Any

from rest_framework import serializers

from .fields import as_it_is, natural

_NATURALS = {"type": "array", "items": {"type": "integer", "minimum": -1}}
_PLACE = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
_BOXES = {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 6, "maxItems": 6}}


class PointIndexSerializer(serializers.Serializer[Any]):
    """The nodes of an octree of points; each point is in one node."""

    format = natural()
    layout = serializers.CharField()
    count = natural(help_text="Points in all.")
    nodes = serializers.RegexField("^[0-9a-f]{16}$", help_text="The digest that ends the address of the nodes' bytes.")
    bytes = natural(help_text="Of all nodes.")
    colours = serializers.BooleanField(help_text="Whether each point has the mean colour of its picture.")
    stride = natural(help_text="Bytes of a point.")
    capacity = natural(help_text="Points of a node at most.")
    middle = as_it_is(_PLACE, help_text="The mean of all points.")
    radius = serializers.FloatField(help_text="The distance from there within which 95 % of a sample lie.")
    parents = as_it_is(
        _NATURALS, help_text="Of each node, the number of its parent, which comes before it; -1 of the first."
    )
    counts = as_it_is(_NATURALS, help_text="Points of each node itself.")
    boxes = as_it_is(
        _BOXES, help_text="Of each node, the least and the greatest x, y, z of its points and of all below it."
    )
