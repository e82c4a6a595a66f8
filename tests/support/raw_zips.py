"""ZIPs byte by byte: names in any encoding, with any flag, extra field or local header."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

_UNICODE_PATH = 0x7075


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored file."""

    raw: bytes
    content: bytes = b"content"
    flags: int = 0
    extra: bytes = b""
    """In the directory."""
    local_name: bytes | None = None
    """The name before its bytes, where it is another."""
    local_signature: bytes = b"PK\x03\x04"
    extra_bytes: int | None = None
    """What the directory says of the extra field's length, where that is wrong."""
    offset: int | None = None
    """Where the directory says that it lies, where that is wrong."""


def raw_zip(files: Sequence[Stored], stated: int | None = None) -> bytes:
    """An archive of these; it states another number of them if told to."""
    body, directory = b"", b""
    for file in files:
        crc, size = zlib.crc32(file.content), len(file.content)
        name = file.raw if file.local_name is None else file.local_name
        extra_bytes = len(file.extra) if file.extra_bytes is None else file.extra_bytes
        offset = len(body) if file.offset is None else file.offset
        fields = (20, file.flags, 0, 0, 0x21, crc, size, size)
        body += struct.pack("<4s5H3L2H", file.local_signature, *fields, len(name), 0) + name + file.content
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, *fields, len(file.raw), extra_bytes, 0, 0, 0, 0, offset
        )
        directory += file.raw + file.extra
    count = len(files) if stated is None else stated
    return body + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)


def unicode_path(raw: bytes, name: bytes, version: int = 1, of: bytes | None = None) -> bytes:
    """Info-ZIP's field that gives the true name of an entry."""
    content = struct.pack("<BL", version, zlib.crc32(raw if of is None else of)) + name
    return struct.pack("<2H", _UNICODE_PATH, len(content)) + content
