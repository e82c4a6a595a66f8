"""The ranges of an upload of any size, by the calls that the catalogue has for its own."""

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import NO_DATASET, sent
from datasets.api.serializers import represent
from datasets.api.serializers.service import CatalogueInfoSerializer
from datasets.api.serializers.vectors import RangesSerializer
from datasets.collection.uploaded import Upload
from datasets.tilemaps import ranges

from . import examples, pictures, tilemaps, vectors
from .base import cache_control_while, cached_json, check_reducer, dataset_with, unless_deleted


class Info(APIView):
    """How many pictures an upload has, and its ranges."""

    @extend_schema(
        operation_id="get_dataset_info",
        tags=["datasets"],
        responses=sent(
            "Its size.", CatalogueInfoSerializer, {"total": 1500, "ranges": {"000": [0, 999], "001": [1000, 1499]}}
        )
        | {404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        dataset = dataset_with(dataset_id, "tilemap")
        info = {"total": dataset.count, "ranges": dict(ranges.bounds(dataset.count))}
        return cached_json(
            request,
            Upload(dataset),
            "info",
            lambda: represent(CatalogueInfoSerializer, info),
            small=ranges.count(dataset.count) < vectors.SMALL,
            cache_control=cache_control_while(dataset),
        )


class Tilemap(APIView):
    """The pictures of a range of an upload, in one.

    As the catalogue's: 500 × 5000 pixels, 10 columns of 50 × 50 cells.
    """

    @extend_schema(
        operation_id="get_dataset_range_tilemap",
        tags=["datasets"],
        parameters=[tilemaps.TILE],
        responses=tilemaps.REPLIES | {404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str, number: str) -> HttpResponseBase:
        dataset = dataset_with(dataset_id, "tilemap")
        found, page = Upload(dataset), ranges.parse(number, dataset.count)
        with unless_deleted(dataset):
            answer = tilemaps.tilemap_answer(
                request,
                found.tilemap(page),
                lambda: found,
                page,
                cache_control=cache_control_while(dataset),
            )
            return responses.send(request, answer)


class Manifest(pictures.Manifest):
    """Where each picture lies in the tilemap of a range of an upload."""

    @extend_schema(operation_id="get_dataset_range_manifest", tags=["pictures"], responses=pictures.MANIFEST_REPLIES)
    def get(self, request: Request, dataset_id: str | None = None, number: str = "0") -> HttpResponseBase:
        return super().get(request, dataset_id, number)


class Vectors(APIView):
    """The vectors of some ranges of an upload, in the order of the pictures."""

    @extend_schema(
        operation_id="get_dataset_ranges_vectors",
        tags=["datasets"],
        description=f"The reducers' own numbers, never rescaled. {vectors.FORMS}",
        parameters=vectors.PARAMETERS,
        responses=vectors.replies(
            "The vectors.", RangesSerializer, {"features": examples.ROWS, "tilemap_ids": ["000"], "total": 2}
        )
        | {400: "The ranges are reversed: 2 comes after 1.", 404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str, reducer: str, start: str, end: str) -> HttpResponseBase:
        check_reducer(reducer)
        dataset = dataset_with(dataset_id, reducer)
        found = Upload(dataset)
        numbers, rows = ranges.span(start, end, dataset.count)
        with unless_deleted(dataset):
            features = dataset.vectors(reducer)[rows]
            return vectors.answer(
                request,
                features,
                f"{found.cache_key}/{reducer}-{numbers[0]}-{numbers[-1]}",
                facts={"tilemap_ids": [ranges.range_id(number) for number in numbers], "total": len(features)},
                collection=lambda: found,
                cache_control=cache_control_while(dataset),
                first=rows.start,
            )
