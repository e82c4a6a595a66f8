"""The catalogues that there are."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.openapi import Reply
from datasets.api.serializers import represent
from datasets.api.serializers.service import CataloguesSerializer
from datasets.catalogue import publication

_CELEBA = {
    "id": "9f86d081884c7d65",
    "name": "CelebA",
    "total": 202_599,
    "demo": False,
    "is_installed": True,
    "has_report": True,
    "add": "/dataset/9f86d081884c7d65/images",
    "points": [],
}
_EXAMPLE = {
    "catalogues": [
        _CELEBA,
        {**_CELEBA, "id": "60303ae22b998861", "name": "Flowers", "total": 4_317, "is_installed": False, "add": None},
    ]
}


class Catalogues(APIView):
    """The catalogues that were built here, the installed one first."""

    @extend_schema(
        operation_id="list_catalogues",
        tags=["catalogue"],
        responses={200: Reply("All of them.", CataloguesSerializer, _EXAMPLE, ["Cache-Control"])},
    )
    def get(self, request: Request) -> Response:
        """All catalogues.

        The installed one is the one that the calls without an id are about. The others are read as uploads are, by
        their ids: `/dataset/{id}/info`, `…/tilemaps/{range}`, `…/umap/{start}/{end}/standalone`, `…/images`.
        """
        found = {"catalogues": publication.entries(settings.DATA_DIR)}
        headers = {"Cache-Control": responses.NOT_KEPT}
        return Response(represent(CataloguesSerializer, found), headers=headers)
