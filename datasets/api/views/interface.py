"""The interface, described for machines and for people."""

import hashlib
import io
from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import JSON, ChoiceParameter, Reply, sent
from datasets.collection.content_coding import CODINGS, IDENTITY

FORMAT = ChoiceParameter("format", ["json", "yaml"], "JSON, or YAML.", "json")
_DOCUMENT = Reply(
    "OpenAPI 3.1.",
    {JSON: {"type": "object"}, "application/yaml": {}},
    headers=["ETag", "Cache-Control", "Accept-Ranges"],
)


class Schema(APIView):
    """This document."""

    @extend_schema(
        operation_id="get_schema",
        tags=["service"],
        parameters=[FORMAT],
        responses=sent("OpenAPI 3.1.", {JSON: {}})
        | {200: _DOCUMENT, 400: "There is no format “xml”; known are json, yaml."},
    )
    def get(self, request: Request) -> HttpResponseBase:
        from datasets.api.openapi import schema  # it walks through all views, this one among them

        as_yaml = FORMAT.read(request) == "yaml"
        content = schema.document_as_yaml() if as_yaml else schema.document()

        def opened(coding: str) -> BinaryIO:
            return cast(BinaryIO, io.BytesIO(content if coding == IDENTITY else b"".join(CODINGS[coding]([content]))))

        answer = responses.Answer(
            version=hashlib.sha256(content).hexdigest()[:24],
            media_type="application/yaml" if as_yaml else "application/json",
            cache_control="public, no-cache",
            open=opened,
            compressible=True,
        )
        return responses.send(request, answer)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same, to be read and tried out: Swagger UI, from this server's own files."""
    return render(request, "datasets/docs.html")
