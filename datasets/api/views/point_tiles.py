"""Layouts of many pictures as tiles of points: which nodes there are, and their bytes."""

import re

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import renderers, responses
from datasets.api.openapi import BINARY, sent
from datasets.api.serializers.point_tiles import PointIndexSerializer
from datasets.collection import layouts, point_tiles
from datasets.collection.base import Collection
from datasets.derived.layouts import unknown
from datasets.errors import NotFound
from datasets.search import collections
from embeddings.reducers import REDUCERS

NODES = "application/vnd.wwzd.points"
_FEW = 8
"""Nodes of which the JSON is about a kilobyte."""
_DIGEST = re.compile("[0-9a-f]{16}")
_MISSING = "There are no point tiles of “umap”: `manage.py build_point_tiles` writes them."
_INDEX = {
    "format": 1,
    "layout": "umap",
    "count": 2,
    "nodes": "9f86d081884c7d65",
    "bytes": 28,
    "colours": True,
    "stride": 13,
    "capacity": 16384,
    "middle": [10.5, 7.25, 6.0],
    "radius": 4.2,
    "parents": [-1],
    "counts": [2],
    "boxes": [[7.4, 5.01, 2.2, 14.878308, 8.788419, 9.8]],
}


class PointIndex(APIView):
    """The tiles of a layout.

    The nodes of an octree, breadth first, each with a sample of the points below it. Node k lies in the bytes of
    `…/points/{layout}/{nodes}` after those before it: `stride` · `counts[k]` bytes, filled up to a multiple of four. A
    collection has them from `POINT_TILES_FROM` pictures on, or where `manage.py build_point_tiles` was run.
    """

    @extend_schema(
        operation_id="get_{collection}_points",
        tags=["layouts"],
        responses=sent("What there is.", PointIndexSerializer, _INDEX) | {404: _MISSING},
    )
    def get(self, request: Request, layout: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = _found(dataset_id, layout)
        index = point_tiles.read(found.folder, layout)
        if index is None:
            sentence = f"There are no point tiles of “{layout}”: `manage.py build_point_tiles` writes them."
            raise NotFound(sentence, code="point-tiles-missing", name=layout)
        answer = responses.cached_response(
            f"{found.cache_key}-points-{layout}-{index['nodes']}-{point_tiles.FORMAT}",
            lambda: [renderers.dumps(index)],
            cache_control=responses.CATALOGUE,
            small=len(index["counts"]) < _FEW,
        )
        return responses.send(request, answer)


class PointNodes(APIView):
    """The points of all nodes.

    All little-endian, for each node of k points: k `uint32` rows, 3 · k `uint16` coordinates (0 is the least of the
    node's box, 65535 the greatest), and, if the tiles have `colours`, 3 · k `uint8` red, green, blue. Ask for the bytes
    of some nodes by `Range`. They never change under their address.
    """

    @extend_schema(
        operation_id="get_{collection}_point_nodes",
        tags=["layouts"],
        responses=sent("Points.", {NODES: BINARY}, headers=()) | {404: _MISSING},
    )
    def get(self, request: Request, layout: str, digest: str, dataset_id: str | None = None) -> HttpResponseBase:
        path = _found(dataset_id, layout).folder.point_nodes_path(layout, digest)
        if not _DIGEST.fullmatch(digest) or not path.is_file():
            sentence = f"There are no such tiles of “{layout}” any more: ask for …/points/{layout} again."
            raise NotFound(sentence, code="point-tiles-missing", name=layout)
        answer = responses.file(path, digest, media_type=NODES, cache_control=responses.DATASET)
        return responses.send(request, answer)


def _found(dataset_id: str | None, layout: str) -> Collection:
    """The collection, if a layout may be called so. Raises `NotFound`."""
    found = collections.find(dataset_id)
    if layout not in REDUCERS and layouts.card_of(found.folder, layout) is None:
        raise unknown(layout)
    return found
