"""What every answer carries."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

EXPOSED = (
    "Accept-Ranges, Content-Disposition, Content-Encoding, Content-Length, Content-Range, ETag, Link, Location, "
    "Preference-Applied, Retry-After, Server-Timing, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, "
    "Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, WWW-Authenticate, X-Dtype, X-Request-ID, X-Shape"
)
"""Beyond the few that browsers show to scripts of other origins anyway."""


class CorsMiddleware:
    """`Access-Control-Allow-Origin: *` on every answer, pictures and errors included, asked for or not.

    The old server sent it always. django-cors-headers sends it only to requests that name an origin, and a cache in
    between would then keep the answer without it. With `CORS_ORIGINS` it is the asking origin's own name, if listed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else self._get_response(request)
        if "*" in settings.CORS_ORIGINS:
            response["Access-Control-Allow-Origin"] = "*"
        else:
            response["Vary"] = f"{response['Vary']}, Origin" if response.has_header("Vary") else "Origin"
            origin = request.headers.get("Origin", "")
            if origin not in settings.CORS_ORIGINS:
                return response
            response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = EXPOSED
        if preflight:
            response["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
            response["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
            response["Access-Control-Max-Age"] = "86400"
        return response


class ServerTiming:
    """How long the answer took here, and how much of that the database (W3C Server Timing), in milliseconds.

    Browsers show it beside the request. Of a file it is the time until its sending begins.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began, queries = time.perf_counter(), 0
        in_database = 0.0

        def timed(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal queries, in_database
            start = time.perf_counter()
            try:
                return execute(*arguments)
            finally:
                in_database += time.perf_counter() - start
                queries += 1

        with connection.execute_wrapper(timed):
            response = self._get_response(request)
        total = time.perf_counter() - began
        response["Server-Timing"] = (
            f'total;dur={1000 * total:.1f}, db;dur={1000 * in_database:.1f};desc="{queries} queries"'
        )
        response["Timing-Allow-Origin"] = "*"
        return response


class NoStoreMiddleware:
    """`Cache-Control: no-store` on refusals, faults and what was asked for by POST: the next time it may be otherwise.

    Caches may keep a 404 otherwise, and give it for a tilemap that has been built since. Nor may they give to others
    what someone had to show a token for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code >= 400 or request.method not in {"GET", "HEAD"}:
            response.headers.setdefault("Cache-Control", "no-store")
        if settings.TOKENS == "all" and not request.path.startswith(settings.STATIC_URL):
            response["Cache-Control"] = _private(response.get("Cache-Control", "no-cache"))
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            # With the length that GET would have. gunicorn would drop the body itself, and write a warning each time.
            response.content = b""
        return response


def _private(cache_control: str) -> str:
    """The same, for the client's own cache alone."""
    kept = [part for part in cache_control.split(", ") if part != "public" and not part.startswith("s-maxage")]
    return ", ".join(["private", *(part for part in kept if part != "private")])
