"""A whole collection as one file."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets import collection, export
from datasets.http import answers

from . import parameters
from .pictures import cache_control

FORMATS = {"zip": export.everything, "projector": export.projector}


class Export(APIView):
    """Of an upload."""

    def get(self, request: Request, identity: str) -> HttpResponseBase:
        found = collection.upload(identity)
        form = parameters.one_of(request, "format", FORMATS, "zip")
        suffix = "" if form == "zip" else f"-{form}"
        return _streamed(request, FORMATS[form](found), f"{found.dataset.hash}{suffix}.zip", cache_control(found))


class CatalogueExport(APIView):
    """Of the catalogue."""

    def get(self, request: Request) -> HttpResponseBase:
        return _streamed(request, export.catalogue(collection.installed()), "catalogue.zip", answers.CATALOGUE)


def _streamed(request: Request, pieces: Iterator[bytes], name: str, cached: str) -> HttpResponseBase:
    """The first bytes leave before the last are made."""
    return StreamingHttpResponse(
        pieces if request.method == "GET" else (),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": cached},
    )
