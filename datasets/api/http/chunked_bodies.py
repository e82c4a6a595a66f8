"""Uploads whose length nobody has told (`Transfer-Encoding: chunked`) → bodies that Django reads, within a limit."""

from collections.abc import Callable
from typing import IO

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PART = "application/offset+octet-stream"
"""The type of a part of an upload (tus)."""
_READ_PIECE_BY_PIECE = {"multipart/form-data", PART}
FORM_BYTES = 2**20
"""What a form may have beside its file."""


class BoundedBody:
    """A body of unknown length. It ends at the limit; whoever reads it has to look at `is_over` and `is_broken`."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self.source = source
        self.is_over = False
        """Whether there was more than the limit."""
        self.is_broken = False
        """Whether the client left, or sent chunks that are none."""
        self._left = most

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; a negative number for all that the limit allows."""
        return self._taken(self.source.read, size)

    def readline(self, size: int = -1, /) -> bytes:
        return self._taken(self.source.readline, size)

    def _taken(self, read: Callable[[int], bytes], size: int) -> bytes:
        if self.is_over or self.is_broken:
            return b""
        # One byte beyond what is left tells whether there is more.
        most = self._left + 1
        try:
            data = read(most if size is None or size < 0 else min(size, most))
        except Exception:  # servers have their own errors for broken chunks
            self.is_broken = True
            return b""
        if len(data) > self._left:
            self.is_over = True
            data = data[: self._left]
        self._left -= len(data)
        return data


class ChunkedBodies:
    """Give chunked bodies a length, the greatest that is allowed: Django and DRF take one without a length as empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if chunked and not request.META.get("CONTENT_LENGTH"):
            most = settings.MAX_UPLOAD_MB * 2**20 + FORM_BYTES
            if request.content_type not in _READ_PIECE_BY_PIECE:  # others are read into memory
                most = min(most, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            request.META["CONTENT_LENGTH"] = str(most)
            request._stream = BoundedBody(_source(request), most)  # type: ignore[assignment]
        return self._get_response(request)


def _source(request: HttpRequest) -> IO[bytes]:
    """Django's own stream ends where no length is told; the server's is read to its end, if it says that it has one."""
    environ = getattr(request, "environ", {})
    source: IO[bytes] = environ["wsgi.input"] if environ.get("wsgi.input_terminated") else request._stream
    return source
