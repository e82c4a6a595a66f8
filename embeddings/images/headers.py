"""Picture bytes → format, width and height, and in how many pieces it is coded: read without any decoder.

What a decoder allocates or loops over is known, and can be refused, before it sees the file.
"""

import re
import struct
from dataclasses import dataclass

from . import jxl_header, tiff_header
from .jpeg_markers import JpegFrame, read_frame

_HEAD = 2**16
"""Bytes in which boxes of sizes are looked for."""
_PNM = re.compile(rb"P[1-7fFyPN0-9]*(?:\s|#[^\n]*\n)+(\d{1,10})(?:\s|#[^\n]*\n)+(\d{1,10})")
_PAM = re.compile(rb"WIDTH\s+(\d{1,10})\s.*?HEIGHT\s+(\d{1,10})\s", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file says of its picture."""

    form: str
    """Pillow's name of the format."""
    width: int
    """As stored."""
    height: int
    bytes_per_pixel: int = 4
    """In Pillow's memory; of a TIFF also what one strip or tile takes beside it."""
    pieces: int = 1
    """Strips or tiles of a TIFF; quality layers of a JPEG 2000."""
    frame: JpegFrame | None = None
    """Of a JPEG."""


def read_header(data: bytes) -> Header | None:
    """None where the format is another one, or the header is damaged."""
    try:
        for magic, read in _READERS:
            if data.startswith(magic):
                return read(data)
        if data[4:8] == b"ftyp":
            return _heif(data)
        return _tga(data)
    except (struct.error, IndexError, ValueError):
        return None


def _jpeg(data: bytes) -> Header | None:
    frame = read_frame(data)
    return Header(form="JPEG", width=frame.width, height=frame.height, frame=frame) if frame else None


def _png(data: bytes) -> Header:
    width, height, depth, kind = struct.unpack_from(">2I2B", data, 16)
    grey = 2 if depth == 16 else 1
    return Header(form="PNG", width=width, height=height, bytes_per_pixel=grey if kind in (0, 3) else 4)


def _gif(data: bytes) -> Header:
    width, height = struct.unpack_from("<2H", data, 6)
    return Header(form="GIF", width=width, height=height)


def _webp(data: bytes) -> Header | None:
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[offset : offset + 3], "little") + 1 for offset in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<2H", data, 26))
    else:
        return None
    return Header(form="WEBP", width=width, height=height)


def _riff(data: bytes) -> Header | None:
    return _webp(data) if data[8:12] == b"WEBP" else None


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<2H" if size == 12 else "<2i", data, 18)
    return Header(form="BMP", width=abs(width), height=abs(height))


def _dib(data: bytes) -> Header:
    return _bmp(bytes(14) + data[:64])


def _tiff(data: bytes) -> Header | None:
    directory = tiff_header.read_directory(data)
    try:
        width, height = directory[tiff_header.WIDTH].first, directory[tiff_header.HEIGHT].first
    except KeyError:
        return None
    pieces = tiff_header.pieces(directory)
    coded = tiff_header.bytes_per_pixel(directory)
    kept = 1 if coded <= 1 else 2 if coded == 2 else 4
    return Header(
        form="TIFF", width=width, height=height, bytes_per_pixel=kept + coded // max(pieces, 1), pieces=pieces
    )


def _jpeg2000(data: bytes) -> Header | None:
    start = data.find(b"\xff\x4f\xff\x51", 0, _HEAD)
    if start < 0:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    style = data.find(b"\xff\x52", start, start + _HEAD)
    layers = int.from_bytes(data[style + 6 : style + 8], "big") if style > 0 else 1
    return Header(form="JPEG2000", width=right - left, height=bottom - top, pieces=layers)


def _heif(data: bytes) -> Header | None:
    """The largest picture inside, which the others are tiles and previews of."""
    form = "AVIF" if data[8:12] in (b"avif", b"avis") or b"avif" in data[16:64] else "HEIF"
    if form == "HEIF" and data[8:12] not in HEIF_BRANDS:
        return None
    sizes = [struct.unpack_from(">2I", data, found.end() + 4) for found in re.finditer(b"ispe", data[:_HEAD])]
    if not sizes:
        return None
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header(form=form, width=width, height=height)


HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")


def _jxl(data: bytes) -> Header | None:
    size = jxl_header.read_size(data)
    return size and Header(form="JXL", width=size[0], height=size[1])


def _pnm(data: bytes) -> Header | None:
    found = _PNM.match(data[:_HEAD]) or _PAM.search(data[:_HEAD])
    return found and Header(form="PPM", width=int(found[1]), height=int(found[2]))


def _tga(data: bytes) -> Header | None:
    width, height = struct.unpack_from("<2H", data, 12)
    known = data[1] in (0, 1) and data[2] in (1, 2, 3, 9, 10, 11) and data[16] in (1, 8, 16, 24, 32)
    return Header(form="TGA", width=width, height=height) if known else None


_READERS = (
    (b"\xff\xd8\xff", _jpeg),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"RIFF", _riff),
    (b"BM", _bmp),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    ((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), _jpeg2000),
    ((b"\xff\x0a", b"\0\0\0\x0cJXL "), _jxl),
    (tuple(bytes([size, 0, 0, 0]) for size in (12, 40, 52, 56, 64, 108, 124)), _dib),
    (b"P", _pnm),
)
