"""The beginning of a picture file → whether it is decoded otherwise than at first: part of an upload's id.

Pictures without colour profiles have kept their pixels, and so their vectors and the ids of their uploads.
"""

import hashlib

from . import colour, png_chunks, signatures, tiff_header
from .embedded_profiles import of_bmp, of_boxes
from .headers import read_header

FIRST, COLOUR_MANAGED = 1, 2
"""Revisions: before colours were converted, and since."""
_SOS = b"\xff\xda"
_ICC = b"ICC_PROFILE\0"
_GREY, _GREY_ALPHA = 0, 4
_MOST_PROFILES = 32


class MoreNeeded(Exception):
    """The beginning ends before it says."""


def is_changed(head: bytes, profiles: set[bytes]) -> bool:
    """Whether `head`, the first bytes of a file or all of it, begins a picture that the first revision read otherwise.

    `profiles` collects those of an archive: when there are too many to look into, they count as some other than sRGB.
    Raises `MoreNeeded`.
    """
    if head.startswith(png_chunks.SIGNATURE):
        return _png(head, profiles)
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(head, profiles)
    if head.startswith(b"\xff\xd8\xff"):
        return _converts(*_jpeg(head), profiles)
    header = read_header(head)
    form = header.form if header else ""
    if form in {"HEIF", "JXL"}:  # not read at first
        return True
    if form == "WEBP":
        profile, mode = _webp(head), "RGB"
    elif head[4:8] in (b"ftyp", b"jP  "):
        if b"mdat" not in head and b"jp2c" not in head:
            raise MoreNeeded
        profile, mode = of_boxes(head, "JPEG2000" if head[4:8] == b"jP  " else "AVIF"), "RGB"
    elif form == "BMP":
        profile, mode = of_bmp(head), "RGB"
        if profile == b"":  # it lies at the end
            raise MoreNeeded
    else:
        return False
    return _converts(profile, mode, profiles)


def _converts(profile: bytes | None, mode: str, profiles: set[bytes]) -> bool:
    if not profile:
        return False
    profiles.add(hashlib.blake2b(profile, digest_size=16).digest())
    return len(profiles) > _MOST_PROFILES or colour.conversion(profile, mode) is not None


def _jpeg(head: bytes) -> tuple[bytes | None, str]:
    parts, components, offset = [], 3, 2
    while True:
        marker = head[offset : offset + 2]
        length = int.from_bytes(head[offset + 2 : offset + 4], "big")
        if len(marker) < 2 or offset + 2 + length > len(head):
            raise MoreNeeded
        if marker == _SOS or marker[0] != 0xFF or length < 2:
            break
        content = head[offset + 4 : offset + 2 + length]
        if marker == b"\xff\xe2" and content.startswith(_ICC):
            parts.append((content[12:14], content[14:]))
        elif marker in {b"\xff\xc0", b"\xff\xc1", b"\xff\xc2"}:
            components = content[5] if len(content) > 5 else 3
        offset += 2 + length
    mode = {1: "L", 4: "CMYK"}.get(components, "RGB")
    return b"".join(part for _, part in sorted(parts)) or None, mode


def _png(head: bytes, profiles: set[bytes]) -> bool:
    depth, kind = head[24], head[25]
    if depth == 16 and kind == _GREY:
        return True  # of 12 bits perhaps, or with a transparent value
    if b"IDAT" not in head:
        raise MoreNeeded
    png = png_chunks.read_png(head[: head.index(b"IDAT") - 4])
    return _converts(png.profile(), "L" if kind in (_GREY, _GREY_ALPHA) else "RGB", profiles)


def _webp(head: bytes) -> bytes | None:
    if head[12:16] != b"VP8X" or not head[20] & 0x20 or head[30:34] != b"ICCP":
        return None
    length = int.from_bytes(head[34:38], "little")
    if len(head) < 38 + length:
        raise MoreNeeded
    return head[38 : 38 + length]


def _tiff(head: bytes, profiles: set[bytes]) -> bool:
    directory = tiff_header.read_directory(head)
    if not directory:
        raise MoreNeeded
    samples, bits = (directory[tag].first if tag in directory else 1 for tag in (tiff_header.SAMPLES, tiff_header.BITS))
    if signatures.unread_picture(head) or (samples == 1 and bits in (12, 16)):
        return True
    entry = directory.get(tiff_header.ICC_PROFILE)
    if entry is None:
        return False
    profile = head[entry.offset : entry.offset + entry.count]
    if len(profile) < entry.count:
        raise MoreNeeded
    return any(_converts(profile, mode, profiles) for mode in ("RGB", "L", "CMYK"))
