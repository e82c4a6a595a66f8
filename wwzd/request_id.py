"""The id of a request: a proxy's, or a new one. It is on the answer, and on each line that is logged for it, by the
worker too."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
current: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is answered, or whose upload is computed; empty for what nobody asked for."""

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@contextmanager
def answering(request_id: str) -> Iterator[None]:
    """What is logged within the block is logged for this request."""
    token = current.set(request_id)
    try:
        yield
    finally:
        current.reset(token)


class RequestIdMiddleware:
    """An id for each request, and for what is logged meanwhile. Of a proxy's id only a plain one is taken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if _SAFE.fullmatch(given) else secrets.token_hex(8)
        with answering(request_id):
            response = self._get_response(request)
        response[HEADER] = request_id
        return response
