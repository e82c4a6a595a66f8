"""What a call answers with → the HTTP answer: not modified, a part, compressed, or all of it, sent from a file."""

import hashlib
import io
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from datasets.collection import content_coding
from datasets.collection.content_coding import IDENTITY
from datasets.collection.response_cache import Chunks, kept, versioned
from datasets.errors import PreconditionFailed

from . import exception_handler
from .conditional import FileRange, is_not_modified, part, precondition_failed

# Another catalogue may come under the same addresses, and its tilemaps must never be shown with the old one's vectors:
# caches keep these answers, and ask each time whether they still hold. That costs a 304.
CATALOGUE = "public, no-cache"
# The same for what holds a dataset's name or its fields: it may be renamed, and clusters, which are fields, come later.
MAY_CHANGE = CATALOGUE
# Pictures and places under a dataset's id never change, but an administrator may delete it, faces for instance. A
# browser that has shown it may keep it; a cache that gives it to others asks again after an hour, so it is gone an hour
# later.
DATASET = "public, max-age=31536000, s-maxage=3600, immutable"

UNFINISHED = "no-cache"

NOT_KEPT = "no-store"

_SHORT = 2**17
"""Bytes that take no longer from memory, in one piece, than from a file."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A representation, before it is known whether and how a client wants it."""

    version: str
    """What the bytes depend on: equal versions have equal bytes."""
    media_type: str
    cache_control: str
    open: Callable[[str], BinaryIO]
    """Content coding → the bytes, as a file from its start."""
    compressible: bool
    negotiated: bool = False
    """Whether another `Accept` may get another representation under the same address."""

    def etag(self, coding: str) -> str:
        """Strong, and another one for each coding, whose bytes are others."""
        return f'"{self.version}"' if coding == IDENTITY else f'"{self.version}-{coding}"'


def cached_response(
    cache_key: str,
    render: Callable[[], Chunks],
    *,
    cache_control: str,
    small: bool,
    media_type: str = "application/json",
    precompressed: bool = False,
    negotiated: bool = False,
    turn: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Answer:
    """What is rendered once for a cache key, such as `catalogue/<fingerprint>/pca-0-202`, and kept.

    What is `small`, below a kilobyte or so, is made anew each time: quicker than looking for it, and no smaller when
    compressed. `precompressed` bytes are sent as they are. `turn` is entered where it is still to be made, and may
    refuse it.
    """
    cache_key = versioned(cache_key)

    def open_kept(coding: str) -> BinaryIO:
        return kept().open(cache_key, coding, render, turn)

    return Answer(
        version=hashlib.sha256(cache_key.encode()).hexdigest()[:24],
        media_type=media_type,
        cache_control=cache_control,
        open=(lambda _: io.BytesIO(b"".join(render()))) if small else open_kept,
        compressible=not small and not precompressed,
        negotiated=negotiated,
    )


def fingerprint(data: bytes) -> str:
    """A version for bytes of which nothing else is known."""
    return hashlib.sha256(data).hexdigest()[:24]


def content(data: bytes, version: str, *, media_type: str, cache_control: str) -> Answer:
    """Bytes that are at hand, as they are."""
    return Answer(
        version=version,
        media_type=media_type,
        cache_control=cache_control,
        open=lambda _: io.BytesIO(data),
        compressible=False,
    )


def picture(path: Path, *, cache_control: str) -> Answer:
    """A JPEG, as it is: it is compressed already."""
    stat = path.stat()
    version = f"{stat.st_size:x}-{stat.st_mtime_ns:x}"
    return file(path, version, media_type="image/jpeg", cache_control=cache_control)


def file(path: Path, version: str, *, media_type: str, cache_control: str) -> Answer:
    """A file, as it is."""
    return Answer(
        version=version,
        media_type=media_type,
        cache_control=cache_control,
        open=lambda _: cast(BinaryIO, path.open("rb", buffering=0)),
        compressible=False,
    )


def send(request: Request, answer: Answer) -> HttpResponseBase:
    """Answer GET or HEAD. The conditions are looked at in the order of RFC 9110, section 13.2.2."""
    coding = content_coding.choose(request.headers.get("Accept-Encoding", "")) if answer.compressible else IDENTITY
    etag = answer.etag(coding)
    headers = {"ETag": etag, "Cache-Control": answer.cache_control}
    if vary := ["Accept"] * answer.negotiated + ["Accept-Encoding"] * answer.compressible:
        headers["Vary"] = ", ".join(vary)
    if precondition_failed(request, etag):
        raise PreconditionFailed("What you have a part of is not here any more.")
    if is_not_modified(request, etag):
        return HttpResponseNotModified(headers=headers)
    headers |= {"Accept-Ranges": "bytes", "Content-Type": answer.media_type}
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
    return _from_file(request, headers, answer.open(coding))


def stream(
    request: Request, pieces: Callable[[], Iterable[bytes]], version: str, headers: dict[str, str]
) -> HttpResponseBase:
    """Answer GET or HEAD with bytes that leave while they are made, and so without ranges. Conditions count as in
    `send`; equal versions have equal bytes."""
    headers = {"ETag": f'"{version}"', **headers}
    if precondition_failed(request, headers["ETag"]):
        raise PreconditionFailed("This has changed since.")
    if is_not_modified(request, headers["ETag"]):
        return HttpResponseNotModified(headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    return StreamingHttpResponse(pieces() if request.method == "GET" else (), headers=headers)


def _from_file(request: Request, headers: dict[str, str], file: BinaryIO) -> HttpResponseBase:
    size = file.seek(0, io.SEEK_END)
    selected = part(request, headers["ETag"], size)
    sent = range(size) if selected is None else selected
    headers["Content-Length"] = str(len(sent))
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers=headers)
    if selected is not None and not selected:
        file.close()
        sentence = f"There are no such bytes: there are {size} of them."
        problem = exception_handler.problem(sentence, 416)
        return exception_handler.response_of(problem, {"Content-Range": f"bytes */{size}"})
    if selected is None and size > _SHORT and (path := _path_for_nginx(request, file)):
        file.close()
        return HttpResponse(headers=headers | {"Content-Length": "0", "X-Accel-Redirect": path})
    if selected is not None:
        headers["Content-Range"] = f"bytes {selected.start}-{selected.stop - 1}/{size}"
    body, status = FileRange(file, sent), 200 if selected is None else 206
    if len(sent) > _SHORT:
        return _FromFile(body, status=status, headers=headers)
    with body:
        return HttpResponse(body.read(), status=status, headers=headers)


def _path_for_nginx(request: Request, file: BinaryIO) -> str:
    """Where nginx finds a file to send by itself, with these headers; empty where Django is to send it.

    `wwzd/nginx.conf` names the headers that it takes over. A file that is gone by then is asked for once more, with
    `X-Send-Itself`.
    """
    name = getattr(file, "name", None)
    # nginx would look at these two itself, and knows no ETag.
    must_send = any(header in request.headers for header in ("X-Send-Itself", "If-Match", "If-Unmodified-Since"))
    if must_send or not settings.SOCKET or not isinstance(name, str | Path):
        return ""
    return quote(f"/-/file{name}")


class _FromFile(FileResponse):
    """Django's, with our headers. gunicorn sends its file with sendfile(2); other servers read it in these blocks."""

    block_size = 2**16

    def set_headers(self, filelike: Any) -> None:
        pass
