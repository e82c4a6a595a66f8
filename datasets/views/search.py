"""Who is like whom: neighbours of a picture, of one that is sent along, near-duplicates, outliers."""

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import asking, collection, likeness, lookup
from datasets.http import answers, renderers

from . import parameters
from .base import uploaded_file
from .pictures import cache_control

_NEIGHBOURS, _MOST_NEIGHBOURS = 10, 100


class Neighbours(APIView):
    """The pictures most like one, by the cosine of their features; the picture itself is left out."""

    def get(self, request: Request, index: str, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        row = found.row(index)
        count = parameters.whole(request, "k", _NEIGHBOURS, least=1, most=_MOST_NEIGHBOURS)
        where = parameters.one_of(request, "in", ("self", "catalogue"), "self")
        among = collection.installed() if where == "catalogue" else found
        itself = row if among.place == found.place else None
        if itself is None:
            lookup.check_comparable(found.network, among)

        def render() -> list[bytes]:
            nearest = among.finder().nearest(found.finder().vector(row), count, without=itself)
            told = lookup.told(among, nearest.rows.tolist(), nearest.similarities.tolist(), where)
            return [renderers.dumps({"neighbors": told})]

        found.finder()
        answer = answers.made(
            f"{found.place}-neighbours-{row}-{count}-{where}-{among.place.replace('/', '-')}",
            render,
            cache_control=cache_control(among),
            small=True,
        )
        return answers.send(request, answer)


class Search(APIView):
    """The pictures most like one that is sent along, and its own place among them."""

    def post(self, request: Request) -> Response:
        count = parameters.whole(request, "k", _NEIGHBOURS, least=1, most=_MOST_NEIGHBOURS)
        target = request.query_params.get("in", "catalogue")
        file = uploaded_file(request, "Send the picture as a multipart form with one file field named “file”.")
        identity = None if target == "catalogue" else target
        collection.find(identity)
        return Response(asking.ask(file, identity, count))


class Duplicates(APIView):
    """Groups of pictures that are one and the same, or nearly."""

    def get(self, request: Request, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        threshold = parameters.share(request, "threshold", likeness.THRESHOLD)
        answer = answers.made(
            f"{found.place}-duplicates-{threshold!r}",
            lambda: [renderers.dumps(likeness.duplicates(found, threshold))],
            cache_control=cache_control(found),
            small=False,
        )
        return answers.send(request, answer)


class Outliers(APIView):
    """The pictures that are least like any other."""

    def get(self, request: Request, identity: str | None = None) -> HttpResponseBase:
        found = collection.find(identity)
        limit = parameters.whole(request, "limit", 10, least=1, most=1000)
        answer = answers.made(
            f"{found.place}-outliers-{limit}",
            lambda: [renderers.dumps(likeness.outliers(found, limit))],
            cache_control=cache_control(found),
            small=False,
        )
        return answers.send(request, answer)
