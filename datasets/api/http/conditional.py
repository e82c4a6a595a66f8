"""What the conditions in a request leave to be sent (RFC 9110, sections 13 and 14)."""

import io
import re
from typing import BinaryIO

from django.utils.http import parse_etags
from rest_framework.request import Request

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)


def is_not_modified(request: Request, etag: str) -> bool:
    """Whether the client has these very bytes: `If-None-Match` compares weakly."""
    tags = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in tags or etag in {tag.removeprefix("W/") for tag in tags}


def precondition_failed(request: Request, etag: str) -> bool:
    """Whether the client wants the rest of other bytes: `If-Match` compares strongly."""
    tags = parse_etags(request.headers.get("If-Match", ""))
    return bool(tags) and "*" not in tags and etag not in tags


def part(request: Request, etag: str, size: int) -> range | None:
    """The bytes that are asked for; None for all, and an empty range where there are none such.

    Our own lines: Django's FileResponse knows no ranges, and WhiteNoise's code for static files is private and takes
    the first byte alone (`bytes=0-0`) for unsatisfiable. Several ranges, other units and nonsense get everything, as
    the RFC allows. So does an `If-Range` that does not name these bytes, a date included: we send none.
    """
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    first, last = match.groups() if match else ("", "")
    if first:
        if last and int(last) < int(first):
            return None
        return range(int(first), min(int(last) + 1 if last else size, size))
    if last:
        return range(max(size - int(last), 0), size)
    return None


class FileRange(io.RawIOBase):
    """Some bytes of an unbuffered file: servers send them from its descriptor, other readers get none beyond them."""

    def __init__(self, file: BinaryIO, selected: range) -> None:
        self._file = file
        self._end = selected.stop
        file.seek(selected.start)

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._end - self._file.tell(), 0)
        return self._file.read(left if size is None or size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
        super().close()
