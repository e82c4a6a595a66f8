"""The calls of the contract. Each view parses, calls and answers."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from embeddings.reducers import REDUCERS

from . import answers, busy, compute, ranges, renderers, uploads
from .errors import NotThere, Refusal
from .models import Dataset, Status, WorkerState

# How much of a refused upload is read and thrown away, so that the client is still there to read the answer.
_DRAIN_BYTES = 256 * 2**20
_CHUNK = 2**20
_SMALL = 32
"""Rows, or ranges, of which the JSON is about a kilobyte."""


class ContractView(APIView):
    """A call of the contract: answers 503 while the server is busy with an upload that someone waits for."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        busy.refuse_if_up()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.status_code >= 400 and request.method == "POST":
            _drain(request)
        return super().finalize_response(request, response, *args, **kwargs)


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
        tilemap = compute.shelf().catalogue().tilemap(identity)
        return answers.send(request, answers.picture(tilemap, cache_control=answers.CATALOGUE))


class CatalogueVectors(ContractView):
    def get(self, request: Request, reducer: str, start: str, end: str) -> HttpResponseBase:
        catalogue = compute.shelf().catalogue()
        _check_reducer(reducer)
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
        dataset = uploads.receive(_uploaded_file(request))
        # 200 and the bare id, not 201 and JSON: the old client takes 200 and 304 only, and the body as it is.
        return HttpResponse(dataset.hash, content_type="text/plain; charset=utf-8")


class DatasetVectors(ContractView):
    def get(self, request: Request, identity: str, reducer: str) -> HttpResponseBase:
        _check_reducer(reducer)
        dataset = _ready_dataset(identity)
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
        tilemap = Path(_ready_dataset(identity).tilemap.path)
        return answers.send(request, answers.picture(tilemap, cache_control=answers.DATASET))


class Health(APIView):
    """For containers and load balancers; not under the busy rule. 200 as long as requests and the database work."""

    def get(self, request: Request) -> Response:
        worker = WorkerState.objects.current()
        return Response(
            {
                "status": "ok",
                "worker": "absent" if worker is None else "ready" if worker.ready else "warming up",
                "engine": worker.engine if worker else "",
            },
            headers={"Cache-Control": answers.NOT_KEPT},
        )


def _check_reducer(name: str) -> None:
    if name not in REDUCERS:
        raise Refusal(f"There is no reducer “{name[:40]}”; known are {' and '.join(REDUCERS)}.")


def _ready_dataset(identity: str) -> Dataset:
    dataset = Dataset.objects.defer("names", "skipped").filter(hash=identity).first()
    if dataset is None:
        raise NotThere("There is no dataset of this id.")
    if dataset.status == Status.FAILED:
        raise NotThere(f"This dataset could not be computed: {dataset.error}")
    if dataset.status != Status.READY:
        raise NotThere("This dataset is not ready yet.")
    return dataset


def _uploaded_file(request: Request) -> "UploadedFile[bytes]":
    limit = settings.MAX_UPLOAD_MB * 2**20
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit + _CHUNK:
        raise Refusal(f"The upload is larger than the limit of {settings.MAX_UPLOAD_MB} MiB.", 413)
    file: UploadedFile[bytes] | None = request.FILES.get("file")
    if file is None:
        raise Refusal("Send the ZIP as a multipart form with one file field named “file”.")
    return file


def _drain(request: Request) -> None:
    stream = request._request
    try:
        for _ in range(_DRAIN_BYTES // _CHUNK):
            if not stream.read(_CHUNK):
                return
    except Exception:  # the client is gone, or the parser has the body already: nobody is left to be polite to
        return
