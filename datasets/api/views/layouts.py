"""The layouts of a collection: which there are, another one, where the pictures lie in one, how far to trust it."""

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.http.bounded_json import BoundedJSONParser
from datasets.api.openapi import JSON, NO_DATASET, Body, Reply, errors
from datasets.api.serializers import represent
from datasets.api.serializers.layouts import (
    LayoutRequestSerializer,
    LayoutSerializer,
    LayoutsSerializer,
    PendingSerializer,
    QualitySerializer,
    entry,
    kinds,
)
from datasets.api.serializers.vectors import DistortionSerializer, LayoutVectorsSerializer
from datasets.collection import layouts
from datasets.collection.base import Collection
from datasets.derived import layout_requests
from datasets.derived.layouts import unknown
from datasets.models import DerivedResult
from datasets.search import collections

from . import examples, vectors

NO_LAYOUT = "There is no layout “tsne-1a2b3c” of these pictures."
_RETRY_SECONDS = 2
_ADMITTED = {"Cache-Control": responses.NOT_KEPT}
_MEASURED = "It is being measured: ask again after `Retry-After` seconds."


class Layouts(APIView):
    """The layouts of a collection, and the kinds of others that can be made."""

    parser_classes = (BoundedJSONParser,)

    @extend_schema(
        operation_id="list_{collection}_layouts",
        tags=["layouts"],
        responses={
            200: Reply("They.", LayoutsSerializer, examples.LAYOUTS, ["Cache-Control"]),
            404: NO_DATASET,
        },
    )
    def get(self, request: Request, dataset_id: str | None = None) -> Response:
        """The layouts of a collection.

        PCA and UMAP, which each has, those that were asked for beside them, and those that wait, are being computed or
        have failed. And the kinds that can be asked for, with their parameters.
        """
        found = collections.find(dataset_id)
        entries = [entry(found, state) for state in layout_requests.states(found)]
        listed = {"layouts": entries, "kinds": kinds(), "limit": settings.MAX_LAYOUTS}
        return Response(represent(LayoutsSerializer, listed), headers=_ADMITTED)

    @extend_schema(
        operation_id="make_{collection}_layout",
        tags=["layouts"],
        request=Body(JSON, LayoutRequestSerializer, example={"kind": "tsne", "parameters": {"perplexity": 50}}),
        responses={
            200: Reply("It is there.", LayoutSerializer, examples.LAYOUT, ["Location", "Cache-Control"]),
            202: Reply(
                "It is queued, or being computed: the list of layouts says how far it is.",
                LayoutSerializer,
                examples.QUEUED_LAYOUT,
                ["Location", "Retry-After", "Cache-Control"],
            ),
            400: "“perplexity” is a number from 2 to 200, not “500”.",
            404: NO_DATASET,
            409: "There are 20 further layouts of these pictures, and no more may: delete one.",
            **errors(413, 415, 507),
        },
    )
    def post(self, request: Request, dataset_id: str | None = None) -> Response:
        """Ask for another layout.

        It is computed in the background, once, and kept under its kind and parameters. With `target`, the name of a
        field, UMAP and densMAP are supervised by it, and kept under the field's values, too.
        """
        found = collections.find(dataset_id)
        state = layout_requests.make(found, request.data)
        headers = _ADMITTED | {"Location": _address("layout", dataset_id, state.name)}
        if state.is_pending:
            headers["Retry-After"] = str(_RETRY_SECONDS)
        status = 202 if state.is_pending else 200
        return Response(represent(LayoutSerializer, entry(found, state)), status=status, headers=headers)


class OneLayout(APIView):
    """Where the pictures lie in one layout."""

    @extend_schema(
        operation_id="get_{collection}_layout",
        tags=["layouts"],
        description=f"Two or three numbers a picture, never rescaled. {vectors.FORMS}",
        parameters=vectors.PARAMETERS,
        responses=vectors.replies(
            "The vectors.", LayoutVectorsSerializer, {"features": [[14.878308, 8.788419], [7.4, 5.01]], "total": 2}
        )
        | {404: NO_LAYOUT, 409: "This layout is still being computed: ask again in a while."},
    )
    def get(self, request: Request, layout: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        state = layout_requests.ready(found, layout)
        return vectors.answer(
            request,
            _places(found, layout),
            f"{found.cache_key}-layout-{state.card.version if state.card else layout}",
            facts={"total": found.total},
            collection=lambda: found,
            # It may be deleted, and computed anew by other versions.
            cache_control=responses.CATALOGUE,
        )

    @extend_schema(
        operation_id="delete_{collection}_layout",
        tags=["layouts"],
        responses={
            204: Reply("It is gone."),
            404: NO_LAYOUT,
            409: "“pca” belongs to the pictures and cannot be deleted; other layouts can.",
        },
    )
    def delete(self, request: Request, layout: str, dataset_id: str | None = None) -> Response:
        """Delete a layout.

        One that waits or is being computed is stopped. PCA and UMAP stay.
        """
        layout_requests.remove(collections.find(dataset_id), layout)
        return Response(status=204)


class Quality(APIView):
    """How far a layout can be trusted.

    Trustworthiness, continuity and the share of neighbours kept, among the 10 and the 50 nearest. Exact up to 20,000
    pictures, beyond by a sample. It is measured in the background when it is first asked for.
    """

    @extend_schema(
        operation_id="get_{collection}_layout_quality",
        tags=["layouts"],
        responses={
            200: Reply("What was measured.", QualitySerializer, examples.QUALITY, ["Cache-Control"]),
            202: Reply(_MEASURED, PendingSerializer, examples.MEASURING, ["Retry-After", "Cache-Control"]),
            404: NO_LAYOUT,
            409: "This layout is still being computed: ask again in a while.",
            **errors(500),
        },
    )
    def get(self, request: Request, layout: str, dataset_id: str | None = None) -> Response:
        found = collections.find(dataset_id)
        if (row := layout_requests.measure(found, layout)) is not None:
            return _measuring(row)
        content = layouts.quality_of(found.folder, layout)
        return Response(represent(QualitySerializer, content), headers=_ADMITTED)


class Distortion(APIView):
    """How far each picture lies from where it belongs in a layout.

    From 0 to 1: 1 less the mean of its own trustworthiness and continuity. Measured together with the quality.
    """

    @extend_schema(
        operation_id="get_{collection}_layout_distortion",
        tags=["layouts"],
        parameters=vectors.PARAMETERS,
        responses=vectors.replies("One number a picture.", DistortionSerializer, {"features": [[0.0312]], "total": 1})
        | {
            202: Reply(_MEASURED, PendingSerializer, examples.MEASURING, ["Retry-After", "Cache-Control"]),
            404: NO_LAYOUT,
            409: "This layout is still being computed: ask again in a while.",
            **errors(500),
        },
    )
    def get(self, request: Request, layout: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        vectors.check(request, found.total)
        if (row := layout_requests.measure(found, layout)) is not None:
            return _measuring(row)
        card = layouts.card_of(found.folder, layout)
        return vectors.answer(
            request,
            layouts.distortion(found.folder, layout),
            f"{found.cache_key}-distortion-{card.version if card else layout}",
            facts={"total": found.total},
            collection=lambda: found,
            points=lambda: _places(found, layout),
            cache_control=responses.CATALOGUE,
        )


def _places(found: Collection, name: str) -> Any:
    try:
        return layouts.places(found.folder, name)
    except FileNotFoundError:  # deleted meanwhile
        raise unknown(name) from None


def _measuring(row: DerivedResult) -> Response:
    headers = _ADMITTED | {"Retry-After": str(_RETRY_SECONDS)}
    return Response(represent(PendingSerializer, row), status=202, headers=headers)


def _address(route: str, dataset_id: str | None, name: str) -> str:
    if dataset_id is None:
        return reverse(f"catalogue-{route}", kwargs={"layout": name})
    return reverse(f"dataset-{route}", kwargs={"dataset_id": dataset_id, "layout": name})
