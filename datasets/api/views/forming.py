"""An upload while it is laid out."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import BINARY, NO_DATASET, Reply, sent
from datasets.collection.folder import CollectionFolder
from embeddings.vector_files import BadVectors, load

from .base import dataset_with


class Forming(APIView):
    """Where the pictures of an upload lie while UMAP moves them."""

    @extend_schema(
        operation_id="get_dataset_forming",
        tags=["datasets"],
        responses=sent(
            "Their places at the last half second, as raw little-endian float32, three numbers a picture.",
            {"application/octet-stream": BINARY},
            headers=["X-Shape"],
        )
        | {204: Reply("They do not move: they are laid out, or that has not begun."), 404: NO_DATASET},
    )
    def get(self, request: Request, dataset_id: str) -> HttpResponseBase:
        """Ask for it again and again, while the dataset has a link to it."""
        dataset = dataset_with(dataset_id, "pca")
        try:
            places = load(CollectionFolder(path=dataset.folder).forming_path)
        except (FileNotFoundError, BadVectors):
            return HttpResponse(status=204, headers={"Cache-Control": responses.NOT_KEPT})
        data = places.astype("<f4").tobytes()
        answer = responses.content(
            data,
            responses.fingerprint(data),
            media_type="application/octet-stream",
            cache_control=responses.UNFINISHED,
        )
        response = responses.send(request, answer)
        response["X-Shape"] = f"{len(places)},3"
        return response
