"""JPEG XL bytes → width and height, before anything is decoded: its Pillow plug-in decodes while it opens."""

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIZE_BITS = (9, 13, 18, 30)
_MOST_BOXES = 64


def is_jxl(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG XL codestream or container."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def read_size(data: bytes) -> tuple[int, int] | None:
    """Width and height as stored (ISO/IEC 18181-1, SizeHeader); None where they cannot be read."""
    start = 0 if data.startswith(_CODESTREAM) else _codestream(data)
    if start is None or data[start : start + 2] != _CODESTREAM or len(data) < start + 12:
        return None
    bits = _Bits(data[start + 2 : start + 14])
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.take(_SIZE_BITS[bits.take(2)]) + 1
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio]
        width = height * across // down
    elif small:
        width = (bits.take(5) + 1) * 8
    else:
        width = bits.take(_SIZE_BITS[bits.take(2)]) + 1
    return width, height


def _codestream(data: bytes) -> int | None:
    """Where the codestream begins inside a container."""
    offset = 0
    for _ in range(_MOST_BOXES):
        length, kind = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        header = 8
        if length == 1:
            length, header = int.from_bytes(data[offset + 8 : offset + 16], "big"), 16
        if kind == b"jxlc":
            return offset + header
        if kind == b"jxlp":
            return offset + header + 4
        if length < header:
            return None
        offset += length
    return None


class _Bits:
    """Reads bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value
