"""Clusters of an upload or of the catalogue: what there are, their names, and their computation."""

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.http.bounded_json import BoundedJSONParser
from datasets.api.openapi import JSON, NO_DATASET, Body, Reply, errors, sent
from datasets.api.serializers import represent
from datasets.api.serializers.clusters import (
    ClusterLabelSerializer,
    ClusterListSerializer,
    ClusterSerializer,
    ComputationSerializer,
)
from datasets.derived import requests
from datasets.errors import ServerError
from datasets.models import Status
from datasets.search import clusters, collections

from .base import cached_json

_WILD = {
    "id": 1,
    "parent": None,
    "size": 120,
    "medoid": {"index": 19, "name": "daisy-20.jpg"},
    "label": "wild",
    "is_named": False,
    "traits": [{"field": "kind", "value": "wild", "count": 96, "inside": 0.8, "outside": 0.466667}],
}
_MISSING = "The clusters of this collection have not been computed: ask for them with POST."
_UNKNOWN = "There is no cluster 9 of level 1; the levels are 1 with 2 clusters."


class ClusterList(APIView):
    """Clusters of pictures that are like each other.

    By density on the graph of nearest neighbours, on up to three levels.
    """

    @extend_schema(
        operation_id="get_{collection}_clusters",
        tags=["likeness"],
        responses=sent(
            "The levels, the coarsest first. Fewer than 20 different pictures have none.",
            ClusterListSerializer,
            {"levels": [{"level": 1, "field": "cluster", "clusters": [_WILD], "outside": 31}], "total": 300},
        )
        | {404: _MISSING},
    )
    def get(self, request: Request, dataset_id: str | None = None) -> HttpResponseBase:
        """Clusters of pictures that are like each other.

        By density on the graph of nearest neighbours, on up to three levels. Which picture is in which cluster is told
        by the field that a level names.
        """
        found = collections.find(dataset_id)
        found.clusters()
        key = f"clusters-{found.metadata_version}-{clusters.labels_version(found)}"
        return cached_json(request, found, key, lambda: clusters.levels(found), cache_control=responses.CATALOGUE)

    @extend_schema(
        operation_id="compute_{collection}_clusters",
        tags=["likeness"],
        request=None,
        responses={
            200: Reply("They are there.", ComputationSerializer, {"status": "ready", "progress": 1}),
            202: Reply(
                "They are queued, or being computed.",
                ComputationSerializer,
                {"status": "queued", "progress": 0},
                ["Cache-Control"],
            ),
            404: NO_DATASET,
            **errors(500),
        },
    )
    def post(self, request: Request, dataset_id: str | None = None) -> Response:
        """Have the clusters computed of a collection that is older than they are.

        In the background; those of every new upload are there with it. Ask again to follow it. What has failed is told
        once, and tried again for the next one who asks.
        """
        found = collections.find(dataset_id)
        found.blocks()
        row = requests.request_again(found, "clusters", "clusters")
        if row is not None and row.status == Status.FAILED:
            raise ServerError(row.error, code=row.error_code)
        answer = {"status": row.status, "progress": row.progress} if row else {"status": "ready", "progress": 1.0}
        headers = {"Cache-Control": responses.NOT_KEPT}
        return Response(represent(ComputationSerializer, answer), status=202 if row else 200, headers=headers)


class OneCluster(APIView):
    """Name a cluster."""

    parser_classes = (BoundedJSONParser,)

    @extend_schema(
        operation_id="rename_{collection}_cluster",
        tags=["likeness"],
        request=Body(JSON, ClusterLabelSerializer, example={"label": "meadow"}),
        responses={
            200: Reply(
                "The cluster, under its new name.",
                ClusterSerializer,
                _WILD | {"label": "meadow", "is_named": True},
                ["Cache-Control"],
            ),
            400: "Send an object with “label”, a text of at most 80 characters, and nothing else.",
            404: _UNKNOWN,
            **errors(413, 415),
        },
    )
    def patch(self, request: Request, level: str, cluster: str, dataset_id: str | None = None) -> Response:
        """Give a cluster a name.

        It is kept beside the collection as long as the clusters are the same. An empty one takes it away.
        """
        found = collections.find(dataset_id)
        entry: Any = clusters.rename(found, level, cluster, clusters.check_label(request.data))
        return Response(represent(ClusterSerializer, entry), headers={"Cache-Control": responses.NOT_KEPT})
