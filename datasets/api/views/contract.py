"""The calls of the contract: these keep path, method, status and body for ever."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.http import renderers, responses
from datasets.api.openapi import NO_DATASET, NO_RANGE, Reply, errors, sent
from datasets.api.serializers import represent
from datasets.api.serializers.service import CatalogueInfoSerializer, StatusSerializer
from datasets.api.serializers.vectors import CatalogueVectorsSerializer, VectorsSerializer
from datasets.catalogue import installed_catalogue
from datasets.catalogue.collection import CatalogueCollection
from datasets.collection.uploaded import Upload
from datasets.search import collections
from datasets.tilemaps import ranges
from datasets.uploads import intake

from . import examples, tilemaps, vectors
from .base import ContractView, cache_control_while, check_reducer, dataset_with, unless_deleted, uploaded_file

_BUSY = errors(503)


class ServerStatus(ContractView):
    """Is it free?

    503 while the server works on an upload that a client waits for. `/health` is always there.
    """

    @extend_schema(
        operation_id="get_status",
        tags=["catalogue"],
        responses={200: Reply("It is free.", StatusSerializer, {"busy": False}, ["Cache-Control"])} | _BUSY,
    )
    def get(self, request: Request) -> Response:
        return Response(represent(StatusSerializer, {"busy": False}), headers={"Cache-Control": responses.NOT_KEPT})


class CatalogueInfo(ContractView):
    """How many pictures the catalogue has, and its ranges."""

    @extend_schema(
        operation_id="get_catalogue_info",
        tags=["catalogue"],
        responses=sent(
            "Its size.", CatalogueInfoSerializer, {"total": 1797, "ranges": {"000": [0, 999], "001": [1000, 1796]}}
        )
        | _BUSY,
    )
    def get(self, request: Request) -> HttpResponseBase:
        catalogue = installed_catalogue.catalogue_store().catalogue()
        total = catalogue.total

        def render() -> list[bytes]:
            info = {"total": total, "ranges": dict(ranges.bounds(total))}
            return [renderers.dumps(represent(CatalogueInfoSerializer, info))]

        answer = responses.cached_response(
            f"catalogue/{catalogue.fingerprint}/info",
            render,
            cache_control=responses.CATALOGUE,
            small=ranges.count(total) < vectors.SMALL,
        )
        return responses.send(request, answer)


class CatalogueTilemap(ContractView):
    """The pictures of a range, in one.

    500 × 5000 pixels: 10 columns of 50 × 50 cells, row by row. Picture k is in cell k.
    """

    @extend_schema(
        operation_id="get_catalogue_tilemap",
        tags=["catalogue"],
        parameters=[tilemaps.TILE],
        responses=tilemaps.REPLIES | {404: NO_RANGE} | _BUSY,
    )
    def get(self, request: Request, range_id: str) -> HttpResponseBase:
        catalogue = installed_catalogue.catalogue_store().catalogue()
        answer = tilemaps.tilemap_answer(
            request,
            catalogue.tilemap(range_id),
            lambda: CatalogueCollection(catalogue),
            ranges.parse(range_id, catalogue.total),
            cache_control=responses.CATALOGUE,
        )
        return responses.send(request, answer)


class CatalogueVectors(ContractView):
    """The vectors of some ranges, in the order of the pictures."""

    @extend_schema(
        operation_id="get_catalogue_vectors",
        tags=["catalogue"],
        description=f"The reducers' own numbers, never rescaled. {vectors.FORMS}",
        parameters=vectors.PARAMETERS,
        responses=vectors.replies(
            "The vectors.", CatalogueVectorsSerializer, {"features": examples.ROWS, "tilemap_ids": ["000"], "total": 2}
        )
        | {400: "The ranges are reversed: 2 comes after 1.", 404: NO_RANGE}
        | _BUSY,
    )
    def get(self, request: Request, reducer: str, start: str, end: str) -> HttpResponseBase:
        catalogue = installed_catalogue.catalogue_store().catalogue()
        check_reducer(reducer)
        numbers, rows = ranges.span(start, end, catalogue.total)
        features = catalogue.vectors[reducer][rows]
        ids = [ranges.range_id(number) for number in numbers]
        facts = {"tilemap_ids": ids, "total": len(features)}
        if reducer == "umap":
            # The old code's name for the list on this one call; its documentation says `tilemap_ids`.
            facts["tilemaps"] = ids
        return vectors.answer(
            request,
            features,
            f"catalogue/{catalogue.fingerprint}/{reducer}-{numbers[0]}-{numbers[-1]}",
            facts=facts,
            collection=collections.installed,
            cache_control=responses.CATALOGUE,
            first=rows.start,
        )


class DatasetUpload(ContractView):
    def post(self, request: Request) -> HttpResponseBase:
        dataset = intake.receive(uploaded_file(request))
        # 200 and the bare id, not 201 and JSON: the old client takes 200 and 304 only, and the body as it is.
        return HttpResponse(dataset.hash, content_type="text/plain; charset=utf-8")


class DatasetVectors(ContractView):
    """The vectors of an upload."""

    @extend_schema(
        operation_id="get_dataset_vectors",
        tags=["datasets"],
        description=(
            f"Of an upload that nobody waits for they are there as soon as they are computed. {vectors.FORMS}"
        ),
        parameters=vectors.PARAMETERS,
        responses=vectors.replies("The vectors.", VectorsSerializer, {"features": examples.ROWS, "total": 2})
        | {404: NO_DATASET}
        | _BUSY,
    )
    def get(self, request: Request, dataset_id: str, reducer: str) -> HttpResponseBase:
        check_reducer(reducer)
        dataset = dataset_with(dataset_id, reducer)
        # An id that was deleted and sent again is computed anew.
        computed = dataset.finished_at or dataset.started_at
        with unless_deleted(dataset):
            return vectors.answer(
                request,
                dataset.vectors(reducer),
                f"dataset/{dataset.hash}/{reducer}-{computed:%Y%m%d%H%M%S%f}",
                facts={"total": dataset.count},
                collection=lambda: Upload(dataset),
                cache_control=cache_control_while(dataset),
            )


class DatasetTilemap(ContractView):
    """The pictures of an upload, in one.

    As the catalogue's: 500 × 5000 pixels, 10 columns of 50 × 50 cells.
    """

    @extend_schema(
        operation_id="get_dataset_tilemap",
        tags=["datasets"],
        parameters=[tilemaps.TILE],
        responses=tilemaps.REPLIES | {404: NO_DATASET} | _BUSY,
    )
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        dataset = dataset_with(dataset_id, "tilemap")
        with unless_deleted(dataset):
            path, control = dataset.path("tilemap"), cache_control_while(dataset)
            answer = tilemaps.tilemap_answer(request, path, lambda: Upload(dataset), 0, cache_control=control)
            return responses.send(request, answer)
