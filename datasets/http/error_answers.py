"""The one place where refusals and faults become answers: always `{"error": sentence}`, never a trace."""

import errno
import logging
from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from datasets.errors import Busy, Refusal, Unavailable

logger = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every refusal becomes `{"error": sentence}`."""
    if isinstance(error, Busy):
        busy = Response({"error": str(error)}, error.status, headers={"Retry-After": str(error.retry_after)})
        busy._has_been_logged = True  # type: ignore[attr-defined]  # Django would log each as an error
        return busy
    if isinstance(error, Unavailable):
        return Response({"error": str(error)}, error.status, headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, Refusal):
        return Response({"error": str(error)}, error.status)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        logger.error("the disk is full: %s", error)
        return Response({"error": "The server's disk is full: nothing was stored. Try again later."}, 507)
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": _sentence(error)}
    return response


def _sentence(error: Exception) -> str:
    if isinstance(error, exceptions.APIException) and isinstance(error.detail, str):
        return str(error.detail)
    return "Nothing is here." if "404" in type(error).__name__ else str(error)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"error": "The request could not be understood."}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"error": "This is not allowed."}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"error": f"There is nothing at {request.path}."}, status=404)


def server_error(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"error": "The server failed; its log says why."}, status=500)
