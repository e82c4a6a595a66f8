"""What the service has: uploads that nobody waits for, how far each is, a list of them, and their end."""

from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.db.models.functions import Collate
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses
from datasets.api.http.access import ListPermission
from datasets.api.http.bounded_json import BoundedJSONParser
from datasets.api.http.prefer import RESPOND_ASYNC, prefers
from datasets.api.openapi import (
    EXAMPLE_ID,
    ID,
    JSON,
    NO_DATASET,
    Body,
    ChoiceParameter,
    IntegerParameter,
    Parameter,
    Reply,
    error,
    errors,
    form,
)
from datasets.api.serializers import represent
from datasets.api.serializers.dataset import (
    DatasetListSerializer,
    DatasetNameSerializer,
    DatasetSerializer,
    estimated,
)
from datasets.errors import ApiError
from datasets.models import Dataset, Status
from datasets.uploads import intake
from datasets.uploads.eta import QueueEstimate, queue_estimates

from . import examples, limit
from .base import uploaded_file
from .contract import DatasetUpload

STATUS = ChoiceParameter("status", Status.values, "Only these.")
SORT = ChoiceParameter(
    "sort",
    [sign + name for name in ("created_at", "finished_at", "name", "count", "status") for sign in ("", "-")],
    "By this; with a minus the other way round. The newest first, if it is not said.",
)
LIMIT = IntegerParameter("limit", "So many at most.", 50, least=1, most=1000)
OFFSET = IntegerParameter("offset", "After so many.", 0, most=2**53)
PREFER = Parameter(
    "Prefer",
    {"type": "string", "enum": [RESPOND_ASYNC]},
    "RFC 7240. Other preferences are passed over.",
    "header",
)

QUEUE_FULL = "20 uploads are waiting already, and no more may. Send it again later."
QUEUED = "It is queued, or being computed: ask `Location` after `Retry-After` seconds."


class Datasets(DatasetUpload):
    """The contract's upload, and beside it what it did not have: a list, and an upload that is answered at once."""

    def get_permissions(self) -> Any:
        return [ListPermission()] if self.request.method in ("GET", "HEAD") else super().get_permissions()

    def is_under_busy_rule(self, request: Request) -> bool:
        return request.method == "POST" and not prefers(request, RESPOND_ASYNC)

    @extend_schema(
        operation_id="list_datasets",
        tags=["datasets"],
        parameters=[STATUS, SORT, LIMIT, OFFSET],
        responses={
            200: Reply(
                "A page.",
                DatasetListSerializer,
                {"datasets": [examples.ENTRY], "total": 1, "next": None, "previous": None},
                ["Cache-Control"],
            ),
            400: "“limit” is a whole number from 1 to 1000.",
        },
    )
    def get(self, request: Request) -> Response:
        """The uploads, page by page.

        With LISTING=closed it takes a token.
        """
        datasets = Dataset.objects.brief()
        if status := STATUS.read(request):
            datasets = datasets.filter(status=status)
        # The id last, so that pages neither repeat nor leave out rows that are equal otherwise.
        datasets = datasets.order_by(_order(SORT.read(request, "-created_at")), "hash")
        offset, limit = OFFSET.read(request), LIMIT.read(request)
        total = datasets.count()
        page = {
            "datasets": estimated(datasets[offset : offset + limit], queue_estimates()),
            "total": total,
            "next": _page(request, offset + limit, limit) if offset + limit < total else None,
            "previous": _page(request, max(offset - limit, 0), limit) if offset else None,
        }
        return Response(represent(DatasetListSerializer, page), headers={"Cache-Control": responses.NOT_KEPT})

    @extend_schema(
        operation_id="upload_dataset",
        tags=["datasets"],
        parameters=[PREFER, limit.LIMIT],
        request=form(
            "A ZIP with pictures directly at its top level, or in one folder; the first 1000 readable ones, sorted by "
            "name, are taken, or as many as `limit` says.",
            "application/zip",
        ),
        responses={
            200: Reply(
                "All is computed.",
                {"text/plain": ID, JSON: DatasetSerializer},
                {"text/plain": EXAMPLE_ID, JSON: examples.DATASET},
            ),
            202: Reply(
                QUEUED,
                DatasetSerializer,
                examples.QUEUED | {"skipped": [], "metadata": None, "versions": {}},
                ["Location", "Preference-Applied", "Retry-After", "Cache-Control"],
            ),
            **errors(409, 415, 503, 507),
            400: error(400, "The file is not a ZIP.", "Link"),
            413: error(413, "The upload is over a limit.", "Link"),
            429: QUEUE_FULL,
            500: error(500, "The server or its worker failed; sending it again is safe.", "Link"),
        },
    )
    def post(self, request: Request) -> Any:
        """Send a ZIP of pictures.

        The call returns when all is computed, with the id alone, as plain text. Meanwhile the server is busy for all
        others. With `Prefer: respond-async` it returns at once, with the dataset as JSON: 202 where it is queued, 200
        where the same archive has been computed before. Nobody is told to wait then. More than 1000 pictures are
        computed beside the other uploads, which do not wait for them.
        """
        most = limit.LIMIT.read(request)
        if not prefers(request, RESPOND_ASYNC):
            if most is not None:
                sentence = "“limit” takes “Prefer: respond-async”: a client that waits gets the first 1000 pictures."
                raise ApiError(sentence, code="parameter-invalid", name="limit")
            return super().post(request)
        response = accepted(intake.accept(uploaded_file(request), most))
        response["Preference-Applied"] = RESPOND_ASYNC
        return response


class OneDataset(APIView):
    """How far it is, and what came of it."""

    parser_classes = (BoundedJSONParser,)

    @extend_schema(
        operation_id="get_dataset",
        tags=["datasets"],
        description=(
            f"While it is queued or computed, `Retry-After` says when there is something new: every "
            f"{QueueEstimate().ask_again} seconds or so."
        ),
        responses={
            200: Reply(
                "The dataset. `Retry-After` is there until it has ended.",
                DatasetSerializer,
                examples.DATASET,
                ["Cache-Control"],
            ),
            404: NO_DATASET,
        },
    )
    def get(self, request: Request, dataset_id: str) -> Response:
        """How far an upload is, and what came of it."""
        return _response(Dataset.objects.known(dataset_id))

    @extend_schema(
        operation_id="rename_dataset",
        tags=["datasets"],
        request=Body(JSON, DatasetNameSerializer, example={"name": "Holidays"}),
        responses={
            200: Reply(
                "The dataset, under its new name.",
                DatasetSerializer,
                examples.DATASET | {"name": "Holidays"},
                ["Cache-Control"],
            ),
            400: "“name” is a text of 1 to 255 characters.",
            404: NO_DATASET,
            **errors(413, 415),
        },
    )
    def patch(self, request: Request, dataset_id: str) -> Response:
        """Give an upload another name.

        Whoever may delete it may rename it. What is stored of it stays as it is.
        """
        dataset = Dataset.objects.known(dataset_id)
        serializer = DatasetNameSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        dataset.name = serializer.validated_data["name"]
        dataset.save(update_fields=["name"])
        return _response(dataset)

    @extend_schema(
        operation_id="delete_dataset",
        tags=["datasets"],
        responses={204: Reply("It is gone."), 404: NO_DATASET},
    )
    def delete(self, request: Request, dataset_id: str) -> Response:
        """Delete an upload with all its files.

        One that is queued or computed is stopped.
        """
        # The worker notices within a second, and stops.
        Dataset.objects.known(dataset_id).delete()
        return Response(status=204)


class RestOfDataset(APIView):
    """Take the pictures of its archive that it has no room for.

    The next 1000, sorted by name, or as many as `limit` says, become a dataset of their own, which may have a rest too.
    Nothing has to be sent. It is queued, as an upload with `Prefer: respond-async`.
    """

    @extend_schema(
        operation_id="upload_rest_of_dataset",
        tags=["datasets"],
        parameters=[limit.LIMIT],
        request=None,
        responses={
            200: Reply("It has been computed before.", DatasetSerializer, headers=["Location"]),
            202: Reply(
                QUEUED,
                DatasetSerializer,
                examples.QUEUED | {"skipped": [], "metadata": None, "versions": {}, "first": 1000},
                ["Location", "Retry-After", "Cache-Control"],
            ),
            400: "“limit” is a whole number from 1 to 1000000000, or “all”, not “many”.",
            404: NO_DATASET,
            409: "All pictures of this archive have been taken.",
            410: "The archive was not kept: send its other pictures in one of their own.",
            429: QUEUE_FULL,
            **errors(507),
        },
    )
    def post(self, request: Request, dataset_id: str) -> Response:
        most = limit.LIMIT.read(request)
        return accepted(intake.accept_rest(Dataset.objects.known(dataset_id), most))


def accepted(dataset: Dataset) -> Response:
    """202 where it is queued or being computed, 200 where it is there."""
    response = _response(dataset)
    response.status_code = 202 if dataset.status in (Status.QUEUED, Status.PROCESSING) else 200
    response["Location"] = dataset.get_absolute_url()
    return response


def _response(dataset: Dataset) -> Response:
    is_unfinished = dataset.status in (Status.QUEUED, Status.PROCESSING)
    estimates = queue_estimates() if is_unfinished else {}
    headers = {"Cache-Control": responses.NOT_KEPT}
    if is_unfinished:
        headers["Retry-After"] = str(estimates.get(dataset.hash, QueueEstimate()).ask_again)
    (dataset,) = estimated([dataset], estimates)
    return Response(represent(DatasetSerializer, dataset), headers=headers)


def _order(sort: str) -> OrderBy:
    """The same on every database: what has no value yet comes before what has, and names go by their code points."""
    name = sort.removeprefix("-")
    column = Collate("name", "C") if name == "name" and connection.vendor == "postgresql" else F(name)
    return column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_first=True)


def _page(request: Request, offset: int, limit: int) -> str:
    query = request.query_params.copy()
    query["offset"], query["limit"] = str(offset), str(limit)
    return f"{request.path}?{query.urlencode()}"
