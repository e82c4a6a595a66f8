"""A whole upload as one file."""

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets import collection, export
from datasets.http import answers

from . import parameters

FORMATS = {"zip": export.everything, "projector": export.projector}


class Export(APIView):
    """Streamed: the first bytes leave before the last are made."""

    def get(self, request: Request, identity: str) -> HttpResponseBase:
        found = collection.upload(identity)
        form = parameters.one_of(request, "format", FORMATS, "zip")
        suffix = "" if form == "zip" else f"-{form}"
        return StreamingHttpResponse(
            FORMATS[form](found) if request.method == "GET" else (),
            content_type="application/zip",
            headers={
                "Content-Disposition": f'attachment; filename="{found.dataset.hash}{suffix}.zip"',
                "Cache-Control": answers.DATASET,
            },
        )
