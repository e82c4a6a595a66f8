"""Small picture files that are made to take hours or gigabytes. A few lines each."""

import io
import struct
import zlib

from PIL import Image


def scan_bomb(side: int = 10_000, scans: int = 1500) -> bytes:
    """A progressive JPEG of `side × side` whose last scan is repeated: about 0.1 s of C code each at 10,000."""
    file = io.BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True, quality=10)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    # A table may stand between scans: what is repeated is the scan with the table before it.
    start = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[start:-2] * scans + b"\xff\xd9"


def sliver_png(width: int, height: int) -> bytes:
    """A PNG of 16-bit grey without content, of some kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\0\0" * width
    packed = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*c) for c in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")))


def float_tiff(width: int, height: int) -> bytes:
    """A TIFF of 32-bit floats, deflated."""
    file = io.BytesIO()
    Image.new("F", (width, height)).save(file, "TIFF", compression="tiff_adobe_deflate")
    return file.getvalue()


def plain_webp(width: int = 16_000, height: int = 6_000) -> bytes:
    """A WebP of one colour: a few hundred bytes for 96 megapixels."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "WEBP", lossless=True, method=0, quality=0)
    return file.getvalue()


def plain_jpeg2000(side: int) -> bytes:
    """A JPEG 2000 of one colour, of some kilobytes."""
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "JPEG2000")
    return file.getvalue()


def plain_gif(side: int) -> bytes:
    """A GIF of one colour."""
    file = io.BytesIO()
    Image.new("P", (side, side)).save(file, "GIF")
    return file.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
