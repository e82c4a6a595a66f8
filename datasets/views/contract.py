"""The calls of the contract: these keep path, method, status and body for ever."""

from pathlib import Path

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from datasets import compute, ranges, uploads
from datasets.http import answers, renderers

from .base import ContractView, check_reducer, ready_dataset, uploaded_file
from .tilemaps import tilemap_answer

_SMALL = 32
"""Rows, or ranges, of which the JSON is about a kilobyte."""


class ServerStatus(ContractView):
    def get(self, request: Request) -> Response:
        return Response({"busy": False}, headers={"Cache-Control": answers.NOT_KEPT})


class CatalogueInfo(ContractView):
    def get(self, request: Request) -> HttpResponseBase:
        catalogue = compute.shelf().catalogue()
        total = catalogue.total
        answer = answers.made(
            f"catalogue/{catalogue.identity}/info",
            lambda: [renderers.dumps({"total": total, "ranges": dict(ranges.bounds(total))})],
            cache_control=answers.CATALOGUE,
            small=ranges.count(total) < _SMALL,
        )
        return answers.send(request, answer)


class CatalogueTilemap(ContractView):
    def get(self, request: Request, identity: str) -> HttpResponseBase:
        catalogue = compute.shelf().catalogue()
        tilemap = catalogue.tilemap(identity)
        owner = f"catalogue/{catalogue.identity}"
        return answers.send(request, tilemap_answer(request, tilemap, owner, cache_control=answers.CATALOGUE))


class CatalogueVectors(ContractView):
    def get(self, request: Request, reducer: str, start: str, end: str) -> HttpResponseBase:
        catalogue = compute.shelf().catalogue()
        check_reducer(reducer)
        numbers, rows = ranges.span(start, end, catalogue.total)
        features = catalogue.vectors[reducer][rows]
        ids = [ranges.range_id(number) for number in numbers]
        facts = {"tilemap_ids": ids, "total": len(features)}
        if reducer == "umap":
            # The old code's name for the list on this one call; its documentation says `tilemap_ids`.
            facts["tilemaps"] = ids
        answer = answers.made(
            f"catalogue/{catalogue.identity}/{reducer}-{numbers[0]}-{numbers[-1]}",
            lambda: renderers.vectors(features, facts),
            cache_control=answers.CATALOGUE,
            small=len(features) < _SMALL,
        )
        return answers.send(request, answer)


class DatasetUpload(ContractView):
    def post(self, request: Request) -> HttpResponseBase:
        dataset = uploads.receive(uploaded_file(request))
        # 200 and the bare id, not 201 and JSON: the old client takes 200 and 304 only, and the body as it is.
        return HttpResponse(dataset.hash, content_type="text/plain; charset=utf-8")


class DatasetVectors(ContractView):
    def get(self, request: Request, identity: str, reducer: str) -> HttpResponseBase:
        check_reducer(reducer)
        dataset = ready_dataset(identity)
        answer = answers.made(
            # An id that was deleted and sent again is computed anew.
            f"dataset/{dataset.hash}/{reducer}-{dataset.finished_at:%Y%m%d%H%M%S%f}",
            lambda: renderers.vectors(dataset.vectors(reducer), {"total": dataset.count}),
            cache_control=answers.DATASET,
            small=dataset.count < _SMALL,
        )
        return answers.send(request, answer)


class DatasetTilemap(ContractView):
    def get(self, request: Request, identity: str) -> HttpResponseBase:
        dataset = ready_dataset(identity)
        tilemap, owner = Path(dataset.tilemap.path), f"dataset/{dataset.hash}"
        return answers.send(request, tilemap_answer(request, tilemap, owner, cache_control=answers.DATASET))
