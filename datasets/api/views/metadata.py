"""Names, sizes and metadata by row, of an upload or of the catalogue: pages of pictures, rows, fields."""

import numpy as np
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import NO_DATASET, IntegerParameter, sent
from datasets.api.serializers.pictures import (
    FieldColumnSerializer,
    FieldListSerializer,
    ImageListSerializer,
    RowListSerializer,
)
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.errors import NotFound
from datasets.search import collections

from . import filters
from .base import cache_control_of, cached_json

OFFSET = IntegerParameter("offset", "After so many.", 0, most=10**12 - 1)
LIMIT = IntegerParameter("limit", "So many at most.", 100, least=1, most=1000)
_FEW_ROWS = 150
"""Whose JSON is about a kilobyte."""

_NOT_SELECTED = {400: "There is no field “colour”; known are age, kind.", 404: NO_DATASET}
_DAISY = {
    "index": 0,
    "name": "daisy-01.jpg",
    "width": 128,
    "height": 128,
    "bytes": 2061,
    "metadata": {"age": 3, "kind": "wild"},
}
_KIND = {
    "name": "kind",
    "type": "text",
    "count": 300,
    "distinct": 2,
    "values": [{"value": "wild", "count": 180}, {"value": "garden", "count": 120}],
}


class Images(APIView):
    """Names, sizes and metadata, page by page.

    All pictures in the order of rows, or those whose metadata are as asked for.
    """

    @extend_schema(
        operation_id="get_{collection}_images",
        tags=["pictures"],
        parameters=[OFFSET, LIMIT, *filters.PARAMETERS],
        responses=sent(
            "A page. `total` counts the pictures of all pages.",
            ImageListSerializer,
            {
                "images": [_DAISY],
                "total": 300,
                "fields": [{"name": "age", "type": "integer"}, {"name": "kind", "type": "text"}],
            },
        )
        | _NOT_SELECTED,
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        offset, limit = OFFSET.read(request), LIMIT.read(request)
        selection = filters.read(request, OFFSET.name, LIMIT.name)
        chosen = found.select(selection.fields, selection.search)
        rows = [int(row) for row in chosen[offset : offset + limit]]

        def page() -> dict[str, object]:
            fields = [{"name": name, "type": of_type} for name, of_type in found.images.field_types.items()]
            return {"images": _images(found, rows), "total": len(chosen), "fields": fields}

        cached = _cache_control(found)
        key = f"images-{found.metadata_version}-{offset}-{limit}-{selection.key}"
        return cached_json(request, found, key, page, small=len(rows) <= 10, cache_control=cached)


class Rows(APIView):
    """Which pictures are as asked for: their rows alone.

    All at once and ascending: what `…/images` tells page by page, small enough for 200,000.
    """

    @extend_schema(
        operation_id="get_{collection}_rows",
        tags=["pictures"],
        parameters=[*filters.PARAMETERS],
        responses=sent("The rows.", RowListSerializer, {"rows": [0, 2, 17], "total": 3}) | _NOT_SELECTED,
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        selection = filters.read(request)
        rows = found.select(selection.fields, selection.search)
        return cached_json(
            request,
            found,
            f"rows-{found.metadata_version}-{selection.key}",
            lambda: {"rows": np.asarray(rows, np.int64), "total": len(rows)},
            small=len(rows) <= _FEW_ROWS,
            # Of names alone it is the same for ever.
            cache_control=_cache_control(found) if selection.fields else None,
        )


class Fields(APIView):
    """What the metadata are, and how their values are spread."""

    @extend_schema(
        operation_id="get_{collection}_fields",
        tags=["pictures"],
        responses=sent("The fields.", FieldListSerializer, {"fields": [_KIND], "lacks_clusters": False, "total": 300})
        | {404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        lacking = found.lacks_clusters

        def summaries() -> dict[str, object]:
            fields = [of.summary() for of in found.images.fields()]
            return {"fields": fields, "lacks_clusters": lacking, "total": found.total}

        key = f"fields-{found.metadata_version}-{lacking}"
        return cached_json(request, found, key, summaries, cache_control=_cache_control(found, lacking))


class Field(APIView):
    """One field of all pictures.

    The whole column by row, to colour a cloud by it or to count in it.
    """

    @extend_schema(
        operation_id="get_{collection}_field",
        tags=["pictures"],
        responses=sent(
            "The column.",
            FieldColumnSerializer,
            {"name": "kind", "type": "text", "texts": ["wild", "garden"], "values": [0, 1, None, 0]},
        )
        | {404: "There is no field “colour”; known are age, kind."},
    )
    def get(self, request: Request, name: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        images = found.images
        if name not in images.field_types:
            raise NotFound(images.unknown(name), code="field-unknown", name=name[:40])
        key = f"field-{found.metadata_version}-{responses.fingerprint(name.encode())}"
        cached = _cache_control(found)
        return cached_json(request, found, key, lambda: images.field(name).whole(), cache_control=cached)


def _cache_control(found: Collection, lacks_clusters: bool | None = None) -> str:
    """Clusters may become fields of an upload that lacks them; of the catalogue it is the same either way."""
    if lacks_clusters is None:
        lacks_clusters = isinstance(found, Upload) and found.lacks_clusters
    return responses.MAY_CHANGE if lacks_clusters else cache_control_of(found)


def _images(found: Collection, rows: list[int]) -> list[dict[str, object]]:
    images = found.images
    known = zip(rows, images.names(rows), images.sizes(rows), images.metadata(rows), strict=True)
    return [
        {"index": row, "name": name, "width": width, "height": height, "bytes": size, "metadata": metadata}
        for row, name, (width, height, size), metadata in known
    ]
