"""JPEG bytes → what their markers say before anything is decoded: size, components, progressive or not, scans."""

import re
from dataclasses import dataclass

_SOI, _SOS, _EOI = 0xD8, 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
# Inside a scan 0xFF is followed by 0 where it is data, and restart markers belong to the scan.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


@dataclass(frozen=True, kw_only=True)
class JpegFrame:
    """A JPEG's frame header (SOF)."""

    width: int
    height: int
    samples_per_pixel: float
    """Of all components together: 3 for 4:4:4, 1.5 for 4:2:0, 1 for grey."""
    progressive: bool


def read_frame(data: bytes) -> JpegFrame | None:
    """The frame header of a JPEG; None where there is none."""
    offset = 2
    while (segment := _segment(data, offset)) is not None:
        marker, start, end = segment
        if marker in _FRAMES:
            return _frame(data[start:end], marker)
        if marker in (_SOS, _EOI):
            return None
        offset = end
    return None


def has_one_scan(data: bytes) -> bool:
    """Whether the decoder stops after the first scan: it is of a sequential JPEG, and has all of the components.

    Quicker than counting scans, which goes through all of the file.
    """
    offset, components = 2, -1
    while (segment := _segment(data, offset)) is not None:
        marker, start, end = segment
        if marker in _FRAMES and end - start >= 6:
            if marker in _PROGRESSIVE:
                return False
            components = data[start + 5] if start + 5 < len(data) else -1
        elif marker == _SOS:
            return start < len(data) and data[start] == components
        elif marker == _EOI:
            return False
        offset = end
    return False


def count_scans(data: bytes, most: int) -> int:
    """How many scans the decoder would go through, counted up to `most + 1`.

    Stops at the end-of-image marker, as decoders do: cameras append other pictures and films to a JPEG.
    """
    if (bound := data.count(b"\xff\xda")) <= most:
        return bound
    scans, offset = 0, 2
    while scans <= most and (segment := _segment(data, offset)) is not None:
        marker, _, offset = segment
        if marker == _EOI:
            break
        if marker == _SOS:
            scans += 1
            found = _NEXT_MARKER.search(data, offset)
            if found is None:
                break
            offset = found.start()
    return scans


def _segment(data: bytes, offset: int) -> tuple[int, int, int] | None:
    """The next marker at or after `offset`, and where its content begins and ends; None at the end of the file."""
    found = _NEXT_MARKER.search(data, offset)
    if found is None:
        return None
    marker, start = data[found.end() - 1], found.end()
    if marker in _WITHOUT_LENGTH or marker == _EOI:
        return marker, start, start
    if start + 2 > len(data):
        return None
    length = max(int.from_bytes(data[start : start + 2], "big"), 2)
    return marker, start + 2, start + length


def _frame(content: bytes, marker: int) -> JpegFrame | None:
    if len(content) < 6 or len(content) < 6 + 3 * content[5]:
        return None
    areas = [(content[7 + 3 * k] >> 4) * (content[7 + 3 * k] & 15) for k in range(content[5])]
    return JpegFrame(
        width=int.from_bytes(content[3:5], "big"),
        height=int.from_bytes(content[1:3], "big"),
        samples_per_pixel=sum(areas) / max(max(areas, default=1), 1),
        progressive=marker in _PROGRESSIVE,
    )
