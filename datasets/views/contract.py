"""The calls of the contract: these keep path, method, status and body for ever."""

from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from datasets import collection, compute, ranges, uploads
from datasets.collection import Installed, Upload
from datasets.http import answers, renderers
from datasets.models import Dataset, Status

from . import vectors
from .base import ContractView, check_reducer, dataset_with, unless_deleted, uploaded_file
from .tilemaps import tilemap_answer


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
            small=ranges.count(total) < vectors.SMALL,
        )
        return answers.send(request, answer)


class CatalogueTilemap(ContractView):
    def get(self, request: Request, identity: str) -> HttpResponseBase:
        catalogue = compute.shelf().catalogue()
        tilemap = catalogue.tilemap(identity)
        answer = tilemap_answer(
            request,
            tilemap,
            lambda: Installed(catalogue, settings.DATA_DIR),
            ranges.parse(identity, catalogue.total),
            cache_control=answers.CATALOGUE,
        )
        return answers.send(request, answer)


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
        return vectors.answer(
            request,
            features,
            f"catalogue/{catalogue.identity}/{reducer}-{numbers[0]}-{numbers[-1]}",
            facts=facts,
            collection=collection.installed,
            cache_control=answers.CATALOGUE,
            first=rows.start,
        )


class DatasetUpload(ContractView):
    def post(self, request: Request) -> HttpResponseBase:
        dataset = uploads.receive(uploaded_file(request))
        # 200 and the bare id, not 201 and JSON: the old client takes 200 and 304 only, and the body as it is.
        return HttpResponse(dataset.hash, content_type="text/plain; charset=utf-8")


class DatasetVectors(ContractView):
    def get(self, request: Request, identity: str, reducer: str) -> HttpResponseBase:
        check_reducer(reducer)
        dataset = dataset_with(identity, reducer)
        # An id that was deleted and sent again is computed anew.
        computed = dataset.finished_at or dataset.started_at
        with unless_deleted(dataset):
            return vectors.answer(
                request,
                dataset.vectors(reducer),
                f"dataset/{dataset.hash}/{reducer}-{computed:%Y%m%d%H%M%S%f}",
                facts={"total": dataset.count},
                collection=lambda: Upload(dataset),
                cache_control=_kept_as_long_as(dataset),
            )


class DatasetTilemap(ContractView):
    def get(self, request: Request, identity: str) -> HttpResponseBase:
        dataset = dataset_with(identity, "tilemap")
        with unless_deleted(dataset):
            path, control = Path(dataset.tilemap.path), _kept_as_long_as(dataset)
            answer = tilemap_answer(request, path, lambda: Upload(dataset), 0, cache_control=control)
            return answers.send(request, answer)


def _kept_as_long_as(dataset: Dataset) -> str:
    """What is read before all is done may be computed anew, should the rest fail."""
    return answers.DATASET if dataset.status == Status.READY else answers.UNFINISHED
