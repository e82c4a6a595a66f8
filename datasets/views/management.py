"""What the service has: uploads that nobody waits for, how far each is, a list of them, and their end."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import listing, uploads
from datasets.forecast import Outlook, outlooks
from datasets.http import answers
from datasets.http.access import MayList
from datasets.http.prefer import RESPOND_ASYNC, prefers
from datasets.models import Dataset, Status

from .base import uploaded_file
from .contract import DatasetUpload
from .parameters import choice, whole

SORTS = ("created_at", "finished_at", "name", "count", "status")
LIMIT, MOST = 50, 1000


class Datasets(DatasetUpload):
    """The contract's upload, and beside it what it did not have: a list, and an upload that is answered at once."""

    def get_permissions(self) -> Any:
        return [MayList()] if self.request.method in ("GET", "HEAD") else super().get_permissions()

    def is_under_busy_rule(self, request: Request) -> bool:
        return request.method == "POST" and not prefers(request, RESPOND_ASYNC)

    def get(self, request: Request) -> Response:
        found = _sorted(_chosen(Dataset.objects.brief(), request), request)
        offset = whole(request, "offset", 0, most=2**53)
        limit = whole(request, "limit", LIMIT, least=1, most=MOST)
        total = found.count()
        ahead = outlooks()
        return Response(
            {
                "datasets": [listing.short(row, ahead.get(row.hash)) for row in found[offset : offset + limit]],
                "total": total,
                "next": _page(request, offset + limit, limit) if offset + limit < total else None,
                "previous": _page(request, max(offset - limit, 0), limit) if offset else None,
            },
            headers={"Cache-Control": answers.NOT_KEPT},
        )

    def post(self, request: Request) -> Any:
        if not prefers(request, RESPOND_ASYNC):
            return super().post(request)
        dataset = uploads.accept(uploaded_file(request))
        response = _account(dataset)
        response.status_code = 202 if dataset.status in (Status.QUEUED, Status.PROCESSING) else 200
        response["Location"] = listing.address(dataset)
        response["Preference-Applied"] = RESPOND_ASYNC
        return response


class OneDataset(APIView):
    """How far it is, and what came of it."""

    def get(self, request: Request, identity: str) -> Response:
        return _account(Dataset.objects.known(identity))

    def delete(self, request: Request, identity: str) -> Response:
        # The worker notices within a second, and stops.
        Dataset.objects.known(identity).delete()
        return Response(status=204)


def _account(dataset: Dataset) -> Response:
    outlook: Outlook | None = None
    headers = {"Cache-Control": answers.NOT_KEPT}
    if dataset.status in (Status.QUEUED, Status.PROCESSING):
        outlook = outlooks().get(dataset.hash, Outlook())
        headers["Retry-After"] = str(outlook.ask_again)
    return Response(listing.whole(dataset, outlook), headers=headers)


def _chosen(datasets: QuerySet[Dataset], request: Request) -> QuerySet[Dataset]:
    status = choice(request, "status", Status.values)
    return datasets.filter(status=status) if status else datasets


def _sorted(datasets: QuerySet[Dataset], request: Request) -> QuerySet[Dataset]:
    """The id last, so that pages neither repeat nor leave out rows that are equal otherwise."""
    by = choice(request, "sort", [sign + name for name in SORTS for sign in ("", "-")]) or "-created_at"
    return datasets.order_by(by, "hash")


def _page(request: Request, offset: int, limit: int) -> str:
    query = request.query_params.copy()
    query["offset"], query["limit"] = str(offset), str(limit)
    return f"{request.path}?{query.urlencode()}"
