"""What every answer carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class AnyOrigin:
    """`Access-Control-Allow-Origin: *` on every answer, pictures and errors included, asked for or not.

    The old server sent it always. django-cors-headers sends it only to requests that name an origin, and a cache in
    between would then keep the answer without it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else self._get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "ETag, Content-Range, Retry-After, X-Shape, X-Dtype"
        if preflight:
            response["Access-Control-Allow-Methods"] = "GET, HEAD, POST, DELETE, OPTIONS"
            response["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
            response["Access-Control-Max-Age"] = "86400"
        return response


class OnlyNow:
    """`Cache-Control: no-store` on refusals, faults and what was asked for by POST: the next time it may be otherwise.

    Caches may keep a 404 otherwise, and give it for a tilemap that has been built since.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code >= 400 or request.method not in {"GET", "HEAD"}:
            response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            # With the length that GET would have. gunicorn would drop the body itself, and write a warning each time.
            response.content = b""
        return response
