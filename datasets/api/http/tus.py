"""The headers of the tus protocol, version 1.0.0 (https://tus.io): uploads that go on after a cut connection."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.http import http_date
from rest_framework.request import Request

from datasets.errors import ApiError, PreconditionFailed

from .chunked_bodies import PART, BoundedBody

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
_DIGITS = re.compile("[0-9]{1,16}")
_METADATA = re.compile(r"[!-+\--~]+( [A-Za-z0-9+/]*={0,2})?(, ?[!-+\--~]+( [A-Za-z0-9+/]*={0,2})?)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NAME = "upload.zip"
"""Of an archive that the client gives no name."""
_SILENCE_SECONDS = 60


def capabilities() -> dict[str, str]:
    """What the answer to OPTIONS tells."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.MAX_UPLOAD_MB * 2**20),
    }


def check_version(request: Request) -> None:
    """Raises `PreconditionFailed`."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise PreconditionFailed(f"Send “Tus-Resumable: {VERSION}”: no other version is spoken.", code="tus-version")


def number(request: Request, name: str) -> int:
    """A header that is a whole number. Raises `ApiError`."""
    given = request.headers.get(name, "")
    if not _DIGITS.fullmatch(given):
        raise ApiError(
            f"Send the header “{name}”, a whole number of bytes, not “{given[:40]}”.",
            code="parameter-invalid",
            name=name,
        )
    return int(given)


def metadata(request: Request) -> dict[str, str]:
    """`Upload-Metadata`, `key value-in-base64` separated by commas. Raises `ApiError`."""
    given = request.headers.get("Upload-Metadata", "")
    if not given:
        return {}
    try:
        if not _METADATA.fullmatch(given):
            raise ValueError
        pairs = (pair.strip().partition(" ") for pair in given.split(","))
        return {key: base64.b64decode(value, validate=True).decode("utf-8", "replace") for key, _, value in pairs}
    except (ValueError, binascii.Error):
        raise ApiError(
            "“Upload-Metadata” has pairs of a name and a value in Base64, separated by commas.",
            code="parameter-invalid",
            name="Upload-Metadata",
        ) from None


def archive_name(given: str) -> str:
    """The name of a client's file, without folders and what is not seen."""
    name = _CONTROL.sub("", given.replace("\\", "/")).rsplit("/", 1)[-1].strip()
    return _NAME if name in {"", ".", ".."} else name[:255]


def expires(moment: datetime) -> str:
    return http_date(moment.timestamp())


def check_type(request: Request) -> None:
    """Raises `ApiError` for a body that is no part of an upload."""
    if (request.content_type or "").split(";")[0].strip() != PART:
        raise ApiError(f"Send the bytes as “Content-Type: {PART}”.", kind="unsupported-media-type")


def body(request: Request) -> tuple[Callable[[int], bytes], int | None]:
    """What reads the body piece by piece, and its length if the client says it.

    It ends where the connection does: what has come counts, and the client goes on from there.
    """
    stream: Any = request._request._stream
    is_bounded = isinstance(stream, BoundedBody)
    length = request.META.get("CONTENT_LENGTH") or "0"
    _limit_silence(request)

    def read(size: int) -> bytes:
        try:
            piece: bytes = stream.read(size)
        except Exception:  # servers have their own errors for connections that end
            return b""
        return piece

    return read, None if is_bounded or not length.isdecimal() else int(length)


def _limit_silence(request: Request) -> None:
    """A connection of which nothing is heard, such as a machine's that was switched off, would keep the upload locked.
    nginx ends it earlier."""
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(_SILENCE_SECONDS)
