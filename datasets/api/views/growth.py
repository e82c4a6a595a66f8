"""Datasets that are made of others: with more pictures, or laid out anew."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.openapi import NO_DATASET, Reply, errors, form
from datasets.api.serializers.dataset import DatasetSerializer
from datasets.models import Dataset
from datasets.search import collections
from datasets.uploads import additions

from . import examples
from .base import UploadView, uploaded_files
from .management import QUEUE_FULL, QUEUED, accepted
from .metadata import Images

_HEADERS = ["Location", "Retry-After", "Cache-Control"]
_NEW = examples.QUEUED | {"skipped": [], "metadata": None, "versions": {}, "parent": examples.PARENT}


class GrowingImages(Images, UploadView):
    """The pictures of a collection: a list of them, and more of them."""

    @extend_schema(
        operation_id="add_{collection}_images",
        tags=["datasets"],
        request=form("A ZIP as for an upload, or picture files, each in a field named “file”.", "application/zip"),
        responses={
            200: Reply("It has been computed before.", DatasetSerializer, headers=["Location"]),
            202: Reply(QUEUED, DatasetSerializer, _NEW, _HEADERS),
            400: "Send a ZIP, or pictures, as a multipart form with file fields named “file”.",
            404: NO_DATASET,
            409: "These pictures were computed with another network, weights or precision than this server has now: "
            "send all of them together.",
            413: "This dataset has 50000 pictures already, and the limit is 50000.",
            429: QUEUE_FULL,
            **errors(415, 507),
        },
    )
    def post(self, request: Request, dataset_id: str | None = None) -> Response:
        """Add pictures to a collection.

        What comes of it is another dataset, whose first rows are the pictures that were there, byte for byte where they
        lay; the added ones come after them, in the order of their names. The upload, or the catalogue, itself stays
        what it is. Each added picture is placed by the reducers that placed the others, and in the further layouts in
        which pictures can be placed (`can_place`); the report names those that were left. Saved views are carried on.
        To pictures that came with vectors of their own, add a ZIP with such vectors. One that is far from all that was
        there has `true` in the field `outside`, and a remark in the report. It is queued, as an upload with `Prefer:
        respond-async`. Catalogues that were not built here cannot grow.
        """
        parent = collections.find(dataset_id)
        return accepted(additions.accept_added(parent, uploaded_files(request)))


class Refit(APIView):
    """Lay out the pictures of an upload anew, all together.

    After many were added, PCA and UMAP fitted on all of them tell more. What comes of it is another dataset with the
    same pictures, in the same order, whose layouts are turned rigidly (Procrustes) onto the former ones, so that what
    was left stays left. Further layouts and saved views stay as they are, and so do names of clusters that are found
    again. It is queued, as an upload with `Prefer: respond-async`.
    """

    @extend_schema(
        operation_id="refit_dataset",
        tags=["datasets"],
        request=None,
        responses={
            200: Reply("It has been computed before.", DatasetSerializer, headers=["Location"]),
            202: Reply(QUEUED, DatasetSerializer, _NEW, _HEADERS),
            404: NO_DATASET,
            429: QUEUE_FULL,
            **errors(507),
        },
    )
    def post(self, request: Request, dataset_id: str) -> Response:
        return accepted(additions.accept_refit(Dataset.objects.known(dataset_id)))
