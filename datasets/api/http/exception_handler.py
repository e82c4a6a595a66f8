"""The one place where refusals and faults become answers: always a sentence under `error`, never a trace.

    {"error": "There is no range 007: the last one is 001.",
     "type": "urn:wwzd:error:range-unknown", "title": "Not Found", "status": 404, "detail": "There is no range 007: …",
     "params": {}}

`error` is the contract's. The others are what RFC 9457 calls a problem: generic clients know them. `type` says which of
`errors.KINDS` it is, `params` what stands in its sentence. The media type stays the contract's JSON.
"""

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from datasets.errors import KINDS, URN, ApiError, TooLarge
from datasets.uploads import outages
from embeddings.backbones import WeightsError

logger = logging.getLogger(__name__)

STATUSES = {
    "bad-request": 400,
    "not-authenticated": 401,
    "permission-denied": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "gone": 410,
    "precondition-failed": 412,
    "too-large": 413,
    "unsupported-media-type": 415,
    "range-not-satisfiable": 416,
    "locked": 423,
    "throttled": 429,
    "queue-full": 429,
    "server-error": 500,
    "unavailable": 503,
    "busy": 503,
    "read-only": 503,
    "disk-full": 507,
}
"""Kind of error → HTTP status. The first kind of a status is that of an error of which no more is known."""

_KINDS = {status: kind for kind, status in reversed(STATUSES.items())}


def kind_of(status: int) -> str:
    """The kind of an error of which no more is known than its status."""
    return _KINDS.get(status, "server-error" if status >= 500 else "bad-request")


def problem(sentence: str, status: int, code: str = "", params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What an error says. `code` is one of `errors.KINDS`; as the status says, where it is empty."""
    return {
        "error": sentence,
        "type": URN + (code or kind_of(status)),
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "params": dict(params or {}),
    }


def problem_of(error: ApiError) -> dict[str, Any]:
    """What an error of ours says."""
    return problem(str(error), STATUSES[error.kind], error.code, error.params)


def response_of(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A problem, from within a view."""
    status = body["status"]
    response = Response(body, status, headers=dict(headers or {}))
    # Django would log each error as a warning, and each busy answer as an error.
    response._has_been_logged = status in {429, 503}  # type: ignore[attr-defined]
    return response


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every `ApiError` becomes an answer; faults go on to `server_error`."""
    if not isinstance(error, ApiError) and (outage := outages.api_error(error)):
        logger.error("%s: %s", type(outage).__name__, error)
        error = outage
    if isinstance(error, RequestDataTooBig):
        error = TooLarge(f"The body is larger than the limit of {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.")
    if isinstance(error, ApiError):
        headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
        if error.about:
            headers["Link"] = f'<{error.about}>; rel="describedby"'
        return response_of(problem_of(error), headers)
    if isinstance(error, WeightsError):
        return response_of(problem("The network is not at hand yet. Try again later.", 503), {"Retry-After": "10"})
    response = exception_handler(error, context)
    if response is not None:
        code = getattr(error, "default_code", "").replace("_", "-")
        known = code if code in KINDS else ""
        response.data = problem(_sentence(error), response.status_code, known)
    return response


def _sentence(error: Exception) -> str:
    if isinstance(error, exceptions.APIException) and isinstance(error.detail, str):
        detail = str(error.detail)
        return detail if detail.endswith(".") else f"{detail}."
    return "Nothing is here." if "404" in type(error).__name__ else str(error)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    if isinstance(exception, DisallowedHost):
        return _page("This server does not answer to this host name: ALLOWED_HOSTS names those that it has.", 400)
    return _page("The request could not be understood.", 400)


def forbidden(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page("This is not allowed.", 403)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return _page(f"There is nothing at {request.path}.", 404)


def server_error(request: HttpRequest) -> JsonResponse:
    if error := outages.api_error(sys.exc_info()[1]):  # outside of the calls, such as in the admin
        return JsonResponse(problem_of(error), status=STATUSES[error.kind])
    return _page("The server failed; its log says why.", 500)


def _page(sentence: str, status: int) -> JsonResponse:
    """An error from outside of any view of ours."""
    return JsonResponse(problem(sentence, status), status=status)
