"""Views of an upload or of the catalogue that people saved under names."""

from collections.abc import Sequence

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.http.bounded_json import BoundedJSONParser
from datasets.api.http.conditional import precondition_failed
from datasets.api.openapi import JSON, NO_DATASET, Body, Parameter, Reply, errors
from datasets.api.serializers import represent
from datasets.api.serializers.saved_views import SavedViewListSerializer, SavedViewsSerializer
from datasets.collection import saved_views
from datasets.collection.saved_views import SavedView
from datasets.search import collections

_NEW = {"name": "Two kinds apart", "note": "Wild ones on the left.", "state": "view=pca&colour=kind"}
_KEPT = {"views": [{"id": "9f86d081884c", **_NEW}], "limit": saved_views.MOST}
_IF_MATCH = Parameter("If-Match", {"type": "string"}, "The `ETag` of the list that was changed.", "header")


class SavedViews(APIView):
    """Saved views."""

    parser_classes = (BoundedJSONParser,)

    @extend_schema(
        operation_id="get_{collection}_views",
        tags=["views"],
        responses={
            200: Reply("They.", SavedViewsSerializer, _KEPT, ["ETag", "Cache-Control"]),
            404: NO_DATASET,
        },
    )
    def get(self, request: Request, dataset_id: str | None = None) -> Response:
        """Views of the collection that people saved.

        Each is what the page's address holds of it, under a name and with a note. The page plays them as a tour.
        """
        return _answer(saved_views.read(collections.find(dataset_id).saved_views_path))

    @extend_schema(
        operation_id="replace_{collection}_views",
        tags=["views"],
        parameters=[_IF_MATCH],
        request=Body(JSON, SavedViewListSerializer, example={"views": [_NEW]}),
        responses={
            200: Reply("They are kept.", SavedViewsSerializer, _KEPT, ["ETag", "Cache-Control"]),
            400: "“views[0].name” cannot be taken. Send an object with “views”, a list of at most 100 objects, …",
            404: NO_DATASET,
            412: "These views were changed meanwhile: fetch them again, and send your change to what is there now.",
            **errors(413, 415, 507),
        },
    )
    def put(self, request: Request, dataset_id: str | None = None) -> Response:
        """Save, rename, order or delete views: put a list in place of the one that is there.

        With `If-Match` it is refused where somebody else changed the list meanwhile. A view that is sent without an id
        is given one, and so is one whose id stands in the list before it.
        """
        found = collections.find(dataset_id)
        views = saved_views.check(request.data)
        with found.editing():
            saved_views.store(found.saved_views_path, views, lambda etag: not precondition_failed(request, etag))
        return _answer(views)


def _answer(views: Sequence[SavedView]) -> Response:
    content = represent(SavedViewsSerializer, {"views": views, "limit": saved_views.MOST})
    return Response(content, headers={"ETag": saved_views.etag(views), "Cache-Control": responses.UNFINISHED})
