"""The directory at the end of a ZIP → its entries, with names as raw bytes.

Python's `zipfile` refuses a whole archive for one name, extra field or local header that is damaged, in ways that
change with its version. Here such damage costs at most the entry that has it.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import IO, Any

SIGNATURE, LOCAL_SIGNATURE = b"PK\x01\x02", b"PK\x03\x04"
UTF8_NAME, ENCRYPTED = 0x800, 0x1
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL_BYTES = 30
_ZIP64_END_BYTES = 76  # its record and the locator of that
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_WIDE = 0xFFFFFFFF
_BYTES_A_MEMBER = 512
MOST_OVERHEAD = 1.02, 2**16
"""A packed file is never longer than this share of its size, and so many bytes more."""


class DirectoryError(Exception):
    """There is no directory, or none that can be followed."""


class TooManyEntries(DirectoryError):
    """More than the limit. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder, as the directory has it."""

    raw: bytes
    """Its name, in whatever encoding."""
    flags: int
    method: int
    crc: int
    packed: int
    """Bytes."""
    size: int
    """Bytes, unpacked."""
    offset: int
    """Of its local header, from the beginning of the file."""
    unicode: str | None = None
    """Its name from Info-ZIP's Unicode Path field, where that is sound."""


@dataclass(frozen=True, slots=True)
class Directory:
    entries: list[Entry]
    lost: int
    """Entries that the end record counts and that are too damaged to be found."""


def read(file: IO[bytes], most: int) -> Directory:
    """Of a ZIP with at most so many entries. Raises `DirectoryError`; `TooManyEntries` before it takes much memory."""
    end: list[Any] | None = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end is None:
        raise DirectoryError("there is no end record")
    signature, stated, size, offset, location = end[0], end[4], end[5], end[6], end[9]
    if size > most * _BYTES_A_MEMBER:
        raise TooManyEntries(f"The ZIP's directory is too large; the limit is {most} entries.")
    start = location - size - (_ZIP64_END_BYTES if signature == b"PK\x06\x06" else 0)
    if start < 0:
        raise DirectoryError("the directory lies before the file")
    file.seek(start)
    data = file.read(size)
    # Counted, since the end record may understate them.
    if (count := data.count(SIGNATURE)) > most:
        raise TooManyEntries(f"The ZIP has {count} entries; the limit is {most}.")
    if data and not data.startswith(SIGNATURE):
        raise DirectoryError("the directory does not begin where it should")
    # Other bytes may stand before the archive; offsets do not count them.
    before = start - offset
    entries = [replace(entry, offset=entry.offset + before) if before else entry for entry in _entries(data)]
    return Directory(entries=entries, lost=max(stated - len(entries), 0))


def overlap(file: IO[bytes], entries: list[Entry]) -> bool:
    """Whether two entries share bytes, as in a bomb that unpacks the same ones many times.

    An entry that could not be read anyway, since there is no local header where it says, shares nothing.
    """
    ordered = sorted(entries, key=lambda entry: entry.offset)
    if not any(_reach(one) > other.offset for one, other in pairwise(ordered)):
        return False
    file.seek(0, 2)
    length = file.tell()
    reached = 0
    for entry in ordered:
        if _is_readable(file, entry, length):
            if entry.offset < reached:
                return True
            reached = _reach(entry)
    return False


def _reach(entry: Entry) -> int:
    """Where it ends at the earliest: the local header's own name and extra field are not known here."""
    return entry.offset + _LOCAL_BYTES + entry.packed


def _is_readable(file: IO[bytes], entry: Entry, length: int) -> bool:
    share, more = MOST_OVERHEAD
    if not 0 <= entry.offset < _reach(entry) <= length or entry.packed > entry.size * share + more:
        return False
    file.seek(entry.offset)
    return file.read(4) == LOCAL_SIGNATURE


def _entries(data: bytes) -> Iterator[Entry]:
    offset = 0
    while offset >= 0 and len(data) - offset >= _ENTRY.size:
        fields = _ENTRY.unpack_from(data, offset)
        name_bytes, extra_bytes, comment_bytes = fields[10:13]
        after_name = offset + _ENTRY.size + name_bytes
        following = after_name + extra_bytes + comment_bytes
        if following != len(data) and not data.startswith(SIGNATURE, following):
            # A length is wrong: look for the next entry behind this one's fixed fields.
            following = data.find(SIGNATURE, offset + _ENTRY.size)
            after_name = min(after_name, following if following >= 0 else len(data))
        raw = data[offset + _ENTRY.size : after_name].split(b"\0")[0]
        extra = data[after_name : min(after_name + extra_bytes, following if following >= 0 else len(data))]
        yield _entry(raw, fields, extra)
        offset = following


def _entry(raw: bytes, fields: tuple[int, ...], extra: bytes) -> Entry:
    flags, method = fields[3], fields[4]
    crc, packed, size, offset = fields[7], fields[8], fields[9], fields[16]
    unicode = None
    for kind, content in _extra_fields(extra):
        if kind == _UNICODE_PATH:
            unicode = _unicode_path(raw, content) or unicode
        elif kind == _ZIP64:
            wide = iter(struct.unpack(f"<{len(content) // 8}Q", content[: len(content) // 8 * 8]))
            # One that is missing leaves a number that nothing can be read with.
            size, packed, offset = (next(wide, value) if value == _WIDE else value for value in (size, packed, offset))
    return Entry(raw, flags, method, crc, packed, size, offset, unicode)


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Those before the first one that is longer than what is left."""
    offset = 0
    while offset + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, offset)
        content = extra[offset + 4 : offset + 4 + length]
        if len(content) < length:
            return
        yield kind, content
        offset += 4 + length


def _unicode_path(raw: bytes, content: bytes) -> str | None:
    """The name, unless the field is of another version, or belongs to the name that the entry had before."""
    if len(content) < 5 or content[0] != 1 or struct.unpack_from("<L", content, 1)[0] != zlib.crc32(raw):
        return None
    try:
        return content[5:].decode().split("\0")[0] or None
    except UnicodeDecodeError:
        return None
