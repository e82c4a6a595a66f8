"""The interface, described for machines and for people."""

import hashlib
import io
from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.http import answers
from datasets.http.codings import CODINGS, IDENTITY

from .parameters import choice


class Schema(APIView):
    """The OpenAPI document. What makes it is loaded with the first request for it."""

    def get(self, request: Request) -> HttpResponseBase:
        from datasets.described import document

        as_yaml = choice(request, "format", ("json", "yaml")) == "yaml"
        content = document.document_as_yaml() if as_yaml else document.document()

        def opened(coding: str) -> BinaryIO:
            return cast(BinaryIO, io.BytesIO(content if coding == IDENTITY else b"".join(CODINGS[coding]([content]))))

        answer = answers.Answer(
            identity=hashlib.sha256(content).hexdigest()[:24],
            media_type="application/yaml" if as_yaml else "application/json",
            cache_control="public, no-cache",
            open=opened,
            compressible=True,
        )
        return answers.send(request, answer)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same, to be read and tried out: Swagger UI, from this server's own files."""
    return render(request, "datasets/docs.html")
