"""What is like what: neighbours of a picture, of one that is sent along, of a text, near-duplicates, outliers."""

import hashlib
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.openapi import (
    EXAMPLE_ID,
    NO_DATASET,
    ChoiceParameter,
    IntegerParameter,
    Parameter,
    Reply,
    ShareParameter,
    TextParameter,
    errors,
    form,
    sent,
)
from datasets.api.serializers import represent
from datasets.api.serializers.search import (
    DuplicatesSerializer,
    NeighborsSerializer,
    OutliersSerializer,
    SearchResultSerializer,
    TextSearchResultSerializer,
)
from datasets.collection.similarity import THRESHOLD
from datasets.errors import SearchDatabaseAway
from datasets.search import client, collections, duplicates, query, text_query

from .base import UploadView, cache_control_of, cached_json, uploaded_file
from .pictures import NO_PICTURE

COUNT = IntegerParameter("k", "How many; there are fewer where there are no more.", 10, least=1, most=100)
AMONG = ChoiceParameter("in", ["self", "catalogue"], "Among the pictures beside it, or the catalogue's.", "self")
TARGET = Parameter(
    "in",
    {"type": "string", "pattern": "^(catalogue|[0-9a-f]{32})$", "default": "catalogue"},
    "Among the catalogue's pictures, or those of the upload of this id.",
)
TEXT = TextParameter("text", "What the pictures show, best in English.", most=500, example="a photo of a smiling dog")
COSINE = ShareParameter("threshold", "The least cosine.", THRESHOLD)
LIMIT = IntegerParameter("limit", "How many; there are fewer where there are no more.", 10, least=1, most=1000)

_NEAREST = {"index": 19, "name": "daisy-20.jpg", "similarity": 0.845345}
_OTHER_NETWORK = "These pictures were computed with another network, weights or precision, so they cannot be compared."

_NO_WORKER = "No worker is running, so nothing can be looked up now. Try again in a while."


class Neighbours(APIView):
    """The pictures most like one.

    By the cosine of the network's features, the nearest first. It is left out itself.
    """

    @extend_schema(
        operation_id="get_{collection}_neighbors",
        tags=["likeness"],
        parameters=[COUNT, AMONG],
        responses=sent("The nearest.", NeighborsSerializer, {"neighbors": [{**_NEAREST, "in": "self"}]})
        | NO_PICTURE
        | {409: _OTHER_NETWORK, 503: str(SearchDatabaseAway())},
    )
    def get(self, request: Request, index: str, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        row = found.row(index)
        count, where = COUNT.read(request), AMONG.read(request)
        among = collections.installed() if where == "catalogue" else found
        itself = row if among.cache_key == found.cache_key else None
        if itself is None:
            query.check_comparable(found.network, among)

        def neighbors() -> dict[str, Any]:
            nearest = among.finder().nearest(found.finder().vector(row), count, without=itself)
            entries = query.neighbour_entries(among, nearest.rows.tolist(), nearest.similarities.tolist(), where)
            return represent(NeighborsSerializer, {"neighbors": entries})

        found.finder()
        key = f"neighbours-{row}-{count}-{where}-{among.cache_key.replace('/', '-')}"
        return cached_json(request, found, key, neighbors, small=True, cache_control=cache_control_of(among))


class Search(UploadView):
    @extend_schema(
        operation_id="search_text",
        tags=["likeness"],
        parameters=[TEXT, TARGET, COUNT],
        responses=sent(
            "What was found.",
            TextSearchResultSerializer,
            {"neighbors": [{**_NEAREST, "similarity": 0.283117, "in": EXAMPLE_ID}], "in": EXAMPLE_ID},
        )
        | {
            400: "“text” is a text of 1 to 500 characters that is not blank.",
            404: NO_DATASET,
            409: "These pictures were computed with resnet50, which takes no texts.",
            503: _NO_WORKER,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Search by a text: the pictures that it describes best.

        By the cosine of the text's vector and the pictures', the largest first, among pictures that were computed with
        a network for texts and pictures (`BACKBONE=clip_vit_b32`); 409 for others. Every picture is compared. 400 where
        the text has more than the network reads: about 50 English words. The worker computes it before any upload that
        waits; 503 where it has work for longer than 20 seconds.
        """
        text, count, dataset_id = TEXT.read(request), COUNT.read(request), _target(request)
        found = collections.find(dataset_id)
        digest = hashlib.sha256(f"{text_query.weights(found.network).digest} {text}".encode()).hexdigest()
        return cached_json(
            request,
            found,
            f"text-{digest}-{count}",
            lambda: represent(TextSearchResultSerializer, client.search_by_text(text, dataset_id, count)),
            small=True,
        )

    @extend_schema(
        operation_id="search",
        tags=["likeness"],
        parameters=[TARGET, COUNT],
        request=form("One picture.", "image/*"),
        responses={
            200: Reply(
                "What was found.",
                SearchResultSerializer,
                {
                    "neighbors": [{**_NEAREST, "in": EXAMPLE_ID}],
                    "pca": [11.88, -4.61, 4.7],
                    "umap": [11.29, 10.66, 9.2],
                    "in": EXAMPLE_ID,
                },
                ["Cache-Control"],
            ),
            **errors(415, 500, 507),
            400: "The picture cannot be read: it is no picture, or of a kind that is not read here.",
            404: NO_DATASET,
            409: _OTHER_NETWORK,
            413: "The picture is larger than the limit of 256 MiB.",
            503: _NO_WORKER,
        },
    )
    def post(self, request: Request) -> Response:
        """Send a picture, and see what is like it.

        The nearest pictures, and its own place among them. Nothing is stored. The worker computes it before any upload
        that waits; 503 where it has work for longer than 20 seconds.
        """
        count = COUNT.read(request)
        file = uploaded_file(request, "Send the picture as a multipart form with one file field named “file”.")
        dataset_id = _target(request)
        collections.find(dataset_id)
        return Response(represent(SearchResultSerializer, client.search_by_picture(file, dataset_id, count)))


def _target(request: Request) -> str | None:
    """The id of the upload that is searched; None for the catalogue."""
    target = request.query_params.get(TARGET.name, "catalogue")
    return None if target == "catalogue" else target


class Duplicates(APIView):
    """Groups of pictures that are one and the same, or nearly.

    Fingerprints that differ in at most 10 of 64 bits, and a cosine of at least `threshold`; equal files always. Of a
    large catalogue, pairs of which one is among the ten nearest of the other.
    """

    @extend_schema(
        operation_id="get_{collection}_duplicates",
        tags=["likeness"],
        parameters=[COSINE],
        responses=sent(
            "The groups, the largest first.",
            DuplicatesSerializer,
            {
                "groups": [
                    {
                        "kind": "near",
                        "images": [{"index": 3, "name": "daisy-04.jpg"}, {"index": 7, "name": "daisy-08.jpg"}],
                        "similarity": 0.953,
                    }
                ],
                "threshold": 0.9,
                "total": 1,
            },
        )
        | {400: "“threshold” is a number from 0 to 1, not “2”.", 404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        threshold = COSINE.read(request)
        return cached_json(request, found, f"duplicates-{threshold!r}", lambda: duplicates.duplicates(found, threshold))


class Outliers(APIView):
    """The pictures that are least like any other."""

    @extend_schema(
        operation_id="get_{collection}_outliers",
        tags=["likeness"],
        parameters=[LIMIT],
        responses=sent(
            "The loneliest first.",
            OutliersSerializer,
            {
                "outliers": [{"index": 252, "name": "tulip-13.jpg", "score": 0.539608}],
                "score": "mean of 1 − cosine to the 10 nearest others",
                "mean": 0.324821,
                "total": 300,
            },
        )
        | {400: "“limit” is a whole number from 1 to 1000, not “0”.", 404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        found = collections.find(dataset_id)
        limit = LIMIT.read(request)
        return cached_json(
            request,
            found,
            f"outliers-{limit}",
            lambda: represent(OutliersSerializer, duplicates.outliers(found, limit)),
        )
