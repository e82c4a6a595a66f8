"""What a call answers with → the HTTP answer: not modified, a part, compressed, or all of it, sent from a file."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson
from django.conf import settings
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import FileResponse, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from datasets.errors import Refusal
from datasets.models import Dataset

from . import codings, error_answers
from .codings import IDENTITY
from .conditional import Stretch, is_known, is_unwanted, part
from .kept import Kept, Pieces

# Another catalogue may come under the same addresses, and its tilemaps must never be shown with the old one's vectors:
# caches keep these answers, and ask each time whether they still hold. That costs a 304.
CATALOGUE = "public, no-cache"
# What lies under a dataset's id never changes, but an administrator may delete it, faces for instance. A browser that
# has shown it may keep it; a cache that gives it to others asks again after an hour, so it is gone an hour later.
DATASET = "public, max-age=31536000, s-maxage=3600, immutable"

UNFINISHED = "no-cache"

NOT_KEPT = "no-store"

_SHORT = 2**17
"""Bytes that take no longer from memory, in one piece, than from a file."""
_FORMAT = 1
"""To be raised with every change of the bytes that the same vectors are answered with."""
_VERSION = hashlib.sha256(f"{_FORMAT} {orjson.__version__} {codings.VERSIONS}".encode()).hexdigest()[:8]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A representation, before it is known whether and how a client wants it."""

    identity: str
    """What the bytes depend on: equal identities have equal bytes."""
    media_type: str
    cache_control: str
    open: Callable[[str], BinaryIO]
    """Content coding → the bytes, as a file from its start."""
    compressible: bool
    negotiated: bool = False
    """Whether another `Accept` may get another representation under the same address."""

    def etag(self, coding: str) -> str:
        """Strong, and another one for each coding, whose bytes are others."""
        return f'"{self.identity}"' if coding == IDENTITY else f'"{self.identity}-{coding}"'


def made(
    place: str,
    render: Callable[[], Pieces],
    *,
    cache_control: str,
    small: bool,
    media_type: str = "application/json",
    packed: bool = False,
    negotiated: bool = False,
) -> Answer:
    """What is rendered once for a place, such as `catalogue/<identity>/pca-0-202`, and kept.

    What is `small`, below a kilobyte or so, is made anew each time: quicker than looking for it, and no smaller when
    compressed. What is `packed` is compressed already.
    """
    place = f"{place}.{_VERSION}"
    return Answer(
        identity=hashlib.sha256(place.encode()).hexdigest()[:24],
        media_type=media_type,
        cache_control=cache_control,
        open=(lambda _: io.BytesIO(b"".join(render()))) if small else lambda coding: kept().open(place, coding, render),
        compressible=not small and not packed,
        negotiated=negotiated,
    )


def fingerprint(data: bytes) -> str:
    """An identity for bytes of which nothing else is known."""
    return hashlib.sha256(data).hexdigest()[:24]


def content(data: bytes, identity: str, *, media_type: str, cache_control: str) -> Answer:
    """Bytes that are at hand, as they are."""
    return Answer(
        identity=identity,
        media_type=media_type,
        cache_control=cache_control,
        open=lambda _: io.BytesIO(data),
        compressible=False,
    )


def picture(path: Path, *, cache_control: str) -> Answer:
    """A JPEG, as it is: it is compressed already."""
    stat = path.stat()
    return Answer(
        identity=f"{stat.st_size:x}-{stat.st_mtime_ns:x}",
        media_type="image/jpeg",
        cache_control=cache_control,
        open=lambda _: cast(BinaryIO, path.open("rb", buffering=0)),
        compressible=False,
    )


def send(request: Request, answer: Answer) -> HttpResponseBase:
    """Answer GET or HEAD. The conditions are looked at in the order of RFC 9110, section 13.2.2."""
    coding = codings.choose(request.headers.get("Accept-Encoding", "")) if answer.compressible else IDENTITY
    etag = answer.etag(coding)
    headers = {"ETag": etag, "Cache-Control": answer.cache_control}
    if vary := ["Accept"] * answer.negotiated + ["Accept-Encoding"] * answer.compressible:
        headers["Vary"] = ", ".join(vary)
    if is_unwanted(request, etag):
        raise Refusal("What you have a part of is not here any more.", 412)
    if is_known(request, etag):
        return HttpResponseNotModified(headers=headers)
    headers |= {"Accept-Ranges": "bytes", "Content-Type": answer.media_type}
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
    return _from_file(request, headers, answer.open(coding))


def _from_file(request: Request, headers: dict[str, str], file: BinaryIO) -> HttpResponseBase:
    size = file.seek(0, io.SEEK_END)
    wanted = part(request, headers["ETag"], size)
    stretch = range(size) if wanted is None else wanted
    headers["Content-Length"] = str(len(stretch))
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers=headers)
    if wanted is not None and not wanted:
        file.close()
        sentence = f"There are no such bytes: there are {size} of them."
        return error_answers.answer(sentence, 416, {"Content-Range": f"bytes */{size}"})
    if wanted is not None:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    body, status = Stretch(file, stretch), 200 if wanted is None else 206
    if len(stretch) > _SHORT:
        return _FromFile(body, status=status, headers=headers)
    with body:
        return HttpResponse(body.read(), status=status, headers=headers)


class _FromFile(FileResponse):
    """Django's, with our headers. gunicorn sends its file with sendfile(2); other servers read it in these blocks."""

    block_size = 2**16

    def set_headers(self, filelike: Any) -> None:
        pass


def kept() -> Kept:
    return _kept(settings.CACHE_DIR / "answers", settings.CACHE_MB * 2**20)


@cache
def _kept(folder: Path, limit: int) -> Kept:
    return Kept(folder, limit)


@receiver(post_delete, sender=Dataset)
def _forget(instance: Dataset, **kwargs: Any) -> None:
    kept().forget("dataset", instance.hash)
