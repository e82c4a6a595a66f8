"""The ranges of an upload of any size, or of a catalogue beside the installed one, by the calls that this one has."""

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import NO_DATASET, sent
from datasets.api.serializers import represent
from datasets.api.serializers.service import CatalogueInfoSerializer
from datasets.api.serializers.vectors import RangesSerializer
from datasets.catalogue.collection import is_id, of_id
from datasets.collection.base import Collection
from datasets.collection.uploaded import Upload
from datasets.tilemaps import ranges

from . import examples, pictures, tilemaps, vectors
from .base import cache_control_while, cached_json, check_reducer, dataset_with, unless_deleted


def _readable(collection_id: str, result: str) -> tuple[Collection, str]:
    """The upload of this id, which has that result, or the catalogue; and how long answers of it may be kept."""
    if is_id(collection_id):
        return of_id(collection_id), responses.CATALOGUE
    dataset = dataset_with(collection_id, result)
    return Upload(dataset), cache_control_while(dataset)


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
        found, cache_control = _readable(dataset_id, "tilemap")
        info = {"total": found.total, "ranges": dict(ranges.bounds(found.total))}
        return cached_json(
            request,
            found,
            "info",
            lambda: represent(CatalogueInfoSerializer, info),
            small=ranges.count(found.total) < vectors.SMALL,
            cache_control=cache_control,
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
        found, cache_control = _readable(dataset_id, "tilemap")
        page = ranges.parse(number, found.total)
        with unless_deleted(found):
            answer = tilemaps.tilemap_answer(
                request,
                found.tilemap(page),
                lambda: found,
                page,
                cache_control=cache_control,
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
        found, cache_control = _readable(dataset_id, reducer)
        numbers, rows = ranges.span(start, end, found.total)
        with unless_deleted(found):
            features = found.vectors(reducer)[rows]
            return vectors.answer(
                request,
                features,
                f"{found.cache_key}/{reducer}-{numbers[0]}-{numbers[-1]}",
                facts={"tilemap_ids": [ranges.range_id(number) for number in numbers], "total": len(features)},
                collection=lambda: found,
                cache_control=cache_control,
                first=rows.start,
            )
