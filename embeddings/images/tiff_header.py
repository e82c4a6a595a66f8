"""TIFF bytes → a few fields of the first directory, and how many pieces the picture is in; nothing is decoded."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

SUBFILE, WIDTH, HEIGHT, BITS, PHOTOMETRIC, MAKE, SAMPLES = 254, 256, 257, 258, 262, 271, 277
STRIPS, TILES, SUB_DIRECTORIES, ICC_PROFILE, DNG_VERSION = 273, 324, 330, 34675, 50706
COLOUR_FILTER_ARRAY = 32803
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_MOST_ENTRIES = 4096


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field of a directory."""

    count: int
    first: int
    """The first of its whole numbers; 0 for other types."""
    raw: bytes
    """Its first bytes, at most 64."""
    offset: int
    """Where they lie in the file."""


def read_directory(data: bytes) -> Mapping[int, Entry]:
    """Tag → field, of a TIFF's or BigTIFF's first directory; empty where it cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return {}
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    except struct.error:
        return {}
    start += 8 if big else 2
    width = 20 if big else 12
    found: dict[int, Entry] = {}
    for offset in range(start, start + width * min(entries, _MOST_ENTRIES), width):
        if offset + width > len(data):
            break
        tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, offset)
        value = offset + (12 if big else 8)
        size = _SIZES.get(kind, 1) * count
        if size > (8 if big else 4):
            (value,) = struct.unpack_from(order + ("Q" if big else "I"), data, value)
        raw = data[value : value + min(size, 64)]
        number = _NUMBERS.get(kind)
        first = struct.unpack_from(order + number, raw)[0] if number and len(raw) >= struct.calcsize(number) else 0
        found[tag] = Entry(count=count, first=first, raw=raw, offset=value)
    return found


def pieces(directory: Mapping[int, Entry]) -> int:
    """How many strips or tiles there are."""
    return max((directory[tag].count for tag in (STRIPS, TILES) if tag in directory), default=0)


def bytes_per_pixel(directory: Mapping[int, Entry]) -> int:
    """Of what is unpacked, rounded up."""
    bits, samples = _first(directory, BITS) or 1, _first(directory, SAMPLES) or 1
    return -(-bits * samples // 8)


def is_raw_photograph(directory: Mapping[int, Entry]) -> bool:
    """Whether a camera's raw picture lies in it; the first directory's own picture is a preview then."""
    if DNG_VERSION in directory or _first(directory, PHOTOMETRIC) == COLOUR_FILTER_ARRAY:
        return True
    return MAKE in directory and SUB_DIRECTORIES in directory and _first(directory, SUBFILE) == 1


def _first(directory: Mapping[int, Entry], tag: int) -> int:
    return directory[tag].first if tag in directory else 0
