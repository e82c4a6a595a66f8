"""The one place where refusals and faults become answers: always a sentence under `error`, never a trace.

    {"error": "There is no range 007: the last one is 001.",
     "type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no range 007: …"}

`error` is the contract's. The others are what RFC 9457 calls a problem: generic clients know them. `about:blank` says,
in that RFC's words, that the problem is no other than its status. The media type stays the contract's JSON.
"""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from datasets.errors import Refusal

logger = logging.getLogger(__name__)


def problem(sentence: str, status: int) -> dict[str, Any]:
    """What an error says."""
    title = HTTPStatus(status).phrase
    return {"error": sentence, "type": "about:blank", "title": title, "status": status, "detail": sentence}


def answer(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An error, from within a view."""
    response = Response(problem(sentence, status), status, headers=dict(headers or {}))
    # Django would log each refusal as a warning, and each busy answer as an error.
    response._has_been_logged = status in {429, 503}  # type: ignore[attr-defined]
    return response


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal becomes an answer; faults go on to `server_error`."""
    if isinstance(error, Refusal):
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        if error.about:
            headers["Link"] = f'<{error.about}>; rel="describedby"'
        return answer(str(error), error.status, headers)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        logger.error("the disk is full: %s", error)
        return answer("The server's disk is full: nothing was stored. Try again later.", 507)
    response = exception_handler(error, context)
    if response is not None:
        response.data = problem(_sentence(error), response.status_code)
    return response


def _sentence(error: Exception) -> str:
    if isinstance(error, exceptions.APIException) and isinstance(error.detail, str):
        return str(error.detail)
    return "Nothing is here." if "404" in type(error).__name__ else str(error)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page("The request could not be understood.", 400)


def forbidden(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page("This is not allowed.", 403)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page(f"There is nothing at {request.path}.", 404)


def server_error(request: HttpRequest) -> JsonResponse:
    return _page("The server failed; its log says why.", 500)


def _page(sentence: str, status: int) -> JsonResponse:
    """An error from outside of any view of ours."""
    return JsonResponse(problem(sentence, status), status=status)
